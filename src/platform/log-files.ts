// The folder of log files that PM2 writes: keeps it bounded, reads the end of a file, finds the last words of a role.
import { lstat, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { NotPlainError, openPlain } from './plain-file.ts'

const LIMIT_BYTES = 16 * 1024 * 1024
const LOOK_MS = 5_000

/**
 * Empties what has grown too long, and keeps its end aside. The writer goes on at the new beginning, since it appends;
 * lines that it writes between the copy and the cut are lost, which PM2 has no way to avoid.
 */
export const boundLogs = async (folder: string, limitBytes = LIMIT_BYTES): Promise<void> => {
  for (const name of await readdir(folder)) {
    if (!name.endsWith('.log')) continue
    const file = path.join(folder, name)
    const info = await lstat(file)
    if (!info.isFile() || info.size <= limitBytes) continue
    const end = await readEnd(file, limitBytes)
    if (!end) continue
    // the first line was cut in the middle; a file of one long line stays as it is
    // made anew: nothing is written to where a link in its place leads
    await rm(`${file}.1`, { force: true })
    await writeFile(`${file}.1`, end.bytes.subarray(end.bytes.indexOf('\n') + 1), { flag: 'wx' })
    await truncate(file)
  }
}

/** Looks now and then, for as long as the process lives; it does not hold the process. */
export const keepLogsBounded = (folder: string): void => {
  setInterval(() => {
    boundLogs(folder).catch(() => {
      // a full disk or a file that has just gone: the next look tries again
    })
  }, LOOK_MS).unref()
}

/** The last bytes of a plain file, in one bounded read; null when there is none. Another kind of file is none. */
export const readEnd = async (
  file: string,
  maxBytes: number,
): Promise<{ bytes: Buffer; size: number; writtenAt: number } | null> => {
  const opened = await openPlain(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error instanceof NotPlainError) return null
    throw error
  })
  if (!opened) return null
  const { handle, info } = opened
  try {
    const start = Math.max(0, info.size - maxBytes)
    const buffer = Buffer.alloc(info.size - start)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
    return { bytes: buffer.subarray(0, bytesRead), size: info.size, writtenAt: info.mtimeMs }
  } finally {
    await handle.close()
  }
}

const LOOK_BACK_BYTES = 64 * 1024
const WORDS_MAX = 500

interface LogLine {
  level?: string
  /** Milliseconds since 1970. */
  at: number
  pid?: number
  message?: string
  error?: { message?: string }
}

/** A line as `createLog` writes it; null for any other. */
const parseLine = (text: string): LogLine | null => {
  if (!text.startsWith('{')) return null
  try {
    const { time, ...line } = JSON.parse(text) as Omit<LogLine, 'at'> & { time: string }
    const at = Date.parse(time)
    return Number.isNaN(at) ? null : { ...line, at }
  } catch {
    return null
  }
}

/** The text of a line that says why its process ends; null for any other line. */
const fatalText = ({ level, message = '', error }: LogLine): string | null => {
  if (level !== 'fatal') return null
  return error?.message === undefined || error.message === message ? message : `${message}: ${error.message}`
}

/** When the process began that wrote the last line, as far as the lines go back. */
const beginOfTheLast = (lines: readonly LogLine[]): number => {
  const last = lines.at(-1)
  if (!last) return Number.NEGATIVE_INFINITY
  const others = lines.findLastIndex(({ pid }) => pid !== last.pid)
  return lines[others + 1]?.at ?? last.at
}

/** How Node itself says why it ends, on standard error. */
const CRASH = /^(?:Uncaught )?(?:\w*Error(?: \[\w+\])?|FATAL ERROR): .+/

/** After it nothing more comes from a process that Node ends for an error. */
const NODES_LAST_LINE = /^Node\.js v\d/

/** The last crash on standard error; null when a process that came later has written there. */
const crashIn = (lines: readonly string[]): string | null => {
  const place = lines.findLastIndex(line => CRASH.test(line))
  if (place < 0) return null
  const rest = lines.slice(place)
  const end = rest.findIndex(line => NODES_LAST_LINE.test(line))
  const isLast = end < 0 || rest.slice(end + 1).every(line => line.trim() === '')
  return isLast ? (CRASH.exec(rest[0] ?? '')?.[0] ?? null) : null
}

const lastOf = <L, T>(lines: readonly L[], find: (line: L) => T | null): T | null => {
  for (const line of lines.toReversed()) {
    const found = find(line)
    if (found !== null) return found
  }
  return null
}

/**
 * Why the last process of a role ended, in its own words out of its log files, on one line; null when it has said
 * nothing since. What a process said that another one has followed since does not count. Lines on standard error have
 * no time, so the file's own counts for them.
 * @param sinceMs milliseconds since 1970
 */
export const lastWords = async (folder: string, role: string, sinceMs: number): Promise<string | null> => {
  const endOf = (stream: string) =>
    readEnd(path.join(folder, `${role}.${stream}.log`), LOOK_BACK_BYTES).catch(() => null)
  const linesOf = (end: Awaited<ReturnType<typeof readEnd>>): string[] =>
    end?.bytes.toString().split('\n') ?? []
  const [out, err] = await Promise.all([endOf('out'), endOf('err')])
  const lines = linesOf(out).flatMap(text => parseLine(text) ?? [])
  const since = Math.max(sinceMs, beginOfTheLast(lines))
  const words =
    lastOf(lines, line => (line.at < since ? null : fatalText(line))) ??
    (err && err.writtenAt >= since ? crashIn(linesOf(err)) : null)
  return (
    words
      ?.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
      .slice(0, WORDS_MAX)
      .toWellFormed() ?? null
  )
}
