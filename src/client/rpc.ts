// Madhava's Thrift client for TypeScript: every method with exact types, over a few connections that open and close as
// needed. It knows only the interface, not the server.
import thrift from 'thrift'
import types from '../../gen/js/rpcinterface_types.js'
import type { AccountCalls } from './accounts.ts'
import type { KeySource } from './key.ts'
import { createRpcAccountCalls } from './rpc-accounts.ts'
import type { GeneratedClient } from './rpc-connection.ts'
import type { RpcFileCalls } from './rpc-file-calls.ts'
import { createRpcFileCalls } from './rpc-files.ts'
import { followLog } from './rpc-log.ts'
import { createPool } from './rpc-pool.ts'
import {
  plain,
  type RpcFilter,
  type RpcHostStatus,
  type RpcKind,
  type RpcPage,
  type RpcQueueStatus,
  type RpcSubmitOptions,
  type RpcTask,
  type RpcWaiting,
  toLogEntries,
  toRpcKind,
  toRpcTask,
  toRpcWaiting,
} from './rpc-types.ts'
import type { KindsReloaded } from './server.ts'
import { isFinal, type KindTrouble, type LogEntries, type LogEntry, type Sort } from './task.ts'

export type {
  Account,
  AccountCalls,
  AccountRole,
  AuditEntry,
  AuditFilter,
  Credential,
  Invitation,
  Key,
  Login,
  Me,
  NewInvitation,
  NewKey,
  Scope,
  Session,
  Share,
} from './accounts.ts'
export type { FileSource } from './file-source.ts'
export type { KeySource } from './key.ts'
export type { ResumableOptions } from './resumable.ts'
export { RpcConnectionError, RpcError, type RpcProblem } from './rpc-errors.ts'
export type { RpcFileCalls } from './rpc-file-calls.ts'
export type {
  RpcFilter,
  RpcHostStatus,
  RpcKind,
  RpcPage,
  RpcQueueStatus,
  RpcStatus,
  RpcSubmitOptions,
  RpcTask,
  RpcWaiting,
} from './rpc-types.ts'
export type { KindsReloaded } from './server.ts'
export { isFinal, type KindTrouble, type LogEntries, type LogEntry, type LogLine, type Sort } from './task.ts'
export type { Upload, UploadPage } from './upload-types.ts'

export interface RpcOptions {
  /** 127.0.0.1 by default. */
  host?: string
  /** 9000 by default. */
  port?: number
  protocol?: 'binary' | 'compact'
  /**
   * A key, or the token of a session, which says who calls; a function is asked for every new connection. When it has
   * ended, calls reject with the code UNAUTHORIZED, and the next call asks again.
   */
  key?: KeySource
  /** How many calls at a time, each on its own connection; 8 by default. */
  connections?: number
  /** How long one call may take, milliseconds, without waits; 60,000 by default. */
  timeoutMs?: number
}

/**
 * Every method rejects with RpcError when the server refuses, and with RpcConnectionError when there is no answer.
 * `get` of an unknown id rejects with RpcError and the code TASK_NOT_FOUND.
 */
