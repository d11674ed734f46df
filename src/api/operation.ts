// What a route says about itself for the document of the API. `describe(operation)` stands between path and handler;
// openapi.ts collects what the routes of the app say. A route without a description fails a test.
import type { MiddlewareHandler } from 'hono'
import type { z } from 'zod'
import type { AuditAction } from '../core/audit.ts'
import type { ErrorCode } from '../core/errors.ts'
import type { ApiEnv } from './context.ts'
import { demandNeed, type Need } from './identify.ts'
import type { Query } from './query.ts'

/** What a media type holds: a schema of schemas.ts, a whole text, or `null` for bytes without one. */
export type Content = Readonly<Record<string, z.ZodType | null>>

export interface Answer {
  /** One sentence. */
  description: string
  /** By media type; left out: no body. */
  content?: Content
  /** By name, what it says. Always sent, unless the name ends with `?`. */
  headers?: Readonly<Record<string, string>>
}

export const TAGS = {
  tasks: 'Submit tasks, read them, and end them.',
  people: 'Tasks that people do: the shared list.',
  lists: 'All tasks, by pages or at once.',
  files: 'Files that tasks read, and files that they make.',
  access: 'Who asks: accounts, logins, keys and invitations.',
  dead: 'What cannot be run: why, once more, or away with it.',
  server: 'The server itself: its machine, its processes, its health, its documents.',
} as const

export interface Operation {
  /** What the caller needs. `describe` demands it. */
  need: Need
  /** What it is in the audit, where a scope is needed for it: a refusal at the door is told there. */
  audit?: AuditAction
  /** Unique; generated clients name their functions after it. */
  id: string
  tag: keyof typeof TAGS
  /** A few words. */
  summary: string
  /** Markdown. */
  description?: string
  /** Schemas of the parts of the path, where the usual ones do not say enough. */
  path?: Readonly<Record<string, z.ZodType>>
  query?: Query<unknown>
  /** Request headers that mean something here, and what. */
  headers?: Readonly<Record<string, string>>
  body?: { content: Content; example?: unknown; optional?: true }
  /** By status. */
  answers: Readonly<Record<number, Answer>>
  /** Codes beside those that every operation can have (openapi.ts). */
  errors?: readonly ErrorCode[]
  /** Changes something although it is a GET: no HEAD, and no page of another web site may load it. */
  creates?: true
}

const descriptions = new WeakMap<object, Operation>()

/** Describes the route that it stands in, and lets through who may call it. @throws UNAUTHORIZED, SCOPE_MISSING */
export const describe = (operation: Operation): MiddlewareHandler<ApiEnv> => {
  const pass: MiddlewareHandler<ApiEnv> = (c, next) => {
    if (operation.audit !== undefined) c.set('refused', operation.audit)
    demandNeed(c, operation.need)
    c.set('refused', undefined)
    return next()
  }
  descriptions.set(pass, operation)
  return pass
}

/** What a handler of the app describes, or null for one that describes nothing. */
export const operationOf = (handler: object): Operation | null => descriptions.get(handler) ?? null
