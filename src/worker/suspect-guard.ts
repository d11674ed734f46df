// When a worker may run a suspect, a task with which two workers have died: only while nothing else runs here, and
// nothing else is taken until it has ended. So it can take no other task down.
import { isWaiting, type TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import { TAKE_LATER, type TakenTask } from './taken-task.ts'

/**
 * Takes one task from the store and starts it. Without `alone`, `onSuspect` is called if the next task is a suspect.
 */
type Claim = (ahead: boolean, alone: boolean, onSuspect: (id: string) => void) => Promise<TakenTask | null>

export interface SuspectGuard {
  /** A suspect runs here, or is about to: nothing else may be taken. */
  isReserved(): boolean
  /** Takes a task, perhaps a suspect, or answers TAKE_LATER. `others`: the other takes that are under way. */
  take(ahead: boolean, claim: Claim, others: () => readonly Promise<unknown>[]): Promise<TakenTask | null>
  /** A suspect has started. */
  started(task: TaskRecord): void
  /** Its last move is durable. */
  ended(task: TaskRecord, end: string): void
  /** A task ended or a take is over: polls if a suspect waited for this worker to be empty and now it is. */
  check(): void
  /** Why this worker takes nothing else, for people; null while it may. */
  trouble(): string | null
  /** A record from the feed: another worker may have taken the suspect. */
  onRecord(task: TaskRecord): void
}

export const createSuspectGuard = (deps: {
  /** Whether no attempt runs and no end is being written. */
  isEmpty: () => boolean
  /** How many takes are under way. */
  takes: () => number
  /** Makes the worker poll again, after the answers of all takes under way. */
  poll: () => void
  log: Log
}): SuspectGuard => {
  const { isEmpty, takes, poll, log } = deps
  let reserved = false
  let runs: string | null = null
  /** The suspect that this worker waits for. */
  let waitsFor: string | null = null
  let said: string | null = null

  const release = (): void => {
    reserved = false
    runs = null
    waitsFor = null
    // other takes were refused meanwhile
    poll()
  }

  const waitFor = (id: string): void => {
    waitsFor = id
    if (isEmpty() || said === id) return
    said = id
    log.warn({ id }, 'a task with which two workers died waits until nothing else runs here')
  }

  return {
    isReserved: () => reserved,
    async take(ahead, claim, others) {
      let suspect: string | null = null
      const taken = await claim(ahead, false, id => {
        suspect = id
      })
      if (taken || suspect === null) return taken
      waitFor(suspect)
      if (ahead || reserved || !isEmpty()) return TAKE_LATER
      // from now on no other take begins here; those under way may still find a task
      reserved = true
      await Promise.allSettled(others())
      if (!isEmpty()) {
        reserved = false
        return TAKE_LATER
      }
      const mine = await claim(false, true, () => {})
      if (!mine?.exclusive) release()
      return mine
    },
    started({ id, kind, attempt, workersLost }) {
      said = null
      runs = id
      log.warn({ id, kind, attempt, workersLost }, 'a task with which workers died runs alone')
    },
    ended({ id, kind }, end) {
      log.warn({ id, kind, end }, 'the task that ran alone has ended')
      release()
    },
    check() {
      if (waitsFor === null || reserved || !isEmpty() || takes() > 0) return
      waitsFor = null
      poll()
    },
    trouble() {
      if (runs !== null) return `The task ${runs}, with which workers died, runs alone here`
      if (waitsFor === null || isEmpty()) return null
      return `The task ${waitsFor}, with which workers died, waits until nothing else runs here`
    },
    onRecord(task) {
      if (task.id !== waitsFor || reserved || isWaiting(task.status)) return
      waitsFor = null
      poll()
    },
  }
}
