// Checks the params of a task against its kind, and gives them the form in which they are stored.
import { isMadhavaError, MadhavaError } from './errors.ts'
import type { NamedKind } from './kind.ts'
import { parseWith } from './kind-schema.ts'
import { formatProblems, problemsOf } from './problems.ts'
import { strictJson } from './strict-json.ts'
import { type Json, RECORD_LIMIT } from './task.ts'
import { reasonOf } from './thrown.ts'

/** The params after the schema's defaults and transforms must be JSON too. */
const jsonOfParams = ({ name }: NamedKind, params: unknown): string => {
  const what = `what the kind ${name} makes of the params`
  const spoken = { what, code: 'PARAMS_INVALID', takesLargeIntegers: true } as const
  const json = strictJson(params, spoken, RECORD_LIMIT)
  if (json !== null) return json
  throw new MadhavaError(
    'PARAMS_INVALID',
    `What the kind ${name} makes of the params is too large for a record`,
  )
}

/**
 * The params as stored: checked, with defaults, and plain JSON.
 * @throws PARAMS_INVALID with one entry per problem in `detail.problems`; with a cause if the schema's code threw
 */
export const parseParams = async (kind: NamedKind, params: unknown): Promise<Json> => {
  try {
    const parsed = await parseWith(kind.params, params)
    if (parsed.success) return JSON.parse(jsonOfParams(kind, parsed.data)) as Json
    throw new MadhavaError(
      'PARAMS_INVALID',
      `The params do not fit the kind ${kind.name}: ${formatProblems(problemsOf(parsed.error), 'it')}`,
      {
        detail: {
          problems: problemsOf(parsed.error, 'params'),
        },
      },
    )
  } catch (error) {
    if (isMadhavaError(error)) throw error
    const problem = `a check of the kind ${kind.name} threw: ${reasonOf(error, 300)}`
    throw new MadhavaError('PARAMS_INVALID', `The params cannot be checked: ${problem}`, {
      detail: { problems: [{ path: 'params', problem }] },
      cause: error,
    })
  }
}
