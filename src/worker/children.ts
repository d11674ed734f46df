// The children that a running attempt submits: stored for its thread, each answered exactly once.
import { MadhavaError, toMadhavaError } from '../core/errors.ts'
import { SUBMIT_LIMIT_BYTES } from '../core/sound-json.ts'
import type { TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import { type ChildAnswer, SUBMIT_TOO_LARGE } from './pool/protocol.ts'

/** Submits a child of a running task. Rejects as `Service.submitChild` does. */
export type SubmitChild = (parent: TaskRecord, submission: unknown, key: string | null) => Promise<TaskRecord>

export interface Children {
  /** `submission`: JSON text. Never rejects. */
  submit(submission: string, key: string | null): Promise<ChildAnswer>
  /** Resolves when every submit so far is answered: a task's end must not be durable before its children. */
  settled(): Promise<void>
}

export const createChildren = (deps: {
  parent: TaskRecord
  submitChild: SubmitChild
  /** Why the attempt may submit nothing more; null: it may. */
  refusal: () => string | null
  log: Log
}): Children => {
  const { parent, submitChild, refusal, log } = deps
  const underWay = new Set<Promise<ChildAnswer>>()

  const store = async (submission: string, key: string | null): Promise<ChildAnswer> => {
    try {
      const reason = refusal()
      if (reason !== null)
        throw new MadhavaError('CLAIM_LOST', `No task can be submitted any more: ${reason}`)
      if (Buffer.byteLength(submission) > SUBMIT_LIMIT_BYTES)
        throw new MadhavaError('BODY_TOO_LARGE', SUBMIT_TOO_LARGE)
      const { id, kind } = await submitChild(parent, JSON.parse(submission), key)
      log.debug({ child: id, childKind: kind }, 'submitted a child')
      return { id }
    } catch (error) {
      const { code, message, detail } = toMadhavaError(error)
      log.warn({ code, reason: message, error }, 'a child could not be submitted')
      return { code, message, detail }
    }
  }

  return {
    async submit(submission, key) {
      const answer = store(submission, key)
      underWay.add(answer)
      try {
        return await answer
      } finally {
        underWay.delete(answer)
      }
    },
    async settled() {
      await Promise.all(underWay)
    },
  }
}
