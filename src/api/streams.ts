// Answers that stay open: event streams and long polls. Bounds their number, ends them when the client leaves or the
// server closes, and writes event streams at the pace of their readers.
import { within } from '../core/async/deadline.ts'
import { createWakeup } from '../core/async/wakeup.ts'
import { MadhavaError, toMadhavaError } from '../core/errors.ts'
import { turns } from '../core/turns.ts'
import type { Log } from '../platform/log.ts'
import { type EndReason, endText, HEARTBEAT, OPENING } from './sse.ts'

export interface StreamLimits {
  /** Event streams and long polls together: the rest of the server's connections is left for others. */
  open: number
  /** Of one client. */
  perClient?: number
  /** Silence after which an event stream sends a comment, milliseconds. */
  heartbeatMs: number
  /** Characters of events that are written at a time. */
  chunk: number
}
export const STREAM_LIMITS: StreamLimits = {
  open: 512,
  perClient: 256,
  heartbeatMs: 15_000,
  chunk: 64 * 1024,
}
/** Calls of Thrift over HTTP: a limit of their own, since most of them wait for nothing. */
export const CALL_LIMITS: StreamLimits = { ...STREAM_LIMITS, open: 256, perClient: 128 }

/** Streams of links, which anybody opens who has one: they leave those of the people who have logged in alone. */
export const LINK_LIMITS: StreamLimits = { ...STREAM_LIMITS, open: 128, perClient: 64 }

/** WebSockets: of one client, or of one account where somebody has logged in. */
export const SOCKET_LIMITS: StreamLimits = { ...STREAM_LIMITS, open: 4_096 }

/** One open answer. */
export interface OpenStream {
  /** Fires when the client leaves, its login ends, the server closes, or `close` is called. */
  readonly signal: AbortSignal
  /** Whether it was ended because the login that opened it has ended, or may do something else now. */
  isLoginOver(): boolean
  /** @throws UNAUTHORIZED when `isLoginOver` */
  demandLogin(): void
  /** Idempotent. */
  close(): void
}

/** As `Access.watch` gives it. */
export interface LoginWatch {
  signal: AbortSignal
  close(): void
}

export interface BodyOptions<E> {
  stream: OpenStream
  events: AsyncGenerator<E[], void, void>
  write: (event: E) => string
  ended: (last: E | null) => EndReason
  log: Log
  requestId: string
}

export interface Streams {
  /**
   * Counts as open until `close`; `clientKey` is the client, where it is known. `login` is closed with it.
   * @throws TOO_MANY_STREAMS, SHUTTING_DOWN
   */
  open(client: AbortSignal, clientKey?: string | null, login?: LoginWatch): OpenStream
  /** How many are open. */
  count(): number
  /**
   * The body of an event stream: what `events` yields, heartbeats in between, and at last why it ends. Closes the
   * stream. `ended` gives the reason where the events end by themselves, from the last of them.
   */
  body<E>(options: BodyOptions<E>): ReadableStream<Uint8Array>
}

/** For who is told in the middle of an answer. */
export const LOGIN_OVER = 'The login has ended, or may do something else now: log in again'

type Step<E> = IteratorResult<E[], void> | { failure: unknown }

