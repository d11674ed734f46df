// One line of a log as it may be shown: bounded text without anything hidden, colours as data, and the level, time and
// message that our own processes write as JSON. Nothing in it is ever markup.
import { cutText } from '../../core/cut-text.ts'

/** The most bytes that are shown of a line. */
export const LINE_BYTES = 4 * 1024

export const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const
export type Level = (typeof LEVELS)[number]

/** A piece of a line and how it was coloured. */
export interface Span {
  text: string
  /** 0 to 255 of a terminal's palette, or `#rrggbb`. */
  fg?: number | string
  bg?: number | string
  bold?: true
  dim?: true
  italic?: true
  underline?: true
}

export interface LogLine {
  /** Without colours, and with control characters visible. */
  text: string
  /** Only where the line has colours; their texts make up `text`. */
  spans?: Span[]
  /** Of a JSON line of ours; null for any other line. */
  level: Level | null
  /** ISO 8601. */
  time: string | null
  message: string | null
  /** Whether it was longer than is shown. */
  cut: boolean
}

/** A line and the place where it begins. */
export type PlacedLine = LogLine & { id: string }

const ESC = String.fromCharCode(0x1b)
/** Colours and bold. Other escape sequences can swallow text, so they are shown and not removed. */
const COLOURS = new RegExp(`${ESC}\\[([0-9;:]*)m`, 'g')

/** Characters that control a terminal or change the text's direction; a tab is harmless. */
const HIDDEN = /(?!\t)[\p{Cc}\p{Cf}\u2028\u2029]/gu
const CONTROL_PICTURES = 0x2400
const DELETE = 0x7f

const picture = (character: string): string => {
  const code = character.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(CONTROL_PICTURES + code)
  return code === DELETE ? '\u2421' : '\ufffd'
}

const visible = (text: string): string => text.replace(HIDDEN, picture)

/** The text of a line's first bytes, colours still in it. */
const decode = (bytes: Buffer): { raw: string; cut: boolean } => {
  const cut = bytes.length > LINE_BYTES
  // `stream` drops a character that was cut.
  const text = new TextDecoder().decode(bytes.subarray(0, LINE_BYTES), { stream: cut })
  return { raw: text.replace(/\r$/, ''), cut }
}

/** One line as plain text: cut, without colours, with nothing hidden. */
export const showLine = (bytes: Buffer): string => {
  const { raw, cut } = decode(bytes)
  const shown = visible(raw.replace(COLOURS, ''))
  return cut ? `${shown} […]` : shown
}

/** Several lines as plain text: without colours, with nothing hidden but the ends of lines. */
export const showText = (bytes: Buffer): string =>
  bytes
    .toString('utf8')
    .replace(COLOURS, '')
    .split('\n')
    .map(line => visible(line.replace(/\r$/, '')))
    .join('\n')

type Style = Omit<Span, 'text'>

const FLAGS: Readonly<Record<number, keyof Style>> = { 1: 'bold', 2: 'dim', 3: 'italic', 4: 'underline' }

/** The colour of `38;5;n` or `38;2;r;g;b`, and how many codes it took. */
const extended = (codes: readonly number[]): [number | string | null, number] => {
  const [kind, ...rest] = codes
  const isByte = (value: number | undefined): value is number => value !== undefined && value <= 255
  if (kind === 5 && isByte(rest[0])) return [rest[0], 2]
  if (kind !== 2 || !rest.slice(0, 3).every(isByte) || rest.length < 3) return [null, codes.length]
  return [
    `#${rest
      .slice(0, 3)
      .map(value => value.toString(16).padStart(2, '0'))
      .join('')}`,
    4,
  ]
}

/** The style after a colour sequence; codes that are not known change nothing. */
const restyle = (before: Style, sequence: string): Style => {
  const codes = sequence.split(/[;:]/).map(code => Number(code === '' ? 0 : code))
  let style: Style = { ...before }
  const without = (...names: (keyof Style)[]): void => {
    style = Object.fromEntries(Object.entries(style).filter(([name]) => !names.includes(name as keyof Style)))
  }
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0
    const flag = FLAGS[code]
    if (code === 0) style = {}
    else if (flag) style = { ...style, [flag]: true }
    else if (code === 22) without('bold', 'dim')
    else if (code === 23) without('italic')
    else if (code === 24) without('underline')
    else if (code === 39) without('fg')
    else if (code === 49) without('bg')
    else if (code >= 30 && code <= 37) style = { ...style, fg: code - 30 }
    else if (code >= 90 && code <= 97) style = { ...style, fg: code - 82 }
    else if (code >= 40 && code <= 47) style = { ...style, bg: code - 40 }
    else if (code >= 100 && code <= 107) style = { ...style, bg: code - 92 }
    else if (code === 38 || code === 48) {
      const [colour, taken] = extended(codes.slice(at + 1))
      at += taken
      if (colour !== null) style = { ...style, [code === 38 ? 'fg' : 'bg']: colour }
    }
  }
  return style
}

/** A line with more pieces is one that somebody made to be slow; it is shown without colours. */
const SPANS_MAX = 200

const spansOf = (raw: string): Span[] | null => {
  const pieces = raw.split(COLOURS)
  if (pieces.length < 2 || pieces.length > SPANS_MAX * 2) return null
  const spans: Span[] = []
  let style: Style = {}
  // text and sequence by turns
  pieces.forEach((piece, index) => {
    if (index % 2 === 1) style = restyle(style, piece)
    else if (piece !== '') spans.push({ text: visible(piece), ...style })
  })
  return spans.some(span => Object.keys(span).length > 1) ? spans : null
}

const isLevel = (value: unknown): value is Level => LEVELS.some(level => level === value)

/** What a JSON line of ours says of itself. */
const readJson = (text: string): Pick<LogLine, 'level' | 'time' | 'message'> => {
  const none = { level: null, time: null, message: null }
  if (!text.startsWith('{')) return none
  try {
    const { level, time, message } = JSON.parse(text) as Record<string, unknown>
    return {
      level: isLevel(level) ? level : null,
      time: typeof time === 'string' && !Number.isNaN(Date.parse(time)) ? time : null,
      message: typeof message === 'string' ? visible(message) : null,
    }
  } catch {
    return none
  }
}

export const readLine = (bytes: Buffer): LogLine => {
  const { raw, cut } = decode(bytes)
  const spans = spansOf(raw)
  const text = visible(raw.replace(COLOURS, ''))
  // a long error has its stack in its line, and is one all the same
  const said = readJson(cut ? bytes.toString('utf8') : raw)
  const message = said.message === null ? null : cutText(said.message, LINE_BYTES)
  return { text, ...(spans ? { spans } : {}), ...said, message, cut }
}

/** What to look for; both left out: everything. */
export interface LineFilter {
  /** In any case. */
  search?: string | undefined
  /** This level and above. */
  level?: Level | undefined
}

/**
 * Whether a line is looked for. A line without a level of its own counts as an error where it stands in the log of
 * errors, since Node writes its last words there, and as no level at all elsewhere.
 */
export const matches = (line: LogLine, { search, level }: LineFilter, isErrorLog: boolean): boolean => {
  if (search !== undefined && !line.text.toLowerCase().includes(search.toLowerCase())) return false
  if (level === undefined) return true
  const own = line.level ?? (isErrorLog ? 'error' : null)
  return own !== null && LEVELS.indexOf(own) >= LEVELS.indexOf(level)
}
