// One action on many tasks: on those that were chosen one by one, or on all that a filter names. It asks first, with
// the number.
import type { Status } from '../../../../client/task.ts'
import { isFinal } from '../../../../client/task.ts'
import { ask, ProblemError, post } from '../../state/api.ts'

export const ACTIONS = ['retry', 'cancel', 'delete'] as const
export type Action = (typeof ACTIONS)[number]

export interface Outcome {
  done: number
  /** By the code of the error. */
  refused: Readonly<Record<string, number>>
}

export const countOf = (refused: Outcome['refused']): number =>
  Object.values(refused).reduce((total, count) => total + count, 0)

const added = (refused: Outcome['refused'], more: Outcome['refused']): Outcome['refused'] => {
  const sum = { ...refused }
  for (const [code, count] of Object.entries(more)) sum[code] = (sum[code] ?? 0) + count
  return sum
}

interface Piece extends Outcome {
  matched: number
  next: string | null
}

const AT_A_TIME = 8

/** Whether the status allows the action. */
export const allows = (action: Action, status: Status): boolean =>
  action === 'cancel' ? !isFinal(status) : isFinal(status)

const pieces = async (
  action: Action,
  filter: URLSearchParams,
  dryRun: boolean,
  told: (sum: { matched: number } & Outcome) => void,
): Promise<{ matched: number } & Outcome> => {
  const sum: Outcome & { matched: number } = { matched: 0, done: 0, refused: {} }
  for (let cursor: string | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
    const query = new URLSearchParams(filter)
    if (dryRun) query.set('dryRun', '1')
    if (cursor !== null) query.set('cursor', cursor)
    const piece: Piece = await post<Piece>(`/api/tasks/${action}`, { query })
    sum.matched += piece.matched
    sum.done += piece.done
    sum.refused = added(sum.refused, piece.refused)
    told({ ...sum })
    cursor = piece.next
  }
  return sum
}

/** How many of the filter's tasks the action would touch. @throws ProblemError */
export const countMatching = async (action: Action, filter: URLSearchParams): Promise<number> =>
  (await pieces(action, filter, true, () => undefined)).matched

/** @throws ProblemError */
export const actOnMatching = (
  action: Action,
  filter: URLSearchParams,
  told: (sum: Outcome) => void,
): Promise<Outcome> => pieces(action, filter, false, told)

const actOnOne = async (action: Action, id: string): Promise<void> => {
  if (action === 'retry') await ask('POST', `/api/task/${id}/retry`)
  else if (action === 'cancel') await ask('DELETE', `/api/task/${id}`)
  else await ask('DELETE', `/api/task/${id}`, { query: { purge: '1' } })
}

/** What belongs to one task and not to the call: it ended, was retried or removed meanwhile. */
const isOfTask = (error: unknown): error is ProblemError =>
  error instanceof ProblemError && (error.status === 404 || error.status === 409)

/** @throws ProblemError */
export const actOnThese = async (
  action: Action,
  ids: readonly string[],
  told: (sum: Outcome) => void,
): Promise<Outcome> => {
  const sum: Outcome = { done: 0, refused: {} }
  const waiting = [...ids]
  const work = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
      try {
        await actOnOne(action, id)
        sum.done += 1
      } catch (error) {
        if (!isOfTask(error)) throw error
        sum.refused = added(sum.refused, { [error.code]: 1 })
      }
      told({ ...sum })
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, work))
  return sum
}
