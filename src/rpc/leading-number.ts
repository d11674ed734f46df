// The number that a task's result is, or begins as, for the one `double` that an old client understands.
import type { StoredContent } from '../core/content.ts'
import type { Json } from '../core/task.ts'

/** Bytes read of a large result: more than the 17 digits that a double holds. */
export const HEAD_BYTES = 32

const NUMBER = /^[+-]?\d+(\.\d+)?(?:e[+-]?\d+)?/i

const finite = (text: string): number | null => {
  const number = Number(text)
  return Number.isFinite(number) ? number : null
}

/** Of a number, or a text that begins with a decimal number. Null otherwise, or if a double cannot hold it. */
export const leadingNumber = (result: Json): number | null => {
  if (typeof result === 'number') return finite(String(result))
  if (typeof result !== 'string') return null
  const found = NUMBER.exec(result)
  return found ? finite(found[0]) : null
}

/**
 * The same from the first bytes of a text that goes on. Null unless the decimal point is among them, since the
 * size of a number is not known before; and when an exponent is, since it may go on.
 */
export const leadingNumberOfHead = (head: string): number | null => {
  const found = NUMBER.exec(head)
  if (!found?.[1] || /e/i.test(head.slice(0, found[0].length + 1))) return null
  return finite(found[0])
}

/** The same from a result that is not in the record. Only texts are looked at: no JSON number is that long. */
export const leadingNumberOfContent = async (content: StoredContent): Promise<number | null> => {
  if (!content.contentType.startsWith('text/plain')) return null
  const pieces: Buffer[] = []
  for await (const piece of await content.open({ start: 0, end: Math.min(HEAD_BYTES, content.bytes) }))
    pieces.push(Buffer.from(piece))
  return leadingNumberOfHead(Buffer.concat(pieces).toString('latin1'))
}
