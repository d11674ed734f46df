// The time limits of an attempt whose run begins a second time: its thread went before it had begun.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import type { ThreadPool } from '../../src/worker/pool/pool.ts'
import type { RunOutcome } from '../../src/worker/pool/protocol.ts'
import { setUp } from './runner-fixture.ts'

describe('the time limit of a run that begins again', () => {
  it('is counted from its second begin', async t => {
    let begin: (() => void) | null = null
    let settle: (outcome: RunOutcome) => void = () => {}
    const cancelled: string[] = []
    const outcome = new Promise<RunOutcome>(resolve => {
      settle = resolve
    })
    const threads: ThreadPool = {
      run(_request, events) {
        begin = events.started
        return {
          outcome,
          isWaiting: () => false,
          tookMs: () => null,
          withdraw: () => false,
          cancel: reason => void cancelled.push(reason),
          kill() {},
        }
      },
      renew() {},
      state: () => ({ busy: 0, idle: 0, waiting: 0 }),
      async close() {},
    }
    const { submit, openRunner } = setUp(t, threads)
    const { runner } = openRunner('w1')
    await submit('return the value', null, { limits: { softSeconds: 10, hardSeconds: null } })
    const taken = await runner.take()
    while (begin === null) await turn()
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const started: () => void = begin
    started()
    t.mock.timers.tick(8_000)
    started()
    t.mock.timers.tick(9_000)
    assert.deepEqual(cancelled, [])
    t.mock.timers.tick(1_000)
    assert.equal(cancelled.length, 1)
    t.mock.timers.reset()
    settle({ type: 'stopped' })
    assert.ok(taken !== null && 'ended' in taken)
    await taken.ended
  })
})
