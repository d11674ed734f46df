// Follows a log: its new lines as they are written, over cuts of the file, resumed at a place without a lost or doubled
// line.
import { setTimeout as pause } from 'node:timers/promises'
import { isMadhavaError } from '../../core/errors.ts'
import { openPlain } from '../../platform/plain-file.ts'
import { type LogParts, lookAtLog, readPlace, tellPlace } from './place.ts'

/** `gap`: the log was cut, and lines before these may be missing. */
export interface FollowedLines {
  /** Without newlines, oldest first. */
  lines: Buffer[]
  /** Where each of them begins. */
  places: string[]
  /** For `after`, to go on behind these lines. */
  after: string
  gap: boolean
}

export interface FollowOptions {
  /** Left out: from the end, `backBytes` before it. */
  after?: string | undefined
  backBytes?: number
  signal: AbortSignal
  /** Milliseconds between two looks. */
  everyMs?: number
}

const CHUNK_BYTES = 64 * 1024
/** A line that has no end by now is handed out without one. */
const LONGEST_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** Where to begin, and whether lines are missing before it. */
const beginAt = (
  parts: LogParts | null,
  { after, backBytes = 0 }: FollowOptions,
): { offset: number; gap: boolean; midLine: boolean } => {
  if (!parts) return { offset: 0, gap: false, midLine: false }
  const fromEnd = (bytes: number, gap: boolean) => {
    const offset = Math.max(0, parts.bytes - bytes)
    return { offset, gap, midLine: offset > 0 && bytes > 0 }
  }
  if (after === undefined) return fromEnd(backBytes, false)
  try {
    const { isOld, offset } = readPlace(after, parts)
    return isOld ? fromEnd(CHUNK_BYTES, true) : { offset, gap: false, midLine: false }
  } catch (error) {
    if (!isMadhavaError(error, 'CURSOR_TOO_OLD')) throw error
    return fromEnd(CHUNK_BYTES, true)
  }
}

const readSome = async (file: string, offset: number): Promise<Buffer> => {
  const { handle } = await openPlain(file)
  try {
    const buffer = Buffer.alloc(CHUNK_BYTES)
    const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, offset)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/**
 * Ends when the signal fires. A log that is not there yet is waited for.
 * @throws BAD_CURSOR at the first step
 */
export async function* followLog(file: string, options: FollowOptions): AsyncGenerator<FollowedLines> {
  const { signal, everyMs = 300 } = options
  let parts = await lookAtLog(file)
  let { offset, gap, midLine } = beginAt(parts, options)
  let rest = Buffer.alloc(0)
  while (!signal.aborted) {
    if (parts && parts.bytes < offset + rest.length) {
      // cut: it begins anew, and what was written between the last look and the cut is in the part kept aside
      offset = 0
      rest = Buffer.alloc(0)
      midLine = false
      gap = true
    }
    const at = offset + rest.length
    const chunk = parts && parts.bytes > at ? await readSome(file, at).catch(() => Buffer.alloc(0)) : null
    if (parts && chunk && chunk.length > 0) {
      rest = Buffer.concat([rest, chunk])
      const lines: Buffer[] = []
      const places: string[] = []
      const add = (line: Buffer): void => {
        lines.push(line)
        if (parts) places.push(tellPlace({ isOld: false, offset }, parts))
      }
      for (let end = rest.indexOf(NEWLINE); end !== -1; end = rest.indexOf(NEWLINE)) {
        if (midLine) midLine = false
        else add(rest.subarray(0, end))
        offset += end + 1
        rest = rest.subarray(end + 1)
      }
      if (rest.length > LONGEST_BYTES) {
        add(rest)
        offset += rest.length
        rest = Buffer.alloc(0)
      }
      if (lines.length > 0) {
        yield { lines, places, after: tellPlace({ isOld: false, offset }, parts), gap }
        gap = false
      }
    } else await pause(everyMs, undefined, { signal }).catch(() => undefined)
    parts = await lookAtLog(file)
  }
}
