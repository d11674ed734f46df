// How many columns of a terminal a text takes: two for CJK and emoji, none for marks on the letter before. Pure.

/** East Asian Width W and F, as far as \p{Emoji_Presentation} does not say it. */
const WIDE =
  /[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18d08}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
/** Two of these are a flag; each takes one column. */
const FLAG_LETTER = /[\u{1f1e6}-\u{1f1ff}]/u
const NO_WIDTH = /[\p{Mn}\p{Me}\u1160-\u11ff\ud7b0-\ud7ff]/u

/** Columns of one code point: 0, 1 or 2. */
const columnsOf = (character: string): number => {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x300) return 1
  if (NO_WIDTH.test(character)) return 0
  return WIDE.test(character) && !FLAG_LETTER.test(character) ? 2 : 1
}

/** Columns of a text without control characters. */
export const widthOf = (text: string): number => {
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** The beginning of a text that takes at most so many columns; what is cut off shows as `…`. */
export const cutTo = (text: string, columns: number): string => {
  if (text.length <= columns / 2 || widthOf(text) <= columns) return text
  if (columns < 1) return ''
  let kept = ''
  let width = 0
  for (const character of text) {
    const more = columnsOf(character)
    // a mark belongs to the letter before it
    if (width + more > columns - 1) break
    kept += character
    width += more
  }
  return `${kept}…`
}

/** The end of a text that takes at most so many columns; what is cut off shows as `…`. */
export const endOf = (text: string, columns: number): string => {
  if (widthOf(text) <= columns) return text
  if (columns < 1) return ''
  let kept = ''
  let width = 0
  for (const character of Array.from(text.slice(-2 * columns)).reverse()) {
    const more = columnsOf(character)
    if (width + more > columns - 1) break
    kept = character + kept
    width += more
  }
  return `…${kept}`
}

/** With blanks up to so many columns. */
export const padTo = (text: string, columns: number, align: 'left' | 'right' = 'left'): string => {
  const blanks = ' '.repeat(Math.max(0, columns - widthOf(text)))
  return align === 'left' ? text + blanks : blanks + text
}
