// The change feed: one stream in Redis, kept to its last changes. One reader per process follows its end and keeps
// the latest changes; a reader that is further behind reads from the stream. A cursor is a place in the stream.
import { createWakeup, type Wakeup } from '../../core/async/wakeup.ts'
import { isCollection } from '../../core/documents.ts'
import { isMadhavaError, MadhavaError } from '../../core/errors.ts'
import type { Change, ChangedTasks, RemovedTask } from '../../core/store.ts'
import { turns } from '../../core/turns.ts'
import type { Log } from '../../platform/log.ts'
import type { RedisConnection } from '../../platform/redis.ts'
import { redisError } from './errors.ts'
import { idIn, removedIn } from './feed-entry.ts'
import { decode } from './records.ts'

/** Changes kept here for those who follow. */
const KEPT = 2_000
const BATCH = 500
const BLOCK_MS = 2_000
const PAUSE_MS = 250
/** From one answer to the next question, when changes come faster: a call for each would cost more than the change. */
const RUSH_MS = 5
/** A connection that is lost for longer ends its followers; shorter gaps are only a pause. */
const PATIENCE_MS = 15_000
/** A place so far in the future was never given out. */
const FUTURE_MS = 3_600_000

type StreamPosition = readonly [ms: number, seq: number]
type StreamEntry = [id: string, fields: string[]]

const parsePlace = (text: string): StreamPosition | null => {
  const [, ms, seq] = /^(\d{1,15})-(\d{1,10})$/.exec(text) ?? []
  return ms === undefined ? null : [Number(ms), Number(seq)]
}
const compare = (a: StreamPosition, b: StreamPosition): number => a[0] - b[0] || a[1] - b[1]

export interface StreamFeed {
  cursor(): Promise<string>
  changes(since: string, signal: AbortSignal): AsyncIterable<Change>
  changedSince(since: string): Promise<ChangedTasks>
  /** Ends every iteration. Idempotent. */
  close(): void
}

interface FeedDeps {
  redis: RedisConnection
  /** A connection that may be held up by waiting. */
  openTail: () => RedisConnection
  key: string
  /** A word of this database's beginning: cursors of another one are refused. */
  epoch: string
  readJson: (id: string) => Promise<string | null>
  clock: () => Date
  log: Log
}

