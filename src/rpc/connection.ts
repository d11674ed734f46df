// One client: reads messages, answers each before it looks at the next, and never waits or holds memory without
// a bound. Errors end this connection and nothing else.
import type { Socket } from 'node:net'
import { type MadhavaError, toMadhavaError } from '../core/errors.ts'
import type { Caller } from './caller.ts'
import { exceptionReply } from './exception.ts'
import type { RpcLimits } from './limits.ts'
import { createReceiver, type RpcMessage } from './receiver.ts'

/** How long a refused client's bytes are read and thrown away, so that it gets to see the answer. */
const LINGER_MS = 1_000
/** What is read ahead of the call under way, bytes. */
const AHEAD_BYTES = 64 * 1024

export interface Connection {
  /** Ends it: at once when idle, else after the reply to the call under way. */
  stop(): void
  /** Bytes of replies that wait for the client to read them. */
  unreadBytes(): number
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
  /** Told when the client has to read before it is served on, and when it has. */
  onUnread: (unread: boolean) => void
}

/**
 * Takes over a socket that was opened with `allowHalfOpen`, so that a client that has said its last is answered. It works
 * on events and not on the socket's iterator, which would cost a third of the calls.
 */
export const serveConnection = ({
  socket,
  call,
  limits,
  onRefused,
  onCall,
  onUnread,
}: ConnectionDeps): Connection => {
  const receiver = createReceiver(limits)
  /** Pieces that came while a call was under way. */
  const ahead: Buffer[] = []
  let aheadBytes = 0
  /** The messages of the piece that was looked at last, as far as they are not answered. */
  let messages: Iterator<RpcMessage, void, void> | null = null
  let calling = false
  /** Whether the client has to read first. */
  let unread = false
  let stopping = false
  let refused = false
  let saidItsLast = false
  let deadline: NodeJS.Timeout | null = null
  /** Fires when the client has gone or has said its last, and when the door closes. */
  const over = new AbortController()

  const endWatch = (): void => {
    if (deadline) clearTimeout(deadline)
    deadline = null
  }
  const watchMessage = (): void => {
    if (receiver.partial()) deadline ??= setTimeout(() => socket.destroy(), limits.messageMs).unref()
    else endWatch()
  }

  const refuse = (thrown: unknown): void => {
    const error = toMadhavaError(thrown)
    refused = true
    endWatch()
    onRefused(error)
    const begun = receiver.begun()
    if (begun) socket.write(exceptionReply(begun, 'protocol', error))
    socket.end()
    // what comes now is thrown away
    ahead.length = 0
    socket.resume()
    deadline = setTimeout(() => socket.destroy(), LINGER_MS).unref()
  }

  /** The next message of what has come, or null. @throws what the receiver throws */
  const nextMessage = (): RpcMessage | null => {
    for (;;) {
      const step = messages?.next()
      if (step && !step.done) return step.value
      const piece = ahead.shift()
      if (!piece) {
        messages = null
        return null
      }
      aheadBytes -= piece.length
      messages = receiver.push(piece)
    }
  }

  const answered = (reply: Buffer): void => {
    calling = false
    onCall()
    if (socket.destroyed) return
    socket.write(reply)
    if (stopping) socket.destroySoon()
    else if (socket.writableLength > limits.unreadBytes) {
      unread = true
      onUnread(true)
    } else serve()
  }

  /** Looks at what has come, until a call is under way or nothing is left. */
  const serve = (): void => {
    if (calling || unread || refused || stopping || socket.destroyed) return
    let message: RpcMessage | null
    try {
      message = nextMessage()
    } catch (error) {
      refuse(error)
      return
    }
    if (message) {
      endWatch()
      calling = true
      // never rejects
      void call(message, over.signal).then(answered)
      return
    }
    watchMessage()
    if (saidItsLast) {
      endWatch()
      socket.end()
    } else if (socket.isPaused()) socket.resume()
  }

  socket.setNoDelay(true)
  // a reset may come at any time, also when nobody reads any more: without a listener it would end the process
  socket.on('error', () => socket.destroy())
  socket.setTimeout(limits.idleMs, () => {
    if (!calling) socket.destroy()
  })
  socket.on('data', piece => {
    if (refused) return
    ahead.push(piece)
    aheadBytes += piece.length
    if (aheadBytes > AHEAD_BYTES) socket.pause()
    serve()
  })
  socket.on('drain', () => {
    if (unread) onUnread(false)
    unread = false
    serve()
  })
  socket.once('end', () => {
    saidItsLast = true
    // one that has said its last may still wait for an answer, and gets it at once
    over.abort()
    serve()
  })
  const closed = new Promise<void>(resolve =>
    socket.once('close', () => {
      endWatch()
      over.abort()
      resolve()
    }),
  )

  return {
    closed,
    unreadBytes: () => socket.writableLength,
    stop() {
      stopping = true
      over.abort()
      if (!calling) socket.destroySoon()
    },
  }
}
