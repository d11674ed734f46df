// Ends processes that other attempts left on this host: those of dead workers, and those of a task that this worker
// has claimed since. It leaves alone all processes of live workers that may still hold the task, and all in another
// pid namespace.
import { isFinal, isRunning, type Status } from '../../core/task.ts'
import { endProcesses } from '../../platform/ending-processes.ts'
import type { Log } from '../../platform/log.ts'
import { findMarked } from '../../platform/marked-processes.ts'
import {
  isOfThisNamespace,
  isWorkerDead,
  MARK,
  type ProcessMark,
  readMark,
} from '../../platform/process-mark.ts'

/** A task that is held here under this claim: every earlier claim is void. */
export interface HeldTask {
  id: string
  claim: number
}

export interface Leftovers {
  /** Resolves when a search that began after the call has ended all that it found. Never rejects. */
  end(held?: HeldTask): Promise<void>
}

/** @param store identifies it: workers of one store may end each other's processes, also of another user */
export const createLeftovers = ({ store, log }: { store: string; log: Log }): Leftovers => {
  const isVoid = (mark: ProcessMark, held: readonly HeldTask[]): boolean =>
    mark.store === store &&
    isOfThisNamespace(mark) &&
    held.some(({ id, claim }) => mark.task === id && mark.claim < claim)
  const mayEnd = (mark: ProcessMark, uid: () => number | null): boolean =>
    mark.store === store || uid() === process.geteuid?.()

  const search = async (held: readonly HeldTask[]): Promise<void> => {
    const find = async () => {
      const processes = await findMarked({
        name: MARK,
        isWanted(value, uid) {
          const mark = readMark(value)
          return mark !== null && (isVoid(mark, held) || (isWorkerDead(mark) && mayEnd(mark, uid)))
        },
      })
      // a group whose leader has ended may be of a shell that others use too: its members are ended one by one
      return { processes, groups: processes.filter(({ pid, group }) => pid === group).map(({ pid }) => pid) }
    }
    const { signalled, left } = await endProcesses(find)
    const named = (list: typeof left) => list.slice(0, 20).map(({ pid, name }) => `${name} (${pid})`)
    if (signalled.length > 0)
      log.warn({ processes: named(signalled) }, 'ended processes that a worker had left behind')
    if (left.length > 0)
      log.error({ processes: named(left) }, 'processes that a task has started cannot be ended')
  }

  /** Requests that came during a search; one more search serves them all. */
  let asked: HeldTask[] = []
  let next: Promise<void> | null = null
  let last: Promise<void> = Promise.resolve()
  return {
    end(held) {
      if (held) asked.push(held)
      next ??= last.then(() => {
        const all = asked
        asked = []
        next = null
        last = search(all).catch((error: unknown) => {
          log.error({ error }, 'looking for processes that a worker had left behind failed')
        })
        return last
      })
      return next
    },
  }
}

/** Whether an attempt of the task ended with its worker: others may not know what it had started, or where. */
export const wasTakenOver = ({
  history,
}: {
  history: readonly { status: Status; attempt: number }[]
}): boolean =>
  history.some(({ status, attempt }, at) => {
    const before = history[at - 1]
    if (!before || !isRunning(before.status)) return false
    // a task that was given back has one attempt less; one that failed went to RETRY
    return isFinal(status) ? status !== 'SUCCESS' : status === 'PENDING' && attempt === before.attempt
  })
