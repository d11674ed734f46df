// Servers on 127.0.0.1 that behave as they please, and a fetch that may reach them.
import { createServer as createHttp, type RequestListener } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createServer as createTls } from 'node:tls'
import type { PageParams } from '../../../src/kinds/lib/parse/page-schema.ts'
import { type Around, parsePage } from '../../../src/kinds/lib/parse/parse-page.ts'

export interface RudeServer {
  port: number
  url: string
  /** How many connections it has had. */
  connections(): number
  /** The bytes of requests that it has had, as text. */
  heard(): string
  close(): Promise<void>
}

const open = async (server: Server, scheme: string): Promise<RudeServer> => {
  const sockets = new Set<Socket>()
  let connections = 0
  let heard = ''
  server.on('connection', socket => {
    connections += 1
    sockets.add(socket)
    socket.on('data', data => {
      heard += data.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${scheme}://127.0.0.1:${port}`,
    connections: () => connections,
    heard: () => heard,
    close() {
      for (const socket of sockets) socket.destroy()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

export const serve = (listener: RequestListener): Promise<RudeServer> => open(createHttp(listener), 'http')

/** `speak` has the connection once the request is there. */
export const serveRaw = (speak: (socket: Socket) => void): Promise<RudeServer> =>
  open(
    createServer(socket => void socket.once('data', () => speak(socket))),
    'http',
  )

export const serveTls = (key: string, cert: string, answer: () => string): Promise<RudeServer> => {
  const server = createTls({ key, cert }, socket => {
    socket.on('error', () => undefined)
    socket.once('data', () => socket.end(answer()))
  })
  server.on('tlsClientError', () => undefined)
  return open(server, 'https')
}

/** The whole of an answer with this body, as bytes of HTTP. */
export const plain = (body: string, headers = 'content-type: text/html'): string =>
  `HTTP/1.1 200 OK\r\n${headers}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`

/** Fetches from servers that `allow` names. */
export const fetchFrom = (
  url: string,
  allow: readonly string[],
  { params = {}, ...around }: Partial<Omit<Around, 'allow'>> & { params?: Partial<PageParams> } = {},
) =>
  parsePage(
    { url, robots: false, maxBytes: 1_000_000, timeoutSeconds: 120, ...params },
    { allow, signal: new AbortController().signal, progress() {}, ...around },
  )
