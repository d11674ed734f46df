// A request that wants to become something else than HTTP: who gets it, and how everything else stays HTTP. It knows no
// protocol.
import { type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'

/** What whoever takes the connection over is handed. */
export interface Upgrade {
  incoming: IncomingMessage
  socket: Socket
  /** What came behind the request's head. */
  head: Buffer
  /** Takes the connection: then no HTTP answer is written. False: it was let in for the health checks alone. */
  take(): boolean
  isTaken(): boolean
}

/** The request as the app sees it: a GET, without a body. */
export const requestOf = ({ url = '/', headers }: IncomingMessage, host: string): Request => {
  const fields = new Headers()
  for (const [name, value] of Object.entries(headers))
    for (const one of [value ?? []].flat()) fields.append(name, one)
  return new Request(new URL(url, `http://${headers.host ?? host}`), { headers: fields })
}

/** Whether a request asks for what the server can become at this path, and nothing else. */
export const asksFor = (
  { protocol, path }: { protocol: string; path: string },
  { method, url = '', headers }: IncomingMessage,
): boolean => method === 'GET' && headers.upgrade?.toLowerCase() === protocol && url.split('?', 1)[0] === path

/** Headers that belong to one connection, and say that it should become another. */
const OF_UPGRADE = ['upgrade', 'connection', 'http2-settings']

/**
 * Gives the connection back to the HTTP server, with the request as it would be without its wish. As long as anybody
 * listens for upgrades, Node takes every such request out of HTTP, whatever it wishes for: `curl --http2` sends one
 * with each POST.
 */
export const stayHttp = (
  server: Server,
  { incoming, socket, head }: Pick<Upgrade, 'incoming' | 'socket' | 'head'>,
): void => {
  const { method, url, httpVersion, rawHeaders } = incoming
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let n = 0; n < rawHeaders.length; n += 2)
    if (!OF_UPGRADE.includes((rawHeaders[n] ?? '').toLowerCase()))
      lines.push(`${rawHeaders[n]}: ${rawHeaders[n + 1]}`)
  const wishes = (incoming.headers.connection ?? '').toLowerCase().split(/\s*,\s*/)
  lines.push(`connection: ${wishes.includes('close') ? 'close' : 'keep-alive'}`)
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  server.emit('connection', socket)
}

/** Writes an answer to a connection that stays HTTP, and ends it. */
export const refuseUpgrade = async (socket: Socket, answer: Response): Promise<void> => {
  const body = Buffer.from(await answer.arrayBuffer())
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`]
  for (const [name, value] of answer.headers)
    if (!['connection', 'content-length', 'transfer-encoding'].includes(name)) lines.push(`${name}: ${value}`)
  lines.push(`content-length: ${body.length}`, 'connection: close')
  socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]))
  // a client that keeps its side open holds nothing
  socket.destroySoon()
}
