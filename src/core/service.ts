// The operations of Madhava, for all APIs. Operations on tasks take the actor. It knows no HTTP and no Thrift.
import type { Actor } from './actor.ts'
import { hasBeenAttempted, removeUnlistedArtifacts } from './artifact-cleaning.ts'
import { within } from './async/deadline.ts'
import type { AuditFilter, AuditPage } from './audit.ts'
import { type BulkAction, type BulkOutcome, createBulk } from './bulk.ts'
import { artifactContent, resultContent, type StoredContent } from './content.ts'
import { countsOfKinds, openForPeople, waitingForWorkers } from './counts.ts'
import type { CursorSeal } from './cursor-seal.ts'
import { createDeadCalls, type DeadPage, type Replayed, waitingWithoutWorker } from './dead.ts'
import { isDue } from './due.ts'
import { MadhavaError } from './errors.ts'
import { createFeed } from './feed.ts'
import type { NamedKind } from './kind.ts'
import { type KindInfo, kindInfoOf } from './kind-info.ts'
import { type SeenKindTrouble, seenKindTroubles } from './kind-trouble.ts'
import type { Kinds } from './kinds.ts'
import { createLogCalls, type LogCalls, logContent } from './log-reader.ts'
import { retryByHand } from './moves.ts'
import { withoutOthers } from './own-wait.ts'
import { createPeopleCalls } from './people-calls.ts'
import { demand, demandKind, ownersSeen, seesAll, submitterOf } from './policy.ts'
import type { QueueState, TaskQueue } from './queue.ts'
import { createQuotas, NO_QUOTAS, type QuotaOptions } from './quotas.ts'
import type { KindsReloaded } from './reload/ask.ts'
import { withSealedCursors } from './sealed-watch.ts'
import type { PageRequest, SeenPresence, TaskCounts, TaskFilter, TaskPage, TaskStore } from './store.ts'
import { createSubmit, type Submitted } from './submit.ts'
import { NO_LIMITS, type SubmitLimits } from './submit-limits.ts'
import { isFinal, type TaskRecord } from './task.ts'
import { createTaskAccess } from './task-access.ts'
import { NO_UPLOAD_LIMITS } from './upload-room.ts'
import { createUploadUses } from './upload-uses.ts'
import { createUploads, type Uploads, type UploadsDeps } from './uploads.ts'
import type { Waiting } from './wait-reasons.ts'
import { createWaitingCalls } from './waiting.ts'
import { createWaitingLimit } from './waiting-limit.ts'
import { createWatch, type Watch } from './watch.ts'

export interface ServiceState {
  /**
   * False: the actor does not see all tasks. Then the counts are those of the tasks that they see, there are no
   * presences, and nothing is said of the depth of the queue or of dead messages.
   */
  isWhole: boolean
  presences: SeenPresence[]
  queue: QueueState & { name: string; depth: number | null }
  counts: TaskCounts
  /** How many tasks wait for workers, due or not. */
  waiting: number
  /** How many wait for people, by kind. */
  open: Record<string, number>
  /** What cannot run: tasks whose kind no worker has, by kind; dead messages, null when the queue cannot tell now. */
  dead: { waiting: Record<string, number>; messages: number | null }
}

