// The version of this program: what it tells, and what it leaves in a store so that an older one can name it.
import { readFileSync } from 'node:fs'

/** Of the package. */
export const VERSION: string = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
).version
