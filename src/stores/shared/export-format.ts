// The lines of an export: what each holds, and the check of each one that comes from outside. No I/O.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { AuditEntry } from '../../core/audit.ts'
import { auditEntrySchema } from '../../core/audit-form.ts'
import { type CollectionName, type Document, documentSchema } from '../../core/documents.ts'
import { MadhavaError } from '../../core/errors.ts'
import { formatFirstProblem } from '../../core/problems.ts'
import { parseTaskId, type TaskRecord, taskSchema } from '../../core/task.ts'
import { BLOB_NAME } from './blob-name.ts'

/** 2 may have documents, 3 the audit, 4 uploads with their bytes. */
export const TRANSFER_VERSION = 4
const VERSIONS_READ = [1, 2, 3, 4] as const
/** A blob stands in lines of so many bytes, before base64. */
export const CHUNK_BYTES = 1024 * 1024
/** A record with params of 1 MiB of the numbers that JSON writes longest stays under this. */
export const LINE_BYTES_MAX = 16 * 1024 * 1024
/** A body nests at most 64 levels deep, a result what its kind likes; deeper ones are not read. */
const DEPTH_MAX = 512
/** Far over what any task reaches, and far under where counting on would go wrong. */
const COUNT_MAX = 2 ** 40

const isTaskId = (id: string): boolean => {
  try {
    return parseTaskId(id) === id
  } catch {
    return false
  }
}
const id = z.string().refine(isTaskId, 'must be a UUID in lower case')
const count = z.int().min(0)

const headerSchema = z.looseObject({
  type: z.literal('madhava-export'),
  version: z.literal(VERSIONS_READ, `must be one of ${VERSIONS_READ.join(', ')}`),
  at: z.iso.datetime({ precision: 3 }),
})
const recordSchema = taskSchema
  .refine(task => isTaskId(task.id), 'its id must be a UUID in lower case')
  .refine(task => Math.max(task.claim, task.rev) < COUNT_MAX, 'its claim and rev must be less than 2^40')
const taskLineSchema = z.looseObject({
  type: z.literal('task'),
  record: recordSchema,
  /** Of what was asked with the idempotency key, null when that is not known or there is no key. */
  fingerprint: z
    .string()
    .regex(/^[\w -]{1,128}$/)
    .nullable(),
})
const blobLineSchema = z.looseObject({
  type: z.literal('blob'),
  id,
  name: z.string().regex(BLOB_NAME, 'must be the name of a blob'),
  /** Bytes of the whole blob, and how many of them came before. */
  size: count,
  offset: count,
  bytes: z.string(),
})
const uploadLineSchema = z.looseObject({
  type: z.literal('upload'),
  id,
  /** As of a blob. */
  size: count,
  offset: count,
  bytes: z.string(),
})
const documentLineSchema = z.looseObject({
  type: z.literal('document'),
  /** A later program may have more of them. */
  collection: z.string().regex(/^[a-z][a-z-]{0,63}$/, 'must be the name of a collection'),
  document: documentSchema,
})
const auditLineSchema = z.looseObject({
  type: z.literal('audit'),
  entry: auditEntrySchema,
})
const endSchema = z.looseObject({
  type: z.literal('end'),
  tasks: count,
  blobs: count,
  documents: count.default(0),
  audit: count.default(0),
  uploads: count.default(0),
  /** Of all bytes before this line. */
  sha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
})

export type HeaderLine = z.infer<typeof headerSchema>
export type TaskLine = z.infer<typeof taskLineSchema>
export type BlobLine = z.infer<typeof blobLineSchema>
export type UploadLine = z.infer<typeof uploadLineSchema>
export type DocumentLine = z.infer<typeof documentLineSchema>
export type AuditLine = z.infer<typeof auditLineSchema>
export type EndLine = z.infer<typeof endSchema>
export type TransferLine = HeaderLine | TaskLine | BlobLine | UploadLine | DocumentLine | AuditLine | EndLine

