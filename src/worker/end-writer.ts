// Writes the end of an attempt, with retries: a result with its blobs, or any other last move. A result that can never
// be written becomes a failure. The attempt decides which end it is.
import { BLOBS } from '../core/content.ts'
import { type Move, revoke, succeed } from '../core/moves.ts'
import type { TaskStore } from '../core/store.ts'
import type { Json, TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import type { EncodedResult, RunError } from './pool/protocol.ts'
import { classifyError, type RetryOptions, retryWrite, whyRefused } from './retry-write.ts'

export interface EndWriterDeps {
  id: string
  /** Whether an earlier attempt may have left a result. */
  earlier: boolean
  store: () => Pick<TaskStore, 'putBlob' | 'removeBlob'>
  move: (change: Move) => Promise<TaskRecord>
  /** ISO-8601. */
  now: () => string
  log: Log
  retryOptions: RetryOptions
  /** Whether a cancel was requested. */
  isRevoked: () => boolean
  /** These two never reject. */
  flushLog: () => Promise<void>
  flushCheckpoint: () => Promise<void>
  removeCheckpoint: () => Promise<void>
  failure: (error: RunError) => Move
}

/** Both return the last record; null: the task is no longer ours, or the worker closed before. */
export interface EndWriter {
  /** A cancel request wins as soon as a try has failed. */
  success(result: EncodedResult, info: Json | undefined): Promise<TaskRecord | null>
  other(change: Move): Promise<TaskRecord | null>
}

export const createEndWriter = (deps: EndWriterDeps): EndWriter => {
  const { id, earlier, store, move, now, log, retryOptions, isRevoked, failure } = deps
  const { flushLog, flushCheckpoint, removeCheckpoint } = deps

  const keepResult = async (result: EncodedResult, info: Json | undefined): Promise<Move> => {
    const { textResult, jsonResult } = BLOBS
    if (result.form === 'inline') {
      if (earlier) for (const name of [textResult, jsonResult]) await store().removeBlob(id, name)
      return task => succeed(JSON.parse(result.json) as Json, null, now(), info)(task)
    }
    const [name, otherName] = result.form === 'text' ? [textResult, jsonResult] : [jsonResult, textResult]
    await store().putBlob(id, name, result.bytes)
    await store().removeBlob(id, otherName)
    return task => succeed(null, result.bytes.length, now(), info)(task)
  }

  const other: EndWriter['other'] = async change => {
    const written = await retryWrite(
      async () => {
        // at every try: on a full disk the log's last lines would otherwise be lost
        await Promise.all([flushLog(), flushCheckpoint()])
        return move(change)
      },
      // every store accepts it
      { ...retryOptions, acceptedByAnyStore: true },
    )
    return written.state === 'written' ? written.value : null
  }

  return {
    other,
    async success(result, info) {
      let kept: Move | null = null
      const written = await retryWrite(async failed => {
        await flushLog()
        // a cancelled task must not wait for a result that cannot be written now
        if (failed > 0 && isRevoked()) return move(revoke(now()))
        if (!kept) {
          const success = await keepResult(result, info)
          // before the move, while the claim keeps others from writing a new one
          await removeCheckpoint()
          kept = success
        }
        return move(kept)
      }, retryOptions)
      if (written.state === 'written') return written.value
      if (written.state === 'abandoned') return null
      const { error } = written
      log.error({ error }, 'the result of a task cannot be kept; the task fails')
      return other(
        failure({
          code: classifyError(error) === 'permanent' ? 'RESULT_INVALID' : 'INTERNAL',
          message: `The result cannot be kept: ${whyRefused(error)}`,
          stack: null,
          names: [],
          detail: null,
          retryable: false,
        }),
      )
    },
  }
}
