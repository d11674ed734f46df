// Reads the last lines of a log file as plain text, with one bounded read from the end, however large the file is.
import { readEnd } from '../platform/log-files.ts'
import { LINE_BYTES, showLine } from './log-lines.ts'

/** The most that a page shows of a log. */
export const TAIL = { bytes: 64 * 1024, lineBytes: LINE_BYTES, lines: 1000 } as const

export interface Tail {
  /** Oldest first; without colours, and with control characters visible. */
  lines: string[]
  /** Whether the file has lines before these. */
  more: boolean
  /** Size of the file; null if there is none or it is no regular file. */
  bytes: number | null
}

const NEWLINE = 0x0a

/** Without the newlines. */
export const splitLines = (bytes: Buffer): Buffer[] => {
  const lines: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
    lines.push(bytes.subarray(start, end))
    start = end + 1
  }
  if (start < bytes.length) lines.push(bytes.subarray(start))
  return lines
}

/** The last `lines` lines of the last 64 KiB. A missing file counts as empty. */
export const readTail = async (file: string, lines: number): Promise<Tail> => {
  const end = await readEnd(file, TAIL.bytes)
  if (!end) return { lines: [], more: false, bytes: null }
  const cut = end.bytes.length < end.size
  const found = splitLines(end.bytes)
  // The read began inside a line; its rest is shown only if there is nothing else.
  if (cut && found.length > 1) found.shift()
  const last = found.slice(-Math.min(Math.max(1, lines), TAIL.lines))
  return { lines: last.map(showLine), more: cut || last.length < found.length, bytes: end.size }
}
