// Encodes what a kind returned: as JSON or text, in the record or as a blob. Runs inside the thread.
import { MadhavaError } from '../../core/errors.ts'
import { problemOfText } from '../../core/json-flaw.ts'
import { RESULT } from '../../core/kind-result.ts'
import { strictJson } from '../../core/strict-json.ts'
import type { ResultLimits } from '../../core/task.ts'
import type { EncodedResult } from '../pool/protocol.ts'

const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1024 ** 2)} MB`

const tooLarge = (size: number, maxBytes: number): MadhavaError =>
  new MadhavaError(
    'RESULT_TOO_LARGE',
    `The result has at least ${megabytes(size)}; a result may have ${megabytes(maxBytes)} (RESULT_MAX_MB)`,
  )

const toBytes = (text: string, { maxBytes }: ResultLimits): Uint8Array => {
  // a text has at least as many bytes as UTF-16 units, so one that is far too long is not measured
  const size = text.length > maxBytes ? text.length : Buffer.byteLength(text)
  if (size > maxBytes) throw tooLarge(size, maxBytes)
  return new TextEncoder().encode(text)
}

/**
 * Encodes a result: small ones inline, larger strings as text, larger others as JSON.
 * @throws RESULT_INVALID with the place of what JSON cannot express; RESULT_TOO_LARGE
 */
export const encodeResult = (value: unknown, limits: ResultLimits): EncodedResult => {
  const { inlineBytes, maxBytes } = limits
  if (typeof value === 'string' && value.length > inlineBytes) {
    const problem = problemOfText(value)
    if (problem !== null) throw new MadhavaError('RESULT_INVALID', `The result ${problem}`)
    return { form: 'text', bytes: toBytes(value, limits) }
  }
  const json = strictJson(value, RESULT, maxBytes)
  if (json === null) throw tooLarge(maxBytes + 1, maxBytes)
  if (json.length <= inlineBytes && Buffer.byteLength(json) <= inlineBytes) return { form: 'inline', json }
  return typeof value === 'string'
    ? { form: 'text', bytes: toBytes(value, limits) }
    : { form: 'json', bytes: toBytes(json, limits) }
}
