// Reads the last lines of a log file as plain text, with one bounded read from the end, however large the file is.
import { readEnd } from '../platform/log-files.ts'

/** The most that a page shows of a log. */
export const TAIL = { bytes: 64 * 1024, lineBytes: 4 * 1024, lines: 1000 } as const

export interface Tail {
  /** Oldest first; without colours, and with control characters visible. */
  lines: string[]
  /** Whether the file has lines before these. */
  more: boolean
  /** Size of the file; null if there is none or it is no regular file. */
  bytes: number | null
}

/** Colours and bold. Other escape sequences can swallow text, so they are shown and not removed. */
const COLOURS = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;:]*m`, 'g')

/** Characters that control a terminal or change the text's direction; a tab is harmless. */
const HIDDEN = /(?!\t)[\p{Cc}\p{Cf}\u2028\u2029]/gu
const CONTROL_PICTURES = 0x2400
const DELETE = 0x7f

const picture = (character: string): string => {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code)
  return code === DELETE ? '\u2421' : '\ufffd'
}

/** One line for display: cut, without colours, with nothing hidden. */
const showLine = (bytes: Buffer): string => {
  const cut = bytes.length > TAIL.lineBytes
  // `stream` drops a character that was cut.
  const text = new TextDecoder().decode(bytes.subarray(0, TAIL.lineBytes), { stream: cut })
  const shown = text.replace(/\r$/, '').replace(COLOURS, '').replace(HIDDEN, picture)
  return cut ? `${shown} […]` : shown
}

const NEWLINE = 0x0a

const splitLines = (bytes: Buffer): Buffer[] => {
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
