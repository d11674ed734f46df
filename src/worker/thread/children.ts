// `ctx.submit` inside a thread: asks the worker process to submit, and waits for its answer, a few at a time.
import { MadhavaError } from '../../core/errors.ts'
import type { TaskContext } from '../../core/kind.ts'
import { SUBMIT_LIMIT_BYTES } from '../../core/sound-json.ts'
import { strictJson } from '../../core/strict-json.ts'
import { type ChildAnswer, type FromThread, SUBMIT_TOO_LARGE } from '../pool/protocol.ts'
import { errorOfCall } from './call-port.ts'

/** How many submits of a run may be under way: a kind that awaits none must not fill the worker's memory. */
const ON_THE_WAY = 32

export interface ThreadChildren {
  submit: TaskContext['submit']
  answered(call: number, answer: ChildAnswer): void
  /** Resolves when every submit so far is answered, also those that the kind did not await. Never rejects. */
  settled(): Promise<void>
  /** The run is over: further submits are refused. */
  close(): void
}

/** One submit. Exactly one of these is called. */
interface PendingSubmit {
  submission: string
  key: string | null
  resolve(id: string): void
  reject(error: unknown): void
}

/** `post` sends a message to the worker process. */
export const createThreadChildren = (deps: {
  run: number
  signal: AbortSignal
  post: (message: FromThread) => void
}): ThreadChildren => {
  const { run, signal, post } = deps
  const onTheWay = new Map<number, PendingSubmit>()
  const queued: PendingSubmit[] = []
  const idle: (() => void)[] = []
  let calls = 0
  let closed = false

  const refuseWhenOver = (): void => {
    signal.throwIfAborted()
    if (closed) throw new MadhavaError('CLAIM_LOST', 'The run is over: it can submit nothing more')
  }
  const send = (asking: PendingSubmit): void => {
    try {
      refuseWhenOver()
      calls += 1
      post({ type: 'submit', run, call: calls, submission: asking.submission, key: asking.key })
      onTheWay.set(calls, asking)
    } catch (error) {
      asking.reject(error)
    }
  }
  const next = (): void => {
    while (onTheWay.size < ON_THE_WAY) {
      const asking = queued.shift()
      if (!asking) break
      send(asking)
    }
    if (onTheWay.size === 0) for (const resolve of idle.splice(0)) resolve()
  }

  return {
    async submit(kind, params, options = {}) {
      refuseWhenOver()
      const { key = null, ...fields } = options
      // now and not later: the kind may change the object afterwards
      const asked = { kind, params: params ?? {}, ...fields }
      const submission = strictJson(asked, { what: 'the task', code: 'BAD_REQUEST' }, SUBMIT_LIMIT_BYTES)
      if (submission === null) throw new MadhavaError('BODY_TOO_LARGE', SUBMIT_TOO_LARGE)
      return new Promise<string>((resolve, reject) => {
        queued.push({ submission, key, resolve, reject })
        next()
      })
    },
    answered(call, answer) {
      const asking = onTheWay.get(call)
      onTheWay.delete(call)
      if ('id' in answer) asking?.resolve(answer.id)
      else asking?.reject(errorOfCall(answer))
      next()
    },
    settled: () =>
      new Promise(resolve => {
        if (onTheWay.size === 0) resolve()
        else idle.push(resolve)
      }),
    close() {
      closed = true
      // neither answered nor rejected: the run is over
      queued.length = 0
    },
  }
}
