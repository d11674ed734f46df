// Checks what a kind gets and gives in a run: the stored params again, and the result.
import { MadhavaError } from './errors.ts'
import type { NamedKind } from './kind.ts'
import { describeProblems, parseWith } from './kind-schema.ts'
import { type JsonCheckOptions, refuseBeforeSchema } from './strict-json.ts'
import type { Json } from './task.ts'
import { reasonOf } from './thrown.ts'

/** The name of the result in errors. */
export const RESULT: JsonCheckOptions = { what: 'the result', code: 'RESULT_INVALID' }

type Refuse = (why: string, cause?: unknown) => MadhavaError

export const refuseResult: Refuse = (why, cause) =>
  new MadhavaError('RESULT_INVALID', `The result does not fit the schema of the kind: ${why}`, { cause })

/** If a check of the kind's own throws, the value is invalid; the attempt itself has not failed. */
const parseFor = async (schema: NamedKind['result'], value: unknown, refuse: Refuse) => {
  try {
    return await parseWith(schema, value)
  } catch (error) {
    throw refuse(`a check of the kind threw: ${reasonOf(error)}`, error)
  }
}

/**
 * The params for `run`. They were checked at the submit; the kind's file may have changed since.
 * @throws PARAMS_INVALID
 */
export const parseStoredParams = async (kind: NamedKind, stored: unknown): Promise<Json> => {
  const refuse: Refuse = (why, cause) =>
    new MadhavaError('PARAMS_INVALID', `The stored params no longer fit the kind: ${why}`, { cause })
  const parsed = await parseFor(kind.params, stored, refuse)
  if (parsed.success) return parsed.data as Json
  throw refuse(describeProblems(parsed.error))
}

/** What the schema makes of what `run` returned; it need not be JSON yet. @throws RESULT_INVALID */
export const parseResult = async (kind: NamedKind, returned: unknown): Promise<unknown> => {
  refuseBeforeSchema(returned, RESULT)
  let parsed = await parseFor(kind.result, returned, refuseResult)
  // a kind that returns nothing may have a schema for null
  if (!parsed.success && returned === undefined) parsed = await parseFor(kind.result, null, refuseResult)
  if (parsed.success) return parsed.data
  throw refuseResult(describeProblems(parsed.error))
}
