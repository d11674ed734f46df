// The forms of the documents by which all processes agree on a reading of the folders of kinds: what is tried, and what
// each has answered.
import { z } from 'zod'
import type { DocumentForm, Open } from '../collection.ts'
import { jsonSchema, time } from '../field-types.ts'

/** The name of the one document that says what is tried, and what was decided. */
export const CURRENT = 'current'
/** A document holds 64 KiB: of more names and troubles an answer tells so many. */
export const NAMES_TOLD = 200
export const TROUBLES_TOLD = 50

/**
 * `trying`: every process reads, and answers. `used`: all have read the same without a trouble, and use it.
 * `dropped`: they go on with what they have.
 */
export type Trial = Open<{
  type: 'trial'
  id: string
  /** The process that asks, and decides. */
  by: string
  at: string
  /** From this time on anybody may drop it. */
  deadline: string
  state: 'trying' | 'used' | 'dropped'
  /** The last trial that ended as `used`; null: none has. */
  used: string | null
}>

export type Answer = Open<{
  type: 'answer'
  /** Of the trial. */
  id: string
  /** All that was read, in one hash; null: it could not be read at all. */
  code: string | null
  /** Whether the process has a folder of kinds beside the built-in ones. */
  hasFolder: boolean
  troubles: { file: string; reason: string }[]
  /** Names of kinds, compared with what this process used before. */
  added: string[]
  changed: string[]
  removed: string[]
  unchanged: number
  /** It uses what it has read. */
  isUsed: boolean
}>

const fields = {
  trial: z
    .object({
      type: z.literal('trial'),
      id: z.string(),
      by: z.string(),
      at: time.schema,
      deadline: time.schema,
      state: z.enum(['trying', 'used', 'dropped']),
      used: z.string().nullable(),
    })
    .catchall(jsonSchema),
  answer: z
    .object({
      type: z.literal('answer'),
      id: z.string(),
      code: z.string().nullable(),
      hasFolder: z.boolean(),
      troubles: z.array(z.object({ file: z.string(), reason: z.string() })),
      added: z.array(z.string()),
      changed: z.array(z.string()),
      removed: z.array(z.string()),
      unchanged: z.int().min(0),
      isUsed: z.boolean(),
    })
    .catchall(jsonSchema),
}

export const KIND_RELOADS: DocumentForm<Trial | Answer> = {
  version: 1,
  steps: {},
  schema: z.discriminatedUnion('type', [fields.trial, fields.answer]) as z.ZodType<Trial | Answer>,
}

/** The document of a process's answer to a trial. */
export const answerName = (id: string, instance: string): string => `answer.${id}.${instance}`
