// Short texts by row number, as bytes in one growing array: a string object for each would weigh several times as much.
// It stores and finds; whose texts they are is the table's business.

export interface TextColumn {
  /** Null takes it away. */
  set(row: number, text: string | null): void
  get(row: number): string | null
  /** Whether the text of a row holds a word, given in UTF-8. A lone surrogate counts as U+FFFD. */
  holds(row: number, word: Buffer): boolean
  /** Bytes that it takes. */
  size(): number
}

const GROW = 1.25
const FIRST_BYTES = 4_096
const FIRST_ROWS = 256
/** Texts that were replaced are left out when they are so many bytes, and this share of all. */
const WASTE_BYTES = 256 * 1024
const WASTE_SHARE = 0.5
/** Before each text: its length in bytes. */
const HEAD_BYTES = 4

export const createTextColumn = (): TextColumn => {
  let bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  // no text begins at 0, so that 0 stands for none
  let used = HEAD_BYTES
  /** Bytes of texts that no row has any more: people may edit one again and again. */
  let waste = 0
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

  const forget = (row: number): void => {
    const text = row < starts.length ? place(row) : null
    if (text === null) return
    waste += HEAD_BYTES + text.length
    starts[row] = 0
  }

  const tidy = (): void => {
    if (waste < WASTE_BYTES || waste < used * WASTE_SHARE) return
    const kept = Buffer.allocUnsafeSlow(Math.max(FIRST_BYTES, Math.ceil((used - waste) * GROW)))
    let end = HEAD_BYTES
    for (let row = 0; row < starts.length; row += 1) {
      const text = place(row)
      if (text === null) continue
      kept.writeUInt32LE(text.length, end)
      end += HEAD_BYTES
      text.copy(kept, end)
      starts[row] = end
      end += text.length
    }
    bytes = kept
    used = end
    waste = 0
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
        forget(row)
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
      forget(row)
      point(row, start)
      tidy()
    },
    get: row => place(row)?.toString('utf8') ?? null,
    size: () => bytes.length,
    holds: (row, word) => place(row)?.includes(word) ?? false,
  }
}