export interface RpcClient extends AccountCalls<[]>, RpcFileCalls {
  ping(): Promise<void>
  version(): Promise<string>
  /** Once this resolves, the task is durable. */
  submit(kind: string, params?: unknown, options?: RpcSubmitOptions): Promise<RpcTask>
  get(id: string): Promise<RpcTask>
  /** The task once it differs from `known`, or as it is after `waitMs` (at most 30,000). */
  waitForChange(known: Pick<RpcTask, 'id' | 'version'>, waitMs?: number): Promise<RpcTask>
  /**
   * The task once it has ended, without a time limit. `onChange` is called with every state seen on the way. When the
   * signal fires, it rejects with the signal's reason, after one wait at the latest.
   */
  waitForEnd(
    id: string,
    options?: { onChange?: (task: RpcTask) => void; signal?: AbortSignal },
  ): Promise<RpcTask>
  /** 1 to 200 tasks, newest first or as `sort` says. With `why`, waiting tasks say why they wait. */
  page(
    filter?: RpcFilter,
    options?: { limit?: number; cursor?: string | null; sort?: Sort; why?: boolean },
  ): Promise<RpcPage>
  /** Why a task waits; an RpcError with the code TASK_NOT_WAITING if it does not. */
  why(id: string): Promise<RpcWaiting>
  /** All that fit, newest first or as `sort` says, with one page in memory at a time. */
  all(filter?: RpcFilter, options?: { sort?: Sort }): AsyncGenerator<RpcTask, void, void>
  cancel(id: string): Promise<{ outcome: 'revoked' | 'requested'; task: RpcTask }>
  /** Runs an ended task again. */
  retry(id: string): Promise<RpcTask>
  purge(id: string): Promise<void>
  /** The shared list: things that people do. Its items are tasks, so `page`, `retry` and `purge` work on them too. */
  readonly todo: RpcTodoCalls
  /** The whole result in pieces of at most 512 KiB. Rejects if the task is run again meanwhile. */
  resultPieces(id: string): AsyncGenerator<Buffer, void, void>
  /** The whole result as the kind's value. */
  result(id: string): Promise<unknown>
  /** The task's own log as text: its first lines and its last. */
  log(id: string): Promise<string>
  /** The same as entries: the lines after number `after` (0 by default), with marks where lines are left out. */
  logEntries(id: string, after?: number): Promise<LogEntries>
  /**
   * The log's entries after number `after`, then those that come, up to the task's end; asks every second. Goes on over
   * lost connections and a server that is away for up to `timeoutMs`; no line comes twice. When the signal fires, it
   * rejects with the signal's reason.
   */
  followLog(
    id: string,
    options?: { after?: number; signal?: AbortSignal },
  ): AsyncGenerator<LogEntry, void, void>
  kinds(): Promise<RpcKind[]>
  /** Kinds whose files cannot be used. */
  kindTroubles(): Promise<KindTrouble[]>
  /**
   * Has all processes read the folders of kinds again; they use them when each could read all of it. Else an RpcError
   * with the code KINDS_NOT_LOADED, whose problems name the files.
   */
  reloadKinds(): Promise<KindsReloaded>
  hostStatus(): Promise<RpcHostStatus>
  queueStatus(): Promise<RpcQueueStatus>
  /** Closes all connections; running calls reject. Idempotent. */
  close(): void
}

export interface RpcTodoCalls {
  add(item: {
    title: string
    description?: string | null
    assignee?: string | null
    idempotencyKey?: string
  }): Promise<RpcTask>
  /** What is left out stays. An RpcError with the code VERSION_CHANGED: somebody changed it since; read it again. */
  edit(
    known: Pick<RpcTask, 'id' | 'version'>,
    change: { title?: string; description?: string | null; assignee?: string | null },
  ): Promise<RpcTask>
  /** Exactly one of all who try completes it; the RpcError of the others has the code TASK_ENDED and says who did. */
  complete(id: string, options?: { note?: string; version?: string }): Promise<RpcTask>
}

const WAIT_MS = 30_000
/** The processes have a minute beside what a call has. */
const RELOAD_MS = 60_000
const REPLY_BYTES = 64 * 1024 * 1024

/** Times become texts; undefined fields stay unset. */
const withTimes = <T extends object>(input: T) =>
  Object.fromEntries(
    Object.entries(input).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
  ) as { [K in keyof T]: Exclude<T[K], Date> }

/** Without what is null, which a struct takes as unset. */
const filled = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as {
    [K in keyof T]: Exclude<T[K], null>
  }

const submitOptions = ({ retry, limits, ...rest }: RpcSubmitOptions) =>
  new types.SubmitOptions({
    ...withTimes(rest),
    ...(retry ? { retryPolicy: new types.RetryPolicy(retry) } : {}),
    ...(retry === null ? { neverRetry: true } : {}),
    ...(limits ? { limits: new types.TimeLimits(limits) } : {}),
  })

const taskFilter = (filter: RpcFilter, sort: Sort | undefined) =>
  new types.TaskFilter({ ...withTimes(filter), ...(sort ? { sort } : {}) })

type ReadPiece = (client: GeneratedClient, offset: InstanceType<typeof thrift.Int64>) => Promise<types.Piece>

