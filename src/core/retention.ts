// Which ended tasks a rule by age removes. What the rule means is decided here, once for all stores. Pure.
import { isFailed, type Status } from './status.ts'
import type { RetentionRule } from './store.ts'

/** `finishedAt`: ISO-8601, or '' where a record has none, which is older than all. */
export const isOutdated = (
  { finishedBefore, failedBefore }: RetentionRule,
  { status, finishedAt }: { status: Status; finishedAt: string },
): boolean => {
  const bound = isFailed(status) ? (failedBefore ?? finishedBefore) : finishedBefore
  return bound !== null && finishedAt < bound
}
