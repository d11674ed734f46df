// The statuses of a task and their groups. The groups are named only here; Redis's scripts are rendered from them.

/**
 * PENDING   durable, waiting for a worker or for `notBefore`; left by a claim, a cancel, or `expiresAt`
 * STARTED   an attempt runs; left by its holder, or, when the holder is dead, by a takeover
 * PROGRESS  as STARTED, and has reported percent or a partial result
 * RETRY     an attempt failed, the next waits for `notBefore`; left by a claim or a cancel
 * SUCCESS, FAILURE, REVOKED  final; left only by a retry by hand; retention removes
 *
 * Only capital letters: the scripts find the status in the text of a record.
 */
const GROUP_OF = {
  PENDING: 'waiting',
  STARTED: 'running',
  PROGRESS: 'running',
  RETRY: 'waiting',
  SUCCESS: 'final',
  FAILURE: 'final',
  REVOKED: 'final',
} as const

export type Status = keyof typeof GROUP_OF
export type StatusGroup = (typeof GROUP_OF)[Status]
export const STATUSES = Object.keys(GROUP_OF) as readonly Status[]

/** The statuses of a group, in the order of `STATUSES`. */
export const statusesIn = (group: StatusGroup): readonly Status[] =>
  STATUSES.filter(status => GROUP_OF[status] === group)

/** A task has a holder exactly while it is in one of these. */
export const isRunning = (status: Status): boolean => GROUP_OF[status] === 'running'
/** Waiting for a claim. core/due.ts says whether it may be claimed now. */
export const isWaiting = (status: Status): boolean => GROUP_OF[status] === 'waiting'
/** One of the ends. */
export const isFinal = (status: Status): boolean => GROUP_OF[status] === 'final'
/** Retention can keep this end longer, and metrics count it by error. */
export const isFailed = (status: Status): boolean => status === 'FAILURE'

/** How many tasks are in a group, from counts by status. */
export const countIn = (group: StatusGroup, counts: Partial<Record<Status, number>>): number =>
  statusesIn(group).reduce((sum, status) => sum + (counts[status] ?? 0), 0)