/** Each call may throw UNAUTHORIZED or SCOPE_MISSING: core/policy.ts decides what an actor may do. */
export interface Service extends Watch, LogCalls {
  /**
   * Validates, stores, announces. If the key was used before with the same body, returns the first task (`created`
   * false).
   * @throws BAD_REQUEST, KIND_UNKNOWN, KIND_NOT_ALLOWED, KIND_IN_TROUBLE, PARAMS_INVALID, IDEMPOTENCY_MISMATCH, TOO_MANY_WAITING,
   * QUOTA_EXCEEDED (`detail` is a QuotaDetail), STORE_FULL, STORE_UNAVAILABLE
   */
  submit(actor: Actor, submission: unknown, idempotencyKey?: string): Promise<Submitted>
  /**
   * Submits many tasks, in order. If one cannot be accepted, none is. The key is for the whole list. If the call
   * breaks off half-way, the same key and list continue with what is missing.
   * @throws as `submit`, with the place of each problem
   */
  submitMany(actor: Actor, submissions: readonly unknown[], idempotencyKey?: string): Promise<Submitted[]>
  /**
   * Submits a child of a running task, with its parent's owner. The key, if any, is scoped to this parent: the same
   * key and body return the first child.
   * @throws as `submit`, and BAD_KEY
   */
  submitChild(parent: TaskRecord, submission: unknown, key: string | null): Promise<TaskRecord>
  /** @throws BAD_ID, TASK_NOT_FOUND */
  get(actor: Actor, id: string): Promise<TaskRecord>
  /** As `get`, for who may change it. @throws BAD_ID, TASK_NOT_FOUND */
  getToChange(actor: Actor, id: string): Promise<TaskRecord>
  list(actor: Actor, filter: TaskFilter, page: PageRequest): Promise<TaskPage>
  /** Why a task waits. @throws BAD_ID, TASK_NOT_FOUND, TASK_NOT_WAITING */
  why(actor: Actor, id: string): Promise<Waiting>
  /** The same for tasks that the actor was shown, in their order; null for those that do not wait. */
  whyEach(actor: Actor, tasks: readonly TaskRecord[]): Promise<(Waiting | null)[]>
  /** @throws BAD_ID, TASK_NOT_FOUND, TASK_ENDED */
  cancel(actor: Actor, id: string): Promise<{ outcome: 'revoked' | 'requested'; task: TaskRecord }>
  /** Runs an ended task again. @throws BAD_ID, TASK_NOT_FOUND, TASK_NOT_ENDED, TASK_BUSY, QUOTA_EXCEEDED */
  retry(actor: Actor, id: string): Promise<TaskRecord>
  /**
   * Changes the texts of an open task that people do (`people.ts` says which).
   * @param known versions that the change is meant for, as `versionOf` writes them; null: any
   * @throws BAD_ID, BAD_REQUEST, PARAMS_INVALID, TASK_NOT_FOUND, NOT_FOR_PEOPLE, TASK_ENDED, VERSION_CHANGED
   * (`detail.version`), TASK_BUSY
   */
  edit(actor: Actor, id: string, change: unknown, known: readonly string[] | null): Promise<TaskRecord>
  /**
   * Completes an open task that people do. Of several at once exactly one does.
   * @throws as `edit`; TASK_ENDED says who has completed it
   */
  complete(actor: Actor, id: string, given: unknown, known: readonly string[] | null): Promise<TaskRecord>
  /**
   * Removes an ended task with its blobs, or an open one that people do.
   * @throws BAD_ID, TASK_NOT_FOUND, TASK_NOT_ENDED
   */
  purge(actor: Actor, id: string): Promise<void>
  /**
   * Acts on the tasks that fit the filter, up to the bounds of one call. @throws BAD_CURSOR, STORE_UNAVAILABLE,
   * STORE_FULL
   */
  bulk(
    actor: Actor,
    action: BulkAction,
    filter: TaskFilter,
    options: { dryRun: boolean; cursor: string | null; signal?: AbortSignal },
  ): Promise<BulkOutcome>
  /** The whole result of a task in SUCCESS. @throws BAD_ID, TASK_NOT_FOUND, TASK_NOT_ENDED, RESULT_NOT_FOUND */
  result(actor: Actor, id: string): Promise<StoredContent>
  /** One of the task's files, with its SHA-256 in hex. @throws BAD_ID, TASK_NOT_FOUND, ARTIFACT_NOT_FOUND */
  artifact(actor: Actor, id: string, name: string): Promise<StoredContent & { sha256: string }>
  readonly uploads: Uploads
  /** What is kept of the task's own log, as text. @throws BAD_ID, TASK_NOT_FOUND */
  log(actor: Actor, id: string): Promise<StoredContent>
  /** Tasks and messages that cannot run, with the reason. @throws BAD_CURSOR */
  dead(actor: Actor, page: Omit<PageRequest, 'sort'>): Promise<DeadPage>
  /**
   * Runs one of them again: an ended task, or a message that goes back into the queue.
   * @throws BAD_ID, DEAD_NOT_FOUND, TASK_NOT_ENDED (it will run without help), TASK_BUSY, QUEUE_UNAVAILABLE
   */
  replayDead(actor: Actor, id: string): Promise<Replayed>
  /** Removes one of them. @throws BAD_ID, DEAD_NOT_FOUND, TASK_BUSY, QUEUE_UNAVAILABLE */
  discardDead(actor: Actor, id: string): Promise<void>
  /** The info of a kind is the same object until the kinds are read again. */
  kinds(actor: Actor): KindInfo[]
  /** Kinds whose files this or another process could not load. Those of others only if the store answers quickly. */
  kindTroubles(actor: Actor): Promise<SeenKindTrouble[]>
  /**
   * Has all processes read the folders of kinds again, and use what they have read: all of them, or none.
   * @throws FORBIDDEN for an actor who does not see all tasks, KINDS_RELOADING, KINDS_NOT_LOADED with the files and the
   * reasons, STORE_UNAVAILABLE, STORE_FULL
   */
  reloadKinds(actor: Actor): Promise<KindsReloaded>
  state(actor: Actor): Promise<ServiceState>
  /** Who has changed what, the newest first. For admins. @throws BAD_CURSOR */
  audit(actor: Actor, filter: AuditFilter, page: { limit: number; cursor: string | null }): Promise<AuditPage>
}

