// What comes before a waiting task, and what its kind has room for: a walk along the index, and a look at the claims.
import type { Line, LineFields, LineQuery } from '../../../core/line.ts'
import { countBefore, NO_ROOM } from '../../../core/line.ts'
import { turns } from '../../../core/turns.ts'
import type { FreeSpace } from '../free-space.ts'
import type { LiveIndex } from '../index/live-index.ts'
import type { WaitingTask } from '../index/waiting-tasks.ts'
import type { KindLimiter } from './kind-limits.ts'

interface LineDeps {
  liveIndex: Pick<LiveIndex, 'current'>
  limiter: Pick<KindLimiter, 'rooms'>
  space: Pick<FreeSpace, 'mayBegin' | 'trouble'>
}

/** Those that have expired are not taken any more. */
const unexpired = function* (tasks: Iterable<WaitingTask>, now: string): Generator<WaitingTask> {
  for (const task of tasks) if (task.till === null || task.till > now) yield task
}

export const createLine =
  ({ liveIndex, limiter, space }: LineDeps) =>
  async (tasks: readonly LineFields[], { now, kinds, limits, most }: LineQuery): Promise<Line> => {
    const index = await liveIndex.current()
    const due = index.waiting().due(now, kinds ? new Set(kinds) : undefined)
    const before = await countBefore(tasks, unexpired(due, now), most, () => turns.spend(1))
    const rooms = await limiter.rooms(limits, Date.parse(now))
    return { before, rooms, closed: space.mayBegin() ? null : (space.trouble() ?? NO_ROOM) }
  }
