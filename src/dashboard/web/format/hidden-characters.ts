// Characters that a reader does not see, or that turn text around: which they are, and what stands for them. Pure.

export interface Segment {
  text: string
  /** It stands for a character that would not be seen. */
  isHidden: boolean
}

/** Line ends and tabs are harmless; joiners belong to emoji and to scripts that need them. */
const HIDDEN = /[^\P{C}\t\n\u200c\u200d]|[\u2028\u2029]/gu

const CONTROL_PICTURES = 0x2400

/** `␀` for a control character, `[U+202E]` for the rest. */
const pictureOf = (character: string): string => {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(CONTROL_PICTURES + code)
  if (code === 0x7f) return '\u2421'
  return `[U+${code.toString(16).toUpperCase().padStart(4, '0')}]`
}

export const segmentsOf = (text: string): Segment[] => {
  const segments: Segment[] = []
  let from = 0
  for (const { index, 0: found } of text.matchAll(HIDDEN)) {
    if (index > from) segments.push({ text: text.slice(from, index), isHidden: false })
    segments.push({ text: pictureOf(found), isHidden: true })
    from = index + found.length
  }
  if (from < text.length) segments.push({ text: text.slice(from), isHidden: false })
  return segments
}

/** The same as one text, for places that take no elements: titles and labels. */
export const shownText = (text: string): string =>
  segmentsOf(text)
    .map(segment => segment.text)
    .join('')
