// From a thread's reports to PROGRESS moves: thinned out, with an estimate of the time that is left.
import { report } from '../core/moves.ts'
import type { Json, TaskRecord } from '../core/task.ts'
import { createLatest, type Latest } from './latest.ts'
import type { ProgressReport } from './pool/protocol.ts'

/**
 * Seconds left, from how far the work came since its first report; null when that says nothing yet.
 * Times in milliseconds.
 */
export const etaSeconds = (
  first: { at: number; percent: number },
  now: { at: number; percent: number },
): number | null => {
  const gained = now.percent - first.percent
  if (gained <= 0 || now.at <= first.at) return null
  const seconds = ((100 - now.percent) * (now.at - first.at)) / gained / 1000
  return Number.isFinite(seconds) ? Math.round(seconds * 10) / 10 : null
}

/** Writes through `move`; `failed` hears of moves that were refused. */
export const createProgress = (deps: {
  everyMs: number
  clock: () => Date
  /** Milliseconds of a clock that nobody sets. */
  elapsed?: () => number
  /** When the attempt began, by `elapsed`; null when it goes on from a checkpoint: its first report is no measure of its speed. */
  begunAt: number | null
  move: (move: ReturnType<typeof report>) => Promise<TaskRecord>
  failed: (error: unknown) => void
}): Latest<ProgressReport> => {
  const { elapsed = () => performance.now() } = deps
  let first = deps.begunAt === null ? null : { at: deps.begunAt, percent: 0 }
  let partial: Json = null
  const latest = createLatest<ProgressReport>({
    everyMs: deps.everyMs,
    failed: deps.failed,
    async write({ percent, note }) {
      const now = { at: elapsed(), percent }
      first ??= now
      await deps.move(
        report({ percent, note, etaSeconds: etaSeconds(first, now) }, partial, deps.clock().toISOString()),
      )
    },
  })
  return {
    ...latest,
    offer(value) {
      // a report that is overtaken may have brought the last partial result
      if (value.partial !== null) partial = JSON.parse(value.partial) as Json
      latest.offer(value)
    },
  }
}
