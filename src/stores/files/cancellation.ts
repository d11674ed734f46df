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
  const writeWish = (id: SafeId, at: string): Promise<void> =>
    committer.commit({ type: 'revoke', id, at }, () => {
      const staged = revokes.write(id, at)
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
      let wished = false
      for (;;) {
        const task = holder.mustRead(id)
        if (isFinal(task.status)) {
          if (!wished) return { outcome: 'ended', task }
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
        if (wished) return { outcome: 'requested', task: holder.mustRead(id) }
        await writeWish(id, at)
        wished = true
        // once more: the holder may have let go before it could see the wish
      }
    },
  }
}