const lineSchema = z.discriminatedUnion('type', [
  headerSchema,
  taskLineSchema,
  blobLineSchema,
  uploadLineSchema,
  documentLineSchema,
  auditLineSchema,
  endSchema,
])

/** What is wrong with an export, said so that a person finds the place. */
export const badLine = (number: number, what: string): MadhavaError =>
  new MadhavaError('BAD_REQUEST', `Line ${number}: ${what}`)

const QUOTE = 34
const BACKSLASH = 92
const OPEN = [91, 123]
const CLOSE = [93, 125]

/** Whether JSON nests at most so deep: asked before it is parsed, for checks that call themselves. */
const isShallow = (bytes: Uint8Array): boolean => {
  let depth = 0
  let quoted = false
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (quoted) {
      if (byte === BACKSLASH) at += 1
      else if (byte === QUOTE) quoted = false
    } else if (byte === QUOTE) quoted = true
    else if (OPEN.includes(byte)) depth += 1
    else if (CLOSE.includes(byte)) depth -= 1
    if (depth > DEPTH_MAX) return false
  }
  return true
}

/** @throws BAD_REQUEST with the number of the line and what is wrong */
export const parseTransferLine = (bytes: Uint8Array, number: number): TransferLine => {
  let value: unknown
  try {
    if (!isShallow(bytes)) throw badLine(number, 'it nests too deep')
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    if (error instanceof MadhavaError) throw error
    throw badLine(number, 'it is not JSON')
  }
  const parsed = lineSchema.safeParse(value)
  if (parsed.success) return parsed.data
  throw badLine(number, formatFirstProblem(parsed.error, 'the line'))
}

/** The bytes of one line of a blob or an upload. @throws BAD_REQUEST */
export const decodeChunk = (line: BlobLine | UploadLine, number: number): Buffer => {
  const bytes = Buffer.from(line.bytes, 'base64')
  // Buffer passes over what is not base64
  if (bytes.toString('base64') !== line.bytes) throw badLine(number, 'bytes: must be base64')
  if (bytes.length > CHUNK_BYTES) throw badLine(number, `bytes: must be at most ${CHUNK_BYTES} bytes`)
  return bytes
}

/** The lines of an export as texts, with the end that counts and seals them. */
export const createLineWriter = () => {
  const hash = createHash('sha256')
  const counts = { tasks: 0, blobs: 0, documents: 0, audit: 0, uploads: 0 }
  const toText = (line: TransferLine): string => {
    const text = `${JSON.stringify(line)}\n`
    hash.update(text)
    return text
  }
  return {
    begin: (at: string) => toText({ type: 'madhava-export', version: TRANSFER_VERSION, at }),
    task(record: TaskRecord, fingerprint: string | null): string {
      counts.tasks += 1
      return toText({ type: 'task', record, fingerprint })
    },
    /** One piece of a blob; the piece at offset 0 counts it. */
    piece(id: string, { name, size }: { name: string; size: number }, offset: number, bytes: Buffer): string {
      if (offset === 0) counts.blobs += 1
      return toText({ type: 'blob', id, name, size, offset, bytes: bytes.toString('base64') })
    },
    /** One piece of an upload, after its document; the piece at offset 0 counts it. */
    uploadPiece(id: string, size: number, offset: number, bytes: Buffer): string {
      if (offset === 0) counts.uploads += 1
      return toText({ type: 'upload', id, size, offset, bytes: bytes.toString('base64') })
    },
    document(collection: CollectionName, document: Document): string {
      counts.documents += 1
      return toText({ type: 'document', collection, document })
    },
    audit(entry: AuditEntry): string {
      counts.audit += 1
      return toText({ type: 'audit', entry: { ...entry } })
    },
    end: () =>
      `${JSON.stringify({ type: 'end', ...counts, sha256: hash.digest('hex') } satisfies EndLine)}\n`,
  }
}
export type LineWriter = ReturnType<typeof createLineWriter>
