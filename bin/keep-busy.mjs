// Keeps every core busy with its own processes, for tests that must hold on a loaded machine.
import { spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Runs until its standard input closes, which happens when its parent ends in any way. */
const WORK = `
process.stdin.on('end', () => process.exit()).resume()
const work = () => {
  for (const until = performance.now() + 50; performance.now() < until; );
  setImmediate(work)
}
work()
`

/**
 * Starts two processes per core, so that a test gets a third of one. @returns a function that ends them; may be called
 * twice
 */
export const keepBusy = () => {
  const children = Array.from({ length: 2 * availableParallelism() }, () =>
    spawn(process.execPath, ['-e', WORK], { stdio: ['pipe', 'ignore', 'ignore'] }),
  )
  for (const child of children) child.unref()
  return () => {
    for (const child of children) child.kill('SIGKILL')
  }
}
