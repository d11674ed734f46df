// From what a kind returned to what is kept: JSON or text, in the record or as bytes. Runs inside the thread.
import { INLINE_RESULT_BYTES } from '../core/task.ts'
import type { EncodedResult } from './thread-protocol.ts'

const refuse = (key: string, what: string): never => {
  throw new TypeError(
    `${key === '' ? 'the result' : `"${key.slice(0, 64)}"`} is ${what}, which JSON cannot express`,
  )
}

/** Throws where JSON.stringify would silently write something else. */
const strict = (key: string, value: unknown): unknown => {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? value : refuse(key, String(value))
    case 'bigint':
      return refuse(key, 'a BigInt')
    case 'function':
    case 'symbol':
      return refuse(key, `a ${typeof value}`)
    case 'object':
      return value instanceof Map || value instanceof Set || ArrayBuffer.isView(value)
        ? refuse(key, `a ${value.constructor.name}`)
        : value
    default:
      return value
  }
}

/** The JSON text of a value; undefined counts as null. @throws TypeError, RangeError with what JSON cannot express */
export const strictJson = (value: unknown): string => JSON.stringify(value ?? null, strict)

/** Encodes a result: small ones inline, larger strings as their text, larger others as JSON. @throws as strictJson */
export const encodeResult = (value: unknown): EncodedResult => {
  if (typeof value === 'string' && value.length > INLINE_RESULT_BYTES)
    return { form: 'text', bytes: new TextEncoder().encode(value) }
  const json = strictJson(value)
  if (json.length <= INLINE_RESULT_BYTES && Buffer.byteLength(json) <= INLINE_RESULT_BYTES)
    return { form: 'inline', json }
  return typeof value === 'string'
    ? { form: 'text', bytes: new TextEncoder().encode(value) }
    : { form: 'json', bytes: new TextEncoder().encode(json) }
}
