// A typed line as the words of a command: blanks part them, quotes and backslashes keep them together. Pure.

export interface SplitLine {
  words: string[]
  /** A quote was not closed. */
  open: boolean
  /** The line ends behind a word, so that a new one begins. */
  atNewWord: boolean
}

export const splitLine = (line: string): SplitLine => {
  const words: string[] = []
  let word: string | null = null
  let quote: '"' | "'" | null = null
  for (let at = 0; at < line.length; at += 1) {
    const sign = line[at] as string
    if (quote === "'") {
      if (sign === quote) quote = null
      else word = (word ?? '') + sign
    } else if (sign === '\\' && at + 1 < line.length) {
      const next = line[at + 1] as string
      // within double quotes a backslash is one, but before what it keeps
      word = (word ?? '') + (quote === '"' && !['"', '\\'].includes(next) ? `\\${next}` : next)
      at += 1
    } else if (quote === '"') {
      if (sign === quote) quote = null
      else word = (word ?? '') + sign
    } else if (sign === '"' || sign === "'") {
      quote = sign
      word ??= ''
    } else if (/\s/.test(sign)) {
      if (word !== null) words.push(word)
      word = null
    } else word = (word ?? '') + sign
  }
  if (word !== null) words.push(word)
  return { words, open: quote !== null, atNewWord: word === null }
}

/** A word as it has to be typed to be read as itself. */
export const quoteWord = (word: string): string =>
  /^[^\s"'\\]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`
