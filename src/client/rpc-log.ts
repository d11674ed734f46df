// Follows a task's log over Thrift: asks again and again for what is new, over a server that is away for a while.
import { setTimeout as sleep } from 'node:timers/promises'
import { mayPass } from './rpc-errors.ts'
import type { LogEntries, LogEntry } from './task.ts'

/** As often as workers write logs. */
const EVERY_MS = 1_000

/** @param patienceMs how long the server may be away */
export const followLog = async function* (
  read: (after: number) => Promise<LogEntries>,
  patienceMs: number,
  { after = 0, signal }: { after?: number; signal?: AbortSignal } = {},
): AsyncGenerator<LogEntry, void, void> {
  let at = after
  let awaySince: number | null = null
  for (;;) {
    signal?.throwIfAborted()
    try {
      const { entries, ended } = await read(at)
      awaySince = null
      for (const entry of entries) {
        at = 'omitted' in entry ? entry.to : entry.n
        yield entry
      }
      if (ended) return
    } catch (error) {
      awaySince ??= performance.now()
      if (!mayPass(error) || performance.now() - awaySince > patienceMs) throw error
    }
    await sleep(EVERY_MS, undefined, signal ? { signal } : {}).catch(() => signal?.throwIfAborted())
  }
}
