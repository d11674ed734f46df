// One WebSocket: what it is subscribed to, and the pace at which its reader takes it. It knows no HTTP and no logins.
import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'
import type { Actor } from '../../core/actor.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import { type TaskFilter, toFilter } from '../../core/filter.ts'
import type { Service } from '../../core/service.ts'
import type { WatchSink } from '../../core/watch.ts'
import type { Log } from '../../platform/log.ts'
import type { EndReason } from '../sse.ts'
import { type EventFrames, frameOf } from './frames.ts'
import { endText, errorText, helloText, MINE, PONG, readMessage } from './messages.ts'

/** Bytes that may wait in the socket; what comes then waits as one state per task (core/feed.ts). */
const UNSENT_BYTES = 256 * 1024
/** Answers that wait beside it; a client that asks and does not read is let go. */
const ANSWERS_BYTES = 4 * UNSENT_BYTES
const SUBSCRIPTIONS_MAX = 16
/** Messages of a client in so many milliseconds. */
const MESSAGES = { count: 200, ms: 10_000 }

/** Whether one more message may come. */
const createMessageLimit = (): { take(): boolean } => {
  let [since, count] = [performance.now(), 0]
  return {
    take() {
      const now = performance.now()
      if (now - since > MESSAGES.ms) [since, count] = [now, 0]
      count += 1
      return count <= MESSAGES.count
    },
  }
}
/** How often it is asked whether the other side is there, milliseconds. */
export const PING_MS = 30_000

/** Codes of the close frame; those from 4000 on are ours. */
const CLOSE_CODES: Readonly<Record<EndReason, number>> = {
  final: 1000,
  removed: 1000,
  slow: 1013,
  shutdown: 1001,
  broken: 1011,
  login: 4401,
}

export interface SocketOptions {
  socket: WebSocket
  /** Under it. Frames that many sockets get are written here as they are; pings and the close are the library's. */
  connection: Duplex
  actor: Actor
  service: Pick<Service, 'followAll'>
  /** Resolves the name of an owner in a filter. */
  withOwnerId: (filter: TaskFilter) => Promise<TaskFilter>
  frames: EventFrames
  /** Where the account's own tasks go on. */
  from: { since: string | null; snapshot: boolean }
  log: Pick<Log, 'warn'>
  pingMs?: number
}

/** Serves it until it closes. `end` says why, then closes it. */
export const serveSocket = ({
  socket,
  connection,
  actor,
  service,
  withOwnerId,
  frames,
  from,
  log,
  pingMs = PING_MS,
}: SocketOptions): { end(reason: EndReason): void } => {
  const subscriptions = new Map<string, AbortController>()
  /** Those that still read, also after they were ended. */
  let reading = 0
  let isAlive = true
  let isEnding = false
  const waiting = new Set<() => void>()
  const wake = (): void => {
    for (const resolve of waiting) resolve()
    waiting.clear()
  }

  const isFull = (): boolean => socket.readyState === socket.OPEN && connection.writableLength >= UNSENT_BYTES
  const sendFrame = (frame: Buffer): void => {
    if (socket.readyState === socket.OPEN && !isEnding) connection.write(frame)
  }
  const send = (text: string): void => sendFrame(frameOf(text))
  connection.on('drain', wake)
  /** Resolves when the reader has taken all, the subscription ends, or the socket has closed. */
  const room = async (signal: AbortSignal): Promise<void> => {
    while (isFull() && !signal.aborted) await new Promise<void>(resolve => waiting.add(resolve))
  }

  const follow = async (
    of: string,
    wanted: TaskFilter,
    start: { since: string | null; snapshot: boolean },
    { signal }: AbortController,
  ): Promise<void> => {
    const filter = await withOwnerId(wanted)
    const sink: WatchSink = {
      tell(event) {
        if (!signal.aborted) sendFrame(frames(of, event))
      },
      isFull,
      room: () => room(signal),
    }
    await service.followAll(actor, filter, start, sink, signal)
  }
  const subscribe = (of: string, filter: TaskFilter, start: typeof from): void => {
    if (subscriptions.has(of)) throw new MadhavaError('BAD_REQUEST', `There is a subscription ${of} already`)
    if (reading >= SUBSCRIPTIONS_MAX)
      throw new MadhavaError('TOO_MANY_STREAMS', `A socket has at most ${SUBSCRIPTIONS_MAX} subscriptions`)
    const controller = new AbortController()
    subscriptions.set(of, controller)
    reading += 1
    follow(of, filter, start, controller)
      .catch((error: unknown) => {
        if (controller.signal.aborted) return
        const isSlow = isMadhavaError(error, 'CURSOR_TOO_OLD')
        if (!isSlow) log.warn({ error }, 'a subscription of a WebSocket broke off')
        send(isSlow ? endText('slow', of) : errorText(error, of))
      })
      .finally(() => {
        reading -= 1
        if (subscriptions.get(of) === controller) subscriptions.delete(of)
      })
  }

  const unsubscribe = (of: string): void => {
    const controller = subscriptions.get(of)
    if (!controller) throw new MadhavaError('BAD_REQUEST', `There is no subscription ${of}`)
    subscriptions.delete(of)
    controller.abort()
    wake()
    send(JSON.stringify({ type: 'unsubscribed', on: of }))
  }

  const received = (text: string): void => {
    let of: string | null = null
    try {
      const message = readMessage(text, values => toFilter('query', values))
      of = message.type === 'ping' ? null : message.on
      if (message.type === 'ping') send(PONG)
      else if (message.type === 'subscribe') subscribe(message.on, message.filter, message)
      else unsubscribe(message.on)
    } catch (error) {
      send(errorText(error, of))
    }
  }

  function end(reason: EndReason): void {
    send(endText(reason))
    isEnding = true
    for (const controller of subscriptions.values()) controller.abort()
    wake()
    socket.close(CLOSE_CODES[reason], reason)
    // who does not answer the close is not waited for
    setTimeout(() => socket.terminate(), 2_000).unref()
  }

  const pings = setInterval(() => {
    if (!isAlive) return socket.terminate()
    isAlive = false
    socket.ping()
  }, pingMs).unref()
  socket.on('pong', () => {
    isAlive = true
  })
  const messages = createMessageLimit()
  socket.on('message', (data, isBinary) => {
    isAlive = true
    if (isEnding) return
    // its own answers, too, are bounded
    if (!messages.take() || connection.writableLength >= ANSWERS_BYTES) return end('slow')
    if (isBinary) send(errorText(new MadhavaError('BAD_REQUEST', 'Messages are JSON texts')))
    else received(String(data))
  })
  // a frame that is none, or a reset; `close` follows
  socket.on('error', () => undefined)
  socket.once('close', () => {
    clearInterval(pings)
    for (const controller of subscriptions.values()) controller.abort()
    wake()
  })

  send(helloText(actor.account))
  if (actor.account !== null) subscribe(MINE, { owner: actor.account }, from)

  return { end }
}
