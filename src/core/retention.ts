// Decides which ended tasks a rule by age removes, for all stores. Pure.
import { isFailed, type Status } from './status.ts'
import type { RetentionRule } from './store.ts'

/** `finishedAt`: ISO-8601, or '' if the record has none; that counts as oldest. */
export const isOutdated = (
  { finishedBefore, failedBefore }: RetentionRule,
  { status, finishedAt }: { status: Status; finishedAt: string },
): boolean => {
  const bound = isFailed(status) ? (failedBefore ?? finishedBefore) : finishedBefore
  return bound !== null && finishedAt < bound
}
