// The messages of the WebSocket: JSON texts, one object each. Pure.
import { z } from 'zod'
import { MadhavaError, toMadhavaError } from '../../core/errors.ts'
import { CURSOR_LIMIT, FILTER_ROWS, type TaskFilter } from '../../core/filter.ts'
import { formatProblems, problemsOf } from '../../core/problems.ts'
import { explainUnknownFields } from '../../core/unknown-fields.ts'
import type { EndReason } from '../sse.ts'

/** The subscription that a socket begins with: the tasks of the account. */
export const MINE = 'mine'
/** Characters of a message from a client. */
export const MESSAGE_LIMIT = 16 * 1024

const on = z.string().regex(/^[\w.-]{1,64}$/, 'must have 1 to 64 letters, digits and . _ -')

/** Filters by the names that they have in queries. */
const filter = z.strictObject(
  Object.fromEntries(
    FILTER_ROWS.flatMap(([, { query, schema }]) => (query === null ? [] : [[query, schema.optional()]])),
  ),
)

const message = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscribe'),
    on,
    filter: filter.default({}),
    since: z
      .string()
      .max(8 * CURSOR_LIMIT)
      .nullable()
      .default(null),
    snapshot: z.boolean().default(false),
  }),
  z.strictObject({ type: z.literal('unsubscribe'), on }),
  z.strictObject({ type: z.literal('ping') }),
])

export type ClientMessage =
  | { type: 'subscribe'; on: string; filter: TaskFilter; since: string | null; snapshot: boolean }
  | { type: 'unsubscribe'; on: string }
  | { type: 'ping' }

const refuse = (why: string): never => {
  throw new MadhavaError('BAD_REQUEST', `The message cannot be used: ${why}`)
}

/** @param toFilter makes a filter of values by the names of queries. @throws BAD_REQUEST */
export const readMessage = (
  text: string,
  toFilter: (values: Record<string, unknown>) => TaskFilter,
): ClientMessage => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return refuse('it is no JSON')
  }
  const parsed = message.safeParse(value, { error: explainUnknownFields })
  if (!parsed.success) return refuse(formatProblems(problemsOf(parsed.error), 'it'))
  return parsed.data.type === 'subscribe'
    ? { ...parsed.data, filter: toFilter(parsed.data.filter) }
    : parsed.data
}

export const helloText = (account: string | null): string =>
  JSON.stringify({ type: 'hello', account, on: account === null ? [] : [MINE] })
export const PONG = JSON.stringify({ type: 'pong' })
export const endText = (reason: EndReason, of: string | null = null): string =>
  JSON.stringify({ type: 'end', ...(of === null ? {} : { on: of }), reason })
/** What is wrong with a message, or with a subscription. */
export const errorText = (thrown: unknown, of: string | null = null): string => {
  const { code, message: detail } = toMadhavaError(thrown)
  return JSON.stringify({ type: 'error', ...(of === null ? {} : { on: of }), code, detail })
}
