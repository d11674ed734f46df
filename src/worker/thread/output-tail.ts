// What a command prints on one of its streams: the end of it is kept within a bound, and each line is handed on once.
import { StringDecoder } from 'node:string_decoder'

export interface OutputTail {
  add(bytes: Buffer): void
  /** Hands on a last line that has no end. */
  end(): void
  text(): string
  /** Whether the beginning is missing. */
  truncated(): boolean
  /** Not empty ones, without the space at their end. */
  lastLines(count: number, maxLength: number): string[]
}

/** Longer ones are handed on in pieces: a command that never ends its line must not fill the memory. */
const LINE_MAX = 4_000

/** Without the rest of a sign that was cut. In UTF-8 such bytes begin with the bits 10, and are three at the most. */
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

  /** A line that a progress bar writes over again and again counts with its last state. */
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
      // not between the halves of one sign
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
      // not at every chunk: each is then copied twice at the most
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
