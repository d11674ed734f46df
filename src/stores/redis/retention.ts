// Removal of what has ended, by hand and by rule. Redis removes a task with all that belongs to it in one step.
import { MadhavaError } from '../../core/errors.ts'
import { isOutdated } from '../../core/retention.ts'
import type { RetentionRule } from '../../core/store.ts'
import { isFinal, type TaskRecord } from '../../core/task.ts'
import { decode, keyHash, planOf } from './records.ts'
import type { Scripts } from './scripts.ts'

export interface Retention {
  remove(id: string): Promise<void>
  retain(rule: RetentionRule): Promise<number>
}

interface Weighed {
  task: TaskRecord
  bytes: number
}
/** When it ended; '' is before all. */
const endOf = ({ finishedAt }: TaskRecord): string => finishedAt ?? ''

/** Tasks removed in one go. */
const BATCH = 100

export const createRetention = (
  scripts: Scripts,
  readJson: (id: string) => Promise<string | null>,
): Retention => {
  type Removed = ['done'] | ['gone'] | ['stale', string]
  const removeAs = (task: TaskRecord): Promise<Removed> =>
    scripts.run(
      'remove',
      task.id,
      task.claim,
      task.rev,
      JSON.stringify(planOf(task, null)),
      keyHash(task),
      JSON.stringify(task.owner),
    )

  return {
    async remove(id) {
      for (let json = await readJson(id); json !== null; ) {
        const task = decode(json)
        if (!isFinal(task.status)) throw new MadhavaError('TASK_NOT_ENDED')
        const removed = await removeAs(task)
        if (removed[0] === 'done') return
        json = removed[0] === 'stale' ? removed[1] : null
      }
      throw new MadhavaError('TASK_NOT_FOUND')
    },

    async retain(rule) {
      const { maxCount, maxBytes } = rule
      let total = 0
      for (;;) {
        const [countNow, bytesNow, ...rows] = await scripts.run<[number, string, ...string[]]>(
          'oldest',
          BATCH,
        )
        let count = countNow
        let bytes = Number(bytesNow)
        const oldest: Weighed[] = []
        for (let n = 0; n + 1 < rows.length; n += 2)
          oldest.push({ task: decode(rows[n] ?? ''), bytes: Number(rows[n + 1]) })
        const going: TaskRecord[] = []
        const letGo = (each: Weighed): void => {
          going.push(each.task)
          count -= 1
          bytes -= each.bytes
        }
        const outdated = ({ task }: Weighed): boolean =>
          isOutdated(rule, { status: task.status, finishedAt: endOf(task) })
        for (const each of oldest.filter(outdated)) letGo(each)
        // of both kinds of ends together: whichever is older goes first
        const others = oldest.filter(each => !outdated(each))
        others.sort((one, other) => (endOf(one.task) < endOf(other.task) ? -1 : 1))
        for (const each of others.slice(0, BATCH)) {
          if (count <= (maxCount ?? count) && bytes <= (maxBytes ?? bytes)) break
          letGo(each)
        }
        const removed = await Promise.all(going.map(removeAs))
        total += removed.filter(([outcome]) => outcome === 'done').length
        if (going.length < BATCH) return total
      }
    },
  }
}
