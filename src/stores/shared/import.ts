// Import: takes the lines of an export into a store, or compares them with one. Everything in a line is hostile until
// it is checked. It goes through the port alone, so that indexes, logs and the feed know what it did.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { isMadhavaError } from '../../core/errors.ts'
import type { TaskStore } from '../../core/store.ts'
import { idempotencyScope, isFinal, isRunning, type TaskRecord } from '../../core/task.ts'
import { type Line, LineTooLongError, readLines } from '../../platform/lines.ts'
import {
  type BlobLine,
  badLine,
  decodeChunk,
  LINE_BYTES_MAX,
  parseTransferLine,
  type TaskLine,
  type TransferLine,
} from './export-format.ts'
import {
  atRest,
  createPlacing,
  type ImportOutcome,
  type Placing,
  type PlacingDeps,
  sameContent,
} from './import-task.ts'

export interface ImportOptions {
  input: AsyncIterable<Uint8Array>
  /** A task that is there and older by (claim, rev) is replaced. */
  replace: boolean
  /** A task that is not taken in, with the reason; the others are. */
  onRefused: (id: string, why: string) => void
}

export interface ImportSummary {
  created: number
  replaced: number
  /** Were there with the same content; their blobs are written anew, so that an import can simply be repeated. */
  unchanged: number
  /** Were there with other content, and stay as they are. */
  left: number
  refused: number
  /** Ran at the time of the export, and were given back. */
  givenBack: number
  blobs: number
  /** Null: the export was whole. Else where and why the import ended. */
  problem: string | null
}

/** Records on their way to the disk at a time, so that they can share its syncs. */
const IN_FLIGHT = 64
const BLOBS_PER_TASK_MAX = 10_000

interface Lines {
  /** The next line without taking it; null at the end. @throws BAD_REQUEST */
  peek(): Promise<{ line: TransferLine; number: number } | null>
  take(): Promise<{ line: TransferLine; number: number } | null>
  /** Of all lines that were read, the end apart. */
  sha256(): string
}

const linesOf = (input: AsyncIterable<Uint8Array>): Lines => {
  const source = readLines(input, LINE_BYTES_MAX)
  let next: Promise<{ line: TransferLine; number: number } | null> | null = null
  const hash = createHash('sha256')
  const read = async () => {
    let found: IteratorResult<Line>
    try {
      found = await source.next()
    } catch (error) {
      if (error instanceof LineTooLongError) throw badLine(0, error.message)
      throw error
    }
    if (found.done) return null
    const { bytes, number } = found.value
    const line = parseTransferLine(bytes, number)
    if (line.type !== 'end') hash.update(bytes).update('\n')
    return { line, number }
  }
  const peek = () => {
    next ??= read()
    return next
  }
  return {
    peek,
    sha256: () => hash.copy().digest('hex'),
    async take() {
      const taken = await peek()
      next = null
      return taken
    },
  }
}

const cutOff = () => badLine(0, 'The line that ends an export is missing: the file is cut off')

/** The bytes of the blob that begins at the next line; takes its lines and no more. @throws BAD_REQUEST */
async function* bytesOf(lines: Lines, first: BlobLine): AsyncGenerator<Buffer> {
  let at = 0
  do {
    const taken = await lines.take()
    const number = taken?.number ?? 0
    if (taken?.line.type !== 'blob') throw badLine(number, `the blob ${first.name} is cut off`)
    const { line } = taken
    if (line.id !== first.id || line.name !== first.name || line.size !== first.size || line.offset !== at)
      throw badLine(number, `the blob ${first.name} does not go on where it stopped`)
    const bytes = decodeChunk(line, number)
    at += bytes.length
    if (at > first.size || (bytes.length === 0 && first.size > 0))
      throw badLine(number, `the blob ${first.name} has another size than it says`)
    yield bytes
  } while (at < first.size)
}