export interface ServiceDeps {
  store: TaskStore
  queue: TaskQueue
  kinds: Kinds
  clock: () => Date
  /** How many tasks may wait at a time; null or left out: no limit. */
  maxWaiting?: number | null
  /** Called when the code of a kind's schema threw on a submission; the submit is refused. */
  onCheckThrew?: (kind: string, error: unknown) => void
  /** What a task may ask for; left out: anything. */
  allowances?: SubmitLimits
  /** How much each may submit and have waiting; left out: no quotas. */
  quotas?: QuotaOptions
  /** What uploads may be, and how their types are found; left out: any, and nothing is known of types. */
  uploads?: Pick<UploadsDeps, 'limits' | 'ttlMs' | 'typeOf'>
  /** Called when something of an upload could not be noted or removed; the sweep does it later. */
  onUploadTrouble?: (error: unknown, what: string) => void
  /** Reads the kinds again; left out: that cannot be done here. */
  reloadKinds?: () => Promise<KindsReloaded>
  /** Hides what cursors of the feed count, from actors who do not see all; left out: they are plain. */
  cursorSeal?: (() => Promise<CursorSeal>) | null
}

/** Milliseconds that a broker may take to report its depth. The rest of the state does not wait longer. */
const DEPTH_MS = 200

/** The answer, or null if it does not come in time. */
const inTime = <T>(asked: Promise<T | null>): Promise<T | null> =>
  within(
    DEPTH_MS,
    asked.catch(() => null),
    () => null,
  )

const UPLOADS_OF_ANY_TYPE: Pick<UploadsDeps, 'limits' | 'ttlMs' | 'typeOf'> = {
  limits: NO_UPLOAD_LIMITS,
  ttlMs: 24 * 60 * 60_000,
  typeOf: async () => 'application/octet-stream',
}

