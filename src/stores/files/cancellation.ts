// Cancelling: a task that nobody holds is revoked at once; for one that is held the wish is written down, durable,
// and the holder or the next taker honours it.
import { isMadhavaError } from '../../core/errors.ts'
import { revoke } from '../../core/moves.ts'
import type { TaskStore } from '../../core/store.ts'
import { isFinal } from '../../core/task.ts'
import type { Committer } from './committer.ts'
import type { Holder } from './holder.ts'
import type { SafeId } from './layout.ts'
import type { Revokes } from './marks.ts'
import type { View } from './view.ts'

interface CancellationDeps {
  revokes: Revokes
  committer: Committer
  view: View
  holder: Holder
}

export interface Cancellation {
  revoke(id: SafeId, at: string): ReturnType<TaskStore['revoke']>
}

export const createCancellation = ({ revokes, committer, view, holder }: CancellationDeps): Cancellation => {
  const writeWish = (id: SafeId, at: string, claim: number): Promise<void> =>
    committer.commit({ type: 'revoke', id, at, claim }, () => {
      const staged = revokes.write(id, at, claim)
      return {
        discard: staged.discard,
        show() {
          staged.show()
          view.publish({ type: 'revoke', id, at })
        },
      }
    })

  return {
    async revoke(id, at) {
      /** The claim number under which the wish stands, -1: it does not. */
      let wished = -1
      for (;;) {
        const { task, claim } = holder.standing(id)
        if (isFinal(task.status)) {
          if (wished < 0) return { outcome: 'ended', task }
          revokes.remove(id)
          return { outcome: task.status === 'REVOKED' ? 'revoked' : 'requested', task }
        }
        try {
          const revoked = await holder.claim(id, revoke(at))
          if (revoked) return { outcome: 'revoked', task: revoked }
        } catch (error) {
          // it ended between the look and the claim
          if (isMadhavaError(error, 'ILLEGAL_MOVE')) continue
          throw error
        }
        // every number that is taken from now on is taken by somebody who sees the wish
        if (wished >= claim) return { outcome: 'requested', task }
        await writeWish(id, at, claim)
        wished = claim
        // once more: the holder may have let go before it could see the wish, and another one have taken the task
      }
    },
  }
}
