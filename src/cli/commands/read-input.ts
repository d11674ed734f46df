// Reads standard input, where a command asks for it.
import type { Console } from '../console.ts'
import { usage } from '../exit.ts'

const MAX_BYTES = 64 * 1024 * 1024
const MAX_LINES_BYTES = 64 * 1024

/** All of it. @throws ConsoleError beyond `most` bytes; the reason of the signal */
export const readAll = async (c: Console, most = MAX_BYTES): Promise<string> => {
  const { input } = c.machine
  if (c.isShell) throw usage('At the prompt of the console nothing comes from standard input')
  const pieces: Buffer[] = []
  let size = 0
  const stop = (): void => {
    ;(input as NodeJS.ReadableStream & { destroy?(error?: Error): void }).destroy?.()
  }
  c.signal.addEventListener('abort', stop, { once: true })
  try {
    for await (const piece of input) {
      const bytes = Buffer.from(piece as Uint8Array | string)
      size += bytes.length
      if (size > most) throw usage(`Standard input has more than ${most} bytes`)
      pieces.push(bytes)
    }
  } finally {
    c.signal.removeEventListener('abort', stop)
  }
  c.signal.throwIfAborted()
  return Buffer.concat(pieces).toString('utf8')
}

/** Its first lines, without their ends. */
export const readLines = async (c: Console, count: number): Promise<string[]> =>
  (await readAll(c, MAX_LINES_BYTES)).split(/\r?\n/).slice(0, count)
