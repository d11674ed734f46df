// The audit in files: `audit/<day>.<instance>.<part>.ndjson` has what a process did, `audit/begun/` what it is about to
// do. Every process adds to files of its own, and reads those of all.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import {
  AUDIT_LOOK_AT,
  type AuditEntry,
  type AuditTrail,
  auditKey,
  decodeAuditCursor,
  encodeAuditCursor,
  fitsAudit,
  UNKNOWN,
} from '../../../core/audit.ts'
import { encodeAuditEntry, parseAuditEntry } from '../../../core/audit-form.ts'
import { turns } from '../../../core/turns.ts'
import type { Instances } from '../claims/instances.ts'
import type { Disk } from '../disk.ts'
import { isErrno } from '../errno.ts'
import type { Layout } from '../layout.ts'
import { dayOf, entriesBack, trailFiles } from './trail-files.ts'
import { createTrailWriter } from './trail-writer.ts'

export interface FileAudit extends AuditTrail {
  close(): Promise<void>
}

interface AuditDeps {
  layout: Layout
  disk: Pick<Disk, 'append' | 'sync' | 'write' | 'rename' | 'unlink'>
  instances: Pick<Instances, 'instance' | 'isAlive'>
  onFailure: (error: unknown) => void
}

const BEGUN = /^([0-9a-f]{12})\.([0-9a-f-]{36})\.json$/

/** Whether it is the name of a file of what is about to be done. */
export const isBegunFile = (name: string): boolean => BEGUN.test(name)

/** Entries of all files of one day, the newest first. */
async function* entriesOfDay(files: readonly string[], before: string | null): AsyncGenerator<AuditEntry> {
  const heads: { entry: AuditEntry; rest: AsyncGenerator<AuditEntry> }[] = []
  for (const file of files) {
    const rest = entriesBack(file, before)
    const first = await rest.next()
    if (!first.done) heads.push({ entry: first.value, rest })
  }
  while (heads.length > 0) {
    let newest = 0
    for (let n = 1; n < heads.length; n += 1)
      if (auditKey(heads[n]?.entry as AuditEntry) > auditKey(heads[newest]?.entry as AuditEntry)) newest = n
    const head = heads[newest] as (typeof heads)[number]
    yield head.entry
    const following = await head.rest.next()
    if (following.done) heads.splice(newest, 1)
    else head.entry = following.value
  }
}

/** Every entry, the newest first, from those that come before the key `before` on, down to the day of `from`. */
export async function* readTrail(
  layout: Layout,
  before: string | null = null,
  from: string | undefined = undefined,
): AsyncGenerator<AuditEntry> {
  const days = new Map<string, string[]>()
  for (const { day, file } of trailFiles(layout)) days.set(day, [...(days.get(day) ?? []), file])
  for (const [day, files] of days) {
    if (before !== null && day > dayOf(before)) continue
    if (from !== undefined && day < dayOf(from)) return
    yield* entriesOfDay(files, before !== null && day === dayOf(before) ? before : null)
  }
}

export const createAudit = ({ layout, disk, instances, onFailure }: AuditDeps): FileAudit => {
  const { instance } = instances
  const writer = createTrailWriter({ layout, disk, instance, onFailure })
  const begunFile = (who: string, id: string): string => path.join(layout.auditBegun, `${who}.${id}.json`)

  const isThere = async (entry: AuditEntry): Promise<boolean> => {
    for await (const { id } of readTrail(layout, null, entry.at)) {
      if (id === entry.id) return true
      await turns.spend(1)
    }
    return false
  }

  /** Takes over what a dead process has begun. False when another process was faster. */
  const takeOver = (who: string, id: string): boolean => {
    try {
      disk.rename(begunFile(who, id), begunFile(instance, id))
      return true
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false
      throw error
    }
  }

  const settleOne = async (who: string, id: string): Promise<boolean> => {
    if (who === instance || (await instances.isAlive(who)) || !takeOver(who, id)) return false
    const mine = begunFile(instance, id)
    // a torn one was never begun
    const entry = parseAuditEntry(readFileSync(mine, 'utf8').trim())
    const isNew = entry !== null && !(await isThere(entry))
    if (isNew) {
      writer.write([entry])
      await writer.sync()
    }
    disk.unlink(mine)
    return isNew
  }

  return {
    async begin(entry) {
      disk.write(begunFile(instance, entry.id), `${encodeAuditEntry({ ...entry, outcome: UNKNOWN })}\n`)
    },

    async end(id, entry) {
      if (entry) {
        writer.write([entry])
        await writer.sync()
      }
      disk.unlink(begunFile(instance, id))
    },

    async add(entries, { soon = false } = {}) {
      if (entries.length === 0) return
      writer.write(entries)
      if (soon) writer.syncSoon()
      else await writer.sync()
    },

    async page(filter, { limit, cursor }) {
      const after = decodeAuditCursor(cursor)
      // a text that comes before every key of that time
      const bound = filter.to ?? null
      const before = after !== null && bound !== null ? (after < bound ? after : bound) : (after ?? bound)
      const found: AuditEntry[] = []
      let looked = 0
      let last: AuditEntry | null = null
      for await (const entry of readTrail(layout, before, filter.from)) {
        if (found.length >= limit || looked >= AUDIT_LOOK_AT)
          return { entries: found, next: last && encodeAuditCursor(last) }
        if (filter.from !== undefined && entry.at < filter.from) break
        last = entry
        looked += 1
        if (fitsAudit(entry, filter)) found.push(entry)
        const pause = turns.spend(1)
        if (pause) await pause
      }
      return { entries: found, next: null }
    },

    async settle() {
      let settled = 0
      for (const name of readdirSync(layout.auditBegun)) {
        const [, who = '', id = ''] = BEGUN.exec(name) ?? []
        if (who !== '' && (await settleOne(who, id))) settled += 1
      }
      return settled
    },

    async removeBefore(at) {
      for (const { day, file } of trailFiles(layout)) if (day < dayOf(at)) disk.unlink(file)
    },

    close: () => writer.close(),
  }
}
