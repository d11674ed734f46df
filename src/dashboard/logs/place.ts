// A place in a log: its file now, or the part that was kept aside when the file had grown too long. A place is told as
// a text that stays right while the log grows, and that is refused when the log has been cut since.
import { lstat } from 'node:fs/promises'
import { MadhavaError } from '../../core/errors.ts'

export interface LogPlace {
  /** In the part that was kept aside. */
  isOld: boolean
  /** Bytes from the beginning. */
  offset: number
}

/** The log's parts as they are now; 0 bytes where there is none. */
export interface LogParts {
  file: string
  old: string
  bytes: number
  oldBytes: number
  /** When the file was last written, milliseconds since 1970. */
  writtenAt: number
  /** Changes whenever the log is cut. */
  generation: string
}

const look = async (file: string): Promise<{ bytes: number; at: number } | null> => {
  const info = await lstat(file).catch(() => null)
  return info?.isFile() ? { bytes: info.size, at: info.mtimeMs } : null
}

/** Null: there is no such log, or what stands there is no file. */
export const lookAtLog = async (file: string): Promise<LogParts | null> => {
  const old = `${file}.1`
  const [now, before] = await Promise.all([look(file), look(old)])
  if (!now) return null
  return {
    file,
    old,
    bytes: now.bytes,
    oldBytes: before?.bytes ?? 0,
    writtenAt: now.at,
    generation: before ? Math.floor(before.at).toString(36) : '0',
  }
}

const CURSOR = /^(n|o)([0-9a-z]{1,11})-(\d{1,15})$/

export const tellPlace = ({ isOld, offset }: LogPlace, { generation }: LogParts): string =>
  `${isOld ? 'o' : 'n'}${generation}-${offset}`

/** @throws BAD_CURSOR, CURSOR_TOO_OLD when the log was cut since */
export const readPlace = (cursor: string, parts: LogParts): LogPlace => {
  const [, part, generation, digits] = CURSOR.exec(cursor) ?? []
  if (part === undefined || digits === undefined)
    throw new MadhavaError('BAD_CURSOR', 'The place is not one that this log gave out')
  const place = { isOld: part === 'o', offset: Number(digits) }
  if (generation !== parts.generation || place.offset > (place.isOld ? parts.oldBytes : parts.bytes))
    throw new MadhavaError('CURSOR_TOO_OLD', 'The log was cut since; begin at its end again')
  return place
}
