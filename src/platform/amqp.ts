// A supervised AMQP connection: whatever ends it, a new one follows, until close(). It knows nothing of tasks.
// amqplib's own recovery is not used: its channels stay dead after it, and waiting for one has no time limit.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from 'amqplib'
import { type Backoff, backoffMs } from '../core/async/backoff.ts'
import { within } from '../core/async/deadline.ts'
import type { Log } from './log.ts'

/** One connection's life. Its channels die with it; `setup` makes new ones in the next. */
export interface AmqpSession {
  /** As the broker gives it, such as `3.10.8`; empty when it gives none. */
  readonly brokerVersion: string
  /** Fires when this connection is over, before a new one is tried. */
  readonly signal: AbortSignal
  /** A channel whose death ends the session. */
  channel(): Promise<Channel>
  /** As `channel`, with publisher confirms. */
  confirmChannel(): Promise<ConfirmChannel>
  /** A channel for questions that the broker may answer by closing it: its death ends nothing else. */
  spareChannel(): Promise<Channel>
  /** Ends the session; a new one follows after a pause. Idempotent. */
  fail(reason: string): void
}

export interface AmqpLinkState {
  status: 'ready' | 'connecting' | 'blocked' | 'closed'
  /** Why it is not ready; holds no password. */
  reason: string | null
}

export interface AmqpLink {
  state(): AmqpLinkState
  /** The present session, or null while there is none whose setup has ended well. */
  session(): AmqpSession | null
  /** Closes channels, then the connection; waits for the broker at most a second. Idempotent. */
  close(): Promise<void>
}

export interface AmqpLinkOptions {
  /** Tried in turn; at least one. */
  urls: readonly string[]
  /** Shown in the broker's list of connections. */
  name: string
  log: Log
  /** Makes channels and consumers. Throwing is a failed try; it runs once per connection. */
  setup: (session: AmqpSession) => Promise<void>
  /** A broker that says nothing for two to three of these is given up. Only the URL carries it to amqplib. */
  heartbeatSeconds?: number
  /** Bounds the handshake, and the setup. Milliseconds. */
  stepTimeoutMs?: number
  /** 0 to 1; for the jitter. */
  random?: () => number
}

const HEARTBEAT_SECONDS = 10
const STEP_TIMEOUT_MS = 15_000
const FAREWELL_MS = 1_000
/** Doubles with each round of bad tries. */
const RETRY: Backoff = { firstMs: 100, lastMs: 10_000 }
/** A session that lived so long shows that all was well: the next pause is short again. */
const STEADY_MS = 5_000

/** The promise, unless the time is over or the signal fires first. @throws Error with `what` */
const inTime = <T>(work: Promise<T>, ms: number, what: string, signal?: AbortSignal): Promise<T> =>
  within(
    ms,
    work,
    cause => {
      throw new Error(cause === 'time' ? `${what} took longer than ${ms / 1000} s` : `${what} was given up`)
    },
    signal,
  )

const safeDecode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** As the broker names it; `/` unless the URL says otherwise. */
const vhostOf = (url: URL): string =>
  safeDecode(url.pathname.slice(1))
    .replace(/\p{Cc}/gu, ' ')
    .slice(0, 100)
    .toWellFormed() || '/'

/** Words for people out of an error of net, tls or amqplib: one line, short, without the password of `url`. */
export const reasonOf = (error: unknown, url: URL): string => {
  // a host with several addresses gives an AggregateError, whose own message is empty
  const parts = error instanceof AggregateError ? error.errors : [error]
  let text = parts.map(part => (part instanceof Error ? part.message : String(part))).join('; ')
  const secrets = [url.password, safeDecode(url.password), ...url.searchParams.values()]
  for (const secret of new Set(secrets.filter((value, at) => at < 2 || /[^\d]/.test(value))))
    if (secret.length > 0) text = text.replaceAll(secret, '********')
  const line = text
    // to the last @ of the word: a password may hold one
    .replace(/(:\/\/[^:/@\s]*):\S*@/g, '$1:********@')
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ')
    .slice(0, 300)
    .toWellFormed()
  // amqplib drops the broker's own words here
  if (/Expected ConnectionOpenOk; got .ConnectionClose/.test(line))
    return `the broker let nobody into the vhost ${vhostOf(url)} (does it exist, and has the user rights in it?)`
  if (/ACCESS.REFUSED.*Login|403 \(ACCESS-REFUSED\)/i.test(line))
    return `${line} (are the user and the password in the URL right?)`
  if (/setup took longer/.test(line)) return `${line} (has the queue a leader?)`
  if (/ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH/.test(line))
    return `${line} (does the broker run, and is its address right?)`
  return line || 'the connection ended'
}

