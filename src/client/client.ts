// The client of the REST API, for Node 20.19 and later and for browsers: submit, get, wait, watch, results, cancel,
// retry, lists; accounts in accounts.ts. It uses only fetch, and imports nothing of the server.
import { createAccountCalls, type RestAccountCalls } from './accounts.ts'
import {
  type ByteStream,
  bytesOf,
  type CallOptions,
  type ResultOptions,
  rangeHeaders,
} from './byte-stream.ts'
import { WaitTimeoutError } from './errors.ts'
import { createFileCalls, type FileCalls } from './files.ts'
import { createPatience } from './patience.ts'
import { type ClientOptions, createRequests, type RequestOptions } from './request.ts'
import { createServerCalls, type ServerCalls } from './server.ts'
import {
  type Artifact,
  type Filter,
  isFinal,
  type KindInfo,
  type KindTrouble,
  type LogEntries,
  type LogEntry,
  type Sort,
  type Submission,
  type Task,
  type TaskView,
  type Waiting,
} from './task.ts'
import { createTodoCalls, type TodoCalls } from './todo.ts'
import { followLog, type WatchEvent, watchTask, watchTasks } from './watch.ts'

export type {
  Account,
  AccountChanges,
  AccountRole,
  AuditEntry,
  AuditFilter,
  Credential,
  Invitation,
  Key,
  Login,
  Me,
  NewAccount,
  NewInvitation,
  NewKey,
  Scope,
  Session,
  Share,
} from './accounts.ts'
export type { ByteStream, CallOptions, ResultOptions } from './byte-stream.ts'
export { ApiError, ConnectionError, type Problem, UNEXPECTED_ANSWER, WaitTimeoutError } from './errors.ts'
export type { FileSource } from './file-source.ts'
export type { KeySource } from './key.ts'
export type { ClientOptions } from './request.ts'
export type { ResumableOptions } from './resumable.ts'
export type {
  DeadMessage,
  DeadPage,
  DeadTask,
  HostInfo,
  KindsReloaded,
  ProcessInfo,
  ServerStatus,
} from './server.ts'
export {
  type Artifact,
  type Attempt,
  type AttemptOutcome,
  assigneeOf,
  doneOf,
  type Filter,
  isFinal,
  type Json,
  type KindInfo,
  type KindTrouble,
  type Limits,
  type LogEntries,
  type LogEntry,
  type LogGap,
  type LogLine,
  type RetryPolicy,
  type Sort,
  type Status,
  type Submission,
  type Task,
  type TaskView,
  TODO_KIND,
  type Waiting,
  type WaitReason,
} from './task.ts'
export type { CreatedTodo, KnownTask, NewTodo, TodoCalls } from './todo.ts'
export type { Upload, UploadOptions, UploadPage, UploadProgress } from './upload-types.ts'
export type { WatchEvent } from './watch.ts'

/**
 * Every call rejects with an ApiError when the server refuses, with a ConnectionError when the server cannot be
 * reached for longer than the client's patience, and with the signal's reason when it fires.
 */
