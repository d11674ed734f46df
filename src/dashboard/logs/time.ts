// The place of a moment in a log, found by halving: a log of 16 MiB costs some twenty small reads.
import type { FileHandle } from 'node:fs/promises'
import { openPlain } from '../../platform/plain-file.ts'
import { linesForwards } from './forward.ts'
import { readLine } from './lines.ts'
import type { LogParts, LogPlace } from './place.ts'

/** So far behind an offset a line with a time is looked for; text of strangers has none. */
const LOOK_BYTES = 256 * 1024

interface Seen {
  /** Where the line begins. */
  offset: number
  next: number
  /** Milliseconds since 1970. */
  time: number
}

/** The first line with a time that begins behind an offset; at 0 the first of all. */
const timeBehind = async (handle: FileHandle, from: number, end: number): Promise<Seen | null> => {
  let isMidLine = from > 0
  for await (const { bytes, offset, next } of linesForwards(handle, from, end)) {
    if (offset - from > LOOK_BYTES) return null
    if (isMidLine) {
      isMidLine = false
      continue
    }
    const { time } = readLine(bytes)
    if (time !== null) return { offset, next, time: Date.parse(time) }
  }
  return null
}

const offsetIn = async (handle: FileHandle, bytes: number, at: number): Promise<number> => {
  let [low, high] = [0, bytes]
  let found = bytes
  while (low < high) {
    const middle = Math.floor((low + high) / 2)
    const seen = await timeBehind(handle, middle, bytes)
    if (seen === null || seen.time >= at) {
      if (seen) found = Math.min(found, seen.offset)
      high = middle
    } else low = Math.max(middle + 1, seen.offset + 1)
  }
  return found
}

/** Where the first line of that time or later begins; the end of the log where there is none. */
export const placeOfTime = async (parts: LogParts, at: number): Promise<LogPlace> => {
  const { handle } = await openPlain(parts.file)
  try {
    const first = parts.oldBytes > 0 ? await timeBehind(handle, 0, parts.bytes) : null
    if (parts.oldBytes === 0 || (first && first.time < at))
      return { isOld: false, offset: await offsetIn(handle, parts.bytes, at) }
  } finally {
    await handle.close()
  }
  const { handle: old } = await openPlain(parts.old)
  try {
    const offset = await offsetIn(old, parts.oldBytes, at)
    return offset < parts.oldBytes ? { isOld: true, offset } : { isOld: false, offset: 0 }
  } finally {
    await old.close()
  }
}