/** Starts connecting at once and never gives up. Throws only for a URL that is none. */
export const createAmqpLink = (options: AmqpLinkOptions): AmqpLink => {
  const { name, log, setup } = options
  const stepMs = options.stepTimeoutMs ?? STEP_TIMEOUT_MS
  const random = options.random ?? Math.random
  const urls = options.urls.map(text => {
    const url = new URL(text)
    if (!url.searchParams.has('heartbeat') || options.heartbeatSeconds !== undefined)
      url.searchParams.set('heartbeat', String(options.heartbeatSeconds ?? HEARTBEAT_SECONDS))
    return url
  })
  const closing = new AbortController()
  let current: AmqpSession | null = null
  let blockedBy: string | null = null
  let trouble = 'connecting'
  let logged = ''

  const note = (url: URL, reason: string): void => {
    trouble = `broker at ${url.host}: ${reason}`
    if (closing.signal.aborted) return
    // the same trouble every few seconds, for hours, would bury everything else
    if (trouble === logged) log.debug({ link: name, reason: trouble }, 'the broker is still away')
    else log.warn({ link: name, reason: trouble }, 'the broker is away; trying again')
    logged = trouble
  }

  /** One connection from the first byte to the last; answers how long it was good, in milliseconds. */
  const live = async (url: URL): Promise<number> => {
    const over = new AbortController()
    const gone = new Promise<void>(resolve => over.signal.addEventListener('abort', () => resolve()))
    const socket = new AbortController()
    const channels: Channel[] = []
    let connection: ChannelModel | null = null
    let readyAt: number | null = null
    const end = (reason: unknown): void => {
      if (over.signal.aborted) return
      note(url, reasonOf(reason, url))
      over.abort()
    }
    const adopt = (made: ChannelModel): ChannelModel => {
      // before anything can be awaited: an event 'error' without a listener would end the process
      made.on('error', end)
      made.on('close', error => end(error ?? 'the connection was closed'))
      made.on('handler-error', end)
      made.on('blocked', reason => {
        blockedBy = `broker at ${url.host} takes no messages now: ${reasonOf(reason, url)}`
        log.warn({ link: name, reason: blockedBy }, 'the broker blocks publishers')
      })
      made.on('unblocked', () => {
        blockedBy = null
        log.info({ link: name }, 'the broker takes messages again')
      })
      return made
    }
    const guard = <C extends Channel>(channel: C): C => {
      channels.push(channel)
      channel.on('error', end)
      channel.on('close', () => end('the broker closed the channel'))
      channel.on('handler-error', end)
      return channel
    }
    try {
      const opened = await inTime(
        connect(url.href, {
          noDelay: true,
          timeout: stepMs,
          clientProperties: { connection_name: name },
          // undocumented in amqplib, which hands its options to net and tls: destroys the socket, for a broker that
          // is frozen would otherwise keep it half open
          ...{ signal: socket.signal },
        }).then(adopt),
        stepMs,
        'the handshake',
        closing.signal,
      )
      connection = opened
      const session: AmqpSession = {
        brokerVersion: String(opened.connection.serverProperties.version ?? ''),
        signal: over.signal,
        channel: async () => guard(await opened.createChannel()),
        confirmChannel: async () => guard(await opened.createConfirmChannel()),
        spareChannel: async () => {
          const channel = await opened.createChannel()
          channel.on('error', error =>
            log.debug({ link: name, reason: reasonOf(error, url) }, 'spare channel'),
          )
          // amqplib never answers a close that the end of the connection overtakes
          const close = channel.close.bind(channel)
          channel.close = () => Promise.race([close(), gone])
          return channel
        },
        fail: end,
      }
      await inTime(setup(session), stepMs, 'the setup', AbortSignal.any([over.signal, closing.signal]))
      if (!over.signal.aborted && !closing.signal.aborted) {
        readyAt = performance.now()
        current = session
        logged = ''
        log.info({ link: name, broker: url.host, version: session.brokerVersion }, 'connected to the broker')
        await once(AbortSignal.any([over.signal, closing.signal]), 'abort')
      }
    } catch (error) {
      end(error)
    }
    current = null
    over.abort()
    // channels first: the connection's own frames may overtake acknowledgements that still wait in a channel
    const farewell = async (from: ChannelModel): Promise<void> => {
      await Promise.allSettled(channels.map(channel => channel.close()))
      await from.close()
    }
    if (connection) await inTime(farewell(connection), FAREWELL_MS, 'the farewell').catch(() => {})
    socket.abort()
    blockedBy = null
    return readyAt === null ? 0 : performance.now() - readyAt
  }

  const run = async (): Promise<void> => {
    let failures = 0
    for (let turn = 0; !closing.signal.aborted; turn++) {
      const url = urls[turn % urls.length]
      if (!url) throw new TypeError('an AMQP link needs at least one URL')
      const goodMs = await live(url)
      failures = goodMs >= STEADY_MS ? 0 : failures + 1
      // the other nodes of a cluster are tried before there is a pause
      const roundOver = goodMs > 0 || (turn + 1) % urls.length === 0
      const round = Math.floor(failures / urls.length)
      if (roundOver)
        await sleep(backoffMs(RETRY, round, random()), undefined, {
          signal: closing.signal,
          ref: false,
        }).catch(() => {})
    }
  }
  if (urls.length === 0) throw new TypeError('an AMQP link needs at least one URL')
  const running = run()

  return {
    session: () => current,
    state: () => {
      if (closing.signal.aborted) return { status: 'closed', reason: 'closed' }
      if (!current) return { status: 'connecting', reason: trouble }
      if (blockedBy) return { status: 'blocked', reason: blockedBy }
      return { status: 'ready', reason: null }
    },
    close: () => {
      closing.abort()
      return running
    },
  }
}
