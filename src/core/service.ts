// What one can ask of Madhava, once for all doors. Each call carries the actor. It knows no HTTP and no Thrift.
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Content, logContent, resultContent } from './content.ts'
import { MadhavaError } from './errors.ts'
import { type Kinds, parseParams } from './kind.ts'
import { again, begin } from './moves.ts'
import type { QueueState, TaskQueue } from './queue.ts'
import { refuseUnsoundJson } from './sound-json.ts'
import type { SeenPresence, TaskCounts, TaskFilter, TaskPage, TaskStore } from './store.ts'
import {
  DEFAULT_MAX_ATTEMPTS,
  isDue,
  isFinal,
  type Json,
  limitsSchema,
  newTaskId,
  PRIORITY,
  parseTaskId,
  retryPolicySchema,
  type TaskRecord,
} from './task.ts'

/** On whose behalf something is asked. `name` is null for an anonymous caller; `via` is the door. */
export interface Actor {
  name: string | null
  via: 'rest' | 'rpc' | 'dashboard'
}

const instant = z.iso
  .datetime({ offset: true, error: 'must be an ISO-8601 time, such as 2026-01-31T12:00:00Z' })
  .transform(value => new Date(value).toISOString())
  // a zone can push it over the edge, where ISO-8601 no longer compares as text
  .refine(iso => /^\d/.test(iso), 'must lie in the years 0 to 9999')

/** What a client may say when it submits a task. Unknown fields are refused, so that a typo is not lost. */
export const submissionSchema = z.strictObject({
  kind: z.string().min(1).max(63).describe('the kind of task; GET /kinds lists them'),
  params: z.json().optional().describe('what the kind takes; its schema is in GET /kinds'),
  priority: z
    .int()
    .min(PRIORITY.lowest)
    .max(PRIORITY.highest)
    .default(PRIORITY.default)
    .describe('9 runs first'),
  notBefore: instant.nullable().default(null).describe('do not start before'),
  expiresAt: instant.nullable().default(null).describe('fail with EXPIRED when not started before'),
  maxAttempts: z.int().min(1).max(1000).optional().describe('tries in all, lost workers included'),
  retry: retryPolicySchema.nullable().optional().describe('try again when the kind throws'),
  limits: limitsSchema.optional().describe('time limits of one attempt, in seconds'),
  title: z.string().max(200).nullable().default(null),
  description: z.string().max(2000).nullable().default(null),
})
export type Submission = z.input<typeof submissionSchema>

export interface ServiceState {
  presences: SeenPresence[]
  queue: QueueState & { name: string; depth: number | null }
  counts: TaskCounts
}

export interface Service {
  /**
   * Validates, stores, announces. With a key, the same key and body answer the first task (`created` false).
   * @throws BAD_REQUEST, KIND_UNKNOWN, PARAMS_INVALID, IDEMPOTENCY_MISMATCH, STORE_UNAVAILABLE
   */
  submit(
    actor: Actor,
    submission: unknown,
    idempotencyKey?: string,
  ): Promise<{ task: TaskRecord; created: boolean }>
  /**
   * Submits on behalf of a running task: its child, with its owner. The key, if any, holds for the children of this
   * task alone: the same key and body answer the first child.
   * @throws as `submit`, and BAD_KEY
   */
  submitChild(parent: TaskRecord, submission: unknown, key: string | null): Promise<TaskRecord>
  /** @throws BAD_ID, TASK_NOT_FOUND */
  get(actor: Actor, id: string): Promise<TaskRecord>
  list(actor: Actor, filter: TaskFilter, page: { limit: number; cursor: string | null }): Promise<TaskPage>
  /** @throws BAD_ID, TASK_NOT_FOUND, TASK_ENDED */
  cancel(actor: Actor, id: string): Promise<{ outcome: 'revoked' | 'requested'; task: TaskRecord }>
  /** An ended task runs again. @throws BAD_ID, TASK_NOT_FOUND, TASK_NOT_ENDED, TASK_BUSY */
  retry(actor: Actor, id: string): Promise<TaskRecord>
  /** Removes an ended task, all of it. @throws BAD_ID, TASK_NOT_FOUND, TASK_NOT_ENDED */
  purge(actor: Actor, id: string): Promise<void>
  /** The whole result of a task in SUCCESS. @throws BAD_ID, TASK_NOT_FOUND, TASK_NOT_ENDED, RESULT_NOT_FOUND */
  result(actor: Actor, id: string): Promise<Content>
  /** The task's own last log lines. @throws BAD_ID, TASK_NOT_FOUND */
  log(actor: Actor, id: string): Promise<Content>
  kinds(actor: Actor): KindInfo[]
  state(actor: Actor): Promise<ServiceState>
}

export interface KindInfo {
  name: string
  summary: string
  params: unknown
  result: unknown
  example: unknown
  maxAttempts: number
  retry: z.infer<typeof retryPolicySchema> | null
  limits: z.infer<typeof limitsSchema>
  maxConcurrency: number | null
  rate: string | null
}

export interface ServiceDeps {
  store: TaskStore
  queue: TaskQueue
  kinds: Kinds
  clock: () => Date
}

/** Milliseconds that a broker may take to say how long its queue is; the rest of the state does not wait longer. */
const DEPTH_MS = 200

/** The queue's depth, or null when it is not known in time. */
const depthInTime = async (queue: TaskQueue): Promise<number | null> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>(resolve => {
    timer = setTimeout(resolve, DEPTH_MS, null)
  })
  try {
    return await Promise.race([queue.depth().catch(() => null), late])
  } finally {
    clearTimeout(timer)
  }
}

