// Adds to this process's files of the audit. Lines that are added at the same time share a sync. A file has its entries
// in order: one that comes before the last, after a step of the clock or from an import, begins a new file.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { type AuditEntry, auditKey } from '../../../core/audit.ts'
import { encodeAuditEntry } from '../../../core/audit-form.ts'
import type { Appender, Disk } from '../disk.ts'
import type { Layout } from '../layout.ts'
import { dayOf, nameOfTrailFile } from './trail-files.ts'

export interface TrailWriter {
  /** There after a kill of the process when it returns. @throws what the file system says */
  write(entries: readonly AuditEntry[]): void
  /** Durable what was written so far. */
  sync(): Promise<void>
  /** The same in a moment, with what is written until then. */
  syncSoon(): void
  close(): Promise<void>
}

interface WriterDeps {
  layout: Layout
  disk: Pick<Disk, 'append' | 'sync'>
  instance: string
  /** After a failed sync nobody knows what is on the disk. */
  onFailure: (error: unknown) => void
}

const SOON_MS = 100

interface OwnFile {
  day: string
  file: string
  appender: Appender
  /** Of its last entry. */
  lastKey: string
}

/** One of an earlier day may have been removed meanwhile. */
const isStillThere = ({ day, file }: OwnFile): boolean =>
  day >= dayOf(new Date().toISOString()) || existsSync(file)

export const createTrailWriter = ({ layout, disk, instance, onFailure }: WriterDeps): TrailWriter => {
  let current: OwnFile | null = null
  let parts = 0
  /** Written to since the last sync. */
  const unsynced = new Set<Appender>()
  let hasNewName = false
  let running: Promise<void> = Promise.resolve()
  let next: Promise<void> | null = null
  let soon: NodeJS.Timeout | null = null

  const fileFor = (entry: AuditEntry): OwnFile => {
    const [day, key] = [dayOf(entry.at), auditKey(entry)]
    if (current?.day === day && current.lastKey < key && isStillThere(current)) return current
    // the one before is closed behind its next sync, since one may be under way
    if (current) unsynced.add(current.appender)
    parts += 1
    const file = path.join(layout.audit, nameOfTrailFile(day, instance, parts))
    current = { day, file, appender: disk.append(file), lastKey: '' }
    hasNewName = true
    return current
  }

  const syncAll = async (): Promise<void> => {
    const files = [...unsynced]
    const isNamed = hasNewName
    unsynced.clear()
    hasNewName = false
    try {
      for (const appender of files) await appender.sync()
      if (isNamed) await disk.sync([layout.audit])
    } catch (error) {
      onFailure(error)
      throw error
    } finally {
      for (const appender of files)
        if (appender !== current?.appender && !unsynced.has(appender)) appender.close()
    }
  }
  const sync = (): Promise<void> => {
    next ??= running
      .catch(() => {})
      .then(() => {
        next = null
        running = syncAll()
        return running
      })
    return next
  }

  return {
    write(entries) {
      let lines = ''
      let target: OwnFile | null = null
      const flush = (): void => {
        if (!target) return
        const bytes = Buffer.from(lines)
        lines = ''
        unsynced.add(target.appender)
        target.appender.append(bytes)
      }
      for (const entry of entries) {
        const file = fileFor(entry)
        if (file !== target) flush()
        target = file
        file.lastKey = auditKey(entry)
        lines += `${encodeAuditEntry(entry)}\n`
      }
      flush()
    },
    sync,
    syncSoon() {
      soon ??= setTimeout(() => {
        soon = null
        // told by onFailure
        sync().catch(() => {})
      }, SOON_MS).unref()
    },
    async close() {
      if (soon) clearTimeout(soon)
      await sync()
      current?.appender.close()
      current = null
    },
  }
}
