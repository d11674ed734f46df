// Polls when a kind with `maxConcurrency` has room again. A poll that finds a kind full is remembered here. When a run
// of that kind ends, in this process or according to the feed, one more poll follows. It never reads the store itself.
import { isRunning, type TaskRecord } from '../core/task.ts'

/**
 * The worker that ended a run polls at once. Others poll only if the next task was not begun within this time plus a
 * random part, so that most often one poll is enough. Milliseconds.
 */
const HEAD_START_MS = 20
const SPREAD_MS = 40

export interface Places {
  /** A poll begins. Call the returned function for each kind that it finds full. */
  looking(): (kind: string) => void
  /** A run of this process has ended, and its end is durable. */
  ended(kind: string): void
  /** A record from the feed, of any process. */
  hear(task: TaskRecord): void
  /** Changes may have been missed. */
  lookAgain(): void
  /** Idempotent. */
  close(): void
}

interface PlacesDeps {
  /** Kinds with a limit. */
  limited: ReadonlySet<string>
  look: () => void
  random: () => number
}

interface Place {
  /** Tasks of the kind wait, and the last poll found it full. */
  wanted: boolean
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

export const createPlaces = ({ limited, look, random }: PlacesDeps): Places => {
  const places = new Map<string, Place>()
  for (const kind of limited) places.set(kind, { wanted: false, ends: 0, free: 0, timer: null })

  const forget = (place: Place): void => {
    if (place.timer) clearTimeout(place.timer)
    place.timer = null
    place.free = 0
  }
  const ring = (place: Place): void => {
    forget(place)
    // the poll says it again if it is still so
    place.wanted = false
    look()
  }

  return {
    looking() {
      const before = new Map([...places].map(([kind, { ends }]) => [kind, ends]))
      return kind => {
        const place = places.get(kind)
        if (!place) return
        place.wanted = true
        // a run ended during the poll, perhaps after the poll had seen the kind full
        if (place.ends !== before.get(kind)) ring(place)
      }
    },
    ended(kind) {
      const place = places.get(kind)
      if (!place) return
      place.ends += 1
      if (place.wanted) ring(place)
    },
    hear(task) {
      const place = places.get(task.kind)
      if (!place) return
      if (isEndOfRun(task)) {
        place.ends += 1
        if (!place.wanted) return
        place.free += 1
        place.timer ??= setTimeout(() => ring(place), HEAD_START_MS + SPREAD_MS * random()).unref()
      } else if (isBegin(task) && place.free > 0) {
        place.free -= 1
        if (place.free === 0) forget(place)
      }
    },
    lookAgain() {
      for (const place of places.values()) if (place.wanted) ring(place)
    },
    close() {
      for (const place of places.values()) {
        forget(place)
        place.wanted = false
      }
    },
  }
}
