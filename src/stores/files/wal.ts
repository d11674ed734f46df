// The write-ahead log of this process, `wal/<instance>.<n>.ndjson`: every change stands here, durable, before it is
// visible. It is read only after a power cut, and given up as soon as the state files themselves are durable.
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { TaskRecord } from '../../core/task.ts'
import type { Appender, Disk } from './disk.ts'

/** `fingerprint` only with the create of a task that has an idempotency key. */
export type WalEntry =
  | { type: 'task'; task: TaskRecord; fingerprint?: string }
  | { type: 'revoke'; id: string; at: string }
  | { type: 'removed'; id: string; claim: number }

export interface Wal {
  /** Durable when it resolves. Only one call at a time. */
  write(entries: readonly WalEntry[]): Promise<void>
  /** Bytes since the last rotation. */
  size(): number
  /** Further writes go to a new file; answers the old one, or null when nothing was written. */
  rotate(): string | null
  close(): void
}

export interface WalFile {
  file: string
  instance: string
  number: number
}

/** All logs in the folder, those of one process in the order they were written. */
export const listWals = (folder: string): WalFile[] =>
  readdirSync(folder)
    .flatMap(name => {
      const found = /^([0-9a-f]{12})\.(\d+)\.ndjson$/.exec(name)
      return found?.[1]
        ? [{ file: path.join(folder, name), instance: found[1], number: Number(found[2]) }]
        : []
    })
    .sort((a, b) => (a.instance === b.instance ? a.number - b.number : a.instance < b.instance ? -1 : 1))

/** What stands in a log. A line that is torn or missing its end was never acknowledged. */
export const readWal = (file: string): WalEntry[] =>
  readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .flatMap(line => {
      try {
        return [JSON.parse(line) as WalEntry]
      } catch {
        return []
      }
    })

export const createWal = (disk: Disk, folder: string, instance: string): Wal => {
  let number = 0
  let current: { file: string; appender: Appender } | null = null
  const begin = async (): Promise<Appender> => {
    number += 1
    const file = path.join(folder, `${instance}.${number}.ndjson`)
    const appender = disk.append(file)
    current = { file, appender }
    // the name must be as durable as what will stand in it
    await disk.sync([folder])
    return appender
  }
  return {
    async write(entries) {
      const appender = current?.appender ?? (await begin())
      appender.append(Buffer.from(entries.map(entry => `${JSON.stringify(entry)}\n`).join('')))
      await appender.sync()
    },
    size: () => current?.appender.size ?? 0,
    rotate() {
      const old = current
      current = null
      old?.appender.close()
      return old?.file ?? null
    },
    close() {
      current?.appender.close()
      current = null
    },
  }
}
