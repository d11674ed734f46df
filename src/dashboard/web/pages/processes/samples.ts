// What each process used, since the page was opened: kept while the reader goes from page to page.
import type { ProcessRow } from '../../state/answers.ts'

export interface Samples {
  /** Null is a gap: it did not run, or nobody looked. */
  cpu: readonly (number | null)[]
  memory: readonly (number | null)[]
}

/** Two seconds apart: five minutes. */
const SAMPLES = 150
/** Later than this, something was missed. */
const LATE_MS = 7_000

interface Kept {
  at: number
  pid: number | null
  cpu: (number | null)[]
  memory: (number | null)[]
}

const kept = new Map<number, Kept>()
const NONE: Samples = { cpu: [], memory: [] }

export const samplesOf = (pmId: number): Samples => kept.get(pmId) ?? NONE

/** @param now milliseconds since 1970 */
export const noteSamples = (rows: readonly ProcessRow[], now: number): void => {
  for (const { pmId, pid, cpuPercent, memoryBytes } of rows) {
    const before = kept.get(pmId)
    const isBroken = before !== undefined && (before.pid !== pid || now - before.at > LATE_MS)
    const gap = isBroken ? [null] : []
    const [cpu, memory] = pid === null ? [null, null] : [cpuPercent, memoryBytes]
    kept.set(pmId, {
      at: now,
      pid,
      cpu: [...(before?.cpu ?? []), ...gap, cpu].slice(-SAMPLES),
      memory: [...(before?.memory ?? []), ...gap, memory].slice(-SAMPLES),
    })
  }
}
