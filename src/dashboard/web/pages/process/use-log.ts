// A log of a process: its end or the lines around a moment, older and later ones on demand, and the new ones live.
import { useEffect, useRef, useState } from 'preact/hooks'
import { get, ProblemError } from '../../state/api.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'
import {
  EMPTY,
  type LogState,
  MOST_LINES,
  type ShownLine,
  shownLines,
  trimmed,
  withLater,
  withLive,
  withOlder,
  withPage,
} from './log-state.ts'
import type { Level, LogLine, LogPage, LogStream } from './log-types.ts'

export interface LogQuestion {
  name: string
  streams: readonly LogStream[]
  level: Level | null
  search: string | null
  /** ISO 8601: the lines around it, which are not followed. */
  at: string | null
}

export interface UsedLog {
  asked: Asked<LogState>
  isPaused: boolean
  /** How many came while it is paused. */
  waiting: number
  setPaused(isPaused: boolean): void
  older(): Promise<void>
  later(): Promise<void>
  isBusy: boolean
}

const PAGE_LINES = 300
/** A page reads at most 4 MiB, so what is rare may need several. */
const TRIES = 6

/** The page before a place, and those before that while they are empty. */
const pageBefore = async (
  read: (query: Record<string, string | null>) => Promise<LogPage>,
  before: string | null,
): Promise<LogPage> => {
  let page = await read({ before })
  const { after, bytes } = page
  for (let tries = 1; page.lines.length === 0 && page.before !== null && tries < TRIES; tries += 1)
    page = await read({ before: page.before })
  return { ...page, after, bytes }
}

/** @param isFollowing while the reader is at the end, what is far above may go */
export const useLog = (question: LogQuestion, isFollowing: () => boolean): UsedLog => {
  const { name, streams, level, search, at } = question
  const path = (stream: LogStream): string => `/logs/${encodeURIComponent(name)}/${stream}.json`
  const reader =
    (stream: LogStream, signal?: AbortSignal) =>
    (place: Record<string, string | null>): Promise<LogPage> =>
      get<LogPage>(path(stream), {
        query: { limit: PAGE_LINES, level, search, ...place },
        ...(signal ? { signal } : {}),
      })
  const key = JSON.stringify(question)
  const asked = useAsked(key, async (signal): Promise<LogState> => {
    const pages = await Promise.all(
      streams.map(stream => (at ? reader(stream, signal)({ at }) : pageBefore(reader(stream, signal), null))),
    )
    return pages.reduce((state, page, index) => withPage(state, streams[index] ?? 'out', page), EMPTY)
  })
  const [isPaused, setPaused] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [waiting, setWaiting] = useState(0)
  const held = useRef<ShownLine[]>([])
  useEffect(() => {
    held.current = []
    setWaiting(0)
    setPaused(false)
  }, [key])

  const show = (lines: readonly ShownLine[]): void =>
    asked.change(state => trimmed(withLive(state, lines), isFollowing() ? MOST_LINES : MOST_LINES * 3))
  const take = (stream: LogStream, { lines, gap }: { lines: LogLine[]; gap: boolean }): void => {
    const found = shownLines(stream, lines, gap)
    if (found.length === 0) return
    if (!isPaused) {
      show(found)
      return
    }
    held.current = [...held.current, ...found].slice(-MOST_LINES)
    setWaiting(count => count + found.length)
  }
  const topicOf = (stream: LogStream): string | null => {
    if (!asked.value || at || !streams.includes(stream)) return null
    const query = new URLSearchParams()
    for (const [word, value] of Object.entries({ level, search, after: asked.value.after[stream] }))
      if (value !== null) query.set(word, value)
    return `log:${encodeURIComponent(name)}:${stream}?${query}`
  }
  useTopic(topicOf('out'), { log: (step: { lines: LogLine[]; gap: boolean }) => take('out', step) })
  useTopic(topicOf('err'), { log: (step: { lines: LogLine[]; gap: boolean }) => take('err', step) })

  const more = async (
    place: 'before' | 'after',
    add: (state: LogState, stream: LogStream, page: LogPage) => LogState,
  ): Promise<void> => {
    const from = asked.value?.[place]
    if (!from || isBusy) return
    setBusy(true)
    try {
      for (const stream of streams) {
        const begin = from[stream]
        if (begin === null) continue
        const read = reader(stream)
        const page = await (place === 'before' ? pageBefore(read, begin) : read({ after: begin }))
        asked.change(state => add(state, stream, page))
      }
    } catch (error) {
      // the log was cut, and its places are others now
      if (error instanceof ProblemError) asked.again()
      else throw error
    } finally {
      setBusy(false)
    }
  }

  return {
    asked,
    isPaused,
    waiting,
    isBusy,
    setPaused(next) {
      setPaused(next)
      if (next) return
      show(held.current)
      held.current = []
      setWaiting(0)
    },
    older: () => more('before', withOlder),
    later: () => more('after', withLater),
  }
}
