// The pool when a thread is long in dying, with threads that do what the test says.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createThreads } from '../../src/worker/pool/pool.ts'
import type { ProcessNote } from '../../src/worker/pool/protocol.ts'
import type { RunEnd, startThread } from '../../src/worker/pool/thread.ts'
import type { ProcessKeeper } from '../../src/worker/processes/attempt-processes.ts'
import { undo } from '../support/undo.ts'

const OUTER = { timeout: 300_000 }

/** A pool whose threads never come to an end by themselves, and one run in each. */
const open = (t: TestContext, size: number) => {
  const threads: {
    ended: boolean
    /** It must not be used again. */
    spoilt: boolean
    /** What it was given, in order. */
    given: string[]
    end: (end: RunEnd) => void
    tell: (note: ProcessNote) => void
    aborted: string[]
    gone: () => void
  }[] = []
  /** How often the processes of a run were ended, by its id. */
  const processesEnded: string[] = []
  const keeper: ProcessKeeper = {
    prefix: '-',
    open: task => ({
      note() {},
      async end() {
        processesEnded.push(task)
        return null
      },
      async fetched() {},
    }),
    async close() {},
  }
  const start: typeof startThread = ({ onUp }) => {
    const runs: unknown[] = []
    const mine = {
      ended: false,
      spoilt: false,
      given: [] as string[],
      tell: (_note: ProcessNote): void => {},
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
          mine.given.push(request.id)
          events.started()
          mine.tell = note => events.process?.(note)
          mine.end = end => {
            runs.shift()
            resolve(end)
          }
        }),
      length: () => runs.length,
      takesAhead: () => false,
      serves: () => true,
      isOnlyFor: () => false,
      isSpoilt: () => mine.spoilt,
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
  const pool = createThreads({ size, memoryMb: 64, start, keeper })
  undo(t, () => {
    for (const thread of threads) thread.gone()
    return pool.close()
  })
  const run = (id = 'x') =>
    pool.run(
      { id, attempt: 1, kind: 'k', file: 'k.ts', params: null, resume: null },
      { started() {}, progress() {}, log() {}, checkpoint() {}, submit: async () => ({ id: '' }) },
    )
  return { pool, threads, run, processesEnded }
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

  it(
    'has its processes ended, also those of which its dying thread tells when it is over',
    OUTER,
    async t => {
      const { threads, run, processesEnded } = open(t, 1)
      t.mock.timers.enable({ apis: ['setTimeout'] })
      const killed = run('killed')
      killed.kill()
      t.mock.timers.tick(1_000)
      assert.deepEqual(await soFar(killed.outcome), { type: 'stopped' })
      assert.deepEqual(processesEnded, [])
      threads[0]?.tell({ event: 'started', pid: null, startedTicks: null })
      threads[0]?.end({ begun: true, outcome: { type: 'lost', reason: 'killed' }, reusable: false, ms: null })
      await soFar(killed.outcome)
      assert.deepEqual(processesEnded, ['killed'])
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

describe('a run whose thread goes before it has begun', () => {
  it('begins in another one before those that came after it', OUTER, async t => {
    const { threads, run } = open(t, 1)
    const runs = ['first', 'second', 'third'].map(id => run(id))
    for (const thread of threads) {
      thread.spoilt = true
      thread.end({ begun: false })
    }
    await soFar(Promise.all(runs.map(({ outcome }) => outcome)))
    assert.deepEqual(
      threads.map(({ given }) => given),
      [['first'], ['first']],
    )
    assert.deepEqual(
      runs.map(each => each.isWaiting()),
      [false, true, true],
    )
  })
})
