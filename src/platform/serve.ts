// Opens one HTTP port over a fetch function, with limits on header, time and connections, and closes it in order.
// It knows no routes. What never reaches the fetch function (broken requests) is answered by `refuse`.
import { createServer, type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { getRequestListener, RequestError } from '@hono/node-server'
import { clientKeyOf, createTrust } from './client-address.ts'
import { createHttpConnectionLimit } from './http-connection-limit.ts'
import { closeLingering } from './lingering-close.ts'
import { listenError } from './listen-error.ts'
import type { Log } from './log.ts'
import { asksFor, refuseUpgrade, requestOf, stayHttp, type Upgrade } from './upgrade.ts'

/** Times in milliseconds, sizes in bytes. Exported for tests, which cannot wait so long. */
export const HTTP_LIMITS = {
  headerBytes: 16 * 1024,
  headersTimeout: 10_000,
  /** From the headers to the end of the body, where it may not take as long as it likes. */
  requestTimeout: 30_000,
  keepAliveTimeout: 75_000,
  /** A connection on which nothing moves, either way, is ended. */
  idleTimeout: 120_000,
  maxConnections: 1024,
  /** Of one address. */
  perAddress: 512,
  /** Beyond them, for /livez and /readyz. */
  reserved: 32,
  /** What is read and dropped of a body that nobody wants, so that the client gets to see the answer. */
  linger: { bytes: 64 * 1024 ** 2, ms: 10_000 },
  /** The same after bytes that are no HTTP. */
  brokenLingerMs: 1_000,
  /** How long close() lets running requests end. */
  closeTimeout: 5_000,
}

/** Statuses of requests that the parser refuses. */
export type RefusedStatus = 400 | 408 | 431 | 500 | 503

/** Who asks, for the shares and the limits that hold for one client. */
export interface Client {
  address: string
  /** What counts as one client: the address, of IPv6 its /64. */
  clientKey: string
}

export interface ServeEnv {
  incoming: IncomingMessage
  outgoing: ServerResponse
  client: Client
}

/** Of a request that wants to become a WebSocket, say: there is no answer to write to. */
export interface UpgradeEnv {
  client: Client
  upgrade: Upgrade
}

/** What the settings say of a port, the same for every HTTP server. */
export interface HttpDoor {
  host: string
  /** 0 picks a free one. */
  port: number
  /** Proxies in front, as TRUST_PROXY names them. */
  trustProxy?: readonly string[] | undefined
  /** How long an idle connection is kept, milliseconds. */
  keepAliveMs?: number | undefined
}

export interface UpgradeOptions {
  /** As the header names it. */
  protocol: string
  path: string
  /** Answers the request, unless it takes the connection over. */
  answer: (request: Request, env: UpgradeEnv) => Response | Promise<Response>
}

export interface ServeOptions extends HttpDoor {
  /** `env` has node's request and answer, and the client. */
  fetch: (request: Request, env: ServeEnv) => Response | Promise<Response>
  /**
   * Whether the body of a request to this address may take as long as it likes, as that of a large file does, while
   * something of it comes; left out: none may.
   */
  takesLongBody?: (url: string) => boolean
  /** What a GET may become; left out: every request stays HTTP. */
  upgrade?: UpgradeOptions
  /** The setting that chose the port, for the error when it is taken. */
  setting: string
  log: Log
  /** The body for a request that was refused before it reached `fetch`. */
  refuse?: (status: RefusedStatus) => { contentType: string; body: string }
  limits?: Partial<typeof HTTP_LIMITS>
}

export interface HttpServer {
  address: { host: string; port: number }
  /** Why somebody is turned away, for people; null while everybody does. */
  trouble(): string | null
  /** Takes no more, lets running requests end for a bounded time, then ends them. Idempotent. */
  close(): Promise<void>
}

const plainRefusal = (status: RefusedStatus) => ({
  contentType: 'text/plain; charset=utf-8',
  body: `${STATUS_CODES[status]}\n`,
})

const statusOf = (code: string | undefined): RefusedStatus => {
  if (code === 'HPE_HEADER_OVERFLOW') return 431
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400
}

interface Lingering {
  current: IncomingMessage | null
  dropRest: (incoming: IncomingMessage) => void
}

/** Opens the port. Rejects with a text for people, naming the setting, when that cannot be. */
export const serveHttp = async (options: ServeOptions): Promise<HttpServer> => {
  const { fetch, host, port, log } = options
  const { keepAliveMs: keepAliveTimeout = HTTP_LIMITS.keepAliveTimeout } = options
  const limits = { ...HTTP_LIMITS, keepAliveTimeout, ...options.limits }
  const refuse = options.refuse ?? plainRefusal
  const answering = new WeakMap<Duplex, ServerResponse>()

  const trust = createTrust(options.trustProxy ?? [])
  const clientOf = ({ socket, headers }: IncomingMessage): Client => {
    const header = headers['x-forwarded-for']
    const address = trust.clientOf(socket.remoteAddress ?? '', Array.isArray(header) ? header.join() : header)
    return { address, clientKey: clientKeyOf(address) }
  }
  const answer = (request: Request, env: unknown): Response | Promise<Response> => {
    const { incoming, outgoing } = env as ServeEnv
    return fetch(request, { incoming, outgoing, client: clientOf(incoming) })
  }
  const listener = getRequestListener(answer, {
    hostname: host.includes(':') ? `[${host}]` : host,
    errorHandler: error => {
      const status = error instanceof RequestError ? 400 : 500
      if (status === 500) log.error({ error }, 'a request failed outside of the app')
      const { contentType, body } = refuse(status)
      return new Response(body, { status, headers: { 'content-type': contentType } })
    },
  })
  const refuseRequest = (outgoing: ServerResponse, status: RefusedStatus): void => {
    const { contentType, body } = refuse(status)
    outgoing.writeHead(status, {
      'content-type': contentType,
      'content-length': Buffer.byteLength(body),
      connection: 'close',
      ...(status === 503 ? { 'retry-after': '1' } : {}),
    })
    // the body that a HEAD may not have is left out by node
    outgoing.end(body)
  }
  /** The last request of a connection, and how the rest of its body is dropped. */
  const lingers = new WeakMap<Duplex, Lingering>()
  let dropped = 0
  const connections = createHttpConnectionLimit(limits, trust, () => {
    dropped += 1
    // powers of two, so that a flood does not fill the log
    if ((dropped & (dropped - 1)) === 0)
      log.warn({ dropped, maxConnections: limits.maxConnections }, 'connections were turned away')
  })
  const broken = new WeakSet<Duplex>()

  /** A body that takes too long ends as the parser's own errors do. */
  const limitBody = (incoming: IncomingMessage): void => {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = incoming.headers
    if ((length === '0' && coding === undefined) || options.takesLongBody?.(incoming.url ?? '')) return
    const timer = setTimeout(() => {
      if (!incoming.complete)
        server.emit(
          'clientError',
          Object.assign(new Error(), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
          incoming.socket,
        )
    }, limits.requestTimeout)
    timer.unref()
    incoming.once('close', () => clearTimeout(timer))
  }

  const server = createServer(
    {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeout,
      // node's own holds for all requests alike
      requestTimeout: 0,
      keepAliveTimeout: limits.keepAliveTimeout,
      // node's own refusal has no body; the one below has
      requireHostHeader: false,
      // how exactly the two times above are kept
      connectionsCheckingInterval: Math.min(2_000, limits.headersTimeout),
    },
    (incoming: IncomingMessage, outgoing: ServerResponse) => {
      answering.set(incoming.socket, outgoing)
      const lingering = lingers.get(incoming.socket)
      if (lingering) {
        lingering.current = incoming
        outgoing.once('finish', () => lingering.dropRest(incoming))
      }
      limitBody(incoming)
      if (!connections.begin(incoming, outgoing)) refuseRequest(outgoing, 503)
      else if (incoming.httpVersion === '1.1' && incoming.headers.host === undefined)
        refuseRequest(outgoing, 400)
      else void listener(incoming, outgoing)
    },
  )
  server.setTimeout(limits.idleTimeout)

  const { upgrade: wanted } = options
  /** Connections that were given back to HTTP: they have come before. */
  const givenBack = new WeakSet<Socket>()
  const handleUpgrade = async (
    { answer }: UpgradeOptions,
    incoming: IncomingMessage,
    socket: Socket,
    head: Buffer,
  ): Promise<void> => {
    let [isTaken, isRefused] = [false, false]
    const upgrade: Upgrade = {
      incoming,
      socket,
      head,
      take() {
        isTaken = connections.hand(socket)
        isRefused = !isTaken
        return isTaken
      },
      isTaken: () => isTaken,
    }
    try {
      const answered = await answer(requestOf(incoming, host), { client: clientOf(incoming), upgrade })
      if (!isTaken) await refuseUpgrade(socket, answered)
    } catch (error) {
      if (isTaken) {
        log.error({ error }, 'a request failed outside of the app')
        return void socket.destroy()
      }
      // an address or a header that makes no request, say
      const status = isRefused ? 503 : 400
      const { contentType, body } = refuse(status)
      await refuseUpgrade(socket, new Response(body, { status, headers: { 'content-type': contentType } }))
    }
  }
  if (wanted)
    server.on('upgrade', (incoming: IncomingMessage, duplex: Duplex, head: Buffer) => {
      const socket = duplex as Socket
      if (!asksFor(wanted, incoming)) {
        givenBack.add(socket)
        stayHttp(server, { incoming, socket, head })
        return
      }
      // a client that leaves must end nothing else
      socket.on('error', () => socket.destroy())
      void handleUpgrade(wanted, incoming, socket, head)
    })

  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // what comes behind bytes that are no HTTP is dropped
    if (broken.has(socket)) return
    const running = answering.get(socket)
    const midAnswer = running?.headersSent === true && !running.writableFinished
    // bytes of a refusal in the middle of another answer would be taken for a part of it
    if (midAnswer || !socket.writable || error.code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const status = statusOf(error.code)
    const { contentType, body } = refuse(status)
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${contentType}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
    broken.add(socket)
    socket.once('end', () => socket.destroy())
    setTimeout(() => socket.destroy(), limits.brokenLingerMs).unref()
  })

  await new Promise<void>((resolve, reject) => {
    const failed = (error: Error) => reject(listenError(error, options))
    server.once('error', failed)
    server.listen(port, host, () => {
      server.off('error', failed)
      resolve()
    })
  })
  server.on('error', (error: Error) => log.error({ error }, 'the HTTP port has an error'))
  const bound = server.address() as AddressInfo

  const sockets = new Set<Socket>()
  server.on('connection', socket => {
    if (givenBack.has(socket)) return
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const lingering: Lingering = { current: null, dropRest: () => undefined }
    lingering.dropRest = closeLingering(socket, () => lingering.current, limits.linger).dropRest
    lingers.set(socket, lingering)
    connections.enter(socket)
  })

  const endWhenAnswered = (socket: Socket): void => {
    const answer = answering.get(socket)
    if (!answer || answer.writableFinished || answer.destroyed) socket.destroySoon()
    else answer.once('finish', () => socket.destroySoon())
  }
  // node's own, which close() calls, takes an answer that is written but not yet sent for an idle connection
  server.closeIdleConnections = () => {
    for (const socket of sockets) endWhenAnswered(socket)
  }

  let closing: Promise<void> | null = null
  const close = (): Promise<void> => {
    closing ??= new Promise(resolve => {
      const deadline = setTimeout(() => {
        for (const socket of sockets) socket.destroy()
      }, limits.closeTimeout)
      server.close(() => {
        clearTimeout(deadline)
        resolve()
      })
    })
    return closing
  }
  return { address: { host: bound.address, port: bound.port }, trouble: connections.trouble, close }
}
