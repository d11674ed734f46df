// Whether sharp is installed for this system, told without loading it: each role reads the kinds, and only the decoder's
// process needs it.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

/** Whether a decoder may be expected to start. Sharp itself has the last word, when a task runs. */
export const sharpIsInstalled = (from: string | URL = import.meta.url): boolean => {
  try {
    const entry = createRequire(from).resolve('sharp')
    const own = createRequire(entry)
    const finds = (name: string): boolean => {
      try {
        own.resolve(name)
        return true
      } catch {
        return false
      }
    }
    const { platform, arch } = process
    return (
      [`${platform}-${arch}`, `${platform}musl-${arch}`].some(name =>
        finds(`@img/sharp-${name}/sharp.node`),
      ) ||
      // built on this machine
      existsSync(path.join(path.dirname(entry), '..', 'src', 'build', 'Release'))
    )
  } catch {
    return false
  }
}
