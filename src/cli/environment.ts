// The machine that the console runs on: its streams, its environment, its signals. The one reader of the environment in
// the console; tests give another machine.
import { homedir, hostname } from 'node:os'
import type { ReadStream } from 'node:tty'
import type { Environment } from './settings/places.ts'
import type { OutputStream } from './terminal/screen.ts'

export type EndSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

export interface Machine {
  input: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode' | 'isRaw'>>
  out: OutputStream
  err: OutputStream
  env: Environment
  home: string
  hostName: string
  /** Who runs the console; null: the system knows no users. */
  uid: number | null
  clock(): Date
  /** Calls the listener for each signal; the answer ends that. */
  onSignal(listener: (signal: EndSignal) => void): () => void
  /** Ends the process at once. */
  exit(code: number): void
  /** The size of the terminal has changed; the answer ends that. */
  onResize(listener: () => void): () => void
}

const SIGNALS: readonly EndSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

export const thisMachine = (): Machine => ({
  input: process.stdin,
  out: process.stdout,
  err: process.stderr,
  env: process.env,
  home: homedir(),
  hostName: hostname(),
  uid: process.getuid?.() ?? null,
  clock: () => new Date(),
  onSignal(listener) {
    for (const signal of SIGNALS) process.on(signal, listener)
    return () => {
      for (const signal of SIGNALS) process.off(signal, listener)
    }
  },
  exit: code => process.exit(code),
  onResize(listener) {
    process.stdout.on('resize', listener)
    return () => void process.stdout.off('resize', listener)
  },
})
