// What the sweeper has to do, and what processes that died have left.
import type { Agenda } from '../../../core/store.ts'
import type { Log } from '../../../platform/log.ts'
import type { LiveIndex } from '../index/live-index.ts'
import type { FeedRepair } from '../log/feed-repair.ts'
import type { LogTruncation } from '../log/truncate-log.ts'
import type { ClaimAcquirer } from './acquire.ts'
import type { Instances } from './instances.ts'

interface AgendaDeps {
  instances: Instances
  liveIndex: Pick<LiveIndex, 'current'>
  feedRepair: FeedRepair
  acquirer: ClaimAcquirer
  logTruncation: LogTruncation
  clock: () => Date
  log: Log
}

export interface AgendaMaker {
  agenda(now: string, limit: number, kinds?: readonly string[]): Promise<Agenda>
}

/** A dead process's last beat lies at most this long before its last write. */
const RECOVER_MARGIN_MS = 60_000

export const createAgenda = ({
  instances,
  liveIndex,
  feedRepair,
  acquirer,
  logTruncation,
  clock,
  log,
}: AgendaDeps): AgendaMaker => {
  /** Dead processes whose last writes have not been checked for changes that are in no journal. */
  const recoverDead = async (): Promise<string[]> => {
    const dead: string[] = []
    for (const id of instances.known()) if (!(await instances.isAlive(id))) dead.push(id)
    if (dead.length === 0) return dead
    const beats = (await instances.presences()).filter(({ instance: id }) => dead.includes(id))
    const since = Math.min(...beats.map(({ beatAt }) => Date.parse(beatAt)), clock().getTime())
    const found = (await feedRepair.findWritten(since - RECOVER_MARGIN_MS)) + (await feedRepair.findGone())
    if (found > 0) log.warn({ found, dead }, 'changes of a dead process were found in the state files')
    return dead
  }

  return {
    async agenda(now, limit, kinds) {
      const dead = await recoverDead()
      const index = await liveIndex.current()
      const waiting = index.waiting()
      const orphaned: string[] = []
      for (const task of index.running()) if (!(await acquirer.isHeld(task))) orphaned.push(task.id)
      if (dead.length > 0) orphaned.push(...acquirer.begunByDead(instance => dead.includes(instance)))
      // what they left can go once no task names them
      if (orphaned.length === 0 && dead.length > 0) {
        await logTruncation.settleDead()
        for (const id of dead) instances.forget(id)
      }
      const expired = index.expired(now)
      const ending = new Set(expired.map(({ id }) => id))
      const dueIds: string[] = []
      for (const { id } of waiting.due(now, kinds && new Set(kinds))) {
        if (dueIds.length >= limit) break
        if (!ending.has(id)) dueIds.push(id)
      }
      const dueAndEnding = expired.filter(
        ({ kind, from }) => (from === null || from <= now) && (kinds?.includes(kind) ?? true),
      )
      const nexts = [waiting.nextAt(now), index.nextExpiry(now)].filter(at => at !== null).sort()
      return {
        due: waiting.countDue(now, kinds) - dueAndEnding.length,
        dueIds,
        expired: [...ending],
        orphaned,
        nextAt: nexts[0] ?? null,
      }
    },
  }
}
