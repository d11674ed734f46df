// One client: reads messages, answers each before it looks at the next, and never waits or holds memory without
// a bound. Errors end this connection and nothing else.
import type { Socket } from 'node:net'
import { isMadhavaError, type MadhavaError } from '../core/errors.ts'
import type { Caller } from './caller.ts'
import { exceptionReply } from './exception.ts'
import type { RpcLimits } from './limits.ts'
import { createScanner } from './scanner.ts'

/** How long a refused client's bytes are read and thrown away, so that it gets to see the answer. */
const LINGER_MS = 1_000

export interface Connection {
  /** Ends it: at once when idle, else after the reply to the call under way. */
  stop(): void
  /** Resolves when the connection is over. Never rejects. */
  closed: Promise<void>
}

export interface ConnectionDeps {
  socket: Socket
  call: Caller
  limits: RpcLimits
  /** Told of every message that was refused, and why. */
  onRefused: (error: MadhavaError) => void
  /** Told of every call that was answered. */
  onCall: () => void
}

/** Takes over a socket that was opened with `allowHalfOpen`, so that a client that has said its last is answered. */
export const serveConnection = ({ socket, call, limits, onRefused, onCall }: ConnectionDeps): Connection => {
  const scanner = createScanner(limits)
  let calling = false
  let stopping = false
  let deadline: NodeJS.Timeout | null = null

  const watchMessage = (): void => {
    if (scanner.partial()) deadline ??= setTimeout(() => socket.destroy(), limits.messageMs).unref()
    else endWatch()
  }
  const endWatch = (): void => {
    if (deadline) clearTimeout(deadline)
    deadline = null
  }

  /** Waits until the client has read what was written; the idle time ends a wait in vain. */
  const read = (): Promise<void> =>
    new Promise(resolve => {
      const done = (): void => {
        socket.off('drain', done)
        socket.off('close', done)
        resolve()
      }
      socket.on('drain', done)
      socket.on('close', done)
    })

  const answer = async (chunk: Buffer): Promise<void> => {
    for (const message of scanner.push(chunk)) {
      endWatch()
      calling = true
      const reply = await call(message)
      calling = false
      onCall()
      if (socket.destroyed) return
      socket.write(reply)
      if (stopping) return
      if (socket.writableLength > limits.unreadBytes) await read()
      if (stopping || socket.destroyed) return
    }
    watchMessage()
  }

  const refuse = (error: MadhavaError): void => {
    onRefused(error)
    const header = scanner.header()
    if (header) socket.write(exceptionReply(header, 'protocol', error))
    socket.end()
    socket.resume()
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
  }

  const serve = async (): Promise<void> => {
    try {
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        await answer(chunk)
        if (stopping || socket.destroyed) break
      }
      if (stopping) socket.destroySoon()
      else socket.end()
    } catch (error) {
      // what is not ours is the socket's: reset, timed out, gone
      if (isMadhavaError(error)) refuse(error)
      else socket.destroy()
    } finally {
      endWatch()
    }
  }

  socket.setNoDelay(true)
  // a reset may come at any time, also when nobody reads any more: without a listener it would end the process
  socket.on('error', () => socket.destroy())
  socket.setTimeout(limits.idleMs, () => {
    if (!calling) socket.destroy()
  })
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  serve()

  return {
    closed,
    stop() {
      stopping = true
      if (!calling) socket.destroySoon()
    },
  }
}
