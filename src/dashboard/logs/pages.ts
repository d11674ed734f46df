// Pages of a log, from its end backwards, with search and level. A page reads a bounded part of the file, however large
// it is and however little is found in it.
import type { FileHandle } from 'node:fs/promises'
import { openPlain } from '../../platform/plain-file.ts'
import { readForward } from './forward.ts'
import { type LineFilter, matches, type PlacedLine, readLine } from './lines.ts'
import { type LogParts, type LogPlace, lookAtLog, readPlace, tellPlace } from './place.ts'
import { placeOfTime } from './time.ts'

export interface LogPage {
  /** Oldest first. */
  lines: PlacedLine[]
  /** For the page before this one; null: the log begins here. It may be given although no line was found. */
  before: string | null
  /** Where this page ended, for following the log or for the page after it; null for a page that `before` asked for. */
  after: string | null
  /** Size of the log now; null: there is none. */
  bytes: number | null
}

export interface PageQuery extends LineFilter {
  /** All three left out: the end of the log. */
  before?: string | undefined
  /** The page that begins at this place. */
  after?: string | undefined
  /** The page around this moment, ISO 8601; `limit` lines at most, half of them before it. */
  at?: string | undefined
  limit: number
}

type BackQuery = LineFilter & { limit: number }

const CHUNK_BYTES = 64 * 1024
/** What one page reads at the most. */
const SCAN_BYTES = 4 * 1024 * 1024
/** A line longer than this is shown in pieces. */
const LONGEST_BYTES = 256 * 1024
/** A last line without its newline is a line when nobody has written on for so long. */
const SETTLED_MS = 1_000
const NEWLINE = 0x0a

interface Found {
  bytes: Buffer
  offset: number
}

/** Lines that end before `from`, the last one first. */
async function* linesBackwards(handle: FileHandle, from: number): AsyncGenerator<Found> {
  let rest = Buffer.alloc(0)
  for (let at = from; at > 0; ) {
    const size = Math.min(CHUNK_BYTES, at)
    const chunk = Buffer.alloc(size)
    const { bytesRead } = await handle.read(chunk, 0, size, at - size)
    // the file was cut while it was read
    if (bytesRead < size) return
    at -= size
    let block = Buffer.concat([chunk, rest])
    for (;;) {
      // a newline at the end closes the line, it does not begin another
      const cut = block.lastIndexOf(NEWLINE, block.length - 2)
      if (cut < 0 || block.length < 2) break
      yield { bytes: withoutNewline(block.subarray(cut + 1)), offset: at + cut + 1 }
      block = block.subarray(0, cut + 1)
    }
    rest = block
    if (rest.length > LONGEST_BYTES) {
      yield { bytes: withoutNewline(rest), offset: at }
      rest = Buffer.alloc(0)
    }
  }
  if (rest.length > 0) yield { bytes: withoutNewline(rest), offset: 0 }
}

const withoutNewline = (bytes: Buffer): Buffer =>
  bytes.at(-1) === NEWLINE ? bytes.subarray(0, bytes.length - 1) : bytes

/** The end of the last whole line. */
const endOfLines = async (handle: FileHandle, parts: LogParts, now: number): Promise<number> => {
  if (now - parts.writtenAt > SETTLED_MS) return parts.bytes
  const size = Math.min(CHUNK_BYTES, parts.bytes)
  const end = Buffer.alloc(size)
  await handle.read(end, 0, size, parts.bytes - size)
  const newline = end.lastIndexOf(NEWLINE)
  return newline < 0 ? parts.bytes : parts.bytes - size + newline + 1
}

const readPart = async (
  parts: LogParts,
  place: LogPlace | null,
  { limit, ...filter }: BackQuery,
  isErrorLog: boolean,
): Promise<Omit<LogPage, 'bytes'>> => {
  const isOld = place?.isOld ?? false
  const { handle } = await openPlain(isOld ? parts.old : parts.file)
  try {
    const from = place?.offset ?? (await endOfLines(handle, parts, Date.now()))
    const lines: PlacedLine[] = []
    let reached = from
    for await (const { bytes, offset } of linesBackwards(handle, from)) {
      reached = offset
      const line = readLine(bytes)
      if (matches(line, filter, isErrorLog))
        lines.unshift({ id: tellPlace({ isOld, offset }, parts), ...line })
      if (lines.length >= limit || from - offset >= SCAN_BYTES) break
    }
    const older = isOld || parts.oldBytes === 0 ? null : { isOld: true, offset: parts.oldBytes }
    const next = reached > 0 ? { isOld, offset: reached } : older
    return {
      lines,
      before: next && tellPlace(next, parts),
      after: place ? null : tellPlace({ isOld: false, offset: from }, parts),
    }
  } finally {
    await handle.close()
  }
}

/** Half a page before a moment and half a page from it on. */
const readAround = async (
  parts: LogParts,
  at: number,
  { limit, ...filter }: BackQuery,
  isErrorLog: boolean,
): Promise<Omit<LogPage, 'bytes'>> => {
  const place = await placeOfTime(parts, at)
  const half = Math.ceil(limit / 2)
  const [older, newer] = await Promise.all([
    readPart(parts, place, { limit: half, ...filter }, isErrorLog),
    readForward(parts, place, { limit: half, ...filter }, isErrorLog),
  ])
  return { lines: [...older.lines, ...newer.lines], before: older.before, after: newer.after }
}

/**
 * @param file null: the supervisor keeps no such log
 * @throws BAD_CURSOR, CURSOR_TOO_OLD
 */
export const readLogPage = async (
  file: string | null,
  query: PageQuery,
  isErrorLog: boolean,
): Promise<LogPage> => {
  const parts = file === null ? null : await lookAtLog(file)
  if (!parts) return { lines: [], before: null, after: null, bytes: null }
  const { before, after, at, ...wanted } = query
  const { bytes } = parts
  if (at !== undefined) return { ...(await readAround(parts, Date.parse(at), wanted, isErrorLog)), bytes }
  if (after !== undefined)
    return { ...(await readForward(parts, readPlace(after, parts), wanted, isErrorLog)), bytes }
  const place = before === undefined ? null : readPlace(before, parts)
  return { ...(await readPart(parts, place, wanted, isErrorLog)), bytes }
}
