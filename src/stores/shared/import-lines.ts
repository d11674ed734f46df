// The lines of an export, read one after another: every line in its place, every blob whole, the end with the right
// numbers and hash. Everything in a line is hostile until it is checked.
import { createHash } from 'node:crypto'
import { isMadhavaError } from '../../core/errors.ts'
import { type Line, LineTooLongError, readLines } from '../../platform/lines.ts'
import {
  type AuditLine,
  type BlobLine,
  badLine,
  type DocumentLine,
  decodeChunk,
  LINE_BYTES_MAX,
  parseTransferLine,
  type TaskLine,
  type TransferLine,
  type UploadLine,
} from './export-format.ts'

const BLOBS_PER_TASK_MAX = 10_000

export interface Lines {
  /** The next line without taking it; null at the end. @throws BAD_REQUEST */
  peek(): Promise<{ line: TransferLine; number: number } | null>
  take(): Promise<{ line: TransferLine; number: number } | null>
  /** Of all lines that were read, the end apart. */
  sha256(): string
}

export const linesOf = (input: AsyncIterable<Uint8Array>): Lines => {
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

export const cutOff = () => badLine(0, 'The line that ends an export is missing: the file is cut off')

/** The bytes that begin at the next line; takes their lines and no more. @throws BAD_REQUEST */
async function* bytesOf(lines: Lines, first: BlobLine | UploadLine): AsyncGenerator<Buffer> {
  const what = first.type === 'blob' ? `the blob ${first.name}` : `the upload ${first.id}`
  let at = 0
  do {
    const taken = await lines.take()
    const number = taken?.number ?? 0
    if (taken?.line.type !== 'blob' && taken?.line.type !== 'upload')
      throw badLine(number, `${what} is cut off`)
    const { line } = taken
    const sameName =
      line.type === 'blob' && first.type === 'blob' ? line.name === first.name : line.type === first.type
    if (!sameName || line.id !== first.id || line.size !== first.size || line.offset !== at)
      throw badLine(number, `${what} does not go on where it stopped`)
    const bytes = decodeChunk(line, number)
    at += bytes.length
    if (at > first.size || (bytes.length === 0 && first.size > 0))
      throw badLine(number, `${what} has another size than it says`)
    yield bytes
  } while (at < first.size)
}

/** The bytes of an upload, when its lines are the next ones; else null. @throws BAD_REQUEST */
export const uploadBytesAfter = async (lines: Lines, id: string): Promise<AsyncGenerator<Buffer> | null> => {
  const next = await lines.peek()
  if (!next) throw cutOff()
  return next.line.type === 'upload' && next.line.id === id ? bytesOf(lines, next.line) : null
}

/** Each blob that follows the line of its task, with its bytes, which `use` takes to their end. @throws BAD_REQUEST */
export const eachBlob = async (
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

const isUploadOf = ({ collection, document }: DocumentLine, line: TransferLine | undefined): boolean =>
  collection === 'uploads' && line?.type === 'upload' && line.id === document.name

/** What happens to the lines of an export. */
export interface LineUses {
  /** Takes the lines of the task's blobs; returns how many blobs there are. `at`: the time of the export. */
  task(line: TaskLine, at: string, number: number): Promise<number>
  /** Also takes the lines of its bytes, if it is of an upload and they follow. */
  document(line: DocumentLine, number: number): Promise<void>
  audit(line: AuditLine): Promise<void>
}

/** Reads an export from its header to its end. @throws BAD_REQUEST */
export const eachLine = async (lines: Lines, uses: LineUses): Promise<void> => {
  const first = await lines.take()
  if (!first) throw badLine(1, 'there is nothing: an export begins with its header')
  if (first.line.type !== 'madhava-export') throw badLine(1, 'an export begins with its header')
  const { at } = first.line
  const counted = { tasks: 0, blobs: 0, documents: 0, audit: 0, uploads: 0 }
  for (;;) {
    const next = await lines.take()
    if (!next) throw cutOff()
    const { line, number } = next
    if (line.type === 'end') {
      const wordsOf = ({ tasks, blobs, documents, audit, uploads }: typeof counted): string =>
        `${tasks} tasks, ${blobs} blobs, ${documents} documents, ${uploads} uploads and ${audit} lines of the audit`
      if (wordsOf(line) !== wordsOf(counted))
        throw badLine(number, `${wordsOf(counted)} came, the end counts ${wordsOf(line)}`)
      if (line.sha256 !== undefined && line.sha256 !== lines.sha256())
        throw badLine(number, 'the bytes before it are not those that were written: the hash differs')
      if (await lines.peek()) throw badLine(number + 1, 'something stands behind the end')
      return
    }
    if (line.type === 'document') {
      counted.documents += 1
      const after = await lines.peek()
      if (isUploadOf(line, after?.line)) counted.uploads += 1
      await uses.document(line, number)
    } else if (line.type === 'audit') {
      counted.audit += 1
      await uses.audit(line)
    } else if (line.type === 'task') {
      counted.tasks += 1
      counted.blobs += await uses.task(line, at, number)
    } else throw badLine(number, `a line ${line.type} does not belong here`)
  }
}

/** What is wrong with the export, in words. @throws the error when it is something else */
export const problemOf = (error: unknown): string => {
  if (!isMadhavaError(error, 'BAD_REQUEST')) throw error
  return error.message.replace('Line 0: ', '')
}
