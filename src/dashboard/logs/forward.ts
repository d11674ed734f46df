// Reads a log forwards from a place, over the part that was kept aside into the file of now. Bounded as pages are.
import type { FileHandle } from 'node:fs/promises'
import { openPlain } from '../../platform/plain-file.ts'
import { type LineFilter, matches, type PlacedLine, readLine } from './lines.ts'
import { type LogParts, type LogPlace, tellPlace } from './place.ts'

const CHUNK_BYTES = 64 * 1024
/** What one page reads at the most. */
const SCAN_BYTES = 4 * 1024 * 1024
/** A line longer than this is handed out in pieces. */
const LONGEST_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** Whole lines from an offset on, with the offset where each begins and the one behind it. */
export async function* linesForwards(
  handle: FileHandle,
  from: number,
  end: number,
): AsyncGenerator<{ bytes: Buffer; offset: number; next: number }> {
  let rest = Buffer.alloc(0)
  let offset = from
  for (let at = from; at < end; ) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, end - at))
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, at)
    // the file was cut while it was read
    if (bytesRead === 0) return
    at += bytesRead
    rest = Buffer.concat([rest, chunk.subarray(0, bytesRead)])
    for (let cut = rest.indexOf(NEWLINE); cut !== -1; cut = rest.indexOf(NEWLINE)) {
      yield { bytes: rest.subarray(0, cut), offset, next: offset + cut + 1 }
      offset += cut + 1
      rest = rest.subarray(cut + 1)
    }
    if (rest.length > LONGEST_BYTES) {
      yield { bytes: rest, offset, next: offset + rest.length }
      offset += rest.length
      rest = Buffer.alloc(0)
    }
  }
}

export interface ForwardPage {
  /** Oldest first. */
  lines: PlacedLine[]
  before: string | null
  /** Where the page ended: the page after it begins there. */
  after: string
}

/** A last line without its newline is left to the next page. */
export const readForward = async (
  parts: LogParts,
  place: LogPlace,
  { limit, ...filter }: LineFilter & { limit: number },
  isErrorLog: boolean,
): Promise<ForwardPage> => {
  const { isOld, offset } = place
  const { handle } = await openPlain(isOld ? parts.old : parts.file)
  const lines: PlacedLine[] = []
  let reached = offset
  let isFull = false
  try {
    const end = isOld ? parts.oldBytes : parts.bytes
    for await (const { bytes, offset: at, next } of linesForwards(handle, offset, end)) {
      const line = readLine(bytes)
      if (matches(line, filter, isErrorLog))
        lines.push({ id: tellPlace({ isOld, offset: at }, parts), ...line })
      reached = next
      isFull = lines.length >= limit || next - offset >= SCAN_BYTES
      if (isFull) break
    }
  } finally {
    await handle.close()
  }
  const before = tellPlace(place, parts)
  if (!isOld || isFull) return { lines, before, after: tellPlace({ isOld, offset: reached }, parts) }
  const begin = { isOld: false, offset: 0 }
  if (lines.length > 0) return { lines, before, after: tellPlace(begin, parts) }
  return { ...(await readForward(parts, begin, { limit, ...filter }, isErrorLog)), before }
}
