// Tasks that are taken before a slot is free: they begin when one is, or are let go, and nothing of that counts. How long
// one waits is told by a clock of the test's own.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import { openPool, setUp } from './runner-fixture.ts'
import unruly from './unruly.ts'

const OUTER = { timeout: 300_000 }
/** So long such a task waits for a slot. */
const AHEAD_MS = 50

/** A worker of one slot whose thread is busy with the first task. */
const busyWorker = async (t: TestContext) => {
  const threads = openPool(1)
  undo(t, () => threads.close())
  const letGo: TaskRecord[] = []
  const world = setUp(t, threads, { onGivenBack: task => letGo.push(task) })
  const { runner } = world.openRunner('w1')
  const first = await world.submit('checkpoint and wait')
  const taken = await runner.take()
  await world.reports(first)
  // from here on the time stands still
  t.mock.timers.enable({ apis: ['setTimeout'] })
  return { world, runner, first, taken, letGo, pass: (ms: number) => t.mock.timers.tick(ms) }
}

describe('a task that is taken ahead', () => {
  it('is let go, uncounted, when no slot gets free soon', OUTER, async t => {
    const { world, runner, first, letGo, pass } = await busyWorker(t)
    const id = await world.submit('return the value', 1)
    const ahead = await runner.take(true)
    assert.ok(ahead)
    assert.deepEqual(runner.held().toSorted(), [first, id].toSorted())
    assert.deepEqual(runner.running(), [first])
    pass(AHEAD_MS - 1)
    await turn()
    assert.deepEqual(runner.held().toSorted(), [first, id].toSorted())
    pass(1)
    await ahead.ended
    assert.deepEqual(
      letGo.map(task => task.id),
      [id],
    )
    const task = await world.get(id)
    assert.deepEqual([task.status, task.attempt, task.worker, task.startedAt], ['PENDING', 0, null, null])
    assert.deepEqual(runner.held(), [first])
    assert.equal(runner.counters().givenBack, 1)
    // nothing ran, so that no run is counted
    assert.equal(runner.timings().unruly?.run.sumSeconds, 0)
  })

  it('runs in the slot that gets free in time', OUTER, async t => {
    const { world, runner, first, taken, letGo, pass } = await busyWorker(t)
    const id = await world.submit('return the value', 1)
    const ahead = await runner.take(true)
    pass(AHEAD_MS - 1)
    await world.client.revoke(first, new Date().toISOString())
    await taken?.ended
    await ahead?.ended
    const task = await world.get(id)
    assert.deepEqual([task.status, task.attempt, task.result], ['SUCCESS', 1, 1])
    assert.deepEqual([letGo, runner.counters().givenBack], [[], 0])
  })

  it('goes on in its slot when the time is over for which it would have waited', OUTER, async t => {
    const { world, runner, first, letGo, pass } = await busyWorker(t)
    const id = await world.submit('return a result when told to stop')
    const ahead = await runner.take(true)
    await world.client.revoke(first, new Date().toISOString())
    await until('it runs', () => runner.running().includes(id))
    pass(10 * AHEAD_MS)
    await world.client.revoke(id, new Date().toISOString())
    await ahead?.ended
    // one that was stopped for another reason would have returned nothing
    const task = await world.get(id)
    assert.deepEqual([task.status, task.attempt, task.result], ['SUCCESS', 1, 'finished all the same'])
    assert.deepEqual(letGo, [])
  })

  it('is cancelled like any other', OUTER, async t => {
    const { world, runner, first, letGo } = await busyWorker(t)
    const id = await world.submit('return the value', 1)
    const ahead = await runner.take(true)
    await world.client.revoke(id, new Date().toISOString())
    await ahead?.ended
    const task = await world.get(id)
    assert.deepEqual([task.status, task.result], ['REVOKED', null])
    assert.deepEqual([letGo, runner.held()], [[], [first]])
  })

  it('is of no kind with limits, which it would take up while it waits', OUTER, async t => {
    const threads = openPool(1)
    undo(t, () => threads.close())
    const kinds = createKinds([{ ...loadKind('unruly', unruly, 'unruly.ts'), maxConcurrency: 2 }])
    const world = setUp(t, threads, { kinds })
    const { runner } = world.openRunner('w1')
    const id = await world.submit('return the value', 1)
    assert.equal(await runner.take(true), null)
    await (await runner.take())?.ended
    assert.equal((await world.get(id)).status, 'SUCCESS')
  })

  it('is never at its last attempt, which would be lost with the worker', OUTER, async t => {
    const { world, runner, first } = await busyWorker(t)
    const id = await world.submit('return the value', 1, { maxAttempts: 1 })
    assert.equal(await runner.take(true), null)
    const { status, attempt, history } = await world.get(id)
    assert.deepEqual([status, attempt, history.length], ['PENDING', 0, 1])
    await world.client.revoke(first, new Date().toISOString())
    await world.ended(first)
    await (await runner.take())?.ended
    assert.equal((await world.get(id)).status, 'SUCCESS')
  })

  it('is given back with the others when the worker stops', OUTER, async t => {
    const { world, runner, first, letGo } = await busyWorker(t)
    const id = await world.submit('return the value', 1)
    await runner.take(true)
    await runner.drain(0)
    for (const each of [first, id])
      assert.deepEqual([(await world.get(each)).status, (await world.get(each)).attempt], ['PENDING', 0])
    assert.deepEqual(letGo, [])
  })
})
