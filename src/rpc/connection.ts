// One client: reads messages, answers each before it reads the next, and never waits or holds memory without a bound.
// Errors end this connection and nothing else.
import type { Socket } from 'node:net'
import { MadhavaError, toMadhavaError } from '../core/errors.ts'
import type { Hold } from '../platform/byte-budget.ts'
import { exceptionReply } from './exception.ts'
import type { RpcLimits } from './limits.ts'
import { createReceiver, type RpcMessage } from './receiver.ts'

/** How long a refused client's bytes are read and discarded, so that it can read the reply. */
const LINGER_MS = 1_000
/** What is read ahead of the call under way, bytes. */
const AHEAD_BYTES = 64 * 1024

/** A message that has not come whole, or not at all, protects its connection for so long. */
const YOUNG_MS = 5_000

const overloaded = () =>
  new MadhavaError('OVERLOADED', 'The messages that are under way take as much memory as they may; try again')

export interface Connection {
  /** Ends it: at once when idle, else after the reply to the call under way. */
  stop(): void
  /** Bytes of replies that wait for the client to read them. */
  unreadBytes(): number
  /** Since when no call would be lost by closing, milliseconds of `performance.now()`; null while one would. */
  idleSince(): number | null
  /** Resolves when the connection is over. Never rejects. */
  closed: Promise<void>
}

export interface ConnectionDeps {
  socket: Socket
  /** Never rejects. */
  call: (message: RpcMessage, signal: AbortSignal) => Promise<Buffer>
  limits: RpcLimits
  /** What the messages of this client take of the bytes that all may have. */
  hold: Hold
  /** Called for every message that was refused, with the reason. */
  onRefused: (error: MadhavaError) => void
  /** Called for every call that was answered. */
  onCall: () => void
  /** Called when the client must read replies before it is served again, and when it has. */
  onUnread: (unread: boolean) => void
}

/**
 * Takes over a socket that was opened with `allowHalfOpen`, so that a client that has closed its side is answered. It
 * uses events and not the socket's iterator, which would cost a third of the calls.
 */
export const serveConnection = ({
  socket,
  call,
  limits,
  hold,
  onRefused,
  onCall,
  onUnread,
}: ConnectionDeps): Connection => {
  const receiver = createReceiver(limits)
  /** Pieces that came while a call was under way. */
  const ahead: Buffer[] = []
  let aheadBytes = 0
  /** The messages of the last piece that are not answered yet. */
  let messages: Iterator<RpcMessage, void, void> | null = null
  let calling = false
  /** Whether the client has to read first. */
  let unread = false
  let stopping = false
  let refused = false
  let saidItsLast = false
  let deadline: NodeJS.Timeout | null = null
  /** What is held of `hold`. */
  let held = 0
  /** When it came, or was answered last. */
  let since = performance.now()
  let answeredOnce = false
  /** Fires when the client has gone or closed its side, and when the server closes. */
  const over = new AbortController()

  const endWatch = (): void => {
    if (deadline) clearTimeout(deadline)
    deadline = null
  }
  const watchMessage = (): void => {
    if (receiver.partial()) deadline ??= setTimeout(() => socket.destroy(), limits.messageMs).unref()
    else endWatch()
  }

  /** False when this client, or all together, have more under way than they may. */
  const keepCount = (): boolean => {
    const now = aheadBytes + receiver.held()
    const more = now - held
    if (more > 0 && !hold.grow(more)) return false
    if (more < 0) hold.shrink(-more)
    held = now
    return true
  }

  const refuse = (thrown: unknown): void => {
    const error = toMadhavaError(thrown)
    refused = true
    hold.close()
    endWatch()
    onRefused(error)
    const begun = receiver.begun()
    if (begun) socket.write(exceptionReply(begun, 'protocol', error))
    socket.end()
    // what comes now is discarded
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
    since = performance.now()
    answeredOnce = true
    onCall()
    if (socket.destroyed) return
    socket.write(reply)
    if (stopping) socket.destroySoon()
    else if (socket.writableLength > limits.unreadBytes) {
      unread = true
      onUnread(true)
    } else serve()
  }

  /** Handles what has come, until a call is in progress or nothing is left. */
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
  // a reset may come at any time, even when nothing reads any more; without a listener it would end the process
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
    if (!refused && !keepCount()) refuse(overloaded())
  })
  socket.on('drain', () => {
    if (unread) onUnread(false)
    unread = false
    serve()
  })
  socket.once('end', () => {
    saidItsLast = true
    // a client that has closed its side may still wait for a reply, and gets it at once
    over.abort()
    serve()
  })
  const closed = new Promise<void>(resolve =>
    socket.once('close', () => {
      endWatch()
      hold.close()
      over.abort()
      resolve()
    }),
  )

  return {
    closed,
    unreadBytes: () => socket.writableLength,
    idleSince() {
      // a client that has sent no call yet, or sends slowly, gets some time and is then closed
      const isComing = (!answeredOnce || receiver.partial()) && performance.now() - since < YOUNG_MS
      return calling || isComing ? null : since
    },
    stop() {
      stopping = true
      over.abort()
      if (!calling) socket.destroySoon()
    },
  }
}
