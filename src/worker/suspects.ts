// When a worker may run a suspect, a task with which two workers have died: only while nothing else runs here, and
// nothing else is taken until it has ended. So it can take no other task down.
import { isWaiting, type TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import { LATER, type TakenTask } from './taken-task.ts'

/**
 * Takes one task from the store and starts it. Without `alone`, `onSuspect` is called if the next task is a suspect.
 */
type Claim = (ahead: boolean, alone: boolean, onSuspect: (id: string) => void) => Promise<TakenTask | null>

export interface Solitude {
  /** A suspect runs here, or is about to: nothing else may be taken. */
  isKept(): boolean
  /** Takes a task, perhaps a suspect, or answers TAKE_LATER. `others`: the other takes that are under way. */
  find(ahead: boolean, claim: Claim, others: () => readonly Promise<unknown>[]): Promise<TakenTask | null>
  /** A suspect has started. */
  begun(task: TaskRecord): void
  /** Its last move is durable. */
  ended(task: TaskRecord, end: string): void
  /** A task ended or a take is over: polls if a suspect waited for this worker to be empty and now it is. */
  check(): void
  /** A record from the feed: another worker may have taken the suspect. */
  hear(task: TaskRecord): void
}

export const createSolitude = (deps: {
  /** Whether no attempt runs and no end is being written. */
  isEmpty: () => boolean
  /** How many takes are under way. */
  looks: () => number
  /** Makes the worker poll again, after the answers of all takes under way. */
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
    // other takes were refused meanwhile
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
      // from now on no other take begins here; those under way may still find a task
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
