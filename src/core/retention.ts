// Which ended tasks a rule by age removes. What the rule means is decided here, once for all stores. Pure.
import type { RetentionRule } from './store.ts'

/** `finishedAt`: ISO-8601, or '' where a record has none, which is older than all. */
export const isOutdated = (
  { finishedBefore, failedBefore }: RetentionRule,
  { failed, finishedAt }: { failed: boolean; finishedAt: string },
): boolean => {
  const bound = failed ? (failedBefore ?? finishedBefore) : finishedBefore
  return bound !== null && finishedAt < bound
}
