// A connection to Redis that comes back by itself: ioredis with our rules. A command is sent once or not at all:
// whether one whose answer was lost took effect is for its sender to find out. Knows nothing about tasks.
import { Command, Redis, type RedisOptions } from 'ioredis'
import { type Backoff, backoffMs } from '../core/async/backoff.ts'
import type { RedisPlace } from './redis-url.ts'

type Argument = string | number | Buffer
type NetStream = Redis['stream']

export interface RedisConnection {
  /** Texts come back as texts. */
  call(command: string, ...args: readonly Argument[]): Promise<unknown>
  /** Texts come back as bytes. */
  callBuffer(command: string, ...args: readonly Argument[]): Promise<unknown>
  /** Resolves when it is connected; rejects with the last reason after the time. */
  ready(timeoutMs: number): Promise<void>
  /** Whether commands can be sent now. */
  isReady(): boolean
  /** What was wrong last, since it was ready last. */
  lastError(): Error | null
  /** Gives up the present socket; a new one follows. */
  reconnect(): void
  /** Idempotent; commands under way are rejected. */
  close(): void
}

// A TLS socket that is given up during its handshake may fail twice: of the certificate, then of the server's alert.
// ioredis 6.0 listens to the first failure alone, and the second one would end the process. Its connections to
// Sentinels are made where nothing else can be attached.
const STREAM = Symbol('stream')
type WithStream = Redis & { [STREAM]?: NetStream }
Object.defineProperty(Redis.prototype, 'stream', {
  configurable: true,
  get(this: WithStream) {
    return this[STREAM]
  },
  set(this: WithStream, stream: NetStream) {
    stream.on('error', () => {})
    this[STREAM] = stream
  },
})

const CONNECT_MS = 5_000
const RETRY: Backoff = { firstMs: 50, lastMs: 1_000 }
const retryDelayMs = (tries: number): number => backoffMs(RETRY, tries - 1)
/** An answer that takes longer is given up, and its connection with it: behind a cut wire no end is ever heard. */
const ANSWER_MS = 6_000

/** Opens it in the background; commands fail at once while it is not ready. `name` shows in CLIENT LIST. */
export const connectRedis = (place: RedisPlace, name: string): RedisConnection => {
  const { at } = place
  // the certificate is checked against the name; an address is its own
  const tls = place.tls ? { ...(at.type === 'server' ? { host: at.host } : {}) } : undefined
  const options: RedisOptions & { replyMapping: 'legacy' } = {
    ...(at.type === 'server'
      ? { host: at.host, port: at.port }
      : {
          sentinels: at.sentinels,
          name: at.name,
          sentinelRetryStrategy: retryDelayMs,
          sentinelCommandTimeout: CONNECT_MS,
          failoverDetector: true,
          enableTLSForSentinelMode: place.tls,
          ...(place.tls ? { sentinelTLS: {} } : {}),
        }),
    ...(tls ? { tls } : {}),
    ...(place.username === null ? {} : { username: place.username }),
    ...(place.password === null ? {} : { password: place.password }),
    db: place.db,
    // replies of one shape from every server
    protocol: 2,
    replyMapping: 'legacy',
    connectionName: name,
    connectTimeout: CONNECT_MS,
    socketTimeout: ANSWER_MS,
    keepAlive: 10_000,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    maxLoadingRetryTime: RETRY.lastMs,
    retryStrategy: retryDelayMs,
    // a master that became a replica: the next connection finds the new one
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
    lazyConnect: true,
  }
  const redis = new Redis(options)
  let last: Error | null = null
  /** ioredis goes on in database 0 when the one that was asked for does not exist. */
  let fatal: Error | null = null
  let closed = false
  let ends = 0
  redis.on('error', (error: Error) => {
    last = error
    if (!/DB index/.test(error.message)) return
    fatal = error
    redis.disconnect()
  })
  redis.on('ready', () => {
    last = null
    ends = 0
  })
  const connect = (): void => {
    if (!closed && !fatal) redis.connect().catch(() => {})
  }
  // ioredis 6.0 gives up for good when a Sentinel tells of a new master in the moment in which it is connecting to one
  redis.on('end', () => {
    ends += 1
    setTimeout(connect, retryDelayMs(ends)).unref()
  })
  connect()

  let corked: NetStream | null = null
  /**
   * Commands of one turn of the event loop leave in one write. ioredis's own pipelining does that too, but holds the
   * next ones back until all of these are answered.
   */
  const together = (): void => {
    const { stream } = redis
    if (!stream || stream === corked) return
    corked = stream
    stream.cork()
    setImmediate(() => {
      if (corked === stream) corked = null
      stream.uncork()
    })
  }
  const send = (command: string, args: readonly Argument[], replyEncoding: 'utf8' | null) => {
    together()
    return redis.sendCommand(new Command(command, [...args], { replyEncoding })) as Promise<unknown>
  }

  return {
    call: (command, ...args) => send(command, args, 'utf8'),
    callBuffer: (command, ...args) => send(command, args, null),
    isReady: () => redis.status === 'ready' && fatal === null,
    lastError: () => fatal ?? last,
    ready: timeoutMs =>
      new Promise((resolve, reject) => {
        if (redis.status === 'ready') return resolve()
        const done = (act: () => void) => {
          clearTimeout(timer)
          redis.off('ready', onReady)
          redis.off('end', onEnd)
          act()
        }
        const onReady = () => done(resolve)
        const onEnd = () => {
          if (closed || fatal) done(() => reject(fatal ?? last ?? new Error('the connection is closed')))
        }
        const timer = setTimeout(
          () => done(() => reject(last ?? new Error(`no connection within ${timeoutMs} ms`))),
          timeoutMs,
        )
        redis.on('ready', onReady)
        redis.on('end', onEnd)
      }),
    reconnect: () => redis.disconnect(true),
    close() {
      closed = true
      redis.disconnect()
    },
  }
}
