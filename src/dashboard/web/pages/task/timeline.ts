// What happened to a task, in order: its attempts, and the moves of its record that are no part of one. Pure.
import type { Attempt, Status, Task } from '../../../../client/task.ts'
import { isFinal } from '../../../../client/task.ts'

export type Moment =
  | { type: 'created'; at: string }
  | { type: 'attempt'; at: string; attempt: Attempt }
  /** So many attempts are no longer in the record. */
  | { type: 'omitted'; at: string; count: number }
  | { type: 'cancelAsked'; at: string }
  /** It ended, and somebody ran it again. */
  | { type: 'retried'; at: string }
  /** Any other move: one without an attempt, or of an older version. */
  | { type: 'move'; at: string; status: Status }

const isPartOf = ({ startedAt, endedAt }: Attempt, at: string): boolean =>
  at >= startedAt && (endedAt === null || at <= endedAt)

/**
 * What the record's own number of attempts counts: all of them, as the list of attempts does, or fewer than that: those
 * since a retry by hand, or only those that its worker did not give back.
 */
export type Counting = 'all' | 'sinceRetry' | 'thatCount'

export const lastAttemptOf = (task: Task): number => task.attempts?.at(-1)?.attempt ?? task.attempt

export const countingOf = (task: Task): Counting => {
  if (lastAttemptOf(task) === task.attempt) return 'all'
  return momentsOf(task).some(({ type }) => type === 'retried') ? 'sinceRetry' : 'thatCount'
}

/** The oldest first. */
export const momentsOf = (task: Task): Moment[] => {
  const attempts = task.attempts ?? []
  const first = attempts[0]
  const moments: Moment[] = [{ type: 'created', at: task.createdAt }]
  if (first && first.attempt > 1)
    moments.push({ type: 'omitted', at: first.startedAt, count: first.attempt - 1 })
  for (const attempt of attempts) moments.push({ type: 'attempt', at: attempt.startedAt, attempt })
  for (const [place, { status, at }] of task.history.entries()) {
    const before = task.history[place - 1]
    if (status === 'PENDING' && !before) continue
    if (status === 'PENDING' && before && isFinal(before.status)) moments.push({ type: 'retried', at })
    // what is older than the attempts that are kept is told by their number
    else if (first && at < first.startedAt && first.attempt > 1) continue
    else if (!attempts.some(attempt => isPartOf(attempt, at))) moments.push({ type: 'move', at, status })
  }
  const { revokeRequestedAt } = task
  if (
    revokeRequestedAt !== null &&
    !moments.some(({ at, type }) => type === 'move' && at === revokeRequestedAt)
  )
    moments.push({ type: 'cancelAsked', at: revokeRequestedAt })
  return moments
    .map((moment, place) => ({ moment, place }))
    .sort((a, b) => (a.moment.at < b.moment.at ? -1 : a.moment.at > b.moment.at ? 1 : a.place - b.place))
    .map(({ moment }) => moment)
}
