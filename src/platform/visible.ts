// Characters that nobody sees and terminals obey: controls (C0, DEL, C1), marks that turn the order of text around or
// hide in it, separators of lines, halves of signs. Made visible in one place for whatever reaches a log or a terminal.

/** Beside C0, which JSON escapes by itself. */
const UNSEEN = /[\u007f-\u009f\u2028\u2029]|\p{Cf}|\p{Surrogate}/gu
const UNSEEN_OR_C0 = /(?![\t\n])[\p{Cc}\p{Cf}\p{Surrogate}\u2028\u2029]/gu

const asEscape = (character: string): string =>
  Array.from(
    { length: character.length },
    (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
  ).join('')

/** JSON text that means the same, without such a character in it. */
export const visibleJson = (json: string): string => json.replace(UNSEEN, asEscape)

/** Text for a terminal: such characters as `\u009b`; tabs and newlines stay. */
export const visibleText = (text: string): string => text.replace(UNSEEN_OR_C0, asEscape)
