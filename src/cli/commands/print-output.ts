// Bytes of a server on standard output: as they are for programs, and for a terminal without what would move it.
import type { Console } from '../console.ts'
import { manyLines } from '../terminal/safe-text.ts'

export interface Output {
  write(bytes: Uint8Array): Promise<void>
  /** Writes what is left; on a terminal the prompt begins on a new line. */
  end(): Promise<void>
}

/** A sign that another one follows in the next piece: half of a line break, or a mark on a letter. */
export const printOutput = (c: Pick<Console, 'out'>): Output => {
  const { out } = c
  if (!out.isTerminal) return { write: bytes => out.write(bytes), end: async () => {} }
  const decoder = new TextDecoder()
  let held = ''
  let last = '\n'
  const put = async (text: string): Promise<void> => {
    if (text === '') return
    last = text.slice(-1)
    await out.write(manyLines(text))
  }
  return {
    write(bytes) {
      const text = held + decoder.decode(bytes, { stream: true })
      // the line break may come in the next piece
      held = text.endsWith('\r') ? '\r' : ''
      return put(held === '' ? text : text.slice(0, -1))
    },
    async end() {
      await put(held + decoder.decode())
      held = ''
      if (last !== '\n') await out.write('\n')
    },
  }
}
