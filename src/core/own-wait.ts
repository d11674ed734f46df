// Why a task waits, as told to an actor who does not see all tasks: nothing in it lets them count or guess what others
// have. Pure.
import type { Waiting, WaitReason } from './wait-reasons.ts'

/** What these say is about the task, or about the workers as such. */
const DETAILS: Partial<Record<WaitReason, string>> = {
  NO_WORKER: 'No worker is alive',
  KIND_UNKNOWN: 'No worker has its kind',
  NO_ROOM: 'No worker begins a task like this now',
}

/** The task itself, or its own time. */
const OF_ITSELF: readonly WaitReason[] = ['FOR_PEOPLE', 'NOT_DUE', 'RETRY_WAIT']

/** The answer without what it says of other tasks. */
export const withoutOthers = (waiting: Waiting): Waiting => {
  if (OF_ITSELF.includes(waiting.reason)) return waiting
  const detail = DETAILS[waiting.reason]
  return {
    reason: detail === undefined ? 'BEHIND' : waiting.reason,
    since: waiting.since,
    detail: detail ?? 'It waits for its turn',
    facts: {},
    position: null,
    startsIn: null,
  }
}
