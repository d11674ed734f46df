// The overview as topics: the whole of it for its page, and what is wrong alone for the menu of every page. Both share
// one reading, however many pages are open.
import { statePolled, type Topic } from '../stream/topic.ts'
import type { Overview } from './overview.ts'

const EVERY_MS = 3_000

/** @param everyMs between two readings */
export const overviewTopics = (
  read: () => Promise<Overview>,
  everyMs = EVERY_MS,
): Record<'overview' | 'troubles', Topic> => {
  let last: { at: number; reading: Promise<Overview> } | null = null
  const shared = (): Promise<Overview> => {
    const now = performance.now()
    if (!last || now - last.at > everyMs / 2) last = { at: now, reading: read() }
    return last.reading
  }
  return {
    // without its time, which would be news at every reading
    overview: statePolled('overview', everyMs, async () => {
      const { time: _, ...state } = await shared()
      return state
    }),
    troubles: statePolled('troubles', everyMs, async () => (await shared()).troubles),
  }
}