export interface Client extends RestAccountCalls, FileCalls, ServerCalls {
  /** Submits a task. The key lets a repeated submit find the first task; without one, a random key is used. */
  submit(submission: Submission, options?: CallOptions & { idempotencyKey?: string }): Promise<Task>
  get(id: string, options?: CallOptions): Promise<Task>
  /**
   * Waits by long polls until the task has ended, and returns its final record, whatever the end is.
   * @throws WaitTimeoutError after `timeoutMs`; without it the wait has no limit
   */
  wait(id: string, options?: CallOptions & { timeoutMs?: number }): Promise<Task>
  /**
   * The task now and after every change, up to its final status. Broken connections are reopened, and nothing comes
   * twice. If changes are faster than the reader, only the last one comes. `since` is the known version,
   * `<claim>-<rev>`.
   */
  watch(id: string, options?: CallOptions & { since?: string }): AsyncGenerator<Task, void, void>
  /** The changes of all tasks that fit, without end; continues after `since`, the `cursor` of an event. */
  watchAll(
    filter?: Filter,
    options?: CallOptions & { since?: string; snapshot?: boolean },
  ): AsyncGenerator<WatchEvent, void, void>
  /** The whole result of a task in SUCCESS, or its bytes from `start` to `end` (exclusive). */
  result(id: string, options?: ResultOptions): Promise<ByteStream>
  /** What the record says of the files that the task has made. */
  artifacts(id: string, options?: CallOptions): Promise<Artifact[]>
  /** The task's own log as text: its first lines and its last. */
  log(id: string, options?: CallOptions): Promise<ByteStream>
  /** The same as entries: the lines after the one with the number `since`, with marks where lines are left out. */
  logEntries(id: string, options?: CallOptions & { since?: number }): Promise<LogEntries>
  /**
   * The log's entries, then those that come, up to the task's end; the generator returns the task as lists show it.
   * Broken connections are reopened, and no line comes twice. `since` is the number of the last known line.
   */
  followLog(
    id: string,
    options?: CallOptions & { since?: number },
  ): AsyncGenerator<LogEntry, TaskView | undefined, void>
  /** `revoked`: it is REVOKED; `requested`: the worker that runs it will be told. */
  cancel(id: string, options?: CallOptions): Promise<{ outcome: 'revoked' | 'requested'; task: Task }>
  /** Runs an ended task again. */
  retry(id: string, options?: CallOptions): Promise<Task>
  /** Removes an ended task with its blobs, or an open one that people do. */
  purge(id: string, options?: CallOptions): Promise<void>
  /** The shared list: things that people do. */
  readonly todo: TodoCalls
  /** Why a task waits; an ApiError with the code TASK_NOT_WAITING when it does not. */
  why(id: string, options?: CallOptions): Promise<Waiting>
  /**
   * One page, newest first or as `sort` says; `next` is the next page's cursor, or null. With `why`, waiting tasks say
   * why they wait.
   */
  list(
    filter?: Filter,
    options?: CallOptions & { limit?: number; cursor?: string; sort?: Sort; why?: boolean },
  ): Promise<{ tasks: TaskView[]; next: string | null }>
  /** All tasks that fit, fetched page by page. `sort` and `why` as in `list`. */
  all(
    filter?: Filter,
    options?: CallOptions & { sort?: Sort; why?: boolean },
  ): AsyncGenerator<TaskView, void, void>
  /** A task that somebody has shared, by the token of the link. It needs no login. */
  shared(token: string): SharedTask
  /**
   * Opens one WebSocket within half a minute: `GET /ws?ticket=…`, for where no header can be sent. The client follows
   * tasks by `watchAll`, and has no WebSocket of its own.
   */
  ticket(options?: CallOptions): Promise<{ ticket: string; expiresAt: string }>
  kinds(options?: CallOptions): Promise<KindInfo[]>
  /** Kinds whose files cannot be used. */
  kindTroubles(options?: CallOptions): Promise<KindTrouble[]>
}

/** What a link reads, and nothing else. An ApiError has the code SHARE_NOT_FOUND when it is no longer valid. */
export interface SharedTask {
  get(options?: CallOptions): Promise<Task>
  /** As `Client.watch`. */
  watch(options?: CallOptions & { since?: string }): AsyncGenerator<Task, void, void>
  result(options?: ResultOptions): Promise<ByteStream>
  artifact(name: string, options?: ResultOptions): Promise<ByteStream>
}

/** Seconds of one long poll: less than the usual timeout of a proxy. */
const POLL_SECONDS = 30

const pathOf = (id: string): string => `/task/${encodeURIComponent(id)}`

const queryOf = (
  filter: Filter,
  more: Readonly<Record<string, string | number | undefined>> = {},
): string => {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries({ ...filter, ...more })) {
    if (value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value])
      query.append(name, one instanceof Date ? one.toISOString() : String(one))
  }
  return query.toString()
}

/** Without `crypto.randomUUID`, which pages over plain HTTP lack. */
const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('')

