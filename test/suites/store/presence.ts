// Presence: every process announces itself, is seen by all, beats, and is known to be alive or not.

import assert from 'node:assert/strict'
import type { SeenPresence, TaskStore } from '../../../src/core/store.ts'
import { until } from '../../support/until.ts'
import { add, type Check, details } from './world.ts'

const seen = async (store: TaskStore, of: TaskStore): Promise<SeenPresence | undefined> =>
  (await store.presences()).find(presence => presence.instance === of.instance)

export const presence = (check: Check): void => {
  check('an announced process is seen by all, with all it said', async world => {
    const [one, other] = [await world.open(), await world.open()]
    assert.notEqual(one.instance, other.instance)
    const said = details({
      address: '127.0.0.1:8000',
      slots: 3,
      running: ['1b671a64-40d5-491e-99b0-da01ff1f3341'],
      counters: { done: 4, constructor: 1 },
      rssBytes: 1_000_000,
      cpu: 0.5,
      troubles: { queue: 'the broker is away: "x"\n' },
    })
    await one.announce({ role: 'worker', details: () => said })
    await other.announce({ role: 'api', details: () => details() })
    for (const store of [one, other]) {
      const worker = await seen(store, one)
      assert.ok(worker)
      assert.deepEqual(worker.details, said)
      assert.deepEqual([worker.role, worker.pid, worker.alive], ['worker', process.pid, true])
      assert.ok(worker.host.length > 0)
      for (const time of [worker.startedAt, worker.beatAt])
        assert.ok(Math.abs(Date.now() - Date.parse(time)) < 120_000)
      assert.equal((await seen(store, other))?.role, 'api')
      assert.equal((await store.presences()).length, 2)
    }
  })

  check('a presence beats and tells what is new', async world => {
    const [one, other] = [await world.open(), await world.open()]
    let done = 0
    await one.announce({ role: 'worker', details: () => details({ counters: { done } }) })
    const before = await seen(other, one)
    assert.equal(before?.details.counters.done, 0)
    done = 5
    await until('the next beat', async () => {
      const now = await seen(other, one)
      return now?.details.counters.done === 5 && now.beatAt > before.beatAt
    })
    const now = await seen(other, one)
    assert.deepEqual([now?.startedAt, now?.alive], [before.startedAt, true])
  })

  check('a process that leaves or closes is not seen any more, twice over', async world => {
    const [one, other, last] = [await world.open(), await world.open(), await world.open()]
    for (const store of [one, other]) await store.announce({ role: 'worker', details: () => details() })
    await one.leave()
    await one.leave()
    assert.equal(await seen(last, one), undefined)
    assert.equal((await seen(last, other))?.alive, true)
    await other.close()
    assert.deepEqual(await last.presences(), [])
  })

  check('a process that died is not seen alive', async world => {
    const store = await world.open()
    await store.announce({ role: 'api', details: () => details() })
    await world.lose([(await add(store)).id])
    await until('the verdict', async () =>
      (await store.presences()).every(({ instance, alive }) => alive === (instance === store.instance)),
    )
    assert.equal((await seen(store, store))?.alive, true)
  })
}
