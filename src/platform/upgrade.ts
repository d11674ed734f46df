// A request that wants to become something else than HTTP, and the answer when it may not. It knows no protocol.
import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'

/** What whoever takes the connection over is handed. */
export interface Upgrade {
  incoming: IncomingMessage
  socket: Duplex
  /** What came behind the request's head. */
  head: Buffer
  /** Set by whoever takes it over: then no HTTP answer is written. */
  isTaken: boolean
}

/** The request as the app sees it: it has no body. */
export const requestOf = ({ url = '/', headers }: IncomingMessage, host: string): Request => {
  const fields = new Headers()
  for (const [name, value] of Object.entries(headers))
    for (const one of [value ?? []].flat()) fields.append(name, one)
  return new Request(new URL(url, `http://${headers.host ?? host}`), { headers: fields })
}

/** Writes an answer to a connection that stays HTTP, and ends it. */
export const refuseUpgrade = async (socket: Duplex, answer: Response): Promise<void> => {
  const body = Buffer.from(await answer.arrayBuffer())
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}`]
  for (const [name, value] of answer.headers)
    if (!['connection', 'content-length', 'transfer-encoding'].includes(name)) lines.push(`${name}: ${value}`)
  lines.push(`content-length: ${body.length}`, 'connection: close')
  socket.end(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body]))
}
