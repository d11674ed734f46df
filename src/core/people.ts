// Tasks that people do: what they may say, and how that is checked. A kind is of this sort if its file says
// `doneBy: 'people'`. Their moves are in core/people-moves.ts. Pure.
import { z } from 'zod'
import { MadhavaError } from './errors.ts'
import { formatProblems, problemsOf } from './problems.ts'
import { refuseUnsoundJson } from './sound-json.ts'
import type { Submission } from './submission.ts'
import { type Json, PRIORITY } from './task.ts'
import { explainUnknownFields } from './unknown-fields.ts'

/** The built-in kind of the shared list. */
export const SHARED_LIST_KIND = 'manual'

/** UTF-16 units, after trimming. */
export const PEOPLE_LIMITS = { title: 200, description: 2000, assignee: 100, note: 1000 } as const

// what turns the direction of a text makes the words around it say something else; line ends tear a list apart
const LINE = /^[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]*$/u
const LINES = /^(?:[^\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]|[\n\t])*$/u
/** A text of blanks and invisible signs alone could be neither seen nor clicked. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u

const line = (most: number) =>
  z
    .string()
    .trim()
    .max(most)
    .regex(LINE, 'must be one line without control characters')
    .regex(VISIBLE, 'must hold a character that can be seen')
/** Of several lines; blank is null. */
const lines = (most: number) =>
  z
    .string()
    .transform(text => text.replaceAll('\r\n', '\n').trim())
    .pipe(z.string().max(most).regex(LINES, 'must be text without control characters'))
    .nullable()
    .transform(text => text || null)

/** 1 to 200 characters of one line. */
export const titleSchema = line(PEOPLE_LIMITS.title).describe('what is to be done: one line')
export const descriptionSchema = lines(PEOPLE_LIMITS.description)
/** The name of a person, as people call them; no account needs to have it. */
export const assigneeSchema = line(PEOPLE_LIMITS.assignee).describe('who is to do it: a name, in one line')

/** What stands in `result` of a task that somebody has completed. */
export const doneSchema = z.strictObject({
  by: z.string().nullable().describe('the name of the account that completed it; null: nobody had logged in'),
  note: z.string().nullable(),
})
export type Done = z.infer<typeof doneSchema>

/** What an edit may change; what is left out stays. */
export const editSchema = z
  .strictObject({
    title: titleSchema,
    description: descriptionSchema,
    assignee: assigneeSchema.nullable().describe('null: nobody in particular'),
  })
  .partial()
export type Edit = z.infer<typeof editSchema>

export const completionSchema = z.strictObject({
  note: lines(PEOPLE_LIMITS.note).default(null).describe('what there is to say about it'),
})

/** What POST /create_task takes. */
export const newItemSchema = z.strictObject({
  title: titleSchema,
  description: descriptionSchema.default(null),
  assignee: assigneeSchema.nullable().default(null),
})

/** @throws BAD_REQUEST with one entry per problem in `detail.problems` */
const parse = <S extends z.ZodType>(schema: S, value: unknown, what: string): z.output<S> => {
  refuseUnsoundJson(value)
  const parsed = schema.safeParse(value, { error: explainUnknownFields })
  if (parsed.success) return parsed.data
  const problems = problemsOf(parsed.error)
  throw new MadhavaError('BAD_REQUEST', `${what}: ${formatProblems(problems)}`, { detail: { problems } })
}

/** @throws BAD_REQUEST, also where nothing is to change */
export const parseEdit = (value: unknown): Edit => {
  const edit = parse(editSchema, value, 'The task cannot be changed so')
  if (Object.keys(edit).length > 0) return edit
  throw new MadhavaError('BAD_REQUEST', 'Name what is to change: title, description or assignee')
}

/** @throws BAD_REQUEST */
export const parseCompletion = (value: unknown): { note: string | null } =>
  parse(completionSchema, value, 'The task cannot be completed so')

/** A submission to the shared list. @throws BAD_REQUEST */
export const parseNewItem = (value: unknown): Submission => {
  const { title, description, assignee } = parse(newItemSchema, value, 'The task cannot be accepted')
  return { kind: SHARED_LIST_KIND, title, description, params: assignee === null ? {} : { assignee } }
}

type Asked = Pick<
  Submission,
  'notBefore' | 'expiresAt' | 'maxAttempts' | 'retry' | 'limits' | 'priority' | 'title' | 'description'
>

/** For each field that means nothing here: whether the submission asks for it, and why it is refused. */
const REFUSED: readonly [keyof Asked, (asked: Asked) => boolean, string][] = [
  ['notBefore', asked => (asked.notBefore ?? null) !== null, 'nobody starts it: people see it at once'],
  ['expiresAt', asked => (asked.expiresAt ?? null) !== null, 'it stays open until somebody completes it'],
  ['maxAttempts', asked => asked.maxAttempts !== undefined, 'it has no attempts'],
  ['retry', asked => (asked.retry ?? null) !== null, 'it has no attempts'],
  [
    'limits',
    ({ limits }) => Object.values(limits ?? {}).some(limit => limit !== null),
    'it has no attempts whose time could be limited',
  ],
  [
    'priority',
    ({ priority }) => priority !== undefined && priority !== PRIORITY.default,
    'no worker takes it, so it has no place in a line',
  ],
]

/**
 * Title and description of a new task of such a kind. @throws BAD_REQUEST with a problem for each field that is wrong,
 * or that only a task for workers can have
 */
export const checkForPeople = (kind: string, asked: Asked): { title: string; description: string | null } => {
  const problems = REFUSED.flatMap(([path, isAsked, why]) =>
    isAsked(asked) ? [{ path, problem: `people do tasks of the kind ${kind}: ${why}` }] : [],
  )
  const shape = z.object({ title: titleSchema, description: descriptionSchema })
  const { title, description } = asked
  const texts = shape.safeParse({ title: title ?? '', description: description ?? null })
  if (texts.success && problems.length === 0) return texts.data
  const all = [...problems, ...(texts.success ? [] : problemsOf(texts.error))]
  throw new MadhavaError('BAD_REQUEST', `The task cannot be accepted: ${formatProblems(all)}`, {
    detail: { problems: all },
  })
}

/** The params after an edit; before they are checked against the kind. */
export const withAssignee = (params: Json, assignee: Edit['assignee']): Json => {
  if (assignee === undefined) return params
  const { assignee: _, ...others } =
    typeof params === 'object' && params !== null && !Array.isArray(params) ? params : {}
  return assignee === null ? others : { ...others, assignee }
}
