// Checks the small files beside the records: claims, links of idempotency keys, cancel requests. It changes nothing by
// itself.
import { lstatSync } from 'node:fs'
import { isFinal, isRunning, isWaiting } from '../../../core/task.ts'
import { replaceFile } from '../../../platform/atomic-file.ts'
import { cancelRequestedAt, readCancelRequest } from '../claims/cancel-requests.ts'
import { createClaimFiles } from '../claims/claim-files.ts'
import type { Layout, SafeId } from '../layout.ts'
import { ownsKey, readKeyLink } from '../records/keys.ts'
import { readStateFile } from '../records/state-file.ts'
import { type FsckCheck, isThere, type Repairs } from './fsck-findings.ts'

export interface SideFileChecks {
  claim(link: string, id: SafeId, number: number): FsckCheck
  keyLink(link: string): FsckCheck
  revoke(request: string, id: SafeId): FsckCheck
}

export const createSideFileChecks = (layout: Layout, { at, moving, removing }: Repairs): SideFileChecks => {
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
      // an attempt whose record is not written yet, or whose process died before: the next taker counts it
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
    (request: string, id: SafeId): FsckCheck =>
    () => {
      const stat = lstatSync(request, { throwIfNoEntry: false })
      if (!stat) return null
      const place = at(request)
      const file = readStateFile(layout, id)
      if (file.state === 'none' || (file.state === 'whole' && isFinal(file.task.status))) {
        const text = `a cancel request for a task that ${file.state === 'none' ? 'is not there' : 'has ended'}`
        return { code: 'stray-revoke', place, text, mend: removing(request) }
      }
      if (!stat.isFile())
        return { code: 'foreign', place, text: 'not a cancel request', mend: moving(request) }
      const found = readCancelRequest(request)
      if (found && file.state === 'whole' && cancelRequestedAt(file.task, found) === null)
        return {
          code: 'stray-revoke',
          place,
          text: 'a cancel request for a task that has ended and was started again',
          mend: removing(request),
        }
      if (found) return null
      return {
        code: 'broken-revoke',
        place,
        text: 'a cancel request without its time',
        // a cancel was certainly requested; only its time is lost
        mend: { how: 'made anew', now: () => replaceFile(request, `${stat.mtime.toISOString()}\n`) },
      }
    }

  return { claim, keyLink, revoke }
}