const parseSubmission = (submission: unknown): z.output<typeof submissionSchema> => {
  // before the schema, which drops what it cannot keep
  refuseUnsoundJson(submission)
  const parsed = submissionSchema.safeParse(submission)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(issue => ({
    path: issue.path.join('.'),
    problem: issue.message,
  }))
  throw new MadhavaError(
    'BAD_REQUEST',
    `The task cannot be accepted: ${problems.map(({ path, problem }) => (path ? `${path}: ${problem}` : problem)).join('; ')}`,
    { detail: { problems } },
  )
}

/** JSON with the keys in order, so that two bodies that mean the same have one fingerprint. */
const canonical = (value: Json): string =>
  JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

const parseKey = (key: string): string => {
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key
  throw new MadhavaError('BAD_KEY', 'An idempotency key is 1 to 255 visible ASCII characters without spaces')
}

/** Leaves room for the parent's id, which goes before it. */
const parseChildKey = (key: unknown): string => {
  if (typeof key === 'string' && /^[\x21-\x7e]{1,200}$/.test(key)) return key
  throw new MadhavaError('BAD_KEY', 'The key of a child is 1 to 200 visible ASCII characters without spaces')
}

/** Builds the service over the two ports. Pure wiring: it holds no state of its own. */
export const createService = ({ store, queue, kinds, clock }: ServiceDeps): Service => {
  const now = () => clock().toISOString()
  const find = async (id: string): Promise<TaskRecord> => {
    const task = await store.get(parseTaskId(id))
    if (task) return task
    throw new MadhavaError('TASK_NOT_FOUND', `There is no task ${id}`)
  }
  const announceIfDue = (task: TaskRecord): void => {
    if (isDue(task, now())) queue.announce({ id: task.id, kind: task.kind })
  }

  /** Validates, stores, announces. */
  const accept = async (
    submission: unknown,
    from: Pick<TaskRecord, 'owner' | 'parentId' | 'idempotencyKey'>,
  ): Promise<{ task: TaskRecord; created: boolean }> => {
    const wanted = parseSubmission(submission)
    const kind = kinds.get(wanted.kind)
    const params = parseParams(kind, wanted.params ?? {})
    const retry = wanted.retry === undefined ? (kind.retry ?? null) : wanted.retry
    const record = begin({
      id: newTaskId(),
      kind: kind.name,
      params,
      priority: wanted.priority,
      maxAttempts: wanted.maxAttempts ?? kind.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
      createdAt: now(),
      notBefore: wanted.notBefore,
      expiresAt: wanted.expiresAt,
      title: wanted.title,
      description: wanted.description,
      retry: retry && retryPolicySchema.parse(retry),
      limits: limitsSchema.parse(wanted.limits ?? kind.limits ?? {}),
      ...from,
    })
    const body = canonical({ ...wanted, params } as Json)
    const fingerprint = createHash('sha256').update(body).digest('hex')
    const { task, created } = await store.create(record, fingerprint)
    if (created) announceIfDue(task)
    return { task, created }
  }

  return {
    submit: (actor, submission, idempotencyKey) =>
      accept(submission, {
        owner: actor.name,
        parentId: null,
        idempotencyKey: idempotencyKey === undefined ? null : parseKey(idempotencyKey),
      }),

    submitChild: async (parent, submission, key) => {
      const { owner, id: parentId } = parent
      const idempotencyKey = key === null ? null : `${parentId}/${parseChildKey(key)}`
      return (await accept(submission, { owner, parentId, idempotencyKey })).task
    },

    get: async (_actor, id) => find(id),

    list: async (_actor, filter, page) => store.list(filter, page),

    async cancel(_actor, id) {
      const { outcome, task } = await store.revoke((await find(id)).id, now())
      if (outcome === 'ended') throw new MadhavaError('TASK_ENDED', `The task is ${task.status} already`)
      return { outcome, task }
    },

    async retry(_actor, id) {
      const { id: known, status } = await find(id)
      if (!isFinal(status)) throw new MadhavaError('TASK_NOT_ENDED', `The task is ${status}`)
      const task = await store.claim(known, again(now()))
      if (!task) throw new MadhavaError('TASK_BUSY', 'Another process holds the task; try again')
      announceIfDue(task)
      return task
    },

    async purge(_actor, id) {
      await store.remove((await find(id)).id)
    },

    result: async (_actor, id) => resultContent(store, await find(id)),

    log: async (_actor, id) => logContent(store, await find(id)),

    kinds: () =>
      kinds.list().map(kind => ({
        name: kind.name,
        summary: kind.summary,
        params: z.toJSONSchema(kind.params, { io: 'input' }),
        result: z.toJSONSchema(kind.result, { io: 'output' }),
        example: kind.example,
        maxAttempts: kind.maxAttempts ?? DEFAULT_MAX_ATTEMPTS,
        retry: kind.retry ? retryPolicySchema.parse(kind.retry) : null,
        limits: limitsSchema.parse(kind.limits ?? {}),
        maxConcurrency: kind.maxConcurrency ?? null,
        rate: kind.rate ?? null,
      })),

    async state() {
      const [presences, counts, depth] = await Promise.all([
        store.presences(),
        store.counts(),
        depthInTime(queue),
      ])
      return { presences, counts, queue: { name: queue.name, depth, ...queue.state() } }
    },
  }
}
