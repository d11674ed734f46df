// The service with its audit: whatever changes something stands there, whichever API it came through. It passes on
// what it does not know, and decides nothing about rights.
import { type AuditRecorder, auditedBy, auditedId } from './audit-recorder.ts'
import type { BulkOutcome } from './bulk.ts'
import type { TaskFilter } from './filter.ts'
import type { KindsReloaded } from './reload/ask.ts'
import type { Service } from './service.ts'
import type { Submitted } from './submit.ts'
import type { UploadInfo } from './uploads.ts'

const KIND = /^[a-z][a-z0-9-]{0,62}$/

/** The kind that somebody wanted, if it can be one. */
const kindIn = (submission: unknown): string | null => {
  const kind =
    typeof submission === 'object' && submission !== null && 'kind' in submission ? submission.kind : null
  return typeof kind === 'string' && KIND.test(kind) ? kind : null
}

const filterText = (filter: TaskFilter): string => JSON.stringify(filter)

const bulkTold = (filter: TaskFilter, { matched, done }: BulkOutcome) =>
  matched === 0 ? null : { target: `${done} of ${matched} ${filterText(filter)}` }

/** What was changed, by name. */
export const reloadTold = ({ added, changed, removed }: KindsReloaded) => {
  const parts = Object.entries({ added, changed, removed }).filter(([, names]) => names.length > 0)
  return { target: parts.map(([what, names]) => `${what} ${names.join(', ')}`).join('; ') || null }
}

/** The same service, every change of which is written. */
export const createAuditedService = (service: Service, record: AuditRecorder): Service => {
  /**
   * A submit has no line before it: the record that it leaves says who made it and when. For the same reason its line
   * may come to the disk a moment later.
   */
  const submitted = async <T extends Submitted | Submitted[]>(
    actor: Parameters<Service['submit']>[0],
    submissions: readonly unknown[],
    submit: () => Promise<T>,
  ): Promise<T> => {
    let made: T
    try {
      made = await submit()
    } catch (error) {
      await record.noteRefusal(auditedBy(actor), 'task.submit', kindIn(submissions[0]), error)
      throw error
    }
    const ids = [made].flat().flatMap(({ task, created }) => (created ? [task.id] : []))
    if (ids.length > 0) await record.note(auditedBy(actor), 'task.submit', ids, { soon: true })
    return made
  }

  /** An upload has no line before it, as a submit has none: its document says whose it is. */
  const uploaded = async <T extends UploadInfo>(
    actor: Parameters<Service['submit']>[0],
    target: string | null,
    take: () => Promise<T>,
  ): Promise<T> => {
    let info: T
    try {
      info = await take()
    } catch (error) {
      await record.noteRefusal(auditedBy(actor), 'upload.create', target, error)
      throw error
    }
    await record.note(auditedBy(actor), 'upload.create', [info.id], { soon: true })
    return info
  }
  const { uploads } = service

  return {
    ...service,

    uploads: {
      ...uploads,
      take: (actor, wish, bytes) => uploaded(actor, null, () => uploads.take(actor, wish, bytes)),
      begin: (actor, wish) => uploaded(actor, null, () => uploads.begin(actor, wish)),
      remove: (actor, id) =>
        record.run(auditedBy(actor), { action: 'upload.delete', target: auditedId(id) }, () =>
          uploads.remove(actor, id),
        ),
    },

    submit: (actor, submission, key) =>
      submitted(actor, [submission], () => service.submit(actor, submission, key)),
    submitMany: (actor, submissions, key) =>
      submitted(actor, submissions, () => service.submitMany(actor, submissions, key)),

    cancel: (actor, id) =>
      record.run(auditedBy(actor), { action: 'task.cancel', target: auditedId(id) }, () =>
        service.cancel(actor, id),
      ),
    retry: (actor, id) =>
      record.run(auditedBy(actor), { action: 'task.retry', target: auditedId(id) }, () =>
        service.retry(actor, id),
      ),
    edit: (actor, id, change, known) =>
      record.run(auditedBy(actor), { action: 'task.edit', target: auditedId(id) }, () =>
        service.edit(actor, id, change, known),
      ),
    complete: (actor, id, given, known) =>
      record.run(auditedBy(actor), { action: 'task.complete', target: auditedId(id) }, () =>
        service.complete(actor, id, given, known),
      ),
    purge: (actor, id) =>
      record.run(auditedBy(actor), { action: 'task.delete', target: auditedId(id) }, () =>
        service.purge(actor, id),
      ),
    bulk(actor, action, filter, options) {
      const act = () => service.bulk(actor, action, filter, options)
      if (options.dryRun) return act()
      return record.run(
        auditedBy(actor),
        {
          action: `tasks.${action}`,
          target: filterText(filter),
          told: outcome => bulkTold(filter, outcome),
        },
        act,
      )
    },
    reloadKinds: actor =>
      record.run(auditedBy(actor), { action: 'kinds.reload', target: null, told: reloadTold }, () =>
        service.reloadKinds(actor),
      ),
    replayDead: (actor, id) =>
      record.run(auditedBy(actor), { action: 'dead.replay', target: auditedId(id) }, () =>
        service.replayDead(actor, id),
      ),
    discardDead: (actor, id) =>
      record.run(auditedBy(actor), { action: 'dead.discard', target: auditedId(id) }, () =>
        service.discardDead(actor, id),
      ),
  }
}
