// The connections of an HTTP server: who is let in, who is let in for the health checks alone, who is turned away.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { clientKeyOf, type Trust } from './client-address.ts'
import { createConnectionLimit } from './connection-limit.ts'

export interface HttpConnectionLimits {
  maxConnections: number
  /** Of one address, unless it is a trusted proxy's. */
  perAddress: number
  /** Beyond them, for who asks for the health of the server. */
  reserved: number
}

export interface HttpConnectionLimit {
  /** Lets a connection in, or ends it. */
  enter(socket: Socket): void
  /** Notes a request. False: the connection was let in for the health checks, and asks for something else. */
  begin(incoming: IncomingMessage, outgoing: ServerResponse): boolean
  /** The connection is no longer HTTP: it counts elsewhere. False: it was let in for the health checks alone. */
  hand(socket: Socket): boolean
  /** As `ConnectionLimit.trouble`. */
  trouble(): string | null
}

/** A connection that has just come, and a request that has just begun, are no idle ones. */
const YOUNG_MS = 2_000
/** Nor is one that was just answered: the next request may be on its way. */
const RESTING_MS = 500
/**
 * A request whose body comes at this pace or a higher one since it began, bytes per second, is under way: a large upload
 * must not be ended because somebody else of the same address connects. One that comes in drips could hold its place for
 * ever, and counts as idle.
 */
const BODY_PACE = 4_096
/** How long one that was let in for the health checks may take. */
const RESERVED_MS = 5_000
const HEALTH = /^\/(?:livez|readyz)(?:\?|$)/

interface ConnectionState {
  /** When it came, or when its last request began or was answered. */
  since: number
  /** What had come on it then, bytes. */
  bytesBefore: number
  request: { incoming: IncomingMessage; outgoing: ServerResponse } | null
  answered: boolean
}

export const createHttpConnectionLimit = (
  { maxConnections, perAddress, reserved }: HttpConnectionLimits,
  trust: Trust,
  onTurnedAway: () => void,
  /** Milliseconds of a clock that never jumps. */
  now: () => number = () => performance.now(),
): HttpConnectionLimit => {
  const states = new WeakMap<Socket, ConnectionState>()
  /** Let in for the health checks, the one that came first at the front. */
  const narrow = new Set<Socket>()

  const idleSince = (socket: Socket): number | null => {
    const state = states.get(socket)
    if (!state) return 0
    const { request, since, answered, bytesBefore } = state
    const ageMs = now() - since
    // also one whose request has not come whole, and hardly comes
    const isIdle =
      !request ||
      (!request.incoming.complete &&
        !request.outgoing.headersSent &&
        (socket.bytesRead - bytesBefore) * 1_000 < BODY_PACE * ageMs)
    return isIdle && ageMs > (answered && !request ? RESTING_MS : YOUNG_MS) ? since : null
  }
  const connections = createConnectionLimit<Socket>({
    total: maxConnections,
    perOwner: perAddress,
    idleSince,
    end: socket => socket.destroy(),
  })

  const enterNarrow = (socket: Socket): void => {
    onTurnedAway()
    narrow.add(socket)
    socket.once('close', () => narrow.delete(socket))
    const timer = setTimeout(() => socket.destroy(), RESERVED_MS).unref()
    socket.once('close', () => clearTimeout(timer))
    const [oldest] = narrow
    // who asks at once is answered before the next ones push it out
    if (narrow.size > reserved) oldest?.destroy()
  }

  return {
    enter(socket) {
      const address = socket.remoteAddress ?? ''
      states.set(socket, { since: now(), bytesBefore: 0, request: null, answered: false })
      if (connections.take(socket, trust.isProxy(address) ? null : clientKeyOf(address)))
        socket.once('close', () => connections.leave(socket))
      else enterNarrow(socket)
    },
    begin(incoming, outgoing) {
      const { socket } = incoming
      const state = states.get(socket)
      if (state) {
        Object.assign(state, {
          ...{ since: now(), bytesBefore: socket.bytesRead, request: { incoming, outgoing } },
        })
        outgoing.once('close', () => Object.assign(state, { since: now(), request: null, answered: true }))
      }
      if (!narrow.has(socket)) return true
      outgoing.shouldKeepAlive = false
      return HEALTH.test(incoming.url ?? '')
    },
    hand(socket) {
      if (narrow.has(socket)) return false
      connections.leave(socket)
      return true
    },
    trouble: connections.trouble,
  }
}
