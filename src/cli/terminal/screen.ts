// A stream that the console writes to: how wide it is, whether somebody looks at it, and whether it still takes anything.
import { ConsoleError, EXIT } from '../exit.ts'
import { COLOURS, PLAIN, type Style } from './style.ts'

/** As process.stdout is, of a terminal or a pipe. */
export interface OutputStream {
  write(text: string | Uint8Array): boolean
  isTTY?: boolean
  columns?: number
  rows?: number
  once(event: 'drain' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'resize', listener: () => void): unknown
  off(event: 'resize' | 'drain' | 'close', listener: () => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
}

export interface ScreenOptions {
  /** NO_COLOR and TERM. */
  env: Readonly<Record<string, string | undefined>>
  /** Whether `--no-color` was given. */
  isPlain(): boolean
  /** Called once when the reader has gone. */
  onClosed(): void
}

export interface Screen {
  /** It is a terminal. */
  readonly isTerminal: boolean
  /** It is one on which lines can be redrawn. */
  readonly canRedraw: boolean
  readonly style: Style
  /** Terminal columns; Infinity where nobody looks. */
  readonly columns: number
  readonly rows: number
  readonly stream: OutputStream
  /** Resolves when the stream takes more. @throws ConsoleError when the reader has gone */
  write(text: string | Uint8Array): Promise<void>
  /** Takes away what it has put on the stream. */
  close(): void
}

const LEAST_COLUMNS = 20

export const pipeClosed = (): ConsoleError => new ConsoleError(EXIT.pipeClosed, '')

export const createScreen = (stream: OutputStream, { env, isPlain, onClosed }: ScreenOptions): Screen => {
  const isTerminal = stream.isTTY === true
  const isDumb = env.TERM === 'dumb'
  let closed: Error | null = null
  const onError = (error: Error): void => {
    if (closed !== null) return
    closed = error
    onClosed()
  }
  stream.on('error', onError)
  const failed = (): Error =>
    (closed as NodeJS.ErrnoException | null)?.code === 'EPIPE' || closed === null
      ? pipeClosed()
      : new ConsoleError(EXIT.failed, `The output takes nothing: ${closed.message}`)
  return {
    isTerminal,
    canRedraw: isTerminal && !isDumb,
    get style() {
      const looks = isTerminal && !isDumb && !isPlain() && (env.NO_COLOR ?? '') === ''
      return looks ? COLOURS : PLAIN
    },
    get columns() {
      return isTerminal ? Math.max(LEAST_COLUMNS, stream.columns || 80) : Number.POSITIVE_INFINITY
    },
    get rows() {
      return Math.max(5, stream.rows || 24)
    },
    stream,
    async write(text) {
      if (closed) throw failed()
      if (stream.write(text)) return
      await new Promise<void>((resolve, reject) => {
        const settle = (end: () => void) => () => {
          stream.off('drain', onDrain)
          stream.off('error', onBroken)
          stream.off('close', onGone)
          end()
        }
        const onDrain = settle(resolve)
        const onBroken = settle(() => reject(failed()))
        const onGone = settle(() => reject(pipeClosed()))
        stream.once('drain', onDrain)
        stream.on('error', onBroken)
        stream.once('close', onGone)
      })
    },
    close: () => void stream.off('error', onError),
  }
}
