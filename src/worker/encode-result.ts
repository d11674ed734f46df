// From what a kind returned to what is kept: JSON or text, in the record or as bytes. Runs inside the thread.
import { MadhavaError } from '../core/errors.ts'
import type { ResultLimits } from '../core/task.ts'
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

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MB`

const toBytes = (text: string, { maxBytes }: ResultLimits): Uint8Array => {
  // a text has at least as many bytes as letters: one that is far too long is not even measured
  const size = text.length > maxBytes ? text.length : Buffer.byteLength(text)
  if (size > maxBytes)
    throw new MadhavaError(
      'RESULT_TOO_LARGE',
      `The result has at least ${megabytes(size)}; a result may have ${megabytes(maxBytes)} (RESULT_MAX_MB)`,
    )
  return new TextEncoder().encode(text)
}

const jsonWithin = (value: unknown): string => {
  try {
    return strictJson(value)
  } catch (error) {
    if (!(error instanceof RangeError) || !/string length/.test(error.message)) throw error
    throw new MadhavaError('RESULT_TOO_LARGE', 'The result has more JSON than one text can hold (512 MB)')
  }
}

/**
 * Encodes a result: small ones inline, larger strings as their text, larger others as JSON.
 * @throws as strictJson; RESULT_TOO_LARGE
 */
export const encodeResult = (value: unknown, limits: ResultLimits): EncodedResult => {
  const { inlineBytes } = limits
  if (typeof value === 'string' && value.length > inlineBytes)
    return { form: 'text', bytes: toBytes(value, limits) }
  const json = jsonWithin(value)
  if (json.length <= inlineBytes && Buffer.byteLength(json) <= inlineBytes) return { form: 'inline', json }
  return typeof value === 'string'
    ? { form: 'text', bytes: toBytes(value, limits) }
    : { form: 'json', bytes: toBytes(json, limits) }
}
