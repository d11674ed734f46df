// What a pool of threads is to those who use it: types alone.
import type { KindSettings } from '../../core/kind.ts'
import type { ResultLimits } from '../../core/task.ts'
import type { ProcessKeeper } from '../processes/attempt-processes.ts'
import type { RunOutcome, RunRequest, Stray } from './protocol.ts'
import type { RunEvents, startThread } from './thread.ts'

export interface ThreadPoolOptions {
  size: number
  /** Heap that one thread may use, megabytes. Buffers lie outside of it. */
  memoryMb: number
  /** That the running tasks share; by default all that this process may use. */
  cores?: number
  results?: ResultLimits
  settings?: KindSettings
  /** Of the processes that runs start. */
  keeper?: ProcessKeeper
  /** An unused thread ends after this time. */
  idleMs?: number
  /** Told how many runs can go on at a time: `size`, or fewer while the host starts no more threads. On change. */
  onCapacity?: (capacity: number) => void
  /** Told why no thread can be started, once; null when they start again. */
  onShortage?: (reason: string | null) => void
  /** Told what code of runs that are over still does. */
  onStray?: (stray: Stray) => void
  /** 0 to 1, for jitter. */
  random?: () => number
  /** For tests: as `startThread`. */
  start?: typeof startThread
}

export interface Run {
  /** Never rejects. */
  readonly outcome: Promise<RunOutcome>
  /** No thread is free for it yet. */
  isWaiting(): boolean
  /** Milliseconds that the run took in its thread; null before its end, and when the thread could not tell. */
  tookMs(): number | null
  /** True: it had not begun, and never will. Else it goes on, or is over. */
  withdraw(): boolean
  /** Fires the signal inside the thread, and ends the thread when the run is not over after the grace time. */
  cancel(reason: string, graceMs: number): void
  /** Ends the thread at once. */
  kill(): void
}

export interface ThreadPool {
  /** Begins at once when a thread is free, else as soon as one is. */
  run(request: RunRequest, events: RunEvents): Run
  /** For metrics and tests. */
  state(): { busy: number; idle: number; waiting: number }
  /** Ends all threads; runs that were under way are lost. Idempotent. */
  close(): Promise<void>
}
