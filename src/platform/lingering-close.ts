// The rest of a request's body that nobody wants is read and dropped, within bounds, before its connection ends: a
// client that writes all before it reads would otherwise see a broken pipe instead of the answer.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

export interface LingerLimits {
  bytes: number
  /** Milliseconds. */
  ms: number
}

/**
 * Makes the end of a connection wait for the rest of the request that is under way.
 * @param current the request that was answered last, or is being answered
 */
export const closeLingering = (
  socket: Socket,
  current: () => IncomingMessage | null,
  { bytes, ms }: LingerLimits,
): { dropRest(incoming: IncomingMessage): void } => {
  const dropping = new WeakSet<IncomingMessage>()
  const dropRest = (incoming: IncomingMessage): void => {
    if (incoming.complete || incoming.destroyed || dropping.has(incoming)) return
    dropping.add(incoming)
    let left = bytes
    const timer = setTimeout(() => socket.destroy(), ms).unref()
    const over = (): void => clearTimeout(timer)
    // who has read the beginning would pause it again
    incoming.removeAllListeners('data')
    incoming.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) socket.destroy()
    })
    incoming.once('end', over).once('close', over)
    incoming.resume()
  }

  const destroySoon = socket.destroySoon.bind(socket)
  // node's server calls this when a last answer is written
  socket.destroySoon = () => {
    const incoming = current()
    if (!incoming || incoming.complete || incoming.destroyed || socket.destroyed) {
      destroySoon()
      return
    }
    // what is written goes out, and the client sees that nothing more comes
    socket.end()
    incoming.once('end', () => socket.destroy())
    dropRest(incoming)
  }
  return { dropRest }
}
