// Scans JSON text before it is parsed: how deep it nests, how much it holds, and what parsing would silently lose.
// One pass in linear time, without recursion, that stops at a limit. A second pass finds the place of a flaw.
import { type Flaw, flawHere, LARGE_INTEGER } from './json-flaw.ts'

export interface Scan {
  /** How deep arrays and objects nest. The scan ends when this exceeds the limit. */
  depth: number
  /** How many values it holds, arrays and objects included. The scan ends when this exceeds the limit. */
  values: number
  /** How many field names it holds. Meaningless if the text is not JSON. */
  names: number
  /** Whether it holds an integer that a double cannot hold exactly. */
  hasLargeInteger: boolean
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const MINUS = 0x2d
const COLON = 0x3a
const COMMA = 0x2c

const isDigit = (char: number): boolean => char >= 0x30 && char <= 0x39
/** Digits, and . + - E e, which make a number no plain integer. */
const isOfNumber = (char: number): boolean =>
  isDigit(char) || char === 0x2e || char === 0x65 || char === 0x45 || char === 0x2b || char === MINUS

/** The position after the string that begins at `at`. */
const endOfString = (text: string, at: number): number => {
  let end = at + 1
  for (; end < text.length; end += 1) {
    const char = text.charCodeAt(end)
    if (char === BACKSLASH) end += 1
    else if (char === QUOTE) return end + 1
  }
  return end
}

const endOfNumber = (text: string, at: number): number => {
  let end = at + 1
  while (end < text.length && isOfNumber(text.charCodeAt(end))) end += 1
  return end
}

/** 15 digits always fit. */
const SAFE_LENGTH = 15
const isLargeInteger = (number: string): boolean =>
  number.length > SAFE_LENGTH && /^-?\d+$/.test(number) && !Number.isSafeInteger(Number(number))

/** If the text is not JSON, `values` is meaningless too; the parser will refuse it. */
export const scanJson = (
  text: string,
  depthLimit: number,
  valuesLimit: number = Number.POSITIVE_INFINITY,
): Scan => {
  const scan: Scan = { depth: 0, values: 1, names: 0, hasLargeInteger: false }
  let depth = 0
  let at = 0
  /** Directly after the beginning of an array or object. */
  let begun = false
  while (at < text.length && scan.values <= valuesLimit) {
    const char = text.charCodeAt(at)
    // white space
    if (char <= 0x20) {
      at += 1
      continue
    }
    const isEnd = char === 0x5d || char === 0x7d
    if (begun && !isEnd) scan.values += 1
    begun = false
    if (char === QUOTE) {
      at = endOfString(text, at)
      continue
    }
    if (isDigit(char) || char === MINUS) {
      const end = endOfNumber(text, at)
      if (end - at > SAFE_LENGTH && isLargeInteger(text.slice(at, end))) scan.hasLargeInteger = true
      at = end
      continue
    }
    // [ and {, ] and }
    if (char === 0x5b || char === 0x7b) {
      depth += 1
      if (depth > scan.depth) scan.depth = depth
      if (depth > depthLimit) return scan
      begun = true
    } else if (isEnd) depth -= 1
    else if (char === COLON) scan.names += 1
    else if (char === COMMA) scan.values += 1
    at += 1
  }
  return scan
}

/** An array or object that the second pass is inside. */
interface Level {
  /** Null: an array. */
  names: Set<string> | null
  /** The name or the index of the next value. */
  step: string | number
  namesNext: boolean
}

/** The first name that occurs twice in one object, or the first integer that is too large. The text must be JSON. */
export const flawInText = (text: string): Flaw | null => {
  const levels: Level[] = []
  const here = (problem: string): Flaw => ({
    ...flawHere(problem),
    steps: levels.map(({ step }) => String(step)),
  })
  let at = 0
  while (at < text.length) {
    const char = text.charCodeAt(at)
    const level = levels.at(-1)
    if (char === QUOTE) {
      const end = endOfString(text, at)
      if (level?.names && level.namesNext) {
        const name = JSON.parse(text.slice(at, end)) as string
        level.step = name
        level.namesNext = false
        if (level.names.has(name)) return here('stands there twice, and only one value can be kept')
        level.names.add(name)
      }
      at = end
      continue
    }
    if (isDigit(char) || char === MINUS) {
      const end = endOfNumber(text, at)
      if (isLargeInteger(text.slice(at, end))) return here(LARGE_INTEGER)
      at = end
      continue
    }
    if (char === 0x7b) levels.push({ names: new Set(), step: '', namesNext: true })
    else if (char === 0x5b) levels.push({ names: null, step: 0, namesNext: false })
    else if (char === 0x5d || char === 0x7d) levels.pop()
    else if (char === COMMA && level) {
      if (typeof level.step === 'number') level.step += 1
      else level.namesNext = true
    }
    at += 1
  }
  return null
}
