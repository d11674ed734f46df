// What the worker process and a thread say to each other, and what becomes of a run.
import type { MessagePort } from 'node:worker_threads'
import type { ErrorCode } from '../../core/errors.ts'
import type { KindSettings } from '../../core/kind.ts'
import { SUBMIT_LIMIT_BYTES } from '../../core/sound-json.ts'
import type { Json, ResultLimits } from '../../core/task.ts'

/** What a thread is started with. */
export interface ThreadData {
  port: MessagePort
  results: ResultLimits
  settings: KindSettings
  crew: Crew
  gate: Gate
  processes: ProcessesData
}

/** For the processes that a thread starts. */
export interface ProcessesData {
  /** What their marks begin with. */
  prefix: string
  /** The thread's number in this process. */
  thread: number
  /** Not 0: the run is being ended, and starts nothing more. Shared. */
  stopped: Int32Array
}

/** A process was started, or has ended; or some may be from this moment on whose pids nobody tells (`pid` null). */
export interface ProcessNote {
  event: 'started' | 'ended'
  pid: number | null
  /** Ticks since the boot; null where the system does not tell. */
  startedTicks: string | null
}

/**
 * Which runs of a thread may begin, in one shared number: how often the gate was closed and not opened again, and above
 * that the last run that began. Runs are numbered from 1 and begin in that order while the gate is open. Each beginning,
 * closing and opening is one atomic step, so that both sides agree on what has begun, also while the thread is in a tight
 * loop; and each closing has its own opening, so that one that comes late opens nothing that was closed again meanwhile.
 */
export type Gate = Int32Array

const CLOSINGS = 64
/** So many runs the gate can count. */
export const RUNS_MAX = 2 ** 24

export const createGate = (): Gate => new Int32Array(new SharedArrayBuffer(4))
/** In the thread. False: the gate is closed, and the run was taken back. */
export const tryBegin = (gate: Gate, run: number): boolean =>
  Atomics.compareExchange(gate, 0, CLOSINGS * (run - 1), CLOSINGS * run) === CLOSINGS * (run - 1)
/** Answers the number of the last run that began; no further one does until this is opened. */
export const closeGate = (gate: Gate): number => Math.floor(Atomics.add(gate, 0, 1) / CLOSINGS)
export const openGate = (gate: Gate): void => void Atomics.sub(gate, 0, 1)
export const lastBegun = (gate: Gate): number => Math.floor(Atomics.load(gate, 0) / CLOSINGS)
/** Counts from 1 anew, when nothing is given that has not ended. False: an opening is still on its way. */
export const resetGate = (gate: Gate, runs: number): boolean =>
  Atomics.compareExchange(gate, 0, CLOSINGS * runs, 0) === CLOSINGS * runs

/** What the threads of one pool share: how many cores there are, and, in a shared array, how many tasks run. */
export interface Crew {
  cores: number
  running: Int32Array
}

export interface RunRequest {
  id: string
  /** Tells the processes of this run from those of any other of the task; unset: no other one knows the task. */
  claim?: number
  attempt: number
  kind: string
  /** Absolute path of the kind's file. */
  file: string
  /** As stored. */
  params: Json
  /** The last checkpoint as `v8.serialize` wrote it, or null. */
  resume: Uint8Array | null
}

/**
 * As it goes to a thread. The params are made of their text inside the run: a heap that is too small for them is then
 * this run's affair alone, and not that of whichever goes on when the message arrives.
 */
export interface SentRun extends Omit<RunRequest, 'params' | 'claim'> {
  claim: number
  /** JSON text. */
  params: string
}

export interface ProgressReport {
  percent: number
  note: string | null
  /** JSON text; null when this report brought none. */
  partial: string | null
}

/** A result ready to be kept: as JSON in the record, or as the bytes of a blob (a string as its text). */
export type EncodedResult = { form: 'inline'; json: string } | { form: 'text' | 'json'; bytes: Uint8Array }

export interface RunError {
  code: ErrorCode
  message: string
  /** With the stacks of its causes, for the task's log. */
  stack: string | null
  /** What `retryOn` may call it besides its code: names and codes of the error and of its causes. */
  names: string[]
  /** What the record says of it beside the message: short. */
  detail: Json | null
  /** False when another attempt would end in the same way. */
  retryable: boolean
}

export type RunOutcome =
  | { type: 'success'; result: EncodedResult; info?: Json }
  | { type: 'error'; error: RunError }
  /** Ended because it was cancelled or killed. */
  | { type: 'stopped' }
  /** The host was short of something: nothing of the kind has run. */
  | { type: 'unbegun'; reason: string }
  /** The thread or its pool was ended from outside. */
  | { type: 'lost'; reason: string }

/** Said where a child has more JSON than a submit may have. */
export const SUBMIT_TOO_LARGE = `A task may have at most ${SUBMIT_LIMIT_BYTES} bytes of JSON`

/** What became of a child that a run submits. */
export type ChildAnswer = { id: string } | { code: string; message: string; detail: unknown }

/** A run under its number in its thread. */
export interface NumberedRun {
  run: number
  request: SentRun
}

export type ToThread =
  | { type: 'submitted'; run: number; call: number; answer: ChildAnswer }
  | { type: 'runs'; runs: NumberedRun[] }
  | { type: 'abort'; run: number; reason: string }
  /** Runs that were given before and have not begun are void; takes back one closing of the gate. */
  | { type: 'reopen' }

export type FromThread =
  | { type: 'ready' }
  | { type: 'progress'; run: number; report: ProgressReport }
  | { type: 'log'; run: number; lines: string[] }
  | { type: 'checkpoint'; run: number; bytes: Uint8Array }
  /** `submission`: JSON text. */
  | { type: 'submit'; run: number; call: number; submission: string; key: string | null }
  /** Run 0: of the thread, while no run goes on. */
  | { type: 'process'; run: number; note: ProcessNote }
  | ({ type: 'stray' } & Stray)
  /** A run was given that must not begin in this thread; it ends. */
  | { type: 'refused' }
  /**
   * `reusable`: the kind left nothing behind that could disturb the next run in this thread. `onlyFor`: the kind that alone
   * may use it, since its file has changed what all code of a thread shares; null: any.
   */
  | {
      type: 'outcome'
      run: number
      outcome: RunOutcome
      reusable: boolean
      onlyFor: string | null
      ms: number
    }

/** What code of a run that is over did in a thread that others use; `id`: null when it is of the kind's own file. */
export interface Stray {
  kind: string
  id: string | null
  what: 'threw' | 'printed'
  text: string
}
