// Bytes on their way between a thread and the worker process: the sender waits while the window is full, and the
// receiver makes room as it hands pieces on.
import { PIECE_BYTES, WINDOW_BYTES } from './file-protocol.ts'

export interface ByteSender {
  /**
   * Resolves when all of them are on their way. They are copied in pieces until then, so that the caller may use them
   * again. @throws the reason of `stop`
   */
  send(bytes: Uint8Array): Promise<void>
  /** The receiver has made room. */
  taken(bytes: number): void
  /** The receiver wants no more. */
  stop(reason: Error): void
}

/** `post` sends one piece, whose buffer it may take. */
export const createByteSender = (post: (piece: Uint8Array<ArrayBuffer>) => void): ByteSender => {
  let onTheWay = 0
  let stopped: Error | null = null
  let wake: () => void = () => {}
  const change = (): void => wake()
  const room = async (wanted: number): Promise<void> => {
    while (stopped === null && onTheWay > 0 && onTheWay + wanted > WINDOW_BYTES)
      await new Promise<void>(resolve => {
        wake = resolve
      })
    if (stopped !== null) throw stopped
  }
  return {
    async send(bytes) {
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        const size = Math.min(PIECE_BYTES, bytes.length - at)
        await room(size)
        onTheWay += size
        post(new Uint8Array(bytes.subarray(at, at + size)))
      }
    },
    taken(bytes) {
      onTheWay -= bytes
      change()
    },
    stop(reason) {
      stopped ??= reason
      change()
    },
  }
}

export interface ByteReceiver {
  /** The next piece; null at the end, and after `stop`. One call at a time. @throws the error of `fail` */
  next(): Promise<Uint8Array | null>
  /** Nobody reads any more. Idempotent. */
  stop(): void
  add(bytes: Uint8Array): void
  end(): void
  /** What has not been read is gone. */
  fail(error: Error): void
}

/** @param taken called with the size of each piece that is handed on @param onStop called once, if reading stops before the end */
export const createByteReceiver = (taken: (bytes: number) => void, onStop: () => void): ByteReceiver => {
  const pieces: Uint8Array[] = []
  let state: 'open' | 'ended' | 'stopped' | Error = 'open'
  let wake: () => void = () => {}
  const become = (next: typeof state): void => {
    if (state !== 'open' && !(state === 'ended' && next === 'stopped')) return
    state = next
    if (next !== 'ended') pieces.length = 0
    wake()
  }
  return {
    async next() {
      while (state === 'open' && pieces.length === 0)
        await new Promise<void>(resolve => {
          wake = resolve
        })
      if (state instanceof Error) throw state
      const piece = pieces.shift() ?? null
      if (piece) taken(piece.length)
      return piece
    },
    stop() {
      const wasOpen = state === 'open'
      become('stopped')
      if (wasOpen) onStop()
    },
    add(bytes) {
      if (state !== 'open') return
      pieces.push(bytes)
      wake()
    },
    end: () => become('ended'),
    fail: error => become(error),
  }
}