export const createFeed = ({ redis, openTail, key, epoch, readJson, clock, log }: FeedDeps): StreamFeed => {
  const closing = new AbortController()
  const readers = new Set<Wakeup>()
  const wakeAll = (): void => {
    for (const reader of readers) reader.wake()
  }
  /** What came after `since`, oldest first; null while nobody follows. */
  let ring: { since: StreamPosition; entries: { place: StreamPosition; fields: string[] }[] } | null = null
  let failing: { since: number; error: unknown } | null = null
  let tail: RedisConnection | null = null

  const lastPlace = async (from: RedisConnection): Promise<string> => {
    const [last] = (await from.call('XREVRANGE', key, '+', '-', 'COUNT', 1)) as StreamEntry[]
    return last?.[0] ?? '0-0'
  }

  /** Whether the stream still has the entry at this place, and with it all that came after. */
  const isThere = async (from: RedisConnection, place: string): Promise<boolean> =>
    ((await from.call('XRANGE', key, place, place)) as StreamEntry[]).length > 0

  const followTail = async (own: RedisConnection): Promise<void> => {
    let at: string | null = null
    while (!closing.signal.aborted) {
      try {
        await own.ready(PATIENCE_MS)
        if (at === null || !ring) {
          at = await lastPlace(own)
          ring = { since: parsePlace(at) ?? [0, 0], entries: [] }
          wakeAll()
        } else if (!(await isThere(own, at))) {
          // after a failover the stream may have lost its end, with changes that were handed out; or, after a long
          // absence, what came next
          ring = null
          wakeAll()
          continue
        }
        failing = null
        let newsAt = Number.NEGATIVE_INFINITY
        while (!closing.signal.aborted) {
          const answer = (await own.call('XREAD', 'COUNT', BATCH, 'BLOCK', BLOCK_MS, 'STREAMS', key, at)) as
            | [string, StreamEntry[]][]
            | null
          const entries: StreamEntry[] = answer?.[0]?.[1] ?? []
          for (const [id, fields] of entries) {
            at = id
            ring.entries.push({ place: parsePlace(id) ?? [0, 0], fields })
          }
          if (ring.entries.length > 2 * KEPT) {
            const cut: number = ring.entries.length - KEPT
            ring = { since: ring.entries[cut - 1]?.place ?? ring.since, entries: ring.entries.slice(cut) }
          }
          if (entries.length === 0) continue
          wakeAll()
          const before = newsAt
          newsAt = performance.now()
          if (newsAt - before < RUSH_MS + RUSH_MS)
            await new Promise(resolve => setTimeout(resolve, RUSH_MS).unref())
        }
      } catch (error) {
        if (closing.signal.aborted) return
        if (!failing) log.debug({ error }, 'the end of the change feed cannot be read; trying again')
        failing ??= { since: performance.now(), error }
        wakeAll()
        await new Promise(resolve => setTimeout(resolve, PAUSE_MS).unref())
      }
    }
  }
  const startTail = (): void => {
    if (tail || closing.signal.aborted) return
    tail = openTail()
    void followTail(tail)
  }

  /**
   * What comes after the place in the stream itself. The place's own entry must be there: then nothing after it is
   * missing, and it was not lost with a server, whose successor may have written on since.
   * @throws CURSOR_TOO_OLD
   */
  const readOn = async (from: StreamPosition): Promise<{ place: StreamPosition; fields: string[] }[]> => {
    const start = `${from[0]}-${from[1]}`
    const answer = await redis.call('XRANGE', key, start, '+', 'COUNT', BATCH + 1)
    const [own, ...found] = answer as StreamEntry[]
    const there = parsePlace(own?.[0] ?? '')
    if (!there || compare(there, from) !== 0) throw new MadhavaError('CURSOR_TOO_OLD')
    return found.map(([id, fields]) => ({ place: parsePlace(id) ?? [0, 0], fields }))
  }

  /** The same of the entries that are kept here; null: they do not tell, as where the place is not among them. */
  const readKept = (from: StreamPosition): { place: StreamPosition; fields: string[] }[] | null => {
    if (!ring) return null
    const { since, entries } = ring
    // from the end: a follower is mostly there
    let first = entries.length
    while (first > 0 && compare(entries[first - 1]?.place ?? since, from) > 0) first -= 1
    return compare(entries[first - 1]?.place ?? since, from) === 0 ? entries.slice(first) : null
  }

  /** Null when a later entry has replaced this one, and for what this version does not know. */
  const tell = async (fields: readonly string[], cursor: string): Promise<Change | null> => {
    const [name, value = '', , claim, , rev] = fields
    if (name === 'task') return { type: 'task', cursor, task: decode(value) }
    if (name === 'revoke') return { type: 'revoke', cursor, id: value, at: claim ?? '' }
    if (name === 'document') {
      if (!isCollection(value)) return null
      return { type: 'document', cursor, collection: value, name: claim ?? '' }
    }
    if (name === 'removed') return { type: 'removed', cursor, id: value, ...removedIn(fields) }
    if (name !== 'large') return null
    const json = await readJson(value)
    const task = json === null ? null : decode(json)
    return task?.claim === Number(claim) && task.rev === Number(rev) ? { type: 'task', cursor, task } : null
  }

  const encodeCursor = (place: StreamPosition): string => `${epoch}.${place[0]}-${place[1]}`
  /** @throws BAD_CURSOR */
  const decodeCursor = (cursor: string): StreamPosition => {
    const [, named, placed] = /^([0-9a-f]{12})\.(\S{3,30})$/.exec(cursor) ?? []
    const place = parsePlace(placed ?? '')
    if (!place || named !== epoch || place[0] > clock().getTime() + FUTURE_MS)
      throw new MadhavaError('BAD_CURSOR')
    return place
  }

  /** What comes after a place, until the signal fires; `more` resolves when there may be more. */
  async function* readFrom(
    from: StreamPosition,
    ending: AbortSignal,
    more: () => Promise<void>,
  ): AsyncGenerator<Change> {
    let at = from
    let begun = false
    let away: number | null = null
    while (!ending.aborted) {
      let found = readKept(at)
      if (!found) {
        try {
          found = await readOn(at)
          away = null
        } catch (error) {
          // an established follower waits for Redis; a new one gets the error at once
          away ??= performance.now()
          const over = !begun || performance.now() - away > PATIENCE_MS
          if (over || !isMadhavaError(error, 'STORE_UNAVAILABLE')) throw error
          await new Promise(resolve => setTimeout(resolve, PAUSE_MS).unref())
          continue
        }
      }
      begun = true
      for (const { place, fields } of found) {
        at = place
        const change = await tell(fields, encodeCursor(place))
        if (ending.aborted) return
        if (change) yield change
        if (ending.aborted) return
      }
      if (found.length > 0) continue
      if (failing && performance.now() - failing.since > PATIENCE_MS) throw redisError(failing.error)
      // it may have come while the stream was read
      if (ring && compare(ring.entries.at(-1)?.place ?? ring.since, at) > 0) continue
      await more()
    }
  }

  async function* changes(since: string, signal: AbortSignal): AsyncGenerator<Change> {
    if (closing.signal.aborted) throw new MadhavaError('STORE_UNAVAILABLE', 'The store is closed')
    const from = decodeCursor(since)
    const ending = AbortSignal.any([signal, closing.signal])
    const wakeup = createWakeup()
    readers.add(wakeup)
    ending.addEventListener('abort', wakeup.wake)
    startTail()
    try {
      yield* readFrom(from, ending, wakeup.wait)
    } finally {
      readers.delete(wakeup)
      ending.removeEventListener('abort', wakeup.wake)
    }
  }

  return {
    async cursor() {
      return `${epoch}.${await lastPlace(redis)}`
    },
    changes,
    async changedSince(since) {
      let at = decodeCursor(since)
      const end = parsePlace(await lastPlace(redis)) ?? at
      const ids = new Set<string>()
      const removed = new Map<string, RemovedTask>()
      do {
        const found = await readOn(at)
        for (const { fields } of found) {
          const id = idIn(fields)
          if (id !== null) {
            ids.add(id)
            removed.delete(id)
            const gone = removedIn(fields)
            if (gone.owner !== undefined) removed.set(id, gone)
          }
          const pause = turns.spend(1, fields[1]?.length)
          if (pause) await pause
        }
        at = found.at(-1)?.place ?? end
      } while (compare(at, end) < 0)
      return { ids: [...ids], removed, cursor: encodeCursor(at) }
    },
    close() {
      closing.abort()
      tail?.close()
      wakeAll()
    },
  }
}
