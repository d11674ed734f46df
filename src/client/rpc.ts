// Madhava over Thrift for TypeScript: every method with real types, over a few connections that come and go by
// themselves. It knows nothing of the server but the interface.
import thrift from 'thrift'
import types from '../../gen/js/rpcinterface_types.js'
import type { GeneratedClient } from './rpc-connection.ts'
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
  toRpcKind,
  toRpcTask,
} from './rpc-types.ts'
import { isFinal, type KindTrouble } from './task.ts'

export interface RpcOptions {
  /** 127.0.0.1 when left out. */
  host?: string
  /** 9000 when left out. */
  port?: number
  protocol?: 'binary' | 'compact'
  /** Calls at a time, each on a connection of its own; 8 when left out. */
  connections?: number
  /** What one call may take, milliseconds, waits not counted; 60,000 when left out. */
  timeoutMs?: number
}

/**
 * Every method rejects with RpcError when the server says no, with RpcConnectionError when there is no answer. `get` of
 * an unknown id is an RpcError with the code TASK_NOT_FOUND.
 */
export interface RpcClient {
  ping(): Promise<void>
  version(): Promise<string>
  /** The task exists, durably, when this resolves. */
  submit(kind: string, params?: unknown, options?: RpcSubmitOptions): Promise<RpcTask>
  get(id: string): Promise<RpcTask>
  /** The task once it differs from `known`, or as it is after `waitMs` (at most 30,000). */
  waitForChange(known: Pick<RpcTask, 'id' | 'version'>, waitMs?: number): Promise<RpcTask>
  /**
   * The task once it has ended, however long that takes. `onChange` is told of every state seen on the way. With a
   * signal that fires it rejects with the signal's reason, at the latest after one wait.
   */
  waitForEnd(
    id: string,
    options?: { onChange?: (task: RpcTask) => void; signal?: AbortSignal },
  ): Promise<RpcTask>
  /** 1 to 200 tasks, newest first. */
  page(filter?: RpcFilter, options?: { limit?: number; cursor?: string | null }): Promise<RpcPage>
  /** All that fit, newest first, a page in memory at a time. */
  all(filter?: RpcFilter): AsyncGenerator<RpcTask, void, void>
  cancel(id: string): Promise<{ outcome: 'revoked' | 'requested'; task: RpcTask }>
  /** An ended task runs again. */
  retry(id: string): Promise<RpcTask>
  purge(id: string): Promise<void>
  /** The whole result in pieces, each at most 512 KiB. Rejects when the task runs again meanwhile. */
  resultPieces(id: string): AsyncGenerator<Buffer, void, void>
  /** The whole result as the value that the kind answered. */
  result(id: string): Promise<unknown>
  /** The task's own last log lines. */
  log(id: string): Promise<string>
  kinds(): Promise<RpcKind[]>
  /** Those whose files cannot be used. */
  kindTroubles(): Promise<KindTrouble[]>
  hostStatus(): Promise<RpcHostStatus>
  queueStatus(): Promise<RpcQueueStatus>
  /** Ends all connections; calls under way reject. Idempotent. */
  close(): void
}

const WAIT_MS = 30_000
const REPLY_BYTES = 64 * 1024 * 1024

/** Times as texts; what is undefined stays unset. */
const withTimes = <T extends object>(said: T) =>
  Object.fromEntries(
    Object.entries(said).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : value]),
  ) as { [K in keyof T]: Exclude<T[K], Date> }

const submitOptions = ({ retry, limits, ...rest }: RpcSubmitOptions) =>
  new types.SubmitOptions({
    ...withTimes(rest),
    ...(retry ? { retryPolicy: new types.RetryPolicy(retry) } : {}),
    ...(retry === null ? { neverRetry: true } : {}),
    ...(limits ? { limits: new types.TimeLimits(limits) } : {}),
  })

const taskFilter = (filter: RpcFilter) => new types.TaskFilter(withTimes(filter))

type ReadPiece = (client: GeneratedClient, offset: InstanceType<typeof thrift.Int64>) => Promise<types.Piece>

/** A client. It connects at the first call. */
export const createRpcClient = ({
  host = '127.0.0.1',
  port = 9000,
  protocol = 'binary',
  connections = 8,
  timeoutMs = 60_000,
}: RpcOptions = {}): RpcClient => {
  const pool = createPool({ host, port, protocol, replyBytes: REPLY_BYTES }, connections)
  const call = <T>(invoke: (client: GeneratedClient) => Promise<T>, waitMs = 0): Promise<T> =>
    pool.call(invoke, timeoutMs + waitMs)

  const page: RpcClient['page'] = async (filter = {}, { limit = 0, cursor = null } = {}) => {
    const found = await call(client => client.pageTasks(taskFilter(filter), limit, cursor ?? ''))
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
    async *all(filter) {
      let cursor: string | null = null
      do {
        const found: RpcPage = await page(filter, { limit: 200, cursor })
        yield* found.tasks
        cursor = found.nextCursor
      } while (cursor !== null)
    },
    async cancel(id) {
      const { outcome, task } = await call(client => client.cancelTask(id))
      return { outcome: outcome as 'revoked' | 'requested', task: toRpcTask(task) }
    },
    retry: async id => toRpcTask(await call(client => client.retryTask(id))),
    purge: id => call(client => client.purgeTask(id)),
    async *resultPieces(id) {
      for await (const piece of pieces(readResult(id))) yield piece.bytes as unknown as Buffer
    },
    async result(id) {
      const { bytes, contentType } = await whole(readResult(id))
      const text = bytes.toString('utf8')
      return contentType.startsWith('text/') ? text : JSON.parse(text)
    },
    log: async id => (await whole((client, offset) => client.readLog(id, offset, 0))).bytes.toString('utf8'),
    kinds: async () => (await call(client => client.listKinds())).map(toRpcKind),
    kindTroubles: async () => (await call(client => client.listKindTroubles())).map(plain),
    hostStatus: async () => plain(await call(client => client.hostStatus())),
    queueStatus: async () => plain(await call(client => client.queueStatus())),
    close: () => pool.close(),
  }
}
