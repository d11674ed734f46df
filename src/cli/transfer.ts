// Bytes of a server into a file or onto standard output: over connections that break, and a file is whole or not there.
import { createHash, randomBytes } from 'node:crypto'
import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import path from 'node:path'
import type { ByteStream, ResultOptions } from '../client/client.ts'
import { ApiError, ConnectionError, isTemporary, reasonOf } from '../client/errors.ts'
import { pause } from '../client/patience.ts'
import { ConsoleError, EXIT, usage } from './exit.ts'

/** Where the bytes go. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>
  /** Begins anew; null: what is written cannot be taken back. */
  restart: (() => Promise<void>) | null
}

export interface CopyOptions {
  open(options: ResultOptions): Promise<ByteStream>
  sink: Sink
  signal: AbortSignal
  tell(text: string): void
  /** How long a server may be away, milliseconds. */
  patienceMs: number
  onProgress?(bytes: number, total: number | null): void
  /** SHA-256 in hex, where it is known. */
  sha256?: string
}

const FIRST_MS = 250
const LAST_MS = 5_000

/** @returns how many bytes there were. @throws ApiError, ConnectionError, ConsoleError, the reason of the signal */
export const copyBytes = async ({
  open,
  sink,
  signal,
  tell,
  patienceMs,
  onProgress,
  sha256,
}: CopyOptions): Promise<number> => {
  let at = 0
  let total: number | null = null
  let etag: string | null = null
  let digest = createHash('sha256')
  let isTold = false
  let failures = 0
  let awaySince: number | null = null
  /** Of writing, which another connection does not help. */
  let failed: unknown = null
  const once = async (): Promise<void> => {
    const isAgain = at > 0
    const answer = await open({
      signal,
      ...(isAgain ? { range: { start: at }, ...(etag === null ? {} : { ifRange: etag }) } : {}),
    })
    const cancel = (): void => void answer.stream.cancel().catch(() => {})
    if (answer.start !== at || (isAgain && answer.etag !== etag)) {
      if (!sink.restart || answer.start !== 0) {
        cancel()
        throw new ConsoleError(
          EXIT.failed,
          'Other bytes have taken the place of those that were read: try again',
        )
      }
      await sink.restart()
      digest = createHash('sha256')
      at = 0
    }
    etag = answer.etag
    total = answer.bytes === null ? null : at + answer.bytes
    if (isTold) tell('The server is back')
    isTold = false
    for await (const chunk of answer.stream) {
      signal.throwIfAborted()
      awaySince = null
      failures = 0
      try {
        await sink.write(chunk)
      } catch (error) {
        failed = error
        throw error
      }
      digest.update(chunk)
      at += chunk.length
      onProgress?.(at, total)
    }
    if (total !== null && at < total)
      throw new ConnectionError(`The answer ended after ${at} of ${total} bytes`)
  }
  for (;;)
    try {
      await once()
      break
    } catch (thrown) {
      signal.throwIfAborted()
      if (failed !== null) throw failed
      // a stream that breaks off throws an error of its own
      const own =
        thrown instanceof ApiError || thrown instanceof ConnectionError || thrown instanceof ConsoleError
      const error = own
        ? thrown
        : new ConnectionError(`The answer broke off: ${reasonOf(thrown)}`, { cause: thrown })
      if (!isTemporary(error)) throw error
      awaySince ??= performance.now()
      const wait = Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(failures, 10)) * (0.5 + Math.random() / 2)
      failures += 1
      if (performance.now() - awaySince + wait > patienceMs) throw error
      if (!isTold && at > 0) tell(`The connection broke off after ${at} bytes (${reasonOf(error)}); going on`)
      isTold = at > 0
      await pause(wait, signal)
    }
  if (sha256 !== undefined && digest.digest('hex') !== sha256)
    throw new ConsoleError(
      EXIT.failed,
      'The bytes are not those that the task has made: their SHA-256 differs',
    )
  return at
}

/**
 * Runs `fill` with a file that is in no one's way, and gives it its name at the end.
 * @param force whether a file of this name may be replaced
 * @throws ConsoleError when it may not, or something else than a file has the name; what `fill` throws
 */
export const intoFile = async <T>(
  file: string,
  force: boolean,
  fill: (sink: Sink) => Promise<T>,
): Promise<T> => {
  const taken = (): ConsoleError => usage(`${file} is there already`, '--force replaces it')
  const there = await lstat(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (there && !there.isFile()) throw usage(`${file} is no ordinary file`)
  if (there && !force) throw taken()
  const aside = path.join(
    path.dirname(file),
    `.${path.basename(file).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`,
  )
  const handle = await open(aside, 'wx', 0o666)
  let position = 0
  try {
    const answer = await fill({
      async write(bytes) {
        for (let at = 0; at < bytes.length; ) {
          const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position)
          at += bytesWritten
          position += bytesWritten
        }
      },
      async restart() {
        await handle.truncate(0)
        position = 0
      },
    })
    await handle.sync()
    await handle.close()
    if (force) await rename(aside, file)
    else
      await link(aside, file).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') throw taken()
        // a file system without links
        await rename(aside, file)
      })
    return answer
  } finally {
    await handle.close().catch(() => {})
    await unlink(aside).catch(() => {})
  }
}
