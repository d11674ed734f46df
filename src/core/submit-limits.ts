// The operator's limits on submissions: how long an attempt may run, and the priority of clients without a login.
// They apply at every API, and to children that tasks submit. Pure.
import { MadhavaError } from './errors.ts'
import type { ParsedSubmission } from './submission.ts'
import { type Limits, limitsSchema, PRIORITY } from './task.ts'

/** Seconds and a priority; null: not limited. */
export interface SubmitLimits {
  /** Used if neither the submission nor the kind names a hard limit. */
  hardSeconds: number | null
  hardSecondsMax: number | null
  anonymousPriorityMax: number | null
}

export const NO_LIMITS: SubmitLimits = {
  hardSeconds: null,
  hardSecondsMax: null,
  anonymousPriorityMax: null,
}

const smallest = (...numbers: (number | null)[]): number | null => {
  const set = numbers.filter(number => number !== null)
  return set.length === 0 ? null : Math.min(...set)
}

/** @throws BAD_REQUEST */
const refuse = (path: string, problem: string): never => {
  throw new MadhavaError('BAD_REQUEST', `The task cannot be accepted: ${path}: ${problem}`, {
    detail: { problems: [{ path, problem }] },
  })
}

/**
 * The priority and the limits of a task. A value above the limits is refused; a default is lowered to fit.
 * @param asksPriority whether the submission itself names the priority in `wanted`
 * @throws BAD_REQUEST
 */
export const applyLimits = (
  { hardSeconds, hardSecondsMax, anonymousPriorityMax }: SubmitLimits,
  {
    owner,
    wanted,
    asksPriority,
    ofKind,
  }: {
    owner: string | null
    wanted: Pick<ParsedSubmission, 'priority' | 'limits'>
    asksPriority: boolean
    ofKind: Partial<Limits> | undefined
  },
): { priority: number; limits: Limits } => {
  const highest = owner === null ? (anonymousPriorityMax ?? PRIORITY.highest) : PRIORITY.highest
  if (asksPriority && wanted.priority > highest)
    refuse('priority', `must be at most ${highest} (ANONYMOUS_PRIORITY_MAX)`)
  const asked = wanted.limits?.hardSeconds ?? null
  if (asked !== null && hardSecondsMax !== null && asked > hardSecondsMax)
    refuse('limits.hardSeconds', `must be at most ${hardSecondsMax} (TASK_HARD_SECONDS_MAX)`)
  const limits = limitsSchema.parse(wanted.limits ?? ofKind ?? {})
  return {
    priority: Math.min(wanted.priority, highest),
    limits: {
      ...limits,
      hardSeconds: smallest(limits.hardSeconds ?? hardSeconds, hardSecondsMax),
    },
  }
}
