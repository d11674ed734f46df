// The messages between the worker process and a thread, and the outcomes of a run.
import type { MessagePort } from 'node:worker_threads'
import type { ErrorCode } from '../../core/errors.ts'
import type { KindSettings } from '../../core/kind.ts'
import { SUBMIT_LIMIT_BYTES } from '../../core/sound-json.ts'
import type { Json, ResultLimits } from '../../core/task.ts'
import type { LogLevel } from '../../core/task-log.ts'
import type { CallError, FileFromThread, FileToThread } from './file-protocol.ts'

/** What a thread is started with. */
export interface ThreadData {
  port: MessagePort
  /** The most heap of the thread, and the most memory of the processes of a program that runs there. Megabytes. */
  memoryMb: number
  results: ResultLimits
  settings: KindSettings
  sharedCores: SharedCores
  gate: Gate
  processes: ProcessesData
}

/** For the processes that a thread starts. */
export interface ProcessesData {
  /** The prefix of their marks. */
  prefix: string
  /** The thread's number in this process. */
  thread: number
  /** Shared. Not 0: the run is being ended and may start nothing more. */
  stopped: Int32Array
}

/** A process was started, or has ended. `pid` null: from now on there may be processes whose pids are unknown. */
export interface ProcessNote {
  event: 'started' | 'ended'
  pid: number | null
  /** Ticks since the boot; null if the system does not tell. */
  startedTicks: string | null
}

/**
 * Says in one shared number which runs of a thread may begin: the count of closings that were not reopened, and above
 * it the last run that began. Runs are numbered from 1 and begin in order while the gate is open. Each beginning,
 * closing and opening is one atomic step, so both sides agree on what has begun, even while the thread is in a tight
 * loop. Each opening belongs to one closing, so a late one cannot undo a newer closing.
 */
export type Gate = Int32Array

const CLOSINGS = 64
/** How many runs the gate can count. */
export const RUNS_MAX = 2 ** 24

export const createGate = (): Gate => new Int32Array(new SharedArrayBuffer(4))
/** In the thread. False: the gate is closed, and the run was taken back. */
export const tryBegin = (gate: Gate, run: number): boolean =>
  Atomics.compareExchange(gate, 0, CLOSINGS * (run - 1), CLOSINGS * run) === CLOSINGS * (run - 1)
/** Returns the number of the last run that began. No further run begins until this closing is reopened. */
export const closeGate = (gate: Gate): number => Math.floor(Atomics.add(gate, 0, 1) / CLOSINGS)
export const openGate = (gate: Gate): void => void Atomics.sub(gate, 0, 1)
export const lastBegun = (gate: Gate): number => Math.floor(Atomics.load(gate, 0) / CLOSINGS)
/** Counts from 1 again, once all runs have ended. False: an opening is still on its way. */
export const resetGate = (gate: Gate, runs: number): boolean =>
  Atomics.compareExchange(gate, 0, CLOSINGS * runs, 0) === CLOSINGS * runs

/** Shared by the threads of one pool: the number of cores, and, in a shared array, the number of running tasks. */
export interface SharedCores {
  cores: number
  running: Int32Array
}

export interface RunRequest {
  id: string
  /** Tells this run's processes from those of the task's other runs; unset: there are no others. */
  claim?: number
  attempt: number
  kind: string
  /** Absolute path of the kind's file. */
  file: string
  /** What the file has said of itself; unset: it is a module, and no program. */
  program?: string
  /** As stored. */
  params: Json
  /** The last checkpoint as written by `v8.serialize`, or null. */
  resume: Uint8Array | null
  /** Where the attempt's own folder may be made; unset: nowhere. */
  scratch?: string
}

/**
 * A request as sent to a thread. The params are parsed inside the run, so a heap that is too small for them fails this
 * run only.
 */
export interface SentRun extends Omit<RunRequest, 'params' | 'claim'> {
  claim: number
  /** JSON text. */
  params: string
}

/** A line of the task's log. `skipped`: so many before it are left out. */
export interface LoggedLine {
  text: string
  level: LogLevel
  skipped: number
}

export interface ProgressReport {
  percent: number
  note: string | null
  /** JSON text; null if this report has none. */
  partial: string | null
}

/** A result ready to be stored: as JSON in the record, or as the bytes of a blob (a string as its text). */
export type EncodedResult = { form: 'inline'; json: string } | { form: 'text' | 'json'; bytes: Uint8Array }

export interface RunError {
  code: ErrorCode
  message: string
  /** With the stacks of its causes, for the task's log. */
  stack: string | null
  /** Names that `retryOn` may use besides the code: names and codes of the error and of its causes. */
  names: string[]
  /** `error.detail` of the record: short. */
  detail: Json | null
  /** False if another attempt would end in the same way. */
  retryable: boolean
}

export type RunOutcome =
  | { type: 'success'; result: EncodedResult; info?: Json }
  | { type: 'error'; error: RunError }
  /** Ended because it was cancelled or killed. */
  | { type: 'stopped' }
  /** The host was short of something: no code of the kind has run. */
  | { type: 'unbegun'; reason: string }
  /** The thread or its pool was ended from outside. */
  | { type: 'lost'; reason: string }

/** The error for a child with more JSON than a submit may have. */
export const SUBMIT_TOO_LARGE = `A task may have at most ${SUBMIT_LIMIT_BYTES} bytes of JSON`

/** The answer to a child that a run submits. */
export type ChildAnswer = { id: string } | CallError

/** A run with its number in its thread. */
export interface NumberedRun {
  run: number
  request: SentRun
}

export type ToThread =
  | { type: 'submitted'; run: number; call: number; answer: ChildAnswer }
  | { type: 'file'; run: number; message: FileToThread }
  | { type: 'runs'; runs: NumberedRun[] }
  | { type: 'abort'; run: number; reason: string }
  /** Runs given before this that have not begun are void. Undoes one closing of the gate. */
  | { type: 'reopen' }

export type FromThread =
  | { type: 'ready' }
  | { type: 'progress'; run: number; report: ProgressReport }
  | { type: 'log'; run: number; lines: LoggedLine[] }
  | { type: 'checkpoint'; run: number; bytes: Uint8Array }
  /** `submission`: JSON text. */
  | { type: 'submit'; run: number; call: number; submission: string; key: string | null }
  | { type: 'file'; run: number; message: FileFromThread }
  /** Run 0: the process belongs to the thread, since no run is going on. */
  | { type: 'process'; run: number; note: ProcessNote }
  | ({ type: 'late' } & LateEvent)
  /** A run must not begin in this thread; the thread ends. */
  | { type: 'refused' }
  /**
   * `reusable`: the kind left nothing behind that could disturb the next run in this thread. `onlyFor`: the only kind
   * that may still use it, since its file has changed objects that all code of a thread shares; null: any.
   */
  | {
      type: 'outcome'
      run: number
      outcome: RunOutcome
      reusable: boolean
      onlyFor: string | null
      ms: number
    }

/** Something that code of an ended run did in a thread that others use. `id` null: code of the kind's file. */
export interface LateEvent {
  kind: string
  id: string | null
  what: 'threw' | 'printed'
  text: string
}
