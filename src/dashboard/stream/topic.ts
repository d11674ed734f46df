// What the one event stream of a page is made of: topics, which the page names, and their events.
import type { Actor } from '../../core/actor.ts'
import type { TopicName } from '../access/rights.ts'

export interface TopicEvent {
  event: string
  /** JSON-safe. */
  data: unknown
  /** Where to go on after this event; left out or null: as before. */
  place?: string | null
}

export interface TopicQuestion {
  /** What stands behind the colon: `task:<id>`; '' without one. */
  argument: string
  /** The place to go on from; null: from now on. */
  since: string | null
  actor: Actor
  /** Fires when nobody listens any more. The topic ends then. */
  signal: AbortSignal
}

/**
 * Opens one topic. It yields what there is to tell, and is asked for more only when that has been read, so it holds at
 * most one batch. If it throws an error of ours below 500, the topic ends; after any other it is opened again.
 */
export type Topic = (question: TopicQuestion) => AsyncGenerator<TopicEvent[], void, void>

/** By the word before the colon. */
export type Topics = Readonly<Partial<Record<TopicName, Topic>>>

/** Waits, but not longer than somebody listens. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })

/** A topic that reads a state again and again, and tells it when it differs. All listeners share the readings. */
export const statePolled = (event: string, everyMs: number, read: () => Promise<unknown>): Topic => {
  let last: { at: number; reading: Promise<unknown> } | null = null
  const shared = (): Promise<unknown> => {
    const now = performance.now()
    if (!last || now - last.at > everyMs * 0.9) last = { at: now, reading: read() }
    return last.reading
  }
  return async function* ({ signal }) {
    let told = ''
    while (!signal.aborted) {
      const data = await shared()
      const text = JSON.stringify(data)
      if (text !== told) yield [{ event, data }]
      told = text
      await pause(everyMs, signal)
    }
  }
}
