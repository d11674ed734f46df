// The pattern of an error message: the message with an ellipsis in the place of what differs from task to task, such
// as numbers, ids and times. Messages with one pattern have one cause as far as a text can tell. Pure.
import { cutText } from './cut-text.ts'

/** Characters of a message that are looked at, and of a pattern. */
const LOOKED_AT = 400
export const PATTERN_LENGTH = 200
/** For what differs. */
export const VARIABLE = '…'

/** Letters and digits, also joined by what joins the parts of ids, times, addresses and numbers. */
const TOKEN = /[\p{L}\p{N}_]+(?:[-.:,+][\p{L}\p{N}_]+)*/gu
const DIGITS = /\p{N}+(?:[.,:+_-]\p{N}+)*/gu
const HEXADECIMAL = /^(?:0x)?[0-9a-f-]{8,}$/i
/** So long, and changing so often between letters and digits, that it is no word with a number in it. */
const ID_LENGTH = 8
const ID_CHANGES = 3
const CHANGE = /\p{L}(?=\p{N})|\p{N}(?=\p{L})/gu
/** Several in a row. */
const SEVERAL = /…(?:[-.:,+_ ]?…)+/g

const patternOfToken = (token: string): string => {
  if (!/\p{N}/u.test(token)) return token
  const changes = token.replace(/[-.:,+_]/g, '').match(CHANGE)?.length ?? 0
  if (HEXADECIMAL.test(token) || (token.length >= ID_LENGTH && changes >= ID_CHANGES)) return VARIABLE
  return token.replace(DIGITS, VARIABLE)
}

/** The pattern of a pattern is that pattern. */
export const errorPattern = (message: string): string => {
  const line = cutText(message, LOOKED_AT).replace(/\s+/g, ' ').trim()
  const pattern = line.replace(TOKEN, patternOfToken).replace(SEVERAL, VARIABLE)
  return cutText(pattern, PATTERN_LENGTH).trim()
}
