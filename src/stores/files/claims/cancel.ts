// Cancelling: a task that nobody holds is revoked at once. For one that is held a request is written, durable, on
// which the holder or the next taker acts.
import { isMadhavaError } from '../../../core/errors.ts'
import { revoke } from '../../../core/moves.ts'
import type { TaskStore } from '../../../core/store.ts'
import { isFinal } from '../../../core/task.ts'
import type { LiveIndex } from '../index/live-index.ts'
import type { SafeId } from '../layout.ts'
import type { Committer } from '../log/committer.ts'
import type { CancelRequests } from './cancel-requests.ts'
import type { TaskMover } from './task-mover.ts'

interface CancellerDeps {
  cancelRequests: CancelRequests
  committer: Committer
  liveIndex: LiveIndex
  mover: TaskMover
}

export interface Canceller {
  revoke(id: SafeId, at: string): ReturnType<TaskStore['revoke']>
}

export const createCanceller = ({
  cancelRequests,
  committer,
  liveIndex,
  mover,
}: CancellerDeps): Canceller => {
  const writeRequest = (id: SafeId, at: string, claim: number): Promise<void> =>
    committer.commit({ type: 'revoke', id, at, claim }, () => {
      const staged = cancelRequests.write(id, at, claim)
      return {
        discard: staged.discard,
        show() {
          staged.show()
          liveIndex.publish({ type: 'revoke', id, at })
        },
      }
    })

  return {
    async revoke(id, at) {
      /** The claim number of the request; -1: there is none yet. */
      let requested = -1
      for (;;) {
        const { task, claim } = mover.highestClaim(id)
        if (isFinal(task.status)) {
          if (requested < 0) return { outcome: 'ended', task }
          cancelRequests.remove(id)
          return { outcome: task.status === 'REVOKED' ? 'revoked' : 'requested', task }
        }
        try {
          const revoked = await mover.claim(id, revoke(at))
          if (revoked) return { outcome: 'revoked', task: revoked }
        } catch (error) {
          // it ended before the claim was taken
          if (isMadhavaError(error, 'ILLEGAL_MOVE')) continue
          throw error
        }
        // whoever takes a later number sees the request
        if (requested >= claim) return { outcome: 'requested', task }
        await writeRequest(id, at, claim)
        requested = claim
        // again: the holder may have released the task before it saw the request, and another one may have taken it
      }
    },
  }
}
