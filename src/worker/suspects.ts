// When a worker may run a suspect, a task that two workers have died with: only while nothing else is in its hands, and it
// takes nothing else before that has ended. So such a task brings down nobody with it. It knows no store and no thread.
import { isWaiting, type TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import { LATER, type TakenTask } from './taken-task.ts'

/** Looks for one task in the store, and starts it. `onSuspect` is told of a suspect whose turn it is, without `alone`. */
type Claim = (ahead: boolean, alone: boolean, onSuspect: (id: string) => void) => Promise<TakenTask | null>

export interface Solitude {
  /** A task runs alone, or is about to: nothing is to be taken. */
  isKept(): boolean
  /** A look, which may end in a task that runs alone, or in LATER. `others`: looks that are under way beside it. */
  find(ahead: boolean, claim: Claim, others: () => readonly Promise<unknown>[]): Promise<TakenTask | null>
  /** A suspect was taken and runs. */
  begun(task: TaskRecord): void
  /** Its last move is durable. */
  ended(task: TaskRecord, end: string): void
  /** Something ended here, or a look is over: whether somebody waits for this worker to be empty, and it is. */
  check(): void
  /** A record as the feed tells it: the suspect that is waited for may have been taken elsewhere. */
  hear(task: TaskRecord): void
}

export const createSolitude = (deps: {
  /** Whether no attempt is in hand, neither one that runs nor one whose end is being written. */
  isEmpty: () => boolean
  /** Looks under way. */
  looks: () => number
  /** Has the worker look again, not before what looks under way answer has been heard. */
  look: () => void
  log: Log
}): Solitude => {
  const { isEmpty, looks, look, log } = deps
  let kept = false
  /** The suspect that this worker waits for. */
  let waitsFor: string | null = null
  let said: string | null = null

  const release = (): void => {
    kept = false
    waitsFor = null
    // other looks were refused meanwhile
    look()
  }

  const met = (id: string): void => {
    waitsFor = id
    if (isEmpty() || said === id) return
    said = id
    log.warn({ id }, 'a task with which two workers died waits until nothing else runs here')
  }

  return {
    isKept: () => kept,
    async find(ahead, claim, others) {
      let suspect: string | null = null
      const taken = await claim(ahead, false, id => {
        suspect = id
      })
      if (taken || suspect === null) return taken
      met(suspect)
      if (ahead || kept || !isEmpty()) return LATER
      // from now on nobody here begins another look; those under way may still have found something
      kept = true
      await Promise.allSettled(others())
      if (!isEmpty()) {
        kept = false
        return LATER
      }
      const mine = await claim(false, true, () => {})
      if (!mine?.alone) release()
      return mine
    },
    begun({ id, kind, attempt, workersLost }) {
      said = null
      log.warn({ id, kind, attempt, workersLost }, 'a task with which workers died runs alone')
    },
    ended({ id, kind }, end) {
      log.warn({ id, kind, end }, 'the task that ran alone has ended')
      release()
    },
    check() {
      if (waitsFor === null || kept || !isEmpty() || looks() > 0) return
      waitsFor = null
      look()
    },
    hear(task) {
      if (task.id !== waitsFor || kept || isWaiting(task.status)) return
      waitsFor = null
      look()
    },
  }
}
