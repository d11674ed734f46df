// Writes figures of the last seven days into a data folder, as the dashboard would have kept them: made up, with a day's
// rhythm and a gap. Without them every chart would begin with the screenshots.
import { statfs } from 'node:fs/promises'
import { freemem, loadavg, totalmem } from 'node:os'
import { noValues, type Sample } from '../../src/dashboard/figures/columns.ts'
import { figuresFile } from '../../src/dashboard/figures/recorder.ts'
import { openRings, SPANS, type Span, stepOf } from '../../src/dashboard/figures/rings.ts'
import { silentLog } from '../../src/platform/log.ts'

const HOUR_MS = 3_600_000
/** The last minutes are left to what the bundle really does. */
const REAL_MS = 30_000
const GAP = { fromMs: 2.3 * 24 * HOUR_MS, toMs: 2 * 24 * HOUR_MS }

/** Percent used, and the load average: what the past leads to. */
type Host = Record<'memory' | 'disk' | 'load', number>

const readHost = async (dataDir: string): Promise<Host> => {
  const { blocks, bfree } = await statfs(dataDir)
  return {
    memory: 100 * (1 - freemem() / totalmem()),
    disk: 100 * (1 - bfree / blocks),
    load: loadavg()[0] ?? 0,
  }
}

/** From 0 to 1, always the same for a step. */
const chance = (step: number, of: number): number => {
  const value = Math.sin(step * 12.9898 + of * 78.233) * 43_758.5453
  return value - Math.floor(value)
}

const MIB = 1024 * 1024
/** What the bundle's processes use when they have been up for a while. */
const usedByRoles = (step: number, day: number) => ({
  apiCpu: 6 * day + 2 * chance(step, 12),
  apiMemory: (88 + 4 * chance(step, 13)) * MIB,
  workerCpu: 8 + 110 * day * (0.7 + 0.3 * chance(step, 14)),
  workerMemory: (180 + 12 * chance(step, 15)) * MIB,
  rpcCpu: chance(step, 16),
  rpcMemory: (66 + chance(step, 17)) * MIB,
  dashboardCpu: 2 + 3 * chance(step, 18),
  dashboardMemory: (98 + 6 * chance(step, 19)) * MIB,
})

const sampleAt = (at: number, now: number, host: Host): Sample => {
  const step = Math.round(at / 10_000)
  // the busiest time is now, whenever that is
  const day = 0.6 + 0.4 * Math.cos(((now - at) / (24 * HOUR_MS)) * 2 * Math.PI)
  const started = 60 * day * (0.85 + 0.3 * chance(step, 1))
  const failed = now - at > 600_000 && chance(step, 3) < 0.02 ? 6 : 0
  const wait = 0.2 + 2.4 * day * day * (0.8 + 0.4 * chance(step, 4))
  return {
    ...noValues(),
    at,
    started,
    failed,
    succeeded: Math.max(0, started - failed - 1),
    waitP50: wait,
    waitP90: wait * 2.1 * (0.9 + 0.2 * chance(step, 5)),
    runP50: 0.8 + 0.1 * chance(step, 6),
    runP90: 1.9 + 0.3 * chance(step, 7),
    queueDepth: Math.round(40 * day * day * (0.7 + 0.6 * chance(step, 8))),
    cpu: 14 + 52 * day + 10 * chance(step, 9),
    memory: host.memory * (0.8 + 0.2 * day) + chance(step, 10),
    disk: Math.max(0, host.disk - ((now - at) / HOUR_MS) * 0.03),
    ...usedByRoles(step, day),
    load: host.load * (0.4 + 0.6 * day) + 0.3 * chance(step, 11),
  }
}

/** @param now milliseconds since 1970 */
export const writePast = async (dataDir: string, now: number): Promise<void> => {
  const host = await readHost(dataDir)
  const rings = await openRings(figuresFile(dataDir), silentLog())
  for (const span of ['week', 'hour'] satisfies Span[]) {
    const { everyMs, rows } = SPANS[span]
    for (let back = rows - 1; back > 0; back -= 1) {
      const at = stepOf(span, now - back * everyMs)
      const age = now - at
      if (age < REAL_MS || (age > GAP.toMs && age < GAP.fromMs)) continue
      rings.put(span, sampleAt(at, now, host))
    }
    await rings.flush()
  }
  await rings.close()
}
