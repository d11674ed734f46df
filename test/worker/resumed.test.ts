// What a run carries over: the time it waited, its checkpoint, and children whose submits are under way.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { TaskRecord } from '../../src/core/task.ts'
import type { ThreadPool } from '../../src/worker/pool/pool.ts'
import { until } from '../support/until.ts'
import { openPool, setUp } from './runner-fixture.ts'

const OUTER = { timeout: 300_000 }
const threads = openPool()
after(() => threads.close())
const now = () => new Date().toISOString()
const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString()

describe('a run', () => {
  it('has waited since its task was due, not since it was submitted', OUTER, async t => {
    const { submit, openRunner } = setUp(t, threads)
    const { runner } = openRunner('w1')
    for (const [from, notBefore] of [
      [36_000, null],
      [90_000, 72_000],
    ] as const) {
      const before = runner.timings().unruly?.wait.sumSeconds ?? 0
      const times = { createdAt: ago(from), updatedAt: ago(from), notBefore: notBefore && ago(notBefore) }
      await submit('return the value', 1, times as Partial<TaskRecord>)
      await (await runner.take())?.ended
      const waited = (runner.timings().unruly?.wait.sumSeconds ?? 0) - before
      const due = notBefore ?? from
      assert.ok(waited >= due && waited < due + 3_600, `${waited} s of ${due}`)
    }
  })

  it(
    'that resumes from a checkpoint does not estimate its time left from its first report',
    OUTER,
    async t => {
      const { submit, openRunner, reports, get } = setUp(t, threads)
      const first = openRunner('w1').runner
      const id = await submit('checkpoint and wait')
      await first.take()
      await reports(id)
      // half of it took the time since the begin
      assert.equal(typeof (await get(id)).progress?.etaSeconds, 'number')
      await first.drain(0)
      assert.equal((await get(id)).status, 'PENDING')
      const second = openRunner('w2').runner
      await second.take()
      await reports(id)
      assert.deepEqual((await get(id)).progress, { percent: 50, note: null, etaSeconds: null })
      await second.drain(0)
    },
  )

  it('that is stopped ends after the children that it is submitting', OUTER, async t => {
    const seen: string[] = []
    let asked = false
    let store = (): void => {}
    const stored = new Promise<void>(resolve => {
      store = resolve
    })
    let over = false
    const watched: ThreadPool = {
      ...threads,
      run(request, events) {
        const run = threads.run(request, events)
        void run.outcome.then(() => {
          over = true
        })
        return run
      },
    }
    const { submit, openRunner, client } = setUp(t, watched, {
      wrap: inner => ({
        ...inner,
        create: async (...args) => {
          asked = true
          await stored
          const answer = await inner.create(...args)
          seen.push('child')
          return answer
        },
        move: async (...args) => {
          const task = await inner.move(...args)
          seen.push(task.status)
          return task
        },
      }),
    })
    const { runner } = openRunner('w1')
    const id = await submit('submit and not wait')
    const taken = await runner.take()
    await until('the child is on its way', () => asked)
    await client.revoke(id, now())
    await until('the run is over', () => over)
    // another task's end would be written by now
    for (let turn = 0; turn < 20; turn += 1) await new Promise(resolve => setImmediate(resolve))
    assert.deepEqual(seen, [])
    store()
    await taken?.ended
    assert.deepEqual(seen, ['child', 'REVOKED'])
  })
})
