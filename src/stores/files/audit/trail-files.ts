// The files of the audit: which there are, and entries out of one, the newest first. A process adds to files of its own,
// and each has its entries in order. It only reads.
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { type AuditEntry, auditKey } from '../../../core/audit.ts'
import { parseAuditEntry } from '../../../core/audit-form.ts'
import { openPlain } from '../../../platform/plain-file.ts'
import { isErrno } from '../errno.ts'
import type { Layout } from '../layout.ts'

export interface TrailFile {
  /** In UTC: 2026-01-31. */
  day: string
  file: string
}

const NAME = /^(\d{4}-\d\d-\d\d)\.[0-9a-f]{12}\.\d{1,9}\.ndjson$/
/** Read at a time. An entry is shorter. */
const CHUNK = 32 * 1024

export const dayOf = (at: string): string => at.slice(0, 10)

export const nameOfTrailFile = (day: string, instance: string, part: number): string =>
  `${day}.${instance}.${part}.ndjson`

/** The day of a file's name; null for any other entry of the folder. */
export const dayOfTrailFile = (name: string): string | null => NAME.exec(name)?.[1] ?? null

const namesIn = (folder: string): string[] => {
  try {
    return readdirSync(folder)
  } catch (error) {
    // a folder of an earlier version that is only looked at
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

/** All of them, the latest day first. */
export const trailFiles = (layout: Layout): TrailFile[] =>
  namesIn(layout.audit)
    .flatMap(name => {
      const day = dayOfTrailFile(name)
      return day === null ? [] : [{ day, file: path.join(layout.audit, name) }]
    })
    .sort((a, b) => (a.day < b.day ? 1 : a.day > b.day ? -1 : a.file < b.file ? 1 : -1))

/** Bytes of a file; none when it has gone. `size`: of the file now. */
const readAt = async (
  file: string,
  start: number,
  length: number,
): Promise<{ bytes: Buffer; size: number }> => {
  const opened = await openPlain(file).catch((error: unknown) => {
    if (isErrno(error, 'ENOENT', 'EFTYPE')) return null
    throw error
  })
  if (!opened) return { bytes: Buffer.alloc(0), size: 0 }
  try {
    const { size } = opened.info
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, size - start)))
    const { bytesRead } = await opened.handle.read(bytes, 0, bytes.length, start)
    return { bytes: bytes.subarray(0, bytesRead), size }
  } finally {
    await opened.handle.close()
  }
}

/** The first entry at or after a place of the file that begins a line, and where it begins; null: there is none near. */
const entryAfter = async (file: string, place: number): Promise<{ entry: AuditEntry; at: number } | null> => {
  const { bytes } = await readAt(file, place, CHUNK)
  // the line at the place itself may have begun before it
  let at = place === 0 ? 0 : bytes.indexOf(10) + 1
  if (place > 0 && at === 0) return null
  for (let end = bytes.indexOf(10, at); end >= 0; end = bytes.indexOf(10, at)) {
    const entry = parseAuditEntry(bytes.toString('utf8', at, end))
    if (entry) return { entry, at: place + at }
    at = end + 1
  }
  return null
}

/** A place behind all entries that come before this key, and not far behind. Null: the end of the file. */
const placeOf = async (file: string, before: string | null): Promise<number> => {
  const { size } = await readAt(file, 0, 0)
  let [low, high] = [0, size]
  while (before !== null && high - low > CHUNK) {
    const middle = Math.floor((low + high) / 2)
    const found = await entryAfter(file, middle)
    // what cannot be read is passed over by whoever reads on from here
    if (!found || found.at >= high) break
    if (auditKey(found.entry) < before) low = found.at
    else high = found.at
  }
  return high
}

/** Entries of one file, the newest first, from those that come before the key `before` on. What is torn is passed over. */
export async function* entriesBack(file: string, before: string | null): AsyncGenerator<AuditEntry> {
  let end = await placeOf(file, before)
  while (end > 0) {
    const start = Math.max(0, end - CHUNK)
    const { bytes } = await readAt(file, start, end - start)
    if (bytes.length === 0) return
    // a chunk begins in the middle of a line, which the next one has whole
    const first = start === 0 ? 0 : bytes.indexOf(10) + 1
    if (start > 0 && first === 0) {
      end = start
      continue
    }
    const lines = bytes.toString('utf8', first).split('\n')
    // behind the last newline: nothing, or what a kill has cut off
    lines.pop()
    for (const line of lines.reverse()) {
      const entry = parseAuditEntry(line)
      if (entry && (before === null || auditKey(entry) < before)) yield entry
    }
    if (start === 0) return
    end = start + first
  }
}
