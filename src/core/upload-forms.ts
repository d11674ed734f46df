// The forms of the documents about uploads: what is known of each, and which tasks name it.
import { z } from 'zod'
import type { DocumentForm, Open } from './collection.ts'
import { jsonSchema, time } from './field-types.ts'

export const UPLOAD_NAME_MAX = 255

/**
 * `open`: bytes still come. `whole`: it can be used. `going`: it is being removed, and nobody may begin to use it.
 */
export const UPLOAD_STATES = ['open', 'whole', 'going'] as const
export type UploadState = (typeof UPLOAD_STATES)[number]

/** The document of an upload has the upload's id as its name. */
export type Upload = Open<{
  owner: string | null
  /** As the client called it: a text, never a path. */
  name: string | null
  state: UploadState
  /** Bytes come in several requests, and it outlives the process that takes them. */
  resumable: boolean
  /** The process that takes its bytes now; null: none does. */
  holder: string | null
  /** Of all of it, once it is whole; before that, what had come when the last request ended. */
  bytes: number
  /** How many bytes the client has announced; null: it has not said. */
  length: number | null
  /** Found in the bytes; null while it is open. */
  type: string | null
  /** In hex; null while it is open. */
  sha256: string | null
  createdAt: string
  /** When bytes came last. */
  touchedAt: string
  /** When the first task named it; null: none has. */
  usedAt: string | null
}>

export const UPLOADS: DocumentForm<Upload> = {
  version: 1,
  steps: {},
  schema: z
    .object({
      owner: z.string().nullable(),
      name: z.string().max(UPLOAD_NAME_MAX).nullable(),
      state: z.enum(UPLOAD_STATES),
      resumable: z.boolean(),
      holder: z.string().nullable(),
      bytes: z.int().min(0),
      length: z.int().min(0).nullable(),
      type: z.string().nullable(),
      sha256: z
        .string()
        .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex')
        .nullable(),
      createdAt: time.schema,
      touchedAt: time.schema,
      usedAt: time.schema.nullable(),
    })
    .catchall(jsonSchema) as z.ZodType<Upload>,
}

/**
 * That a task names an upload. Its name is `<id of the upload>.<id of the task>`, so that a list that begins behind
 * `<id of the upload>.` has the tasks of one upload. It is there before the task is.
 */
export type UploadUse = Open<{
  createdAt: string
  /** The process that submits the task; null: an import, whose tasks come later. */
  holder: string | null
  /** The task is there: when it no longer is, this means nothing. */
  made: boolean
}>

export const UPLOAD_USES: DocumentForm<UploadUse> = {
  version: 1,
  steps: {},
  schema: z
    .object({ createdAt: time.schema, holder: z.string().nullable(), made: z.boolean() })
    .catchall(jsonSchema) as z.ZodType<UploadUse>,
}