/** Each blob that follows the line of its task, with its bytes, which `use` takes to their end. @throws BAD_REQUEST */
const eachBlob = async (
  lines: Lines,
  id: string,
  use: (first: BlobLine, bytes: AsyncGenerator<Buffer>) => Promise<void>,
): Promise<Set<string>> => {
  const names = new Set<string>()
  for (;;) {
    const next = await lines.peek()
    if (!next) throw cutOff()
    if (next.line.type !== 'blob') return names
    const { line: first, number } = next
    if (first.id !== id) throw badLine(number, 'a blob stands behind the task that it belongs to')
    if (names.has(first.name)) throw badLine(number, `the blob ${first.name} stands there twice`)
    if (names.size >= BLOBS_PER_TASK_MAX) throw badLine(number, 'the task has too many blobs')
    names.add(first.name)
    await use(first, bytesOf(lines, first))
  }
}

/** Each task of an export, in order; `use` takes the lines of its blobs. @throws BAD_REQUEST */
const eachTask = async (
  lines: Lines,
  use: (line: TaskLine, at: string) => Promise<number>,
): Promise<void> => {
  const first = await lines.take()
  if (!first) throw badLine(1, 'there is nothing: an export begins with its header')
  if (first.line.type !== 'madhava-export') throw badLine(1, 'an export begins with its header')
  const { at } = first.line
  const counted = { tasks: 0, blobs: 0 }
  for (;;) {
    const next = await lines.take()
    if (!next) throw cutOff()
    const { line, number } = next
    if (line.type === 'end') {
      if (line.tasks !== counted.tasks || line.blobs !== counted.blobs)
        throw badLine(
          number,
          `${counted.tasks} tasks and ${counted.blobs} blobs came, the end counts ${line.tasks} and ${line.blobs}`,
        )
      if (line.sha256 !== undefined && line.sha256 !== lines.sha256())
        throw badLine(number, 'the bytes before it are not those that were written: the hash differs')
      if (await lines.peek()) throw badLine(number + 1, 'something stands behind the end')
      return
    }
    if (line.type !== 'task') throw badLine(number, `a line ${line.type} does not belong here`)
    counted.tasks += 1
    counted.blobs += await use(line, at)
  }
}

const takeIn = async (
  lines: Lines,
  store: TaskStore,
  place: Placing,
  replace: boolean,
  summary: ImportSummary,
): Promise<void> => {
  /** What is on its way, by id and by idempotency key. */
  const underWay = new Map<string, Promise<ImportOutcome>>()
  const settle = async (): Promise<void> => {
    const results = await Promise.allSettled(underWay.values())
    underWay.clear()
    for (const result of results) if (result.status === 'rejected') throw result.reason
  }
  const namesOf = (record: TaskRecord): string[] =>
    [record.id, idempotencyScope(record)].filter(name => name !== null)

  const takeBlobs = async (record: TaskRecord, outcome: ImportOutcome): Promise<number> => {
    const wanted = outcome === 'created' || outcome === 'replaced' || outcome === 'unchanged'
    const names = await eachBlob(lines, record.id, async (first, bytes) => {
      if (wanted) {
        await store.putBlob(record.id, first.name, Readable.from(bytes, { highWaterMark: 1 }))
        summary.blobs += 1
      } else for await (const _ of bytes);
    })
    if (outcome === 'replaced')
      for (const { name } of await store.listBlobs(record.id))
        if (!names.has(name)) await store.removeBlob(record.id, name)
    return names.size
  }

  const takeTask = async (line: TaskLine, record: TaskRecord): Promise<number> => {
    const placed = place({ record, fingerprint: line.fingerprint }).then(outcome => {
      summary[outcome] += 1
      const isNew = outcome === 'created' || outcome === 'replaced'
      if (isNew && isRunning(line.record.status)) summary.givenBack += 1
      return outcome
    })
    // a failure is told where it is waited for
    placed.catch(() => {})
    for (const name of namesOf(record)) underWay.set(name, placed)
    try {
      const next = await lines.peek()
      if (!next) throw cutOff()
      if (next.line.type === 'blob' || replace) return await takeBlobs(record, await placed)
    } catch (error) {
      if ((await placed) === 'created' && isFinal(record.status)) {
        // no end without its result: half of a task is none
        await store.remove(record.id)
        summary.created -= 1
      }
      throw error
    }
    if (underWay.size >= IN_FLIGHT) await settle()
    return 0
  }

  try {
    await eachTask(lines, async (line, at) => {
      const record = atRest(line.record, at)
      if (namesOf(record).some(name => underWay.has(name))) await settle()
      return takeTask(line, record)
    })
  } finally {
    await settle()
  }
}

