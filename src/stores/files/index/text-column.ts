// Short texts by row number, as bytes in one growing array: a string object for each would weigh several times as much.
// It stores and finds; whose texts they are is the table's business.

export interface TextColumn {
  /** Null takes it away. */
  set(row: number, text: string | null): void
  get(row: number): string | null
  /** Whether the text of a row holds a word, given in UTF-8. A lone surrogate counts as U+FFFD. */
  holds(row: number, word: Buffer): boolean
}

const GROW = 1.25
const FIRST_BYTES = 4_096
const FIRST_ROWS = 256
/** Before each text: its length in bytes. */
const HEAD_BYTES = 4

export const createTextColumn = (): TextColumn => {
  let bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  // no text begins at 0, so that 0 stands for none
  let used = HEAD_BYTES
  /** By row: where its text begins. */
  let starts = new Uint32Array(FIRST_ROWS)

  const place = (row: number): Buffer | null => {
    const start = starts[row] ?? 0
    return start === 0 ? null : bytes.subarray(start, start + bytes.readUInt32LE(start - HEAD_BYTES))
  }

  const makeRoom = (wanted: number): void => {
    if (used + wanted <= bytes.length) return
    const larger = Buffer.allocUnsafeSlow(Math.ceil(Math.max(bytes.length * GROW, used + wanted)))
    bytes.copy(larger, 0, 0, used)
    bytes = larger
  }

  const point = (row: number, start: number): void => {
    if (row >= starts.length) {
      const larger = new Uint32Array(Math.ceil(Math.max(starts.length * GROW, row + 1)))
      larger.set(starts)
      starts = larger
    }
    starts[row] = start
  }

  return {
    set(row, text) {
      if (text === null) {
        if (row < starts.length) starts[row] = 0
        return
      }
      const size = Buffer.byteLength(text)
      makeRoom(HEAD_BYTES + size)
      const start = used + HEAD_BYTES
      bytes.write(text, start, 'utf8')
      // most often a task moves on and its text does not: what was just written then stays free
      if (place(row)?.equals(bytes.subarray(start, start + size))) return
      bytes.writeUInt32LE(size, used)
      used = start + size
      point(row, start)
    },
    get: row => place(row)?.toString('utf8') ?? null,
    holds: (row, word) => place(row)?.includes(word) ?? false,
  }
}
