// Why a process ended: asked for and by whom, its exit code or signal, or out of memory, with its own last words.
import { wordsOfEnd } from '../../platform/log-files.ts'
import type { Asked } from '../asked.ts'
import type { End, Pm2Process } from './pm2.ts'

/** How the last process of a name ended. */
export interface RestartCause {
  /** `memory`: V8 had no heap left. A kill by the machine's own limit is a `signal`, SIGKILL. */
  how: 'asked' | 'exit' | 'signal' | 'memory'
  code: number | null
  signal: string | null
  /** Who asked; null where nobody did, or not through the dashboard. */
  by: string | null
  /** ISO 8601. */
  at: string
  /** What the process said of it in its logs. */
  words: string | null
}

/** An end that follows an order so late was not caused by it. */
const ORDER_MS = 120_000
/** So many ends without an order, within so long, are a loop; half a minute of life ends it. */
export const LOOP = { ends: 3, withinMs: 120_000, calmMs: 30_000 } as const

/**
 * Whether a process dies again and again: it has ended by itself three times lately and has not lived for half a minute
 * since. @param now milliseconds since 1970 @param uptimeMs null while none runs
 */
export const isCrashLoop = (ends: readonly End[], now: number, uptimeMs: number | null): boolean =>
  ends.filter(end => !end.asked && end.at > now - LOOP.withinMs).length >= LOOP.ends &&
  (uptimeMs === null || uptimeMs < LOOP.calmMs)

/** Finds causes; what it read in the logs of an end is kept, since the logs go on. */
export const createCauses = () => {
  /** By PM2's number: the end it belongs to, and its words. */
  const said = new Map<number, { at: number; words: Promise<string | null> }>()

  const wordsFor = ({ pm_id, pm2_env }: Pm2Process, end: End): Promise<string | null> => {
    const known = said.get(pm_id)
    if (known?.at === end.at) return known.words
    const { pm_out_log_path: out, pm_err_log_path: err } = pm2_env
    const words = wordsOfEnd({ out, err }, end).catch(() => null)
    said.set(pm_id, { at: end.at, words })
    return words
  }

  return {
    /** Null: it has not ended since the start of the bundle, as far as is known. */
    async of(found: Pm2Process, asked: Asked | undefined): Promise<RestartCause | null> {
      const end = found.pm2_env.madhava_ends.at(-1)
      if (!end) return null
      const { code, signal } = end
      const at = new Date(end.at).toISOString()
      if (end.asked) {
        const isHis = asked !== undefined && asked.at <= end.at && asked.at > end.at - ORDER_MS
        return { how: 'asked', code, signal, by: isHis ? asked.by : null, at, words: null }
      }
      const words = await wordsFor(found, end)
      const how = /heap out of memory/i.test(words ?? '') ? 'memory' : signal === null ? 'exit' : 'signal'
      return { how, code, signal, by: null, at, words }
    },
  }
}