/** Builds the service over the two ports. Its only state is who waits for changes now. */
export const createService = ({
  store,
  queue,
  kinds,
  clock,
  maxWaiting = null,
  onCheckThrew = () => {},
  allowances = NO_LIMITS,
  quotas: quotaOptions = NO_QUOTAS,
  uploads: uploadOptions = UPLOADS_OF_ANY_TYPE,
  onUploadTrouble = () => {},
  reloadKinds = () => Promise.reject(new MadhavaError('KINDS_NOT_LOADED', 'The kinds are fixed here')),
  cursorSeal = null,
}: ServiceDeps): Service => {
  const now = () => clock().toISOString()
  const access = createTaskAccess(store)
  const quotas = createQuotas(store, quotaOptions)
  const announceIfDue = (task: TaskRecord): void => {
    if (isDue(task, now())) queue.announce({ id: task.id, kind: task.kind })
  }

  const uses = createUploadUses(store, clock, onUploadTrouble)
  const uploads = createUploads({ store, uses, clock, ...uploadOptions })
  /** Removes an ended task, and uploads that only it has named. */
  const removeTask = async (task: TaskRecord): Promise<void> => {
    await store.remove(task.id)
    await uses.release(task)
  }

  const dead = createDeadCalls({ removeTask, store, access, queue, kinds, clock, announceIfDue })

  const submit = createSubmit({
    store,
    kinds,
    now,
    limit: createWaitingLimit(store, maxWaiting, clock, kinds.isForPeople),
    quotas,
    allowances,
    uploads,
    uses,
    announceIfDue,
    onCheckThrew,
  })

  const waiting = createWaitingCalls({ store, kinds, clock })

  const cancel = async (actor: Actor, given: string) => {
    const { id } = await access.getToChange(actor, given)
    const { outcome, task } = await store.revoke(id, now())
    if (outcome === 'ended') throw new MadhavaError('TASK_ENDED', `The task is ${task.status} already`)
    // no further attempt comes that would do it. What cannot be removed now goes with the task
    if (outcome === 'revoked' && hasBeenAttempted(task))
      await removeUnlistedArtifacts(store, task).catch(() => {})
    return { outcome, task }
  }
  const retry = async (actor: Actor, given: string): Promise<TaskRecord> => {
    const before = await access.getToChange(actor, given)
    if (!isFinal(before.status)) throw new MadhavaError('TASK_NOT_ENDED', `The task is ${before.status}`)
    // an operator sets right what is another's, whatever they have waiting
    const admitted = before.owner === actor.account ? await quotas.admitAgain(before) : null
    try {
      const task = await store.claim(before.id, retryByHand(now()))
      if (!task) throw new MadhavaError('TASK_BUSY', 'Another process holds the task; try again')
      announceIfDue(task)
      return task
    } finally {
      admitted?.done()
    }
  }
  const people = createPeopleCalls({ store, access, kinds, clock })
  const purgeEnded = async (actor: Actor, given: string): Promise<void> => {
    await removeTask(await access.getToChange(actor, given))
  }
  const purge = async (actor: Actor, given: string): Promise<void> => {
    const task = await access.getToChange(actor, given)
    // nobody works at it who would have to stop first
    if (task.doneBy === 'people' && !isFinal(task.status)) await store.revoke(task.id, now())
    await removeTask(task)
  }

  const demandSubmit = (actor: Actor, submissions: readonly unknown[]): void => {
    demand(actor, 'submit')
    for (const submission of submissions) {
      const kind =
        typeof submission === 'object' && submission !== null && 'kind' in submission && submission.kind
      // what is no name is refused with all that is wrong with the submission
      if (typeof kind === 'string') demandKind(actor, kind)
    }
  }

  const explain: Service['whyEach'] = async (actor, tasks) => {
    const answers = await waiting.explain(tasks)
    return seesAll(actor) ? answers : answers.map(answer => answer && withoutOthers(answer))
  }

  const countsFor = async (actor: Actor): Promise<TaskCounts> => {
    const counts = await store.counts(ownersSeen(actor) ?? undefined)
    return actor.kinds === null ? counts : countsOfKinds(counts, actor.kinds)
  }

  // schemas are slow to make
  const infos = new WeakMap<NamedKind, KindInfo>()
  const infoOf = (kind: NamedKind): KindInfo => {
    const info = infos.get(kind) ?? kindInfoOf(kind, kinds.codeOf(kind.name))
    infos.set(kind, info)
    return info
  }

  const feed = createFeed(store)
  const watch = createWatch({ store, access, feed })
  return {
    ...watch,

    ...withSealedCursors(watch, cursorSeal),

    ...createLogCalls({ store, access, feed }),

    async submit(actor, submission, idempotencyKey) {
      demandSubmit(actor, [submission])
      return submit.one(submitterOf(actor), submission, idempotencyKey)
    },

    async submitMany(actor, submissions, idempotencyKey) {
      demandSubmit(actor, submissions)
      return submit.many(submitterOf(actor), submissions, idempotencyKey)
    },

    submitChild: (parent, submission, key) => submit.child(parent, submission, key),

    get: access.get,

    getToChange: access.getToChange,

    list: access.list,

    async why(actor, id) {
      const task = await access.get(actor, id)
      const [answer] = await explain(actor, [task])
      if (!answer) throw new MadhavaError('TASK_NOT_WAITING', `The task is ${task.status}`)
      return answer
    },

    whyEach: explain,

    cancel,

    retry,

    purge,

    ...people,

    async bulk(actor, action, filter, options) {
      // a count is read
      if (options.dryRun) demand(actor, 'read')
      const run = createBulk({
        list: (wanted, page) => access.listToChange(actor, wanted, page),
        acts: {
          cancel: id => cancel(actor, id),
          retry: id => retry(actor, id),
          // a filter of ended tasks must not catch one that was opened again meanwhile
          delete: id => purgeEnded(actor, id),
        },
      })
      return run(action, filter, options)
    },

    result: async (actor, id) => resultContent(store, await access.get(actor, id)),

    async artifact(actor, id, name) {
      return artifactContent(store, await access.get(actor, id), name)
    },

    uploads,

    log: async (actor, id) => logContent(store, (await access.get(actor, id)).id),

    dead: dead.list,

    replayDead: dead.replay,

    discardDead: dead.discard,

    kinds(actor) {
      demand(actor, 'read')
      const allowed = ({ name }: { name: string }) => actor.kinds?.includes(name) ?? true
      return kinds.list().filter(allowed).map(infoOf)
    },

    async kindTroubles(actor) {
      demand(actor, 'read')
      const troubles = seenKindTroubles(kinds.troubles(), (await inTime(store.presences())) ?? [])
      return troubles.filter(({ name }) => actor.kinds?.includes(name) ?? true)
    },

    async reloadKinds(actor) {
      demand(actor, 'operate')
      // the kinds are everybody's
      if (!seesAll(actor))
        throw new MadhavaError('FORBIDDEN', 'Only who sees all tasks reads the kinds again')
      return reloadKinds()
    },

    async audit(actor, filter, page) {
      demand(actor, 'admin')
      return store.audit.page(filter, page)
    },

    async state(actor) {
      demand(actor, 'read')
      const isWhole = seesAll(actor)
      const [presences, counts, depth, messages] = await Promise.all([
        store.presences(),
        countsFor(actor),
        isWhole ? inTime(queue.depth()) : null,
        isWhole ? inTime(queue.dead.count()) : null,
      ])
      return {
        isWhole,
        presences: isWhole ? presences : [],
        counts,
        waiting: waitingForWorkers(counts, kinds.isForPeople),
        open: openForPeople(counts, kinds.isForPeople),
        queue: { name: queue.name, depth, ...queue.state() },
        dead: { waiting: waitingWithoutWorker(presences, counts, kinds), messages },
      }
    },
  }
}
