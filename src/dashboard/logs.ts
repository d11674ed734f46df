// The last lines of a log file, as plain text. One bounded read from the end, however large the file is.
// It never writes, and knows neither PM2 nor HTML.
import { readEnd } from '../platform/log-files.ts'

/** What a page shows of a log at most. */
export const TAIL = { bytes: 64 * 1024, lineBytes: 4 * 1024, lines: 1000 } as const

export interface Tail {
  /** Oldest first; without colours, and with control characters made visible. */
  lines: string[]
  /** Whether the file holds lines before these. */
  more: boolean
  /** Size of the file; null when there is none, or when it is no plain file. */
  bytes: number | null
}

/** Colours and bold. Other sequences of a terminal can swallow text, so they are shown and not taken out. */
const COLOURS = new RegExp(`${String.fromCharCode(0x1b)}\\[[0-9;:]*m`, 'g')

/** Characters that steer a terminal or turn the order of the text around; a tab is harmless. */
const HIDDEN = /(?!\t)[\p{Cc}\p{Cf}\u2028\u2029]/gu
const CONTROL_PICTURES = 0x2400
const DELETE = 0x7f

const picture = (character: string): string => {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code)
  return code === DELETE ? '\u2421' : '\ufffd'
}

/** One line as it may be shown: cut, without colours, nothing hidden in it. */
const showLine = (bytes: Buffer): string => {
  const cut = bytes.length > TAIL.lineBytes
  // `stream` leaves out a character that the cut went through.
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

/** The last `lines` lines among the last 64 KiB. A file that is not there is an empty one. */
export const readTail = async (file: string, lines: number): Promise<Tail> => {
  const end = await readEnd(file, TAIL.bytes)
  if (!end) return { lines: [], more: false, bytes: null }
  const cut = end.bytes.length < end.size
  const found = splitLines(end.bytes)
  // The read began somewhere within a line; its rest is shown only when there is nothing else.
  if (cut && found.length > 1) found.shift()
  const last = found.slice(-Math.min(Math.max(1, lines), TAIL.lines))
  return { lines: last.map(showLine), more: cut || last.length < found.length, bytes: end.size }
}
