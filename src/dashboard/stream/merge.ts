// Many topics as one sequence of events, each with the places of all topics, so that a page goes on where it was.
import { createWakeup } from '../../core/async/wakeup.ts'
import { ERRORS, toMadhavaError } from '../../core/errors.ts'
import type { Topic, TopicEvent, TopicQuestion } from './topic.ts'

export interface OpenTopic {
  /** As the page wrote it, with its argument. */
  name: string
  open: Topic
  argument: string
}

export interface PageEvent {
  topic: string
  event: string
  data: unknown
  /** The places of all topics after this event; null where none has one. */
  id: string | null
}

/** How long a topic that failed is left alone, milliseconds. */
export const RETRY_MS = 2_000

/** Places as the id of an event, and back. It has no line ends. */
export const idOf = (places: ReadonlyMap<string, string>): string | null =>
  places.size === 0 ? null : new URLSearchParams([...places]).toString()
export const placesIn = (id: string | null): Map<string, string> => new Map(new URLSearchParams(id ?? ''))

interface Lane extends OpenTopic {
  events: AsyncGenerator<TopicEvent[], void, void> | null
  isAsked: boolean
  isOver: boolean
  hasFailed: boolean
  ready: TopicEvent[] | null
  failure: { error: unknown } | null
  /** After a failure, until it is opened again. */
  isResting: boolean
  timer?: NodeJS.Timeout
}

export interface MergeOptions {
  topics: readonly OpenTopic[]
  /** The id of the last event that the page saw. */
  since: string | null
  question: Pick<TopicQuestion, 'actor' | 'signal'>
  retryMs?: number
}

export const mergeTopics = async function* ({
  topics,
  since,
  question,
  retryMs = RETRY_MS,
}: MergeOptions): AsyncGenerator<PageEvent[], void, void> {
  const { signal } = question
  const known = placesIn(since)
  /** Only of topics that are asked for: others would make the id longer for ever. */
  const places = new Map<string, string>()
  const { wake, wait } = createWakeup()
  signal.addEventListener('abort', wake)
  const atRest = {
    events: null,
    isAsked: false,
    isOver: false,
    hasFailed: false,
    ready: null,
    failure: null,
    isResting: false,
  }
  const lanes: Lane[] = topics.map(topic => {
    const place = known.get(topic.name)
    if (place !== undefined) places.set(topic.name, place)
    return { ...topic, ...atRest }
  })

  const ask = (lane: Lane): void => {
    if (lane.isAsked || lane.isOver || lane.isResting || lane.ready || lane.failure) return
    lane.isAsked = true
    const { argument, name } = lane
    lane.events ??= lane.open({ ...question, argument, since: places.get(name) ?? null })
    lane.events.next().then(
      ({ done, value }) => {
        lane.isAsked = false
        if (done) lane.isOver = true
        else lane.ready = value
        wake()
      },
      (error: unknown) => {
        lane.isAsked = false
        lane.events = null
        lane.failure = { error }
        wake()
      },
    )
  }

  const eventsOf = (lane: Lane): PageEvent[] => {
    const found = lane.ready ?? []
    lane.ready = null
    const told = found.map(({ event, data, place }): PageEvent => {
      if (place) places.set(lane.name, place)
      return { topic: lane.name, event, data, id: idOf(places) }
    })
    if (!lane.hasFailed || told.length === 0) return told
    lane.hasFailed = false
    return [{ topic: lane.name, event: 'topic', data: { code: null }, id: null }, ...told]
  }

  const failureOf = (lane: Lane, error: unknown): PageEvent[] => {
    lane.failure = null
    const { code, message } = toMadhavaError(error)
    const willRetry = ERRORS[code].status >= 500
    if (willRetry) {
      lane.isResting = true
      lane.timer = setTimeout(() => {
        lane.isResting = false
        wake()
      }, retryMs)
      if (lane.hasFailed) return []
    } else lane.isOver = true
    lane.hasFailed = true
    const detail = ERRORS[code].status === 500 ? null : message
    return [{ topic: lane.name, event: 'topic', data: { code, detail, willRetry }, id: null }]
  }

  try {
    while (!signal.aborted) {
      for (const lane of lanes) ask(lane)
      const events: PageEvent[] = []
      for (const lane of lanes) {
        if (lane.ready) events.push(...eventsOf(lane))
        if (lane.failure) events.push(...failureOf(lane, lane.failure.error))
      }
      if (events.length === 0) await wait()
      else yield events
    }
  } finally {
    signal.removeEventListener('abort', wake)
    for (const lane of lanes) {
      clearTimeout(lane.timer)
      lane.events?.return().catch(() => undefined)
    }
  }
}