/**
 * Reads an export to its end, or to the first line that is wrong; what stood before that line is kept. To repeat an
 * import is safe. @throws STORE_UNAVAILABLE
 */
export const takeAll = async (
  store: TaskStore,
  options: ImportOptions & Pick<PlacingDeps, 'refusal'>,
): Promise<ImportSummary> => {
  const { input, replace, onRefused, refusal } = options
  const counts = { created: 0, replaced: 0, unchanged: 0, left: 0, refused: 0, givenBack: 0, blobs: 0 }
  const summary: ImportSummary = { ...counts, problem: null }
  try {
    const place = createPlacing({ store, refusal, replace, onRefused })
    await takeIn(linesOf(input), store, place, replace, summary)
  } catch (error) {
    summary.problem = problemOf(error)
  }
  return summary
}

/** What is wrong with the export, in words. @throws the error when it is something else */
const problemOf = (error: unknown): string => {
  if (!isMadhavaError(error, 'BAD_REQUEST')) throw error
  return error.message.replace('Line 0: ', '')
}

export interface VerifyOptions {
  input: AsyncIterable<Uint8Array>
  onDifference: (id: string, what: string) => void
}

export interface VerifySummary {
  /** Tasks and blobs of the export. */
  tasks: number
  blobs: number
  /** Tasks that are not there, or say something else; those with a blob that is not there or has other bytes. */
  missing: number
  different: number
  /** Tasks in the store, those of the export and others. */
  inStore: number
  problem: string | null
}

/**
 * Compares a store with an export: every record by its content, every blob by its size and hash. Changes nothing.
 * @throws STORE_UNAVAILABLE
 */
export const verifyAll = async (store: TaskStore, options: VerifyOptions): Promise<VerifySummary> => {
  const { input, onDifference } = options
  const summary: VerifySummary = { tasks: 0, blobs: 0, missing: 0, different: 0, inStore: 0, problem: null }
  const lines = linesOf(input)
  const sha256 = async (bytes: AsyncIterable<Uint8Array>): Promise<string> => {
    const hash = createHash('sha256')
    for await (const chunk of bytes) hash.update(chunk)
    return hash.digest('hex')
  }
  /** What is wrong with the blobs of one task, or null; takes their lines. */
  const blobsDiffer = async (id: string): Promise<{ count: number; what: string | null }> => {
    const there = new Map((await store.listBlobs(id)).map(({ name, bytes }) => [name, bytes]))
    let what: string | null = null
    const names = await eachBlob(lines, id, async (first, bytes) => {
      summary.blobs += 1
      const wanted = await sha256(bytes)
      const size = there.get(first.name)
      there.delete(first.name)
      const stored = size === first.size ? await store.getBlob(id, first.name) : null
      if (!stored) what = `the blob ${first.name} is not there, or has another size`
      else if ((await sha256(stored.stream)) !== wanted) what = `the blob ${first.name} has other bytes`
    })
    const [further] = there.keys()
    if (further !== undefined) what ??= `the blob ${further} is not in the export`
    return { count: names.size, what }
  }
  const check = async ({ record }: TaskLine, at: string): Promise<number> => {
    summary.tasks += 1
    const there = await store.get(record.id)
    const blobs = await blobsDiffer(record.id)
    if (!there) {
      summary.missing += 1
      onDifference(record.id, 'it is not there')
      return blobs.count
    }
    const what = sameContent(there, atRest(record, at)) ? blobs.what : 'its record says something else'
    if (what !== null) {
      summary.different += 1
      onDifference(record.id, what)
    }
    return blobs.count
  }
  try {
    await eachTask(lines, check)
  } catch (error) {
    summary.problem = problemOf(error)
  }
  summary.inStore = (await store.counts()).total
  return summary
}
