// Looks at the small facts beside the tasks: claims, links of idempotency keys, wishes to cancel. Changes nothing by
// itself.
import { lstatSync } from 'node:fs'
import { isFinal, isRunning, isWaiting } from '../../../core/task.ts'
import { replaceFile } from '../../../platform/atomic-file.ts'
import { readCancelRequest, wishFor } from '../claims/cancel-requests.ts'
import { createClaimFiles } from '../claims/claim-files.ts'
import type { Layout, SafeId } from '../layout.ts'
import { ownsKey, readKeyLink } from '../records/keys.ts'
import { readStateFile } from '../records/state-file.ts'
import { type FsckCheck, isThere, type Places } from './fsck-findings.ts'

export interface MarkChecks {
  claim(link: string, id: SafeId, number: number): FsckCheck
  keyLink(link: string): FsckCheck
  revoke(mark: string, id: SafeId): FsckCheck
}

export const createMarkChecks = (layout: Layout, { at, moving, removing }: Places): MarkChecks => {
  const claimFiles = createClaimFiles(layout, '')
  const claim =
    (link: string, id: SafeId, number: number): FsckCheck =>
    () => {
      // the link first: a claim that is seen before its record's end is let go of after it
      if (!isThere(link)) return null
      const file = readStateFile(layout, id)
      if (file.state === 'broken' || file.state === 'later') return null
      const task = file.state === 'whole' ? file.task : null
      if (task && isRunning(task.status) && task.claim === number) return null
      // an attempt that is not shown yet, or whose process died before: whoever takes the task counts it
      if (task && isWaiting(task.status) && number > task.claim && claimFiles.begunAt(id, number)) return null
      const text = task
        ? `a claim ${number} on a task that is ${task.status} under claim ${task.claim}`
        : 'a claim on a task that is not there'
      return { code: 'stray-claim', place: at(link), text, mend: removing(link) }
    }

  const keyLink =
    (link: string): FsckCheck =>
    () => {
      if (!isThere(link)) return null
      const place = at(link)
      const bound = readKeyLink(link)
      if (!bound)
        return { code: 'foreign', place, text: 'an idempotency key that names no task', mend: moving(link) }
      const file = readStateFile(layout, bound.id)
      if (file.state === 'none') {
        const text = `an idempotency key of the task ${bound.id}, which is not there`
        return { code: 'dead-key', place, text, mend: removing(link) }
      }
      if (file.state !== 'whole' || ownsKey(layout, file.task, link)) return null
      const text = `an idempotency key that the task ${bound.id} does not have`
      return { code: 'wrong-key', place, text, mend: removing(link) }
    }

  const revoke =
    (mark: string, id: SafeId): FsckCheck =>
    () => {
      const stat = lstatSync(mark, { throwIfNoEntry: false })
      if (!stat) return null
      const place = at(mark)
      const file = readStateFile(layout, id)
      if (file.state === 'none' || (file.state === 'whole' && isFinal(file.task.status))) {
        const text = `a wish to cancel a task that ${file.state === 'none' ? 'is not there' : 'has ended'}`
        return { code: 'stray-revoke', place, text, mend: removing(mark) }
      }
      if (!stat.isFile())
        return { code: 'foreign', place, text: 'not a mark of a cancel', mend: moving(mark) }
      const wish = readCancelRequest(mark)
      if (wish && file.state === 'whole' && wishFor(file.task, wish) === null)
        return {
          code: 'stray-revoke',
          place,
          text: 'a wish to cancel a task that has ended and was started again',
          mend: removing(mark),
        }
      if (wish) return null
      return {
        code: 'broken-revoke',
        place,
        text: 'a wish to cancel without its time',
        // the wish itself is certain: it is not lost for the sake of its time
        mend: { how: 'made anew', now: () => replaceFile(mark, `${stat.mtime.toISOString()}\n`) },
      }
    }

  return { claim, keyLink, revoke }
}
