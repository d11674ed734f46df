// GET /stream: everything that a page is told while it is open, over one connection. Server-Sent Events.

import { randomUUID } from 'node:crypto'
import { Hono } from 'hono'
import { eventText } from '../../api/sse.ts'
import { createStreams, STREAM_LIMITS } from '../../api/streams.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { Log } from '../../platform/log.ts'
import type { ServeEnv } from '../../platform/serve.ts'
import { type DashboardEnv, requireSession, whoOf } from '../access/caller.ts'
import { DEED_OF_TOPIC, demandRight, isTopic, type Who } from '../access/rights.ts'
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
  log: Log
  /** Fires when the server closes. */
  closing: AbortSignal
}

const write = ({ topic, event, data, id }: PageEvent): string => eventText(event, { topic, data }, id)

/** `topic=tasks:status%3DFAILURE&topic=processes`: names with their arguments. @throws BAD_REQUEST, FORBIDDEN */
const readTopics = (given: readonly string[], topics: Topics, who: Who): OpenTopic[] => {
  const names = [...new Set(given)]
  if (names.length > TOPICS_MAX)
    throw new MadhavaError('BAD_REQUEST', `A page may follow at most ${TOPICS_MAX} topics`)
  return names.map(name => {
    const colon = name.indexOf(':')
    const word = colon < 0 ? name : name.slice(0, colon)
    const open = isTopic(word) ? topics[word] : undefined
    if (!isTopic(word) || !open)
      throw new MadhavaError('BAD_REQUEST', `There is no topic of the name ${word}`)
    demandRight(who, DEED_OF_TOPIC[word])
    return { name, open, argument: colon < 0 ? '' : name.slice(colon + 1) }
  })
}

export const createStreamRoutes = ({ topics, log, closing }: StreamRoutesOptions): Hono<DashboardEnv> => {
  const streams = createStreams(closing, { ...STREAM_LIMITS, open: 128, perClient: 64 })
  return new Hono<DashboardEnv>().get('/stream', requireSession('tasks.look'), c => {
    const who = whoOf(c)
    const known = readTopics(c.req.queries('topic') ?? [], topics, who)
    const client = (c.env as Partial<ServeEnv> | undefined)?.client?.clientKey ?? null
    // who may do something else from now on has another page
    const stream = streams.open(c.req.raw.signal, client, c.get('watch')())
    const events = mergeTopics({
      topics: known,
      since: c.req.header('last-event-id') ?? null,
      question: { actor: who.actor, signal: stream.signal },
    })
    return c.body(
      streams.body({ stream, events, write, ended: () => 'broken', log, requestId: randomUUID() }),
      200,
      HEADERS,
    )
  })
}
