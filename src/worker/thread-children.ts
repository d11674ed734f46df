// `ctx.submit` inside a thread: asks the worker process for a task and waits for its answer, a few at a time.
import { isErrorCode, MadhavaError } from '../core/errors.ts'
import type { TaskContext } from '../core/kind.ts'
import { strictJson } from './encode-result.ts'
import type { ChildAnswer, FromThread } from './thread-protocol.ts'

/** Submits that one run may have on their way: a kind that awaits none of them must not fill the worker's memory. */
const ON_THE_WAY = 32

export interface ThreadChildren {
  submit: TaskContext['submit']
  answered(call: number, answer: ChildAnswer): void
  /** What is still asked for is refused. */
  close(): void
}

interface Waiting {
  resolve(id: string): void
  reject(error: unknown): void
}

const errorOf = ({ code, message, detail }: Extract<ChildAnswer, { code: string }>): MadhavaError =>
  new MadhavaError(isErrorCode(code) ? code : 'INTERNAL', message, { detail })

/** `post` hands a message to the worker process. */
export const createThreadChildren = (deps: {
  run: number
  signal: AbortSignal
  post: (message: FromThread) => void
}): ThreadChildren => {
  const { run, signal, post } = deps
  const onTheWay = new Map<number, Waiting>()
  const queued: (() => void)[] = []
  let calls = 0
  let closed = false

  const refuseWhenOver = (): void => {
    signal.throwIfAborted()
    if (closed) throw new MadhavaError('CLAIM_LOST', 'The run is over: it can submit nothing more')
  }
  const next = (): void => {
    while (queued.length > 0 && onTheWay.size < ON_THE_WAY) queued.shift()?.()
  }

  return {
    async submit(kind, params, options = {}) {
      refuseWhenOver()
      const { key = null, ...fields } = options
      // here and not later: the kind may go on changing what it handed over
      const submission = strictJson({ kind, params: params ?? {}, ...fields })
      return new Promise<string>((resolve, reject) => {
        queued.push(() => {
          try {
            refuseWhenOver()
            calls += 1
            post({ type: 'submit', run, call: calls, submission, key })
            onTheWay.set(calls, { resolve, reject })
          } catch (error) {
            reject(error)
          }
        })
        next()
      })
    },
    answered(call, answer) {
      const waiting = onTheWay.get(call)
      onTheWay.delete(call)
      if ('id' in answer) waiting?.resolve(answer.id)
      else waiting?.reject(errorOf(answer))
      next()
    },
    close() {
      closed = true
      for (const begin of queued.splice(0)) begin()
    },
  }
}
