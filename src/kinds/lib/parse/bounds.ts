// How much of a page a result holds.

/** Entries of each list. */
export const MOST = { headings: 200, links: 1_000, images: 500 } as const

/** Characters of each text. */
export const LENGTHS = {
  title: 500,
  description: 1_000,
  heading: 300,
  link: 200,
  alt: 300,
  rel: 100,
  language: 40,
} as const

/** Without blanks at the ends, one blank for several, and no half of a character at the cut. */
export const tidy = (text: string, length: number): string => {
  // a long one is cut before it is looked at; blanks are rarely more than text
  const plain = text
    .slice(0, 8 * length)
    .replace(/\s+/gu, ' ')
    .trim()
  return (plain.length <= length ? plain : `${plain.slice(0, length - 1).trimEnd()}…`)
    .toWellFormed()
    .replace(/\ufffd…$/u, '…')
}
