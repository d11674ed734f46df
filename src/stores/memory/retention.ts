// Which ended tasks a rule of retention removes.
import { isOutdated } from '../../core/retention.ts'
import { compareSortKeys, type SortKey } from '../../core/sort.ts'
import type { RetentionRule } from '../../core/store.ts'
import type { TaskRecord } from '../../core/task.ts'
import type { TaskBlobs } from './blobs.ts'

interface EndedTask {
  record: TaskRecord
  blobs: TaskBlobs
}

const endOf = ({ record: { id, finishedAt } }: EndedTask): SortKey => ({ at: finishedAt ?? '', id })
const oldestEndFirst = (a: EndedTask, b: EndedTask): number => compareSortKeys(endOf(a), endOf(b))

const weight = ({ record, blobs }: EndedTask): number =>
  [...blobs.values()].reduce((sum, blob) => sum + blob.length, JSON.stringify(record).length)

/** Those that are too old; then the oldest, until what is left is few and small enough. */
export const outdatedBy = <T extends EndedTask>(rule: RetentionRule, ended: readonly T[]): T[] => {
  const tooOld = ({ record: { status, finishedAt } }: T): boolean =>
    isOutdated(rule, { status, finishedAt: finishedAt ?? '' })
  const gone = ended.filter(tooOld)
  const left = ended.filter(task => !tooOld(task)).sort(oldestEndFirst)
  let count = left.length
  let bytes = left.reduce((sum, task) => sum + weight(task), 0)
  for (const task of left) {
    if (count <= (rule.maxCount ?? count) && bytes <= (rule.maxBytes ?? bytes)) break
    count -= 1
    bytes -= weight(task)
    gone.push(task)
  }
  return gone
}