export const createStreams = (closing: AbortSignal, limits: StreamLimits = STREAM_LIMITS): Streams => {
  const running = new Set<() => void>()
  const { perClient = limits.open } = limits
  const byClient = new Map<string, number>()
  closing.addEventListener('abort', () => {
    for (const end of [...running]) end()
  })

  const reasonOf = (failure: unknown): EndReason => {
    const { code } = toMadhavaError(failure)
    if (code === 'TASK_NOT_FOUND') return 'removed'
    return code === 'CURSOR_TOO_OLD' ? 'slow' : 'broken'
  }

  /** @throws TOO_MANY_STREAMS, SHUTTING_DOWN */
  const admit = (clientKey: string | null): void => {
    if (closing.aborted) throw new MadhavaError('SHUTTING_DOWN')
    if (running.size >= limits.open)
      throw new MadhavaError('TOO_MANY_STREAMS', `${limits.open} streams and long polls are open already`)
    if (clientKey !== null && (byClient.get(clientKey) ?? 0) >= perClient)
      throw new MadhavaError('TOO_MANY_STREAMS', `${perClient} of one client are open already`)
  }

  return {
    open(client, clientKey = null, login) {
      try {
        admit(clientKey)
      } catch (error) {
        login?.close()
        throw error
      }
      const own = clientKey === null ? 0 : (byClient.get(clientKey) ?? 0)
      if (clientKey !== null) byClient.set(clientKey, own + 1)
      const ending = new AbortController()
      const end = (): void => {
        if (!running.delete(end)) return
        const left = clientKey === null ? 0 : (byClient.get(clientKey) ?? 0) - 1
        if (clientKey !== null && left > 0) byClient.set(clientKey, left)
        else if (clientKey !== null) byClient.delete(clientKey)
        client.removeEventListener('abort', end)
        login?.signal.removeEventListener('abort', endLogin)
        login?.close()
        ending.abort()
      }
      let isLoginOver = false
      const endLogin = (): void => {
        isLoginOver = running.has(end)
        end()
      }
      running.add(end)
      client.addEventListener('abort', end)
      login?.signal.addEventListener('abort', endLogin)
      if (client.aborted) end()
      if (login?.signal.aborted) endLogin()
      return {
        signal: ending.signal,
        isLoginOver: () => isLoginOver,
        demandLogin() {
          if (isLoginOver) throw new MadhavaError('UNAUTHORIZED', LOGIN_OVER)
        },
        close: end,
      }
    },

    count: () => running.size,

    body<E>({ stream, events, write, ended, log, requestId }: BodyOptions<E>) {
      const encoder = new TextEncoder()
      /** Events that were handed over and are not written yet. */
      let rest: E[] = []
      let last: E | null = null
      let opened = false
      let asked = false
      let step: Step<E> | null = null
      const { wake, wait } = createWakeup()
      const settle = (next: Step<E>): void => {
        asked = false
        step = next
        wake()
      }
      const ask = (): void => {
        if (asked || step) return
        asked = true
        events.next().then(settle, (failure: unknown) => settle({ failure }))
      }
      const stepOrSilence = async (): Promise<void> => {
        ask()
        if (step) return
        await within(limits.heartbeatMs, wait(), () => undefined)
      }
      /** Text from what is at hand; no more than a chunk, but for an event that is larger. */
      const written = (): string => {
        let text = ''
        let count = 0
        for (const event of rest) {
          if (text.length >= limits.chunk) break
          text += write(event)
          last = event
          count += 1
        }
        rest = rest.slice(count)
        return text
      }
      /** A piece of what is at hand. A client that reads fast takes one after another, within one turn if it can. */
      const atHand = async (): Promise<{ text: string; last: boolean }> => {
        const count = rest.length
        const text = written()
        await turns.spend(count - rest.length, text.length)
        return { text, last: false }
      }
      /** The next piece of text, and whether it is the last. */
      const next = async (): Promise<{ text: string; last: boolean }> => {
        if (rest.length > 0) return atHand()
        await stepOrSilence()
        const now = step as Step<E> | null
        step = null
        if (now === null) return { text: HEARTBEAT, last: false }
        if (!('failure' in now) && !now.done) {
          rest = now.value
          return atHand()
        }
        if (closing.aborted) return { text: endText('shutdown'), last: true }
        if (!('failure' in now)) return { text: endText(ended(last)), last: true }
        const reason = reasonOf(now.failure)
        if (reason === 'broken') log.warn({ requestId, error: now.failure }, 'an event stream broke off')
        return { text: endText(reason), last: true }
      }
      const leave = (): void => {
        stream.close()
        // it ends at the signal; whatever comes of it is for nobody
        events.return().catch(() => undefined)
      }
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            if (!opened) {
              opened = true
              controller.enqueue(encoder.encode(OPENING))
              return
            }
            // events that nobody asked for have no text: a pull has to bring something
            let piece = await next()
            while (piece.text === '' && !piece.last) piece = await next()
            if (stream.isLoginOver()) piece = { text: endText('login'), last: true }
            else if (stream.signal.aborted && !closing.aborted) {
              leave()
              controller.close()
              return
            }
            controller.enqueue(encoder.encode(piece.text))
            if (!piece.last) return
            leave()
            controller.close()
          },
          cancel: leave,
        },
        // nothing is read ahead of the client
        { highWaterMark: 0 },
      )
    },
  }
}
