// Records as they occur: what the benchmarks store and look for.
import { fail, firstRecord, type Move, report, revoke, start, succeed } from '../src/core/moves.ts'
import { newTaskId, type TaskRecord } from '../src/core/task.ts'

export const WORKER = 'bench-worker'
export const RESULT = '3.14159265358979323846264338327950288419716939937510'

/** A new task of medium size. */
export const newTask = (more: Partial<TaskRecord> = {}): TaskRecord => ({
  ...firstRecord({
    id: newTaskId(),
    kind: 'calcpi',
    params: { digits: 50, method: 'wijngaarden', pace: 0 },
    priority: 5,
    maxAttempts: 5,
    createdAt: new Date().toISOString(),
    notBefore: null,
    expiresAt: null,
    owner: null,
    parentId: null,
    title: 'Fifty digits of pi',
    description: null,
    idempotencyKey: null,
    retry: null,
    limits: { softSeconds: null, hardSeconds: null },
  }),
  ...more,
})

/** What a store does around a move: the claim number and the revision. */
export const apply = (task: TaskRecord, move: Move, claim: number): TaskRecord => ({
  ...move(task),
  claim,
  rev: task.rev + 1,
})

/** The three records of a whole life: made, started, ended well. */
export const wholeLife = (): [TaskRecord, TaskRecord, TaskRecord] => {
  const made = newTask()
  const at = new Date().toISOString()
  const started = apply(made, start(WORKER, at), 1)
  return [made, started, apply(started, succeed(RESULT, null, at), 1)]
}

export const KINDS = ['calcpi', 'binomial', 'sleep', 'thumbnail'] as const
export const OWNERS = ['ada', 'bhaskara', 'chebyshev', 'dedekind', 'euler'] as const

/**
 * The `n`th of a mixed lot, created `n` tenths of a second after `from` (ms of the epoch): of 20 tasks 15 in SUCCESS, 2 in FAILURE, 1 in
 * REVOKED, 1 in RETRY, and 1 PENDING. A running task would need a process that runs it.
 */
export const mixedTask = (n: number, from: number): TaskRecord => {
  const at = new Date(from + n * 100).toISOString()
  const made = newTask({
    kind: KINDS[n % KINDS.length] ?? 'calcpi',
    owner: OWNERS[n % OWNERS.length] ?? null,
    createdAt: at,
    updatedAt: at,
    title: `Lot ${Math.floor(n / 100)}, piece ${n % 100}`,
    description: n % 3 === 0 ? 'made for a benchmark of lists' : null,
    history: [{ status: 'PENDING', at, attempt: 0, worker: null }],
  })
  // 7 has no divisor in common with 20: kinds and owners meet every status
  const lot = (n * 7) % 20
  if (lot === 19) return made
  if (lot === 18) return apply(made, revoke(at), 1)
  const running = apply(apply(made, start(WORKER, at), 1), report(PROGRESS, null, at), 1)
  const error = { code: 'KIND_FAILED', message: 'There was no more paper', detail: null }
  if (lot === 17) return apply(running, fail(error, '2099-01-01T00:00:00.000Z', at), 1)
  if (lot >= 15) return apply(running, fail(error, null, at), 1)
  return apply(running, succeed(RESULT, null, at), 1)
}
const PROGRESS = { percent: 40, note: 'on the way', etaSeconds: 2 }
