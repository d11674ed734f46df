// What a running attempt gets from whoever runs it. Types only.
import type { Readable } from 'node:stream'
import type { ExecOptions, ExecResult } from './exec.ts'
import type { Submission } from './submission.ts'
import type { Json } from './task.ts'
import type { LogLevel } from './task-log.ts'
import type { UploadRef } from './upload-ref.ts'

/** Options for a task that a kind submits. The fields are those of POST /tasks. */
export interface ChildOptions extends Omit<Submission, 'kind' | 'params'> {
  /**
   * 1 to 200 visible ASCII characters. If this task has used the key before, also in an earlier attempt, the answer
   * is the existing child and no second one is made.
   */
  key?: string
}

/** A file that a task has made, as its record lists it. */
export interface Artifact {
  name: string
  bytes: number
  type: string
  /** In hex. */
  sha256: string
}

/** What an artifact may be made of: bytes, a text, or a stream of them. */
export type ArtifactContent = Uint8Array | string | AsyncIterable<Uint8Array | string>

/** An upload that the params name. */
export interface UploadedFile {
  id: string
  /** As the client called it: a text, never a path. */
  name: string | null
  bytes: number
  /** Found in the bytes. */
  type: string
  /** In hex. */
  sha256: string
  /** Bytes `start` to `end` (exclusive), or all of them, at the pace of the reader. */
  stream(range?: { start?: number; end?: number }): Readable
  /** The path of a copy in `scratch`, for a library that wants one. The same at every call. */
  path(): Promise<string>
}

/** What a running attempt gets from the worker. */
export interface TaskContext {
  /** The task's id. */
  readonly id: string
  /** 1 for the first try. Effects of a killed attempt may repeat: handle that where it matters. */
  readonly attempt: number
  /** Fires on a cancel, at the soft time limit and when the worker shuts down. Stop soon after, by throwing. */
  readonly signal: AbortSignal
  /**
   * Reports progress: 0 to 100, a short note, and a partial result (left out when over INLINE_RESULT_KB of JSON).
   * Cheap: call it as often as you like. The worker keeps the last report of each moment.
   */
  progress(percent: number, note?: string, partialResult?: Json): void
  /** Adds a line to the task's own log, read at /task/{id}/log; of the level `info` if none is given. */
  log(line: string, level?: LogLevel): void
  /** Saves data (anything `structuredClone` takes) for the next attempt, in case this one is lost. */
  checkpoint(data: unknown): void
  /**
   * Submits a child: a task with this one as its parent and the same owner. Returns its id as soon as it is durable.
   * The child runs independently: this task neither waits for it nor ends it.
   * @throws KIND_UNKNOWN, PARAMS_INVALID, BAD_REQUEST, BAD_KEY, IDEMPOTENCY_MISMATCH, BODY_TOO_LARGE, STORE_FULL,
   * STORE_UNAVAILABLE; the signal's reason once it has fired
   */
  submit(kind: string, params?: Json, options?: ChildOptions): Promise<string>
  /**
   * Runs a command without a shell, in its own process group, and logs its lines to the task's log. Resolves when the
   * whole group is gone. On a cancel, at the soft limit and when the worker shuts down, the group gets SIGTERM, then
   * SIGKILL.
   * @throws ExecError when it cannot be started, ends badly or takes too long; the signal's reason once it has fired
   */
  exec(command: string, args?: readonly string[], options?: ExecOptions): Promise<ExecResult>
  /** The last checkpoint, or null. */
  readonly resume: unknown
  /** How many cores this task may use now: its share of the worker's cores, at least 1. */
  cores(): number
  /**
   * Keeps a file with the task: whole or not at all. It is listed in the record as soon as this resolves, in place of
   * one with its name, and gone with the task. A name has 1 to 100 letters, digits, dots, hyphens and underscores and
   * begins with a letter or digit. `type`: found in the bytes if it is left out.
   * @throws ARTIFACT_REFUSED for a wrong name or type, or when the task has as many as it may have; ARTIFACT_TOO_LARGE,
   * STORE_FULL, STORE_UNAVAILABLE; what the content throws; the signal's reason once it has fired
   */
  artifact(name: string, content: ArtifactContent, options?: { type?: string }): Promise<Artifact>
  /** An upload that the params name. @throws UPLOAD_NOT_FOUND for any other, STORE_UNAVAILABLE */
  upload(ref: UploadRef): Promise<UploadedFile>
  /** The path of a private folder of this attempt: made when it is first asked for, and removed with the attempt. */
  readonly scratch: string
  /** Describes how the result was computed. Kept in the record as `resultInfo`, up to 4 KiB of JSON. */
  resultInfo(info: Json): void
}
