// The pool when a thread is long in dying, with threads that do what the test says.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createThreads } from '../../src/worker/pool/pool.ts'
import type { RunEnd, startThread } from '../../src/worker/pool/thread.ts'

const OUTER = { timeout: 60_000 }

/** A pool whose threads never come to an end by themselves, and one run in each. */
const open = (t: TestContext, size: number) => {
  const threads: { ended: boolean; end: (end: RunEnd) => void; aborted: string[]; gone: () => void }[] = []
  const start: typeof startThread = ({ onUp }) => {
    const runs: unknown[] = []
    const mine = {
      ended: false,
      end: (_end: RunEnd): void => {},
      aborted: [] as string[],
      gone: () => {},
    }
    const gone = new Promise<void>(resolve => {
      mine.gone = resolve
    })
    threads.push(mine)
    queueMicrotask(() => onUp(null))
    return {
      run: (request, events) =>
        new Promise(resolve => {
          runs.push(request)
          events.started()
          mine.end = end => {
            runs.shift()
            resolve(end)
          }
        }),
      length: () => runs.length,
      takesAhead: () => false,
      serves: () => true,
      isSpoilt: () => false,
      ended: () => 0,
      takeBack() {},
      isAt: request => runs[0] === request,
      abort: (_request, reason) => void mine.aborted.push(reason),
      stopProcesses() {},
      terminate() {
        mine.ended = true
        return gone
      },
      onGone() {},
    }
  }
  const pool = createThreads({ size, memoryMb: 64, start })
  t.after(() => {
    for (const thread of threads) thread.gone()
    return pool.close()
  })
  const run = () =>
    pool.run(
      { id: 'x', attempt: 1, kind: 'k', file: 'k.ts', params: null, resume: null },
      { started() {}, progress() {}, log() {}, checkpoint() {}, submit: async () => ({ id: '' }) },
    )
  return { pool, threads, run }
}

/** What became of it by now. */
const soFar = async (outcome: Promise<unknown>): Promise<unknown> => {
  for (let n = 0; n < 5; n += 1) await turn()
  return Promise.race([outcome, Promise.resolve('nothing yet')])
}

describe('a run that is killed', () => {
  it('is over a second later though its thread is still dying, and makes room at once', OUTER, async t => {
    const { pool, threads, run } = open(t, 1)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const killed = run()
    const next = run()
    assert.deepEqual([threads.length, next.isWaiting()], [1, true])
    killed.kill()
    assert.deepEqual([threads[0]?.ended, threads.length, next.isWaiting()], [true, 2, false])
    t.mock.timers.tick(999)
    assert.equal(await soFar(killed.outcome), 'nothing yet')
    t.mock.timers.tick(1)
    assert.deepEqual(await soFar(killed.outcome), { type: 'stopped' })
    assert.equal(pool.state().busy, 1)
  })

  it(
    'is what becomes of one that is cancelled and does not end in the time that it is given',
    OUTER,
    async t => {
      const { threads, run } = open(t, 1)
      t.mock.timers.enable({ apis: ['setTimeout'] })
      const cancelled = run()
      cancelled.cancel('enough', 500)
      cancelled.cancel('once more', 1)
      t.mock.timers.tick(499)
      assert.deepEqual([threads[0]?.aborted, threads[0]?.ended], [['enough'], false])
      t.mock.timers.tick(1)
      assert.equal(threads[0]?.ended, true)
      t.mock.timers.tick(1_000)
      assert.deepEqual(await soFar(cancelled.outcome), { type: 'stopped' })
    },
  )

  it('harms none after it: one that ends in its grace time keeps its thread', OUTER, async t => {
    const { threads, run } = open(t, 1)
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const cancelled = run()
    cancelled.cancel('enough', 500)
    threads[0]?.end({
      begun: true,
      outcome: { type: 'success', result: { form: 'inline', json: '1' } },
      reusable: true,
      ms: 10,
    })
    assert.equal(((await soFar(cancelled.outcome)) as { type: string }).type, 'success')
    const next = run()
    t.mock.timers.tick(60_000 - 1)
    assert.deepEqual([threads.length, threads[0]?.ended, next.isWaiting()], [1, false, false])
    assert.equal(await soFar(next.outcome), 'nothing yet')
  })
})
