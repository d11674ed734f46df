// The write-ahead log of this process, `wal/<instance>.<n>.ndjson`: every change is durable here before it is
// visible. It is read only after a power cut, and removed as soon as the state files themselves are durable.
import { readdirSync, renameSync } from 'node:fs'
import path from 'node:path'
import type { TaskRecord } from '../../../core/task.ts'
import { readPlainSync } from '../../../platform/plain-file.ts'
import type { Appender, Disk } from '../disk.ts'
import { toLine } from '../records/state-file.ts'

/**
 * `fingerprint` only with the create of a task that has an idempotency key. A cancel request names the highest claim
 * number that was taken when it was made; earlier versions wrote none, and neither owner nor kind of what was removed.
 */
export type WalEntry =
  | { type: 'task'; task: TaskRecord; fingerprint?: string }
  | { type: 'revoke'; id: string; at: string; claim?: number }
  | { type: 'removed'; id: string; claim: number; owner?: string | null; kind?: string }

/** What the state files must hold durably before a log may be removed. */
export interface Owed {
  file: string
  /** Tasks that were written or removed, or whose cancel was requested. */
  ids: ReadonlySet<string>
  /** Those of them with a cancel request. */
  cancelRequests: ReadonlySet<string>
  removals: readonly WalEntry[]
}

/** The part of a log's content that decides when it may be removed. */
export const owedBy = (file: string, entries: Iterable<WalEntry>): Owed => {
  const owed = begin(file)
  for (const entry of entries) note(owed, entry)
  return owed
}

interface Growing extends Owed {
  ids: Set<string>
  cancelRequests: Set<string>
  removals: WalEntry[]
}
const begin = (file: string): Growing => ({ file, ids: new Set(), cancelRequests: new Set(), removals: [] })
const note = (owed: Growing, entry: WalEntry): void => {
  if (entry.type === 'task') {
    owed.ids.add(entry.task.id)
    return
  }
  owed.ids.add(entry.id)
  if (entry.type === 'revoke') owed.cancelRequests.add(entry.id)
  else owed.removals.push(entry)
}

export interface Wal {
  /** All of them or, when the disk refuses, none; not yet durable. */
  append(entries: readonly WalEntry[]): void
  /** Resolves when everything appended is durable. One call at a time, and none after one has failed. */
  sync(): Promise<void>
  /** Bytes since the last rotation. */
  size(): number
  /** Further writes go to a new file; answers what the old one holds, or null when nothing was written. */
  rotate(): Owed | null
  close(): void
}

export interface WalFile {
  file: string
  instance: string
  number: number
  /** What it names could not be synced. Memory may show what the disk has dropped, so only a new write is safe. */
  unsynced: boolean
}

const UNSYNCED = '.unsynced.ndjson'

/** Notes durably that the state files of a log could not be synced. Best effort, since the disk is failing. */
export const markUnsynced = (file: string): void => {
  try {
    renameSync(file, file.replace(/(?:\.unsynced)?\.ndjson$/, UNSYNCED))
  } catch {
    // after a boot, memory can no longer be mistaken for the disk, and the log is read under its old name
  }
}

/** All logs in the folder, those of one process in the order they were written. */
export const listWals = (folder: string): WalFile[] =>
  readdirSync(folder, { withFileTypes: true })
    .flatMap(entry => {
      if (!entry.isFile()) return []
      const { name } = entry
      const found = /^([0-9a-f]{12})\.(\d+)(?:\.unsynced)?\.ndjson$/.exec(name)
      if (!found?.[1]) return []
      const unsynced = name.endsWith(UNSYNCED)
      return [{ file: path.join(folder, name), instance: found[1], number: Number(found[2]), unsynced }]
    })
    .sort((a, b) => (a.instance === b.instance ? a.number - b.number : a.instance < b.instance ? -1 : 1))

/**
 * What stands in a log. A line that is torn or missing its end was never acknowledged. While its process lives, and
 * after its death, NUL bytes follow.
 */
export const readWal = (file: string): WalEntry[] => {
  const bytes = readPlainSync(file, Infinity)
  const entries: WalEntry[] = []
  // line by line: a log that could not be removed for long may be larger than a string can be
  for (let from = 0, to = bytes.indexOf(10); to >= 0; from = to + 1, to = bytes.indexOf(10, from)) {
    try {
      entries.push(JSON.parse(bytes.toString('utf8', from, to)) as WalEntry)
    } catch {
      // torn
    }
  }
  return entries
}

export const createWal = (disk: Disk, folder: string, instance: string): Wal => {
  let number = 0
  let current: { owed: Growing; appender: Appender; named: boolean } | null = null
  const open = () => {
    const file = path.join(folder, `${instance}.${number + 1}.ndjson`)
    const opened = { owed: begin(file), appender: disk.append(file, true), named: false }
    number += 1
    current = opened
    return opened
  }
  return {
    append(entries) {
      const { appender, owed } = current ?? open()
      appender.append(Buffer.from(entries.map(toLine).join('')))
      // in memory too: reading a long log again, only to remove it, costs a tenth of a task
      for (const entry of entries) note(owed, entry)
    },
    async sync() {
      if (!current) return
      await current.appender.sync()
      // the name must be as durable as the content
      if (!current.named) await disk.sync([folder])
      current.named = true
    },
    size: () => current?.appender.size ?? 0,
    rotate() {
      const old = current
      current = null
      old?.appender.close()
      return old?.owed ?? null
    },
    close() {
      current?.appender.close()
      current = null
    },
  }
}
