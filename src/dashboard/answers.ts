// The shapes of the dashboard's JSON answers, for its OpenAPI document. A test holds the answers against them.

import { z } from 'zod'
import { SCOPES } from '../core/actor.ts'
import { ACCOUNT_ROLES } from '../core/policy.ts'
import { DEEDS } from './access/rights.ts'
import { COLUMN_NAMES } from './figures/columns.ts'
import { LEVELS } from './logs/lines.ts'
import { ACTIONS, LOG_STREAMS } from './processes/processes.ts'

const instant = z.iso.datetime().describe('ISO 8601, UTC')
const place = z.string().describe('a place in a log; it stays right until the log is cut')

export const me = z.object({
  name: z.string(),
  account: z.string().describe('the id of the account, which owns the tasks that it submits'),
  role: z.enum(ACCOUNT_ROLES),
  may: z.array(z.enum(DEEDS)).describe('what this login may do'),
  scopes: z.array(z.enum(SCOPES)).describe('what a key of this account may be allowed'),
  isBuiltIn: z.boolean().describe('operator or viewer, whose password is set elsewhere'),
  csrf: z.string().nullable().describe('for X-CSRF-Token; null for a login by password, which needs none'),
  sessionEndsAt: instant.nullable(),
  installation: z.object({ name: z.string(), host: z.string(), version: z.string(), startedAt: instant }),
})

const restartCause = z.object({
  how: z.enum(['asked', 'exit', 'signal', 'memory']),
  code: z.int().nullable(),
  signal: z.string().nullable(),
  by: z.string().nullable().describe('who asked, where somebody did at the dashboard'),
  at: instant,
  words: z.string().nullable().describe('what the process said of it in its logs'),
})

const row = {
  name: z.string(),
  pmId: z.int().describe("PM2's number; several processes may share a name"),
  state: z.string().describe("PM2's word: online, launching, stopping, stopped, errored, waiting restart"),
  pid: z.int().nullable(),
  uptimeMs: z.number().nullable(),
  restarts: z.int(),
  cpuPercent: z.number().describe('100 is one core'),
  memoryBytes: z.number(),
  isDashboard: z.boolean(),
  ready: z.boolean().nullable().optional().describe('by its own word; null: not known'),
  troubles: z.record(z.string(), z.string()).optional().describe('what it says is wrong, by part'),
  running: z.array(z.string()).optional().describe('ids of the tasks that it runs'),
  restartCause: restartCause.nullable().optional().describe('how its last process ended'),
  lastRestartAt: instant.nullable().optional(),
  crashLoop: z.boolean().optional().describe('it dies again and again'),
}

export const processList = z.object({
  processes: z.array(
    z.object({
      ...row,
      tone: z.enum(['good', 'busy', 'rest', 'bad']),
      cells: z.record(z.string(), z.string()).describe('the same as short texts'),
      can: z
        .object({ start: z.boolean(), stop: z.boolean(), restart: z.boolean() })
        .describe('which actions would do something'),
    }),
  ),
  summary: z.string(),
})

const FATES = ['done', 'underway', 'unchanged', 'failed'] as const
export const orderResult = z.object({
  action: z.enum(ACTIONS),
  outcome: z
    .enum([...FATES, 'deferred'])
    .describe('the worst of the processes; deferred: the dashboard itself restarts in a moment'),
  processes: z.array(
    z.object({
      ...row,
      outcome: z.enum(FATES),
      reason: z.string().nullable(),
      interrupted: z
        .array(z.string())
        .describe('ids of tasks that it ran: those that do not end while it drains are given back'),
    }),
  ),
})

const colour = z.union([z.int().min(0).max(255), z.string().regex(/^#[0-9a-f]{6}$/)])
const span = z.object({
  text: z.string(),
  fg: colour.optional(),
  bg: colour.optional(),
  bold: z.literal(true).optional(),
  dim: z.literal(true).optional(),
  italic: z.literal(true).optional(),
  underline: z.literal(true).optional(),
})

export const logPage = z.object({
  name: z.string(),
  stream: z.enum(LOG_STREAMS),
  lines: z.array(
    z.object({
      id: place.describe('where the line begins'),
      text: z.string().describe('without colours; control characters are shown as signs'),
      spans: z.array(span).optional().describe('only where the line has colours'),
      level: z.enum(LEVELS).nullable(),
      time: z.string().nullable(),
      message: z.string().nullable(),
      cut: z.boolean().describe('it was longer than is shown'),
    }),
  ),
  before: place.nullable().describe('for the page before this one; null: the log begins here'),
  after: place.nullable().describe('where this page ended; null for a page that `before` asked for'),
  bytes: z.int().nullable(),
})

const count = z.number()
export const overview = z.object({
  time: instant,
  troubles: z
    .array(
      z.object({
        code: z.string().describe('docs/overview.md lists them'),
        level: z.enum(['error', 'warning']),
        params: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
        link: z.string(),
      }),
    )
    .describe('the most urgent first; empty: all is well'),
  counts: z.record(z.string(), count).nullable().describe('tasks by status'),
  queue: z
    .object({ name: z.string(), status: z.string(), depth: count.nullable(), waiting: count })
    .nullable(),
  failures: z
    .array(
      z.object({
        kind: z.string(),
        error: z.object({ code: z.string(), pattern: z.string().nullable() }),
        count,
        firstAt: instant,
        lastAt: instant,
        example: z.object({ id: z.string(), message: z.string() }),
        filter: z.record(z.string(), z.string()).describe('the query that lists these tasks alone'),
      }),
    )
    .nullable()
    .describe('of the last day, the largest group first'),
  failuresTotal: z.object({ count, moreGroups: count, isWhole: z.boolean() }).nullable(),
})

const column = z.array(z.number().nullable()).optional()
export const figures = z.object({
  span: z.enum(['hour', 'week']),
  everyMs: count,
  at: z.array(z.number()).describe('milliseconds since 1970'),
  ...Object.fromEntries(COLUMN_NAMES.map(name => [name, column])),
})

export const kindFigures = z.object({
  since: instant.describe('where the day of the failures begins'),
  kinds: z.array(
    z.object({
      name: z.string(),
      waiting: count.nullable(),
      running: count.nullable(),
      failures: count.nullable().describe('tasks that ended in FAILURE in the last day'),
      runs: z
        .object({ count, p50: z.number(), p90: z.number() })
        .nullable()
        .describe(
          'seconds of so many of its last ended tasks: half of them, and nine of ten, took no longer',
        ),
    }),
  ),
  isWhole: z.boolean().describe('false: not all failures of the day are read'),
})

export const settings = z.object({
  settings: z.array(
    z.object({
      name: z.string(),
      value: z.string().describe('a secret is masked'),
      default: z.string(),
      source: z.enum(['default', 'environment', '.env']),
      meaning: z.string(),
      isSecret: z.boolean(),
    }),
  ),
})

export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('permanent; docs/errors.md lists them'),
  detail: z.string(),
})
