// Reads a file of settings, such as `.env`: NAME=value lines. What Node's parser would pass over, or take for something
// else, is told instead. It reads no file and knows no setting; it imports only Node's own, for tools that must start
// fast.
import { parseEnv } from 'node:util'

export interface EnvFile {
  values: Record<string, string>
  /** One line each for people, with the number of the line; never with a value, which may be a secret. */
  problems: string[]
}

/** What Windows editors write first, and the encoding that it stands for. */
const MARKS: readonly [number[], string][] = [
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
]

/** Null: it is in no encoding that can be told. */
const textOf = (bytes: Uint8Array): string | null => {
  const mark = MARKS.find(([first]) => first.every((byte, at) => bytes[at] === byte))
  try {
    // the mark itself is left out by the decoder
    const text = new TextDecoder(mark?.[1] ?? 'utf-8', { fatal: true }).decode(bytes)
    return text.includes('\0') ? null : text
  } catch {
    return null
  }
}

const BLANK = /^\s*(?:#.*)?$/
const SETTING = /^\s*(?:export\s+)?(?<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?<value>.*)$/
const QUOTES = ['"', "'", '`']

/** The line on which a quoted value ends, and what stands behind it there; null when it does not end. */
const endOfQuoted = (
  lines: readonly string[],
  at: number,
  opened: string,
): { at: number; rest: string } | null => {
  const quote = opened.slice(0, 1)
  let text = opened.slice(1)
  for (let line = at; ; text = lines[line] ?? '') {
    const end = text.indexOf(quote)
    if (end >= 0) return { at: line, rest: text.slice(end + 1) }
    line += 1
    if (line >= lines.length) return null
  }
}

/** Reads UTF-8, and UTF-16 with a byte order mark. With problems the values are not to be used. */
export const parseEnvFile = (bytes: Uint8Array): EnvFile => {
  const text = textOf(bytes)
  if (text === null) return { values: {}, problems: ['is not text in UTF-8: save it as UTF-8'] }
  const plain = text.replace(/\r\n?/g, '\n')
  const lines = plain.split('\n')
  const problems: string[] = []
  const seen = new Map<string, number>()
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? ''
    const number = at + 1
    if (BLANK.test(line)) continue
    const { name, value } = SETTING.exec(line)?.groups ?? {}
    if (name === undefined || value === undefined) {
      problems.push(`line ${number}: must be NAME=value, or a comment that begins with #`)
      continue
    }
    const before = seen.get(name)
    if (before !== undefined) problems.push(`line ${number}: ${name} stands on line ${before} already`)
    seen.set(name, number)
    if (QUOTES.includes(value.slice(0, 1))) {
      const end = endOfQuoted(lines, at, value)
      if (end === null) problems.push(`line ${number}: the quote of ${name} is not closed`)
      else {
        at = end.at
        if (!BLANK.test(end.rest))
          problems.push(`line ${at + 1}: something stands behind the closing quote of ${name}`)
      }
    } else if (/\S#/.test(value))
      problems.push(`line ${number}: a # begins a comment; put the value of ${name} in quotes to keep it`)
  }
  return { values: problems.length === 0 ? (parseEnv(plain) as Record<string, string>) : {}, problems }
}
