// What comes from a server, made fit for a terminal: nothing in it moves the cursor, rings or hides.
import { visibleText } from '../../platform/visible.ts'

/** Signs that only choose how the one before looks: terminals disagree about their width. */
const LOOKS = /[\ufe00-\ufe0f\u{1f3fb}-\u{1f3ff}\u{e0100}-\u{e01ef}]/gu
const BREAKS = /[\t\n]+/g

/** For one line or a cell. */
export const oneLine = (text: string): string =>
  visibleText(text.replace(/\r\n/g, '\n')).replace(LOOKS, '').replace(BREAKS, ' ')

/** For several lines: newlines stay, tabs are blanks. */
export const manyLines = (text: string): string =>
  visibleText(text.replace(/\r\n/g, '\n')).replace(LOOKS, '').replaceAll('\t', '    ')
