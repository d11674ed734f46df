// The one event stream of the page. Parts of the page say which topics they follow; the stream is opened anew when that
// changes, and goes on where it was. When the server is away it tries again, and says so.
import { readEvents } from '../../../client/event-stream.ts'
import { createCell } from './cell.ts'
import { navigateToLogin } from './login.ts'
import { loadMe } from './me.ts'

export type LiveState = 'connecting' | 'live' | 'away'
/** Told to whoever follows a topic. */
export type Listener = (event: string, data: never) => void

export interface Health {
  troubles: { part: string; status: 'degraded' | 'failed'; reason: string }[]
}

export const liveState = createCell<LiveState>('connecting')
/** What is away, as the dashboard sees it; null until it has said so. */
export const health = createCell<Health | null>(null)

const RETRY_MS = [500, 1_000, 2_000, 4_000]
/** The server writes something every 15 s. */
const SILENCE_MS = 40_000
/** A page that nobody sees gives its connection back: browsers have few for one server. */
const HIDDEN_MS = 20_000
/** Parts of a page come and go together. */
const SETTLE_MS = 20

/** The login has ended, which leads to the form; or the reader may do something else now. */
const askAgain = (): void => void loadMe().catch(() => undefined)

const listeners = new Map<string, Set<Listener>>()
let lastId = ''
let current: AbortController | null = null
let retries = 0
let timer: ReturnType<typeof setTimeout> | undefined
let hiddenTimer: ReturnType<typeof setTimeout> | undefined

const deliver = (event: string, text: string): void => {
  const { topic, data, reason } = JSON.parse(text) as { topic?: string; data?: never; reason?: string }
  if (event === 'end' && reason === 'login') askAgain()
  if (event === 'health') health.set(data as unknown as Health)
  if (topic === undefined) return
  for (const listener of [...(listeners.get(topic) ?? [])]) listener(event, data as never)
}

const follow = async (signal: AbortSignal, silence: () => void): Promise<void> => {
  const query = new URLSearchParams([...listeners.keys()].map(topic => ['topic', topic]))
  query.append('topic', 'health')
  const answer = await fetch(`/stream?${query}`, {
    headers: { Accept: 'text/event-stream', ...(lastId === '' ? {} : { 'Last-Event-ID': lastId }) },
    signal,
  })
  if (answer.status === 401) return navigateToLogin()
  if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`)
  liveState.set('live')
  retries = 0
  for await (const { event, data } of readEvents(answer.body, silence, id => {
    lastId = id
  })) {
    // what comes of an older connection is told by the new one
    if (signal.aborted) return
    deliver(event, data)
  }
}

const connect = async (): Promise<void> => {
  current?.abort()
  const mine = new AbortController()
  current = mine
  let quiet: ReturnType<typeof setTimeout> | undefined
  const silence = (): void => {
    clearTimeout(quiet)
    quiet = setTimeout(() => mine.abort('silent'), SILENCE_MS)
  }
  silence()
  try {
    await follow(mine.signal, silence)
  } catch {
    // it is tried again below
  } finally {
    clearTimeout(quiet)
  }
  if (current !== mine) return
  current = null
  if (liveState.get() !== 'away') liveState.set(retries > 1 ? 'away' : 'connecting')
  const wait = RETRY_MS[Math.min(retries, RETRY_MS.length - 1)] ?? 4_000
  retries += 1
  // a little chance, so that many pages do not come back at once
  schedule(wait * (0.75 + Math.random() / 2))
}

const schedule = (ms: number): void => {
  clearTimeout(timer)
  timer = setTimeout(() => void connect(), ms)
}

/** Follows a topic until the returned function is called. */
export const followTopic = (topic: string, listener: Listener): (() => void) => {
  const known = listeners.get(topic)
  if (known) known.add(listener)
  else {
    listeners.set(topic, new Set([listener]))
    schedule(SETTLE_MS)
  }
  return () => {
    const among = listeners.get(topic)
    if (!among?.delete(listener) || among.size > 0) return
    listeners.delete(topic)
    schedule(SETTLE_MS)
  }
}

/** At the start of the page. */
export const startLive = (): void => {
  schedule(0)
  // the browser leaves a connection open whose network has gone; a new one tells. One's own machine is never offline
  for (const event of ['online', 'offline']) addEventListener(event, () => schedule(0))
  document.addEventListener('visibilitychange', () => {
    clearTimeout(hiddenTimer)
    if (document.hidden) {
      hiddenTimer = setTimeout(() => {
        clearTimeout(timer)
        const mine = current
        current = null
        mine?.abort()
      }, HIDDEN_MS)
    } else if (!current) schedule(0)
  })
}

/** Tries again now: the reader asked. */
export const reconnect = (): void => schedule(0)
