// Sends one call to the PM2 daemon over its own socket, and disconnects. It knows the protocol, not the calls. PM2's
// own client starts a new daemon if there is none, calls process.exit if it may not use the socket, queues calls for
// the next daemon, never times out, and costs 13 MB.
import { connect } from 'node:net'
import path from 'node:path'
import { cutText } from '../../core/cut-text.ts'

/**
 * `answer`: the call returned. `refused`: the daemon refused, with a reason for the log. `away`: nothing accepts
 * connections, or the daemon died during the call. `silent`: no answer in time; the daemon may still be working, and a
 * later answer is dropped.
 */
export type Reply =
  | { kind: 'answer'; value: unknown }
  | { kind: 'refused'; reason: string }
  | { kind: 'away'; reason: string }
  | { kind: 'silent' }

export interface Question {
  /** PM2's own folder. */
  pm2Home: string
  /** A method that the daemon exposes, and its arguments as JSON. */
  method: string
  args: readonly unknown[]
  /** Milliseconds for everything, from the connect to the last byte. */
  timeoutMs: number
}

/** A list of processes has some kilobytes for each; a larger answer is not such a list. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const PROTOCOL_VERSION = 1

// A frame is AMP's: a byte with version and number of arguments, then each argument after its length. Axon marks an
// argument's type with two characters: `j:` JSON, `s:` text. The last argument is the call's id.

/** A frame with these arguments, each already marked by type. */
export const encodeFrame = (args: readonly string[]): Buffer => {
  const parts = args.flatMap(arg => {
    const bytes = Buffer.from(arg)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return [length, bytes]
  })
  return Buffer.concat([Buffer.from([(PROTOCOL_VERSION << 4) | args.length]), ...parts])
}

/** The arguments of the first frame, or null if it is incomplete. @throws RangeError when it is far too large */
export const decodeFrame = (bytes: Buffer): string[] | null => {
  const meta = bytes[0]
  if (meta === undefined) return null
  const args: string[] = []
  let at = 1
  for (let left = meta & 0xf; left > 0; left--) {
    if (at + 4 > bytes.length) return null
    const end = at + 4 + bytes.readUInt32BE(at)
    if (end > MAX_ANSWER_BYTES) throw new RangeError('the answer is too large')
    if (end > bytes.length) return null
    args.push(bytes.toString('utf8', at + 4, end))
    at = end
  }
  return args
}

const readReply = (args: readonly string[]): Reply => {
  const body = args[0]
  if (body === undefined || !body.startsWith('j:')) return { kind: 'refused', reason: 'not an answer of PM2' }
  const message: unknown = JSON.parse(body.slice(2))
  if (typeof message !== 'object' || message === null)
    return { kind: 'refused', reason: 'not an answer of PM2' }
  if ('error' in message) return { kind: 'refused', reason: cutText(String(message.error), 500) }
  return {
    kind: 'answer',
    value: 'args' in message && Array.isArray(message.args) ? message.args[0] : undefined,
  }
}

/** One call on its own connection, so that nothing can be delivered twice or later. Never rejects. */
export const askSupervisor = ({ pm2Home, method, args, timeoutMs }: Question): Promise<Reply> =>
  new Promise(resolve => {
    const socket = connect(path.join(pm2Home, 'rpc.sock'))
    const chunks: Buffer[] = []
    let size = 0
    const settle = (reply: Reply): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(reply)
    }
    const timer = setTimeout(() => settle({ kind: 'silent' }), timeoutMs)
    socket.on('connect', () => {
      socket.write(encodeFrame([`j:${JSON.stringify({ type: 'call', method, args })}`, 's:1']))
    })
    socket.on('data', chunk => {
      chunks.push(chunk)
      size += chunk.length
      try {
        const frame = decodeFrame(Buffer.concat(chunks))
        if (frame) settle(readReply(frame))
        else if (size > MAX_ANSWER_BYTES) throw new RangeError('the answer is too large')
      } catch (error) {
        settle({ kind: 'refused', reason: error instanceof Error ? error.message : String(error) })
      }
    })
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle({ kind: 'away', reason: error.code ?? error.message }),
    )
    socket.on('close', () => settle({ kind: 'away', reason: 'the connection was closed' }))
  })
