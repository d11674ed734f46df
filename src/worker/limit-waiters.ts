// Polls when a kind with `maxConcurrency` has room again. A poll that finds a kind full is remembered here. When a run
// of that kind ends, in this process or according to the feed, one more poll follows. It never reads the store itself.
import { isRunning, type TaskRecord } from '../core/task.ts'

/**
 * The worker that ended a run polls at once. Others poll only if the next task was not begun within this time plus a
 * random part, so that most often one poll is enough. Milliseconds.
 */
const HEAD_START_MS = 20
const SPREAD_MS = 40

export interface LimitWaiters {
  /** A poll begins. Call the returned function for each kind that it finds full. */
  pollStarted(): (kind: string) => void
  /** A run of this process has ended, and its end is durable. */
  runEnded(kind: string): void
  /** A record from the feed, of any process. */
  onRecord(task: TaskRecord): void
  /** Changes may have been missed. */
  pollAll(): void
  /** Other kinds have a limit from now on. Nothing is forgotten of those that still have one. */
  setLimited(kinds: ReadonlySet<string>): void
  /** Idempotent. */
  close(): void
}

interface LimitWaitersDeps {
  /** Kinds with a limit. */
  limited: ReadonlySet<string>
  poll: () => void
  random: () => number
}

interface KindState {
  /** Tasks of the kind wait, and the last poll found it full. */
  isWaiting: boolean
  /** Ends of runs seen so far. */
  ends: number
  /** Runs that ended since this worker waits, less those that are known to have begun. */
  free: number
  timer: NodeJS.Timeout | null
}

/** This very move ended a run. */
const isEndOfRun = ({ status, history }: TaskRecord): boolean =>
  !isRunning(status) && isRunning(history.at(-2)?.status ?? 'PENDING')
/** This very move began a run. A cancel request is written later. */
const isBegin = ({ status, revokeRequestedAt }: TaskRecord): boolean =>
  status === 'STARTED' && revokeRequestedAt === null

export const createLimitWaiters = ({ limited, poll, random }: LimitWaitersDeps): LimitWaiters => {
  const states = new Map<string, KindState>()
  const setLimited = (kinds: ReadonlySet<string>): void => {
    for (const kind of kinds)
      if (!states.has(kind)) states.set(kind, { isWaiting: false, ends: 0, free: 0, timer: null })
    for (const [kind, state] of states) {
      if (kinds.has(kind)) continue
      forget(state)
      states.delete(kind)
    }
  }

  const forget = (state: KindState): void => {
    if (state.timer) clearTimeout(state.timer)
    state.timer = null
    state.free = 0
  }
  const pollNow = (state: KindState): void => {
    forget(state)
    // the poll says it again if it is still so
    state.isWaiting = false
    poll()
  }

  setLimited(limited)

  return {
    setLimited,
    pollStarted() {
      const before = new Map([...states].map(([kind, { ends }]) => [kind, ends]))
      return kind => {
        const state = states.get(kind)
        if (!state) return
        state.isWaiting = true
        // a run ended during the poll, perhaps after the poll had seen the kind full
        if (state.ends !== before.get(kind)) pollNow(state)
      }
    },
    runEnded(kind) {
      const state = states.get(kind)
      if (!state) return
      state.ends += 1
      if (state.isWaiting) pollNow(state)
    },
    onRecord(task) {
      const state = states.get(task.kind)
      if (!state) return
      if (isEndOfRun(task)) {
        state.ends += 1
        if (!state.isWaiting) return
        state.free += 1
        state.timer ??= setTimeout(() => pollNow(state), HEAD_START_MS + SPREAD_MS * random()).unref()
      } else if (isBegin(task) && state.free > 0) {
        state.free -= 1
        if (state.free === 0) forget(state)
      }
    },
    pollAll() {
      for (const state of states.values()) if (state.isWaiting) pollNow(state)
    },
    close() {
      for (const state of states.values()) {
        forget(state)
        state.isWaiting = false
      }
    },
  }
}
