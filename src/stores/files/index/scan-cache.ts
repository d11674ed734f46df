// The 256 folders of state files, read with as little work as is safe. What was found in a folder is kept in
// `index/<xx>.json`, so that the next process, or the next start, need not read every state file again. A cache and
// nothing more: it can be deleted at any time, and whatever does not fit the folder as it stands is read anew.
import { lstatSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { crc32 } from 'node:zlib'
import { fromRow, rowOf, SUMMARY_FIELDS, type Summary, summaryOf } from '../../../core/summary.ts'
import type { Log } from '../../../platform/log.ts'
import { readPlainSync } from '../../../platform/plain-file.ts'
import { idOfStateFile, type Layout, type SafeId } from '../layout.ts'
import type { Records } from '../records/records.ts'

export interface ScanCache {
  /** All tasks of a folder. `shard` is the number of the folder, 0 to 255. */
  read(shard: number): Summary[]
  /** Brings snapshots up to date whose folder has changed a while ago; answers how many it wrote. Yields between. */
  refresh(now: number, pause: () => Promise<void>): Promise<number>
}

export const SHARD_COUNT = 256
const VERSION = 3
/** Of half a million tasks in one folder. */
const SNAPSHOT_BYTES_MAX = 256 * 1024 ** 2
/** Two changes within one tick of the file system's clock look like one: what is younger is not relied on. */
export const TICK_MS = 100
/** Fewer state files are read faster than a snapshot is kept. */
const FILES_MIN = 32
/** A folder that is busy all the time has its snapshot renewed this often, one that has come to rest after REST_MS. */
const BUSY_MS = 600_000
const REST_MS = 30_000

/** What tells one file from another that has its name: inode, time of its last change in ms, bytes. */
type Identity = readonly [ino: number, changedMs: number, bytes: number]
const IDENTITY_LENGTH = 3
interface CachedFile {
  identity: Identity
  task: Summary
}
interface Snapshot {
  /** When the folder last changed before it was read, in ms; null when that was just then. */
  folderMs: number | null
  entries: CachedFile[]
}

const encode = ({ folderMs, entries }: Snapshot): string => {
  const body = JSON.stringify({
    version: VERSION,
    fields: SUMMARY_FIELDS,
    folderMs,
    // the identity, then the fields
    rows: entries.map(({ identity, task }) => [...identity, ...rowOf(task)]),
  })
  return `${crc32(body)}\n${body}\n`
}

/** Null for anything that is not whole: a power cut may leave a part, or nothing. */
const decode = (text: string): Snapshot | null => {
  const end = text.indexOf('\n')
  const body = text.slice(end + 1, -1)
  if (end < 0 || Number(text.slice(0, end)) !== crc32(body)) return null
  const { version, fields, folderMs, rows } = JSON.parse(body) as {
    version: number
    fields: string[]
    folderMs: number | null
    rows: [...identity: Identity, ...summary: unknown[]][]
  }
  // of a version whose index knows other fields
  if (version !== VERSION || !isDeepStrictEqual(fields, SUMMARY_FIELDS)) return null
  const entries = rows.map(row => ({
    identity: [row[0], row[1], row[2]] as const,
    task: fromRow(row, IDENTITY_LENGTH),
  }))
  return { folderMs, entries }
}

/** Of a file that may have changed again unnoticed. */
const NOBODY: Identity = [0, 0, 0]
const same = (a: Identity, b: Identity): boolean => a[0] === b[0] && a[1] === b[1] && a[2] === b[2]

export const createScanCache = ({
  layout,
  records,
  unique,
  log,
}: {
  layout: Layout
  records: Pick<Records, 'read'>
  /** Ends the names of files that are being written. */
  unique: string
  log: Log
}): ScanCache => {
  const folders = layout.shards()
  const folderOf = (shard: number): string => folders[shard] as string
  const fileOf = (shard: number): string => path.join(layout.index, `${path.basename(folderOf(shard))}.json`)
  const asideOf = (shard: number): string =>
    path.join(layout.index, `.${path.basename(folderOf(shard))}.${unique}.tmp`)

  /** When this process last read the folder, and the folder's time of change then, both in ms. */
  const looked = new Map<number, { folderMs: number; at: number }>()

  const load = (shard: number): Snapshot | null => {
    try {
      return decode(readPlainSync(fileOf(shard), SNAPSHOT_BYTES_MAX).toString())
    } catch {
      // none, or unreadable: the state files have everything
      return null
    }
  }

  const discard = (file: string): void => {
    try {
      rmSync(file, { force: true })
    } catch {
      // the temporary file could not be removed either; the hourly sweep tries again
    }
  }

  const keep = (shard: number, snapshot: Snapshot): void => {
    try {
      writeFileSync(asideOf(shard), encode(snapshot))
      renameSync(asideOf(shard), fileOf(shard))
    } catch (error) {
      log.debug({ error }, 'a snapshot of the index could not be kept')
      discard(asideOf(shard))
    }
  }

  /** Reads what is not known already. `fresh`: how many files had to be read. */
  const look = (shard: number, known: Snapshot | null): { snapshot: Snapshot; fresh: number } => {
    const folder = folderOf(shard)
    const begun = Date.now()
    const folderMs = statSync(folder).mtimeMs
    looked.set(shard, { folderMs, at: begun })
    if (known && known.folderMs === folderMs) return { snapshot: known, fresh: 0 }
    const byId = new Map(known?.entries.map(entry => [entry.task.id, entry]))
    const entries: CachedFile[] = []
    let fresh = 0
    for (const name of readdirSync(folder)) {
      const id = idOfStateFile(name)
      if (!id) continue
      // before it is read: a file that is replaced meanwhile is then taken for another one the next time
      const stat = lstatSync(path.join(folder, name), { throwIfNoEntry: false })
      if (!stat) continue
      const found: Identity = [stat.ino, stat.ctimeMs, stat.size]
      const before = byId.get(id)
      if (before && same(before.identity, found)) {
        entries.push(before)
        continue
      }
      const identity: Identity = stat.ctimeMs < begun - TICK_MS ? found : NOBODY
      const task = records.read(id as SafeId)
      fresh += 1
      if (task) entries.push({ identity, task: summaryOf(task) })
    }
    const settled = folderMs < begun - TICK_MS
    return { snapshot: { folderMs: settled ? folderMs : null, entries }, fresh }
  }

  return {
    read(shard) {
      const { snapshot, fresh } = look(shard, load(shard))
      if (fresh >= FILES_MIN) keep(shard, snapshot)
      return snapshot.entries.map(({ task }) => task)
    },
    async refresh(now, pause) {
      let written = 0
      for (let shard = 0; shard < SHARD_COUNT; shard += 1) {
        const folderMs = statSync(folderOf(shard)).mtimeMs
        const last = looked.get(shard)
        if (last && last.folderMs === folderMs && folderMs < last.at - TICK_MS) continue
        const keptMs = statSync(fileOf(shard), { throwIfNoEntry: false })?.mtimeMs ?? 0
        const lastMs = Math.max(keptMs, last?.at ?? 0)
        if (now - folderMs < REST_MS && now - lastMs < BUSY_MS) continue
        const known = load(shard)
        const { snapshot } = look(shard, known)
        if (snapshot.entries.length >= FILES_MIN || known) {
          keep(shard, snapshot)
          written += 1
        }
        await pause()
      }
      return written
    },
  }
}
