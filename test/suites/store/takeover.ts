// Takeover: a claim lives as long as its process, no shorter and no longer.

import assert from 'node:assert/strict'
import { report, start, succeed, takeOver } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { until } from '../../support/until.ts'
import { add, at, type Check, details, read, refused, take } from './world.ts'

const orphaned = async (store: TaskStore, ids: readonly string[]): Promise<void> =>
  until('the agenda names the orphans', async () => {
    const found = (await store.agenda(at(10), 10)).orphaned
    return ids.every(id => found.includes(id)) && found.length === ids.length
  })

export const takeover = (check: Check): void => {
  check('what a live process holds cannot be taken over', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const started = await take(one, id)
    for (const store of [one, other]) {
      assert.equal(await store.claim(id, takeOver(at(5))), null)
      assert.deepEqual((await store.agenda(at(5), 10)).orphaned, [])
    }
    assert.deepEqual(await read(other, id), started)
  })

  check('what a dead process held is named, taken over once, and runs to its end', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const ids = [(await add(one)).id, (await add(one)).id]
    await world.lose(ids)
    for (const store of [one, other]) await orphaned(store, ids)
    assert.equal(await one.claimNext({ kinds: ['adding'], now: at(10) }, start('w', at(10))), null)
    for (const id of ids) {
      const before = await read(one, id)
      assert.equal(before.status, 'STARTED')
      const tries = await Promise.allSettled(
        Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? one : other).claim(id, takeOver(at(11)))),
      )
      const won = tries.flatMap(result =>
        result.status === 'fulfilled' && result.value ? [result.value] : [],
      )
      assert.equal(won.length, 1)
      assert.deepEqual([won[0]?.status, won[0]?.claim, won[0]?.attempt], ['PENDING', before.claim + 1, 1])
      await refused(() => other.move(id, before.claim, succeed(0, null, at(12))), 'CLAIM_LOST')
      const started = await take(other, id, at(12))
      assert.equal(started.attempt, 2)
      assert.equal((await other.move(id, started.claim, succeed(1, null, at(13)))).status, 'SUCCESS')
    }
    assert.deepEqual((await one.agenda(at(14), 10)).orphaned, [])
  })

  check('a dead process is shown, as dead, as long as a task of it is left', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    await world.lose([id])
    await orphaned(one, [id])
    for (const store of [one, other, one]) {
      await orphaned(store, [id])
      assert.deepEqual(
        (await store.presences()).map(({ alive }) => alive),
        [false],
      )
    }
  })

  check('the last attempt of a dead process ends in FAILURE with WORKER_LOST', async world => {
    const store = await world.open()
    const { id } = await add(store, { maxAttempts: 1 })
    await world.lose([id])
    await orphaned(store, [id])
    const ended = await store.claim(id, takeOver(at(11)))
    assert.deepEqual([ended?.status, ended?.error?.code], ['FAILURE', 'WORKER_LOST'])
  })

  check('a cancel of what a dead process held is done at once', async world => {
    const store = await world.open()
    const { id } = await add(store)
    await world.lose([id])
    await orphaned(store, [id])
    const { outcome, task } = await store.revoke(id, at(11))
    assert.deepEqual([outcome, task.status], ['revoked', 'REVOKED'])
    assert.deepEqual((await store.agenda(at(12), 10)).orphaned, [])
  })

  check('a process that leaves or closes frees what it held, at once', async world => {
    const [one, other, last] = [await world.open(), await world.open(), await world.open()]
    for (const store of [one, other]) await store.announce({ role: 'worker', details: () => details() })
    const [first, second] = [await add(last), await add(last)]
    const left = await take(one, first.id)
    await take(other, second.id)
    await one.leave()
    assert.deepEqual((await last.agenda(at(10), 10)).orphaned, [first.id])
    await other.close()
    assert.deepEqual((await last.agenda(at(10), 10)).orphaned.toSorted(), [first.id, second.id].toSorted())
    for (const { id } of [first, second])
      assert.equal((await last.claim(id, takeOver(at(11))))?.status, 'PENDING')
    const progress = report({ percent: 1, note: null, etaSeconds: null }, null, at(12))
    await refused(() => one.move(first.id, left.claim, progress), 'CLAIM_LOST', 'STORE_UNAVAILABLE')
    assert.equal((await read(last, first.id)).status, 'PENDING')
  })
}
