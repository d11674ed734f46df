// Wakes who waits for a place: a kind that may run only so often at a time has tasks waiting, a run of it has ended
// somewhere, and somebody has to look. A look that finds a kind full is remembered here; the end of a run of that kind, in
// this process or told by the store's feed, is then followed by one more look. It looks into no store.
import { isRunning, type TaskRecord } from '../core/task.ts'

/**
 * Who ended a run looks at once; the others only if nobody has begun the next task within this time, of which chance adds
 * a part, so that most often one of them is enough. Milliseconds.
 */
const HEAD_START_MS = 20
const SPREAD_MS = 40

export interface Places {
  /** A look begins. What it answers is called for each kind that the look finds full. */
  looking(): (kind: string) => void
  /** A run of this process has ended, and that is durable. */
  ended(kind: string): void
  /** A record as the feed tells it, of whatever process. */
  hear(task: TaskRecord): void
  /** What was told meanwhile may have been missed. */
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
  /** Tasks of the kind wait, and the last look found it full. */
  wanted: boolean
  /** Ends of runs that were told so far. */
  ends: number
  /** Places that got free since somebody here waits, and that nobody has taken as far as is known. */
  free: number
  timer: NodeJS.Timeout | null
}

/** This very move ended a run. */
const isEndOfRun = ({ status, history }: TaskRecord): boolean =>
  !isRunning(status) && isRunning(history.at(-2)?.status ?? 'PENDING')
/** This very move began one: a wish to cancel is written later. */
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
    // the look says it again where it is so
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
        // a run ended while the look was under way, perhaps after it had seen the kind full
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
