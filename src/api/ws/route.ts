// GET /ws: a WebSocket with the events of tasks, through the upgrade of the HTTP server. POST /ws/ticket: a way in for
// pages that can send no header.
import { Hono } from 'hono'
import { WebSocketServer } from 'ws'
import type { z } from 'zod'
import { MadhavaError } from '../../core/errors.ts'
import { demand } from '../../core/policy.ts'
import { ticketMade } from '../access-schemas.ts'
import { type ApiContext, type ApiDeps, type ApiEnv, clientKeyIn } from '../context.ts'
import { refuseCrossSite } from '../guards.ts'
import { JSON_TYPE, sendJson } from '../json.ts'
import { watchQuery } from '../list-query.ts'
import { describe, type Operation } from '../operation.ts'
import { withOwnerId } from '../owner-names.ts'
import { defineQuery, textParameter } from '../query.ts'
import type { Streams } from '../streams.ts'
import { createEventFrames } from './frames.ts'
import { MESSAGE_LIMIT } from './messages.ts'
import { serveSocket } from './socket.ts'

/** What a GET becomes here, for the HTTP server. */
export const SOCKET = { protocol: 'websocket', path: '/ws' } as const

const socketQuery = defineQuery({
  ticket: textParameter(200).optional().describe('of POST /ws/ticket; it works once'),
  since: watchQuery.parameters.since as z.ZodType<string | undefined>,
  snapshot: watchQuery.parameters.snapshot as z.ZodType<boolean>,
})

const openSocket: Operation = {
  id: 'openSocket',
  need: 'anyone',
  tag: 'lists',
  summary: 'A WebSocket with the changes of tasks as they happen',
  description:
    'Whoever has logged in gets the events of their own tasks at once, on `mine`, and subscribes to more that they may see. It needs the scope `read`. docs/access.md has the messages.',
  query: socketQuery,
  answers: { 101: { description: 'The socket.' } },
  errors: ['SCOPE_MISSING', 'UPGRADE_NEEDED', 'CROSS_SITE', 'TOO_MANY_STREAMS', 'SHUTTING_DOWN'],
}

const makeTicket: Operation = {
  id: 'makeTicket',
  need: 'login',
  tag: 'access',
  summary: 'A ticket for one WebSocket, for whoever cannot send a header with it',
  answers: { 201: { description: 'The ticket.', content: { [JSON_TYPE]: ticketMade } } },
  errors: ['TOO_MANY_REQUESTS', 'STORE_FULL'],
}

export const socketRoutes =
  (sockets: Streams) =>
  ({ service, access, log, closing }: ApiDeps): Hono<ApiEnv> => {
    const server = new WebSocketServer({
      noServer: true,
      maxPayload: MESSAGE_LIMIT,
      perMessageDeflate: false,
    })
    const frames = createEventFrames()

    const upgrade = async (c: ApiContext): Promise<Response> => {
      const { ticket, since = null, snapshot } = socketQuery.read(c.req.url)
      const wanted = c.env?.upgrade
      if (!wanted) {
        c.header('Upgrade', 'websocket')
        throw new MadhavaError('UPGRADE_NEEDED')
      }
      // a browser lets any page open a socket to anywhere, and sends the cookies of a login with it
      refuseCrossSite(c)
      const actor = ticket === undefined ? c.get('actor') : await access.redeemTicket(ticket, 'rest')
      demand(actor, 'read')
      const gone = new AbortController()
      const place = sockets.open(gone.signal, actor.account ?? clientKeyIn(c), access.watch(actor))
      if (!wanted.take()) {
        place.close()
        throw new MadhavaError('OVERLOADED', 'No connection is free')
      }
      wanted.socket.once('close', () => {
        gone.abort()
        place.close()
      })
      server.handleUpgrade(wanted.incoming, wanted.socket, wanted.head, socket => {
        const { end } = serveSocket({
          ...{ socket, connection: wanted.socket, actor, service, frames, log },
          withOwnerId: filter => withOwnerId(access, filter),
          from: { since, snapshot },
        })
        const ended = (): void => {
          if (gone.signal.aborted) return
          end(place.isLoginOver() ? 'login' : closing.aborted ? 'shutdown' : 'broken')
        }
        if (place.signal.aborted) ended()
        else place.signal.addEventListener('abort', ended)
      })
      // nobody reads it: the connection is no longer HTTP
      return c.body(null, 204)
    }

    return new Hono<ApiEnv>()
      .get('/ws', describe(openSocket), upgrade)
      .post('/ws/ticket', describe(makeTicket), async c =>
        sendJson(c, await access.makeTicket(c.get('actor')), 201),
      )
  }
