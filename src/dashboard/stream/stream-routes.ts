// GET /stream: everything that a page is told while it is open, over one connection. Server-Sent Events.

import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { getCookie } from 'hono/cookie'
import { eventText } from '../../api/sse.ts'
import { createStreams, STREAM_LIMITS } from '../../api/streams.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { ServeEnv } from '../../platform/serve.ts'
import { type DashboardEnv, requireSession, whoOf } from '../access/caller.ts'
import { actorOfWho } from '../access/rights.ts'
import { SESSION_COOKIE, type Sessions } from '../access/session.ts'
import { SESSION_ENDED, sessionTopic } from './health-topic.ts'
import { mergeTopics, type OpenTopic, type PageEvent } from './merge.ts'
import type { Topics } from './topic.ts'

/** Of one page. */
const TOPICS_MAX = 16
const HEADERS = {
  'Content-Type': 'text/event-stream; charset=utf-8',
  // a proxy that changes or collects what passes would hold events back
  'Cache-Control': 'no-store, no-transform',
  'X-Accel-Buffering': 'no',
}

export interface StreamRoutesOptions {
  topics: Topics
  session: Sessions
  log: Log
  /** Fires when the server closes. */
  closing: AbortSignal
}

const write = ({ topic, event, data, id }: PageEvent): string => eventText(event, { topic, data }, id)

/** `topic=tasks:status%3DFAILURE&topic=processes`: names with their arguments. @throws BAD_REQUEST */
const readTopics = (given: readonly string[], topics: Topics): OpenTopic[] => {
  const names = [...new Set(given)]
  if (names.length > TOPICS_MAX)
    throw new MadhavaError('BAD_REQUEST', `A page may follow at most ${TOPICS_MAX} topics`)
  return names.map(name => {
    const colon = name.indexOf(':')
    const word = colon < 0 ? name : name.slice(0, colon)
    const open = Object.hasOwn(topics, word) ? topics[word] : undefined
    if (!open) throw new MadhavaError('BAD_REQUEST', `There is no topic of the name ${word}`)
    return { name, open, argument: colon < 0 ? '' : name.slice(colon + 1) }
  })
}

export const createStreamRoutes = ({
  topics,
  session,
  log,
  closing,
}: StreamRoutesOptions): Hono<DashboardEnv> => {
  const streams = createStreams(closing, { ...STREAM_LIMITS, open: 128, perClient: 64 })
  return new Hono<DashboardEnv>().get('/stream', requireSession, c => {
    const known = readTopics(c.req.queries('topic') ?? [], topics)
    const cookie = getCookie(c, SESSION_COOKIE)
    const client = (c.env as Partial<ServeEnv> | undefined)?.client?.clientKey ?? null
    const stream = streams.open(c.req.raw.signal, client)
    const isCurrent = async (): Promise<boolean> => (await session.check(cookie)) !== null
    const events = mergeTopics({
      topics: [...known, { name: 'session', argument: '', open: sessionTopic(isCurrent) }],
      since: c.req.header('last-event-id') ?? null,
      question: { actor: actorOfWho(whoOf(c)), signal: stream.signal },
      lastEvent: SESSION_ENDED,
    })
    return c.body(
      streams.body({ stream, events, write, ended: () => 'broken', log, requestId: randomUUID() }),
      200,
      HEADERS,
    )
  })
}
