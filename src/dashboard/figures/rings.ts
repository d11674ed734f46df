// Figures over time in two rings of rows: every ten seconds for an hour, every minute for seven days. They lie in one
// file of a fixed size. The time of a row says its place, so nothing is moved or counted, and a kill can at most lose
// the row that is being written. What stands at a place and is of another time is a gap.
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { replaceFile } from '../../platform/atomic-file.ts'
import type { Log } from '../../platform/log.ts'
import { NotPlainError } from '../../platform/plain-file.ts'
import {
  type ColumnName,
  decodeRow,
  encodeRow,
  isWholeRow,
  ROW_BYTES,
  readerOf,
  type Sample,
  timeAt,
} from './columns.ts'

/** `everyMs`: the distance of two rows. `rows`: how many are kept. */
export const SPANS = {
  hour: { everyMs: 10_000, rows: 360 },
  week: { everyMs: 60_000, rows: 7 * 24 * 60 },
} as const
export type Span = keyof typeof SPANS

export interface Rings {
  /** Keeps a row, in the place of an older one. Its time is that of the last step of the span. It is on disk soon. */
  put(span: Span, sample: Sample): void
  /** The row of the step that holds this time; null: a gap. */
  at(span: Span, ms: number): Sample | null
  /** The times of the steps up to now, oldest first, from the first with a row. */
  times(span: Span, nowMs: number): number[]
  /** The values of a column at these steps; null: a gap. */
  column(span: Span, name: ColumnName, times: readonly number[]): (number | null)[]
  /** Resolves when everything so far is written, or cannot be. */
  flush(): Promise<void>
  /** Idempotent. */
  close(): Promise<void>
}

const HEAD = Buffer.alloc(ROW_BYTES)
HEAD.write('madhava figures 2\n')
const BEGIN: Record<Span, number> = { hour: HEAD.length, week: HEAD.length + SPANS.hour.rows * ROW_BYTES }
export const FILE_BYTES = BEGIN.week + SPANS.week.rows * ROW_BYTES

/** The last step of the span that has come. */
export const stepOf = (span: Span, ms: number): number => {
  const { everyMs } = SPANS[span]
  return Math.floor(ms / everyMs) * everyMs
}

const placeOf = (span: Span, ms: number): number => {
  const { everyMs, rows } = SPANS[span]
  const row = Math.floor(ms / everyMs) % rows
  return BEGIN[span] + (row < 0 ? row + rows : row) * ROW_BYTES
}

const FLAGS = constants.O_RDWR | constants.O_NONBLOCK | constants.O_NOFOLLOW

const openPlainFile = async (file: string): Promise<FileHandle> => {
  const handle = await open(file, FLAGS)
  if ((await handle.stat()).isFile()) return handle
  await handle.close()
  throw new NotPlainError()
}

/** What is in the file; null: it is none of this version, or there is none. */
const readRings = async (file: string): Promise<{ handle: FileHandle; bytes: Buffer } | null> => {
  const handle = await openPlainFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (!handle) return null
  const bytes = Buffer.alloc(FILE_BYTES)
  const { size } = await handle.stat()
  if (size === FILE_BYTES) await handle.read(bytes, 0, FILE_BYTES, 0)
  if (bytes.subarray(0, HEAD.length).equals(HEAD)) return { handle, bytes }
  await handle.close()
  return null
}

/** Its whole size from the start, so that a full disk, of which the figures tell, does not end them. */
const makeRings = async (file: string): Promise<{ handle: FileHandle; bytes: Buffer }> => {
  const bytes = Buffer.alloc(FILE_BYTES)
  HEAD.copy(bytes)
  await replaceFile(file, bytes)
  return { handle: await openPlainFile(file), bytes }
}

/** Never rejects: figures that cannot be kept are in memory alone, and the log says why. */
export const openRings = async (file: string, log: Log): Promise<Rings> => {
  let hasWarned = false
  const warn = (error: unknown): null => {
    if (!hasWarned) log.warn({ error }, 'the figures of the dashboard cannot be kept')
    hasWarned = true
    return null
  }
  const opened = await (async () => (await readRings(file)) ?? (await makeRings(file)))().catch(warn)
  const bytes = opened?.bytes ?? Buffer.alloc(FILE_BYTES)
  // looked at once: from here on every row is whole, or has no time
  for (let begin = HEAD.length; begin < FILE_BYTES; begin += ROW_BYTES) {
    const row = bytes.subarray(begin, begin + ROW_BYTES)
    if (!isWholeRow(row)) row.fill(0)
  }
  /** Places whose rows are not written yet. */
  const unwritten = new Set<number>()
  let writing: Promise<void> | null = null

  const write = async (handle: FileHandle): Promise<void> => {
    for (const place of unwritten) {
      unwritten.delete(place)
      // one row in one call, and a copy of it, since the row may change meanwhile: a kill leaves whole rows
      const row = Buffer.from(bytes.subarray(place, place + ROW_BYTES))
      await handle.write(row, 0, ROW_BYTES, place).catch(warn)
    }
  }
  const writeSoon = (): void => {
    if (!opened || writing) return
    writing = write(opened.handle).finally(() => {
      writing = null
      if (unwritten.size > 0) writeSoon()
    })
  }
  const flush = async (): Promise<void> => {
    while (writing) await writing
  }
  const has = (span: Span, ms: number): boolean => timeAt(bytes, placeOf(span, ms)) === stepOf(span, ms)
  let closing: Promise<void> | null = null

  return {
    put(span, sample) {
      const place = placeOf(span, sample.at)
      encodeRow({ ...sample, at: stepOf(span, sample.at) }).copy(bytes, place)
      if (closing) return
      unwritten.add(place)
      writeSoon()
    },
    at: (span, ms) => (has(span, ms) ? decodeRow(bytes, placeOf(span, ms)) : null),
    times(span, nowMs) {
      const { everyMs, rows } = SPANS[span]
      const last = stepOf(span, nowMs)
      const all = Array.from({ length: rows }, (_, back) => last - (rows - 1 - back) * everyMs)
      const first = all.findIndex(at => has(span, at))
      return first === -1 ? [] : all.slice(first)
    },
    column(span, name, times) {
      const read = readerOf(name)
      return times.map(at => (has(span, at) ? read(bytes, placeOf(span, at)) : null))
    },
    flush,
    close() {
      closing ??= flush().then(() => opened?.handle.close())
      return closing
    },
  }
}
