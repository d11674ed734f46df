// An attempt that has just begun when its process dies.
import assert from 'node:assert/strict'
import { start, succeed, takeOver } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { startChild } from '../../support/child.ts'
import { until } from '../../support/until.ts'
import { add, at, type Check } from '../store/world.ts'
import type { ProcessWorld } from '../store-processes.ts'

/** A process takes the next task and is killed at the moment when it says so. */
const diesAtOnce = async (world: ProcessWorld): Promise<string> => {
  const child = startChild<{ begun: string }>('store-child.ts', { place: world.place, role: 'begin' })
  const { begun } = await child.line(line => 'begun' in line)
  await child.kill()
  return begun
}

const orphan = async (store: TaskStore, id: string): Promise<void> =>
  until('the agenda names the orphan', async () => (await store.agenda(at(10), 10)).orphaned.includes(id))

export const begun = (check: Check<ProcessWorld>): void => {
  check('an attempt counts whose process dies at the moment when it begins', async world => {
    const store = await world.open()
    const { id } = await add(store, { maxAttempts: 2 })
    assert.equal(await diesAtOnce(world), id)
    // nobody else may begin it before it is taken over
    assert.equal(await store.claimNext({ kinds: ['adding'], now: at(10) }, start('w', at(10))), null)
    await orphan(store, id)
    const back = await store.claim(id, takeOver(at(11)))
    assert.deepEqual([back?.status, back?.attempt, back?.history.at(-2)?.status], ['PENDING', 1, 'STARTED'])
    assert.ok(back?.history.at(-2)?.worker)

    assert.equal(await diesAtOnce(world), id)
    await orphan(store, id)
    const ended = await store.claim(id, takeOver(at(12)))
    assert.deepEqual([ended?.status, ended?.attempt, ended?.error?.code], ['FAILURE', 2, 'WORKER_LOST'])
    assert.deepEqual(
      ended?.attempts?.map(({ attempt, outcome, error }) => [attempt, outcome, error?.code]),
      [1, 2].map(attempt => [attempt, 'LOST', 'WORKER_LOST']),
    )
    assert.deepEqual((await store.agenda(at(13), 10)).orphaned, [])
  })

  check('such a task can be cancelled', async world => {
    const store = await world.open()
    const { id } = await add(store)
    assert.equal(await diesAtOnce(world), id)
    await until('it is revoked', async () => (await store.revoke(id, at(11))).task.status === 'REVOKED')
    assert.equal((await store.get(id))?.status, 'REVOKED')
  })

  check('one that has ended at once is what everybody sees', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const task = await one.claimNext({ kinds: ['adding'], now: at(10) }, start('w', at(10)))
    assert.equal(task?.id, id)
    assert.equal((await one.get(id))?.status, 'STARTED')
    assert.equal(await other.claimNext({ kinds: ['adding'], now: at(10) }, start('w', at(10))), null)
    const ended = await one.move(id, task.claim, succeed(1, null, at(11)))
    assert.deepEqual(await other.get(id), ended)
    assert.deepEqual(
      ended.history.map(({ status }) => status),
      ['PENDING', 'STARTED', 'SUCCESS'],
    )
    const only = {
      attempt: 1,
      worker: 'w',
      startedAt: at(10),
      endedAt: at(11),
      outcome: 'SUCCESS',
      error: null,
    }
    assert.deepEqual(ended.attempts, [only])
  })

  check('one that runs on is soon seen by everybody', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const task = await one.claimNext({ kinds: ['adding'], now: at(10) }, start('w', at(10)))
    await until('another process sees it', async () => (await other.get(id))?.status === 'STARTED')
    assert.deepEqual(await other.get(id), task)
    assert.equal((await other.counts()).byStatus.STARTED, 1)
  })
}
