// JSON without loss: a number that JavaScript cannot hold keeps its digits. Pure.

/** A number whose digits would not survive: 9007199254740993, 1e400, 0.1000000000000000055. */
export class ExactNumber {
  readonly digits: string
  constructor(digits: string) {
    this.digits = digits
  }
  toString(): string {
    return this.digits
  }
}

export type ExactJson =
  | string
  | number
  | boolean
  | null
  | ExactNumber
  | ExactJson[]
  | { [key: string]: ExactJson }

const TOKEN = /\s*(?:([{}[\],:])|("(?:[^"\\]|\\.)*")|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null))/y

const numberOf = (digits: string): number | ExactNumber => {
  const value = Number(digits)
  if (String(value) === digits) return value
  // 1.0 and 1e3 are the same number in other words, and stay as they were written
  return new ExactNumber(digits)
}

/** @throws SyntaxError */
export const parseExact = (text: string): ExactJson => {
  TOKEN.lastIndex = 0
  const next = (): RegExpExecArray => {
    const token = TOKEN.exec(text)
    if (!token) throw new SyntaxError('This is no JSON')
    return token
  }
  const valueAt = (token: RegExpExecArray): ExactJson => {
    const [, sign, string, number, word] = token
    if (string !== undefined) return JSON.parse(string) as string
    if (number !== undefined) return numberOf(number)
    if (word !== undefined) return JSON.parse(word) as boolean | null
    if (sign === '[') return listFrom()
    if (sign === '{') return objectFrom()
    throw new SyntaxError('This is no JSON')
  }
  const listFrom = (): ExactJson[] => {
    const list: ExactJson[] = []
    let token = next()
    if (token[1] === ']') return list
    for (; ; token = next()) {
      list.push(valueAt(token))
      const after = next()
      if (after[1] === ']') return list
      if (after[1] !== ',') throw new SyntaxError('This is no JSON')
    }
  }
  const objectFrom = (): { [key: string]: ExactJson } => {
    const object: { [key: string]: ExactJson } = Object.create(null)
    let token = next()
    if (token[1] === '}') return object
    for (; ; token = next()) {
      if (token[2] === undefined || next()[1] !== ':') throw new SyntaxError('This is no JSON')
      object[JSON.parse(token[2]) as string] = valueAt(next())
      const after = next()
      if (after[1] === '}') return object
      if (after[1] !== ',') throw new SyntaxError('This is no JSON')
    }
  }
  const value = valueAt(next())
  if (text.slice(TOKEN.lastIndex).trim() !== '') throw new SyntaxError('This is no JSON')
  return value
}

/** As JSON.stringify with an indent, digits as they were. */
export const printExact = (value: ExactJson, indent = '  ', at = ''): string => {
  if (value instanceof ExactNumber) return value.digits
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const inner = at + indent
  const [open, close, parts] = Array.isArray(value)
    ? ['[', ']', value.map(each => printExact(each, indent, inner))]
    : [
        '{',
        '}',
        Object.entries(value).map(
          ([key, each]) => `${JSON.stringify(key)}:${indent && ' '}${printExact(each, indent, inner)}`,
        ),
      ]
  if (parts.length === 0) return open + close
  return indent === ''
    ? `${open}${parts.join(',')}${close}`
    : `${open}\n${parts.map(part => inner + part).join(',\n')}\n${at}${close}`
}
