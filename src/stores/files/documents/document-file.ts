// A document as a file `<collection>/<name>.json`: its text, and what stands there. It only reads.
import type { z } from 'zod'
import { type CollectionName, type Document, documentSchema } from '../../../core/documents.ts'
import { scanJson } from '../../../core/json-scan.ts'
import { formatFirstProblem } from '../../../core/problems.ts'
import { readPlain } from '../../../platform/plain-file.ts'
import { isErrno } from '../errno.ts'
import type { Layout } from '../layout.ts'

export type DocumentFile =
  | { state: 'whole'; document: Document }
  | { state: 'none' }
  /** `unreadable`: it may be sound, and nobody should take it away. */
  | { state: 'broken'; why: string; unreadable?: true }

/** Of the file: the JSON of a document is much smaller, and may be laid out by a person. */
const BYTES_MAX = 1024 * 1024
/** A document with more characters than this stands in one line. */
const LAID_OUT_MAX = 128 * 1024
const DEPTH_MAX = 1_000

/** The name of the document in a file of this name; null for any other file. */
export const nameOfDocumentFile = (file: string): string | null =>
  file.endsWith('.json') && documentSchema.shape.name.safeParse(file.slice(0, -5)).success
    ? file.slice(0, -5)
    : null

/** As it is written: for people too. */
export const textOfDocument = ({ name, version, rev, expiresAt, data }: Document): string => {
  const ordered = { name, version, rev, expiresAt, data }
  const text = JSON.stringify(ordered, null, 2)
  return `${text.length > LAID_OUT_MAX ? JSON.stringify(ordered) : text}\n`
}

const judge = (text: string, name: string): DocumentFile => {
  if (scanJson(text, DEPTH_MAX).depth > DEPTH_MAX) return { state: 'broken', why: 'it nests too deep' }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { state: 'broken', why: text === '' ? 'it is empty' : 'it is not JSON' }
  }
  const parsed: z.ZodSafeParseResult<Document> = documentSchema.safeParse(value)
  if (!parsed.success) return { state: 'broken', why: formatFirstProblem(parsed.error, 'the document') }
  if (parsed.data.name !== name) return { state: 'broken', why: 'its name is not that of its file' }
  return { state: 'whole', document: parsed.data }
}

/** @throws BAD_KEY, and what the file system says when that is not about this file */
export const readDocumentFile = async (
  layout: Layout,
  collection: CollectionName,
  name: string,
): Promise<DocumentFile> => {
  try {
    const bytes = await readPlain(layout.document(collection, name), BYTES_MAX)
    return bytes === null ? { state: 'none' } : judge(bytes.toString(), name)
  } catch (error) {
    if (isErrno(error, 'EFTYPE', 'EISDIR')) return { state: 'broken', why: 'it is not a regular file' }
    if (isErrno(error, 'EACCES', 'EPERM', 'EIO'))
      return { state: 'broken', why: `it cannot be read (${error.code})`, unreadable: true }
    if (isErrno(error, 'EFBIG')) return { state: 'broken', why: 'it is too large' }
    throw error
  }
}
