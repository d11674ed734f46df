// A program as a kind: what it says of itself, and a `run` that starts it.

import type { Kind, KindSchemas } from '../core/kind.ts'
import type { Json } from '../core/task.ts'
import { RESULT_LIMITS } from '../core/task.ts'
import { readDescription } from './description.ts'
import { createProgramRun } from './run-program.ts'

export interface ProgramKind {
  kind: Kind<Json, unknown>
  /** As the author wrote them. */
  schemas: KindSchemas
}

/** A result as JSON may be this many times longer than its text: a quote is two bytes there. */
const ESCAPED = 2
/** A little less than a text may have. */
const TEXT_MAX = 500 * 1024 * 1024

/**
 * @param description what the program printed with --describe
 * @param limits `memoryBytes` of all its processes together, null: none; `resultBytes` of its result
 * @throws Error with the reason for people
 */
export const programKind = (
  file: string,
  description: string,
  {
    memoryBytes = null,
    resultBytes = RESULT_LIMITS.maxBytes,
  }: {
    memoryBytes?: number | null
    resultBytes?: number
  } = {},
): ProgramKind => {
  const { kind, schemas, answers } = readDescription(description)
  const callBytes = Math.min(ESCAPED * resultBytes + 1024 * 1024, TEXT_MAX)
  const run = createProgramRun({ file, params: schemas.params, answers, memoryBytes, callBytes })
  return { kind: { ...kind, run }, schemas }
}
