// Turns a thread's reports into PROGRESS moves: throttled, with an estimate of the time left.
import { report } from '../core/moves.ts'
import type { Json, TaskRecord } from '../core/task.ts'
import type { ProgressReport } from './pool/protocol.ts'
import { createThrottledWriter, type ThrottledWriter } from './throttled-writer.ts'

/** Seconds left, from the progress since the first report; null if that says nothing yet. Times in milliseconds. */
export const etaSeconds = (
  first: { at: number; percent: number },
  now: { at: number; percent: number },
): number | null => {
  const gained = now.percent - first.percent
  if (gained <= 0 || now.at <= first.at) return null
  const seconds = ((100 - now.percent) * (now.at - first.at)) / gained / 1000
  return Number.isFinite(seconds) ? Math.round(seconds * 10) / 10 : null
}

/** Writes through `move`; `failed` is called for refused moves. */
export const createProgress = (deps: {
  everyMs: number
  clock: () => Date
  /** Milliseconds of a monotonic clock. */
  elapsed?: () => number
  /**
   * When the attempt began, by `elapsed`; null if it resumed from a checkpoint, since its first report does not show
   * its speed.
   */
  begunAt: number | null
  move: (move: ReturnType<typeof report>) => Promise<TaskRecord>
  failed: (error: unknown) => void
}): ThrottledWriter<ProgressReport> => {
  const { elapsed = () => performance.now() } = deps
  let first = deps.begunAt === null ? null : { at: deps.begunAt, percent: 0 }
  let partial: Json = null
  const writer = createThrottledWriter<ProgressReport>({
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
    ...writer,
    offer(value) {
      // a report that is replaced may have brought the last partial result
      if (value.partial !== null) partial = JSON.parse(value.partial) as Json
      writer.offer(value)
    },
  }
}
