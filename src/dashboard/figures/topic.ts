// The figures as a topic: each new sample when it is taken, and after a pause those that were missed.
import type { Topic } from '../stream/topic.ts'
import type { Figures } from './recorder.ts'

/** What is told at first, so that nothing is missing between the page's own question and its stream. */
const OVERLAP_MS = 60_000

const nextSample = (figures: Pick<Figures, 'subscribe'>, signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    const end = (): void => {
      leave()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const leave = figures.subscribe(end)
    signal.addEventListener('abort', end)
    if (signal.aborted) end()
  })

/** @param clock milliseconds since 1970 */
export const figuresTopic = (
  figures: Pick<Figures, 'since' | 'subscribe'>,
  clock: () => number = Date.now,
): Topic =>
  async function* ({ since, signal }) {
    let last = Number(since ?? Number.NaN)
    while (!signal.aborted) {
      // also where the clock was set back, or the place is none of ours
      if (!(last <= clock())) last = clock() - OVERLAP_MS
      const samples = figures.since(last)
      const newest = samples.at(-1)
      if (newest) {
        last = newest.at
        yield [{ event: 'figures', data: { samples }, place: String(last) }]
      } else await nextSample(figures, signal)
    }
  }