/** Makes a client. It connects at the first call. */
export const createRpcClient = ({
  host = '127.0.0.1',
  port = 9000,
  protocol = 'binary',
  key,
  connections = 8,
  timeoutMs = 60_000,
}: RpcOptions = {}): RpcClient => {
  const pool = createPool({ host, port, protocol, replyBytes: REPLY_BYTES }, connections, key)
  const call = <T>(invoke: (client: GeneratedClient) => Promise<T>, waitMs = 0): Promise<T> =>
    pool.call(invoke, timeoutMs + waitMs)

  const page: RpcClient['page'] = async (
    filter = {},
    { limit = 0, cursor = null, sort, why = false } = {},
  ) => {
    const wanted = taskFilter(filter, sort)
    const found = await call(client =>
      why ? client.pageTasksWhy(wanted, limit, cursor ?? '') : client.pageTasks(wanted, limit, cursor ?? ''),
    )
    return { tasks: found.tasks.map(toRpcTask), nextCursor: found.nextCursor ?? null }
  }

  const pieces = async function* (read: ReadPiece): AsyncGenerator<types.Piece, void, void> {
    let rev: number | null = null
    for (let at = 0, size = 1; at < size; ) {
      const piece = await call(client => read(client, new thrift.Int64(at)))
      const { length } = piece.bytes as unknown as Buffer
      const seen = plain(piece.rev)
      if (rev !== null && rev !== seen) throw new Error('The task has changed while its bytes were read')
      rev = seen
      size = plain(piece.totalBytes)
      at += length
      yield piece
      if (length === 0) return
    }
  }
  const whole = async (read: ReadPiece): Promise<{ bytes: Buffer; contentType: string }> => {
    const all: Buffer[] = []
    let contentType = ''
    for await (const piece of pieces(read)) {
      all.push(piece.bytes as unknown as Buffer)
      contentType = piece.contentType
    }
    return { bytes: Buffer.concat(all), contentType }
  }
  const readResult =
    (id: string): ReadPiece =>
    (client, offset) =>
      client.readResult(id, offset, 0)

  const waitForChange: RpcClient['waitForChange'] = async ({ id, version }, waitMs = WAIT_MS) =>
    toRpcTask(await call(client => client.waitTask(id, version, waitMs), waitMs))

  const logEntries: RpcClient['logEntries'] = async (id, after = 0) =>
    toLogEntries(await call(client => client.getTaskLog(id, new thrift.Int64(after))))

  return {
    ping: () => call(client => client.ping()),
    version: () => call(client => client.version()),
    submit: async (kind, params = {}, options = {}) =>
      toRpcTask(
        await call(client => client.submitTask(kind, JSON.stringify(params), submitOptions(options))),
      ),
    get: async id => toRpcTask(await call(client => client.getTask(id))),
    waitForChange,
    async waitForEnd(id, { onChange, signal } = {}) {
      let version = ''
      for (;;) {
        signal?.throwIfAborted()
        const task = await waitForChange({ id, version })
        if (task.version !== version) onChange?.(task)
        if (isFinal(task.status)) return task
        version = task.version
      }
    },
    page,
    async *all(filter, options) {
      let cursor: string | null = null
      do {
        const found: RpcPage = await page(filter, { ...options, limit: 200, cursor })
        yield* found.tasks
        cursor = found.nextCursor
      } while (cursor !== null)
    },
    why: async id => toRpcWaiting(plain(await call(client => client.whyTask(id)))),
    async cancel(id) {
      const { outcome, task } = await call(client => client.cancelTask(id))
      return { outcome: outcome as 'revoked' | 'requested', task: toRpcTask(task) }
    },
    retry: async id => toRpcTask(await call(client => client.retryTask(id))),
    purge: id => call(client => client.purgeTask(id)),
    todo: {
      add: async item => toRpcTask(await call(client => client.createItem(new types.NewItem(filled(item))))),
      async edit({ id, version }, { description, assignee, ...change }) {
        const edit = new types.TaskEdit({
          ...change,
          // empty takes away what there was
          ...(description === undefined ? {} : { description: description ?? '' }),
          ...(assignee === undefined ? {} : { assignee: assignee ?? '' }),
        })
        return toRpcTask(await call(client => client.editTask(id, edit, version)))
      },
      complete: async (id, { note = '', version = '' } = {}) =>
        toRpcTask(await call(client => client.completeTask(id, note, version))),
    },
    async *resultPieces(id) {
      for await (const piece of pieces(readResult(id))) yield piece.bytes as unknown as Buffer
    },
    async result(id) {
      const { bytes, contentType } = await whole(readResult(id))
      const text = bytes.toString('utf8')
      return contentType.startsWith('text/') ? text : JSON.parse(text)
    },
    log: async id => (await whole((client, offset) => client.readLog(id, offset, 0))).bytes.toString('utf8'),
    logEntries,
    followLog: (id, options) => followLog(after => logEntries(id, after), timeoutMs, options),
    ...createRpcAccountCalls(call),
    ...createRpcFileCalls(call, timeoutMs),
    kinds: async () => (await call(client => client.listKinds())).map(toRpcKind),
    kindTroubles: async () => (await call(client => client.listKindTroubles())).map(plain),
    reloadKinds: async () => plain(await call(client => client.reloadKinds(), RELOAD_MS)),
    hostStatus: async () => plain(await call(client => client.hostStatus())),
    queueStatus: async () => plain(await call(client => client.queueStatus())),
    close: () => pool.close(),
  }
}