/** Makes a client. It opens nothing before a call, and needs no close. */
export const createClient = (options: ClientOptions): Client => {
  const requests = createRequests(options)
  const { send } = requests
  const json = async <T>(path: string, options: RequestOptions): Promise<T> =>
    (await (await send(path, { ...options, whole: true })).json()) as T
  const read = { repeatable: true } as const

  /** The task as soon as its version differs from `etag`, or after a while. */
  const poll = async (
    id: string,
    known: { etag: string; task: Task } | null,
    seconds: number,
    signal: AbortSignal | undefined,
  ): Promise<{ etag: string; task: Task }> => {
    const response = await send(pathOf(id), {
      signal,
      whole: true,
      ...(known
        ? {
            query: `wait=${seconds}`,
            headers: { 'if-none-match': known.etag },
            waitMs: seconds * 1000,
            answers: [304],
          }
        : {}),
    })
    if (response.status === 304 && known) {
      await response.body?.cancel()
      return known
    }
    return { etag: response.headers.get('etag') ?? '', task: (await response.json()) as Task }
  }

  const bytesAt = async (path: string, options: ResultOptions = {}): Promise<ByteStream> =>
    bytesOf(await send(path, { ...read, signal: options.signal, headers: rangeHeaders(options) }))

  const client: Client = {
    ...createAccountCalls(json, send),
    ...createFileCalls(requests, json, bytesAt),
    ...createServerCalls(json, send),

    submit: (body, { idempotencyKey = newKey(), signal } = {}) =>
      json('/tasks', {
        ...read,
        method: 'POST',
        body,
        headers: { 'idempotency-key': idempotencyKey },
        signal,
      }),

    get: (id, { signal } = {}) => json(pathOf(id), { ...read, signal }),

    async wait(id, { timeoutMs, signal } = {}) {
      const deadline = timeoutMs === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeoutMs
      const patience = createPatience(requests.patienceMs)
      let known: { etag: string; task: Task } | null = null
      for (;;)
        try {
          const left = Math.max(0, (deadline - performance.now()) / 1000)
          // the server takes three decimals
          known = await poll(id, known, Math.floor(Math.min(POLL_SECONDS, left) * 1000) / 1000, signal)
          patience.reset()
          if (isFinal(known.task.status)) return known.task
          if (performance.now() >= deadline) throw new WaitTimeoutError(known.task, timeoutMs ?? 0)
        } catch (error) {
          if (error instanceof WaitTimeoutError) throw error
          await patience.waitBeforeRetry(error, signal)
        }
    },

    watch: (id, { since, signal } = {}) =>
      watchTask(requests, { path: `${pathOf(id)}/events`, query: '', since, signal }),

    watchAll: (filter = {}, { since, snapshot, signal } = {}) =>
      watchTasks(requests, {
        path: '/events',
        query: queryOf(filter, { snapshot: snapshot ? 1 : undefined }),
        since,
        signal,
      }),

    result: (id, options) => bytesAt(`${pathOf(id)}/result`, options),

    shared(token) {
      const path = `/shared/${encodeURIComponent(token)}`
      return {
        get: ({ signal } = {}) => json(path, { ...read, signal }),
        watch: ({ since, signal } = {}) =>
          watchTask(requests, { path: `${path}/events`, query: '', since, signal }),
        result: options => bytesAt(`${path}/result`, options),
        artifact: (name, options) => bytesAt(`${path}/artifacts/${encodeURIComponent(name)}`, options),
      }
    },

    ticket: ({ signal } = {}) => json('/ws/ticket', { method: 'POST', signal }),

    artifacts: async (id, options) => (await client.get(id, options)).artifacts ?? [],

    log: (id, options) => bytesAt(`${pathOf(id)}/log`, options),

    logEntries: (id, { since = 0, signal } = {}) =>
      json(`${pathOf(id)}/log`, { ...read, query: `format=json&since=${since}`, signal }),

    followLog: (id, { since, signal } = {}) =>
      followLog(requests, {
        path: `${pathOf(id)}/log`,
        query: 'follow=1',
        since: since === undefined ? undefined : String(since),
        signal,
      }),

    cancel: (id, { signal } = {}) => json(pathOf(id), { method: 'DELETE', signal }),

    retry: (id, { signal } = {}) => json(`${pathOf(id)}/retry`, { method: 'POST', signal }),

    async purge(id, { signal } = {}) {
      await send(pathOf(id), { method: 'DELETE', query: 'purge=1', signal })
    },

    todo: createTodoCalls({
      json,
      newKey,
      list: (filter, options) => client.all(filter, options),
      retry: (id, options) => client.retry(id, options),
      purge: (id, options) => client.purge(id, options),
    }),

    why: (id, { signal } = {}) => json(`${pathOf(id)}/why`, { ...read, signal }),

    list: (filter = {}, { limit, cursor, sort, why, signal } = {}) =>
      json('/tasks', {
        ...read,
        query: queryOf(filter, { limit, cursor, sort, why: why ? 1 : undefined }),
        signal,
      }),

    async *all(filter = {}, { sort, why = false, signal } = {}) {
      let cursor: string | undefined
      do {
        const page: { tasks: TaskView[]; next: string | null } = await client.list(filter, {
          limit: 200,
          why,
          ...(sort === undefined ? {} : { sort }),
          ...(cursor === undefined ? {} : { cursor }),
          ...(signal ? { signal } : {}),
        })
        yield* page.tasks
        cursor = page.next ?? undefined
      } while (cursor !== undefined)
    },

    kinds: async ({ signal } = {}) =>
      (await json<{ kinds: KindInfo[] }>('/kinds', { ...read, signal })).kinds,
    kindTroubles: async ({ signal } = {}) =>
      (await json<{ trouble: KindTrouble[] }>('/kinds', { ...read, signal })).trouble,
  }
  return client
}
