// How a program of the tests tells its parent what it does.
import { writeSync } from 'node:fs'
import { isErrno } from '../../src/stores/files/errno.ts'

const STDOUT = 1
const PAUSE_MS = 1

/**
 * One line of JSON; the system has it whole when this returns, so that it outlives the process. `process.stdout` would
 * queue it inside the process while the parent is too busy to read.
 */
export const tell = (line: unknown): void => {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(STDOUT, bytes, at)
    } catch (error) {
      if (!isErrno(error, 'EAGAIN')) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS)
    }
  }
}
