// The client's side of bench/rpc.ts: bytes made beforehand, as little work per call as can be, so that the server is
// what is measured. One call at a time on each connection.
import { once } from 'node:events'
import { connect } from 'node:net'

/** How long a reply is that begins with these bytes; null while that is not known. */
export type ReplyLength = (bytes: Buffer) => number | null

export const framedReply: ReplyLength = bytes => (bytes.length < 4 ? null : 4 + bytes.readUInt32BE())

/** A reply of which only the length is known. */
export const replyOf =
  (length: number): ReplyLength =>
  () =>
    length

/** An HTTP response with a Content-Length. */
export const httpReply: ReplyLength = bytes => {
  const head = bytes.indexOf('\r\n\r\n')
  if (head === -1) return null
  const length = /\r\ncontent-length: (\d+)/i.exec(bytes.toString('latin1', 0, head + 2))
  if (!length) throw new Error('an answer without a length')
  return head + 4 + Number(length[1])
}

export interface Line {
  /** The whole reply. */
  call(bytes: Buffer): Promise<Buffer>
  close(): void
}

export const openLine = async (port: number, replyLength: ReplyLength): Promise<Line> => {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  let held: Buffer = Buffer.alloc(0)
  let settle: { resolve: (reply: Buffer) => void; reject: (error: Error) => void } | null = null
  socket.on('data', chunk => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    const length = replyLength(held)
    if (length === null || held.length < length) return
    const reply = held
    held = Buffer.alloc(0)
    settle?.resolve(reply)
  })
  socket.on('error', error => settle?.reject(error))
  socket.on('close', () => settle?.reject(new Error('the server has closed the connection')))
  return {
    call: bytes =>
      new Promise((resolve, reject) => {
        settle = { resolve, reject }
        socket.write(bytes)
      }),
    close: () => {
      settle = null
      socket.destroy()
    },
  }
}

/** Calls a second over so many connections, each as fast as its answers come. */
export const rate = async (
  lines: readonly Line[],
  next: () => Buffer,
  check: (reply: Buffer) => void,
  seconds: number,
): Promise<number> => {
  const begun = performance.now()
  const end = begun + seconds * 1000
  let calls = 0
  await Promise.all(
    lines.map(async line => {
      while (performance.now() < end) {
        check(await line.call(next()))
        calls += 1
      }
    }),
  )
  return calls / ((performance.now() - begun) / 1000)
}
