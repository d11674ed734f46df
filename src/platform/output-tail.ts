// The output of a command on one stream: keeps the end of it, within a bound, and passes each line on once.
import { StringDecoder } from 'node:string_decoder'

export interface OutputTail {
  add(bytes: Buffer): void
  /** Passes on a last line without a newline. */
  end(): void
  text(): string
  /** Whether the beginning is missing. */
  truncated(): boolean
  /** Not empty ones; without trailing spaces. */
  lastLines(count: number, maxLength: number): string[]
}

/** Longer lines are passed on in pieces: a command that never ends its line must not fill the memory. */
const LINE_MAX = 4_000

/** Without a character that was cut. Its bytes in UTF-8 begin with the bits 10, and are three at the most. */
const wholeSigns = (bytes: Buffer): Buffer => {
  let start = 0
  while (start < 3 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start++
  return bytes.subarray(start)
}

export const createOutputTail = (maxBytes: number, onLine: (line: string) => void): OutputTail => {
  let chunks: Buffer[] = []
  let kept = 0
  let cut = false
  const decoder = new StringDecoder('utf8')
  let open = ''

  /** Of a line that a progress bar rewrites, only the last state counts. */
  const hand = (line: string): void => {
    const states = line.replace(/\r+$/, '').split('\r')
    onLine(states.at(-1) ?? '')
  }
  const split = (text: string): void => {
    const lines = (open + text).split('\n')
    open = lines.pop() ?? ''
    for (const line of lines) hand(line)
    while (open.length > LINE_MAX) {
      const overwritten = open.lastIndexOf('\r', open.length - 2)
      if (overwritten >= 0) open = open.slice(overwritten + 1)
      if (open.length <= LINE_MAX) break
      // not between the halves of a surrogate pair
      const end = /[\ud800-\udbff]/.test(open[LINE_MAX - 1] ?? '') ? LINE_MAX - 1 : LINE_MAX
      onLine(open.slice(0, end))
      open = open.slice(end)
    }
  }
  const tail = (): Buffer => {
    const all = Buffer.concat(chunks)
    if (!cut && all.length <= maxBytes) return all
    return wholeSigns(all.subarray(Math.max(0, all.length - maxBytes)))
  }

  return {
    add(bytes) {
      chunks.push(bytes)
      kept += bytes.length
      // not at every chunk, so that each is copied twice at the most
      if (kept > 2 * maxBytes) {
        const rest = Buffer.concat(chunks).subarray(-maxBytes)
        chunks = [Buffer.from(rest)]
        kept = rest.length
        cut = true
      }
      split(decoder.write(bytes))
    },
    end() {
      split(decoder.end())
      if (open !== '') hand(open)
      open = ''
    },
    text: () => tail().toString('utf8'),
    truncated: () => cut || kept > maxBytes,
    lastLines: (count, maxLength) =>
      tail()
        .subarray(-count * maxLength * 4)
        .toString('utf8')
        .split(/[\r\n]+/)
        .map(line => line.trimEnd())
        .filter(line => line !== '')
        .slice(-count)
        .map(line => (line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line)),
  }
}
