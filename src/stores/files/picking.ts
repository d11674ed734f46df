// Which task a free slot gets: the best one that is due and that nobody else is just taking.
import { MadhavaError } from '../../core/errors.ts'
import type { Move } from '../../core/moves.ts'
import { isRunning, isWaiting, type TaskRecord } from '../../core/task.ts'
import type { Holder } from './holder.ts'
import type { SafeId } from './layout.ts'
import type { View } from './view.ts'

interface PickingDeps {
  view: View
  holder: Holder
}

export interface Picking {
  claimNext(kinds: readonly string[], now: string, move: Move): Promise<TaskRecord | null>
}

/** It ended, was removed or runs already: the feed tells the index soon. */
const MOVED_ON: readonly string[] = ['ILLEGAL_MOVE', 'TASK_NOT_FOUND']

export const createPicking = ({ view, holder }: PickingDeps): Picking => {
  /** The task, running now; null when it is somebody else's, or went elsewhere than to a running status. */
  const tryOne = async (id: SafeId, now: string, move: Move): Promise<TaskRecord | null> => {
    try {
      const task = await holder.claim(id, found => {
        // the index may be behind: another process may have tried it meanwhile and put it off
        if (!isWaiting(found.status) || (found.notBefore ?? '') > now) throw new MadhavaError('ILLEGAL_MOVE')
        return move(found)
      })
      return task && isRunning(task.status) ? task : null
    } catch (error) {
      if (error instanceof MadhavaError && MOVED_ON.includes(error.code)) return null
      throw error
    }
  }

  return {
    async claimNext(kinds, now, move) {
      const index = await view.current()
      const wanted = new Set(kinds)
      // what another slot of this process is just taking is passed over at first: waiting for it helps nobody
      const busy: SafeId[] = []
      for (const { id, kind } of index.waiting().due(now)) {
        if (!wanted.has(kind)) continue
        if (holder.isBusy(id as SafeId)) {
          busy.push(id as SafeId)
          continue
        }
        const task = await tryOne(id as SafeId, now, move)
        if (task) return task
      }
      for (const id of busy) {
        const task = await tryOne(id, now, move)
        if (task) return task
      }
      return null
    },
  }
}
