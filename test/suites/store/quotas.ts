// What quotas count: tasks that wait by the key and the address that they were submitted with, and points by the minute.
import assert from 'node:assert/strict'
import { retryByHand } from '../../../src/core/moves.ts'
import type { CountedSubmitter, TaskStore } from '../../../src/core/store.ts'
import { add, addEnded, at, type Check, take } from './world.ts'

const KEY = 'k3v9q0d2m1x8z7ab'
const ADDRESS = '2001:db8:0:1'
const BY: readonly CountedSubmitter[] = [
  { key: KEY },
  { address: ADDRESS },
  { key: 'other' },
  { address: '192.0.2.1' },
]
const waiting = (store: TaskStore): Promise<number[]> =>
  Promise.all(BY.map(submitter => store.countWaiting(submitter)))

export const quotas = (check: Check): void => {
  check('tasks that wait are counted by key and by address, in every store, while they move', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const isEverywhere = async (expected: number[]): Promise<void> => {
      for (const each of [store, other]) assert.deepEqual(await waiting(each), expected)
    }
    await isEverywhere([0, 0, 0, 0])
    await add(store)
    await add(store, { submittedBy: { key: KEY, address: null } })
    const both = await add(other, { submittedBy: { key: KEY, address: ADDRESS } })
    await add(store, { submittedBy: { key: null, address: '192.0.2.1' }, notBefore: at(1_000_000) })
    await isEverywhere([2, 1, 0, 1])
    const ended = await addEnded(store, { submittedBy: { key: KEY, address: ADDRESS } })
    const taken = await take(other, both.id)
    assert.deepEqual(taken.submittedBy, { key: KEY, address: ADDRESS })
    await isEverywhere([1, 0, 0, 1])
    await store.claim(ended.id, retryByHand(at(10)))
    await isEverywhere([2, 1, 0, 1])
    await store.revoke(ended.id, at(11))
    await store.remove(ended.id)
    await isEverywhere([1, 0, 0, 1])
    await store.close()
    await other.close()
    assert.deepEqual(await waiting(await world.open()), [1, 0, 0, 1])
  })

  check(
    'no more points than the limit fit into a window, over all stores, and each name has its own',
    async world => {
      const stores = [await world.open(), await world.open()]
      const ends = new Set<number>()
      const takes = await Promise.all(
        Array.from({ length: 24 }, async (_, n) => {
          const taken = await (stores[n % 2] as TaskStore).rates.take('account:ann', 1, 10)
          assert.ok(taken.resetMs > 0 && taken.resetMs <= 60_000, `${taken.resetMs}`)
          assert.ok(taken.left >= 0 && taken.left < 10)
          ends.add(Math.round((Date.now() + taken.resetMs) / 10_000))
          return taken
        }),
      )
      const allowed = takes.filter(taken => taken.allowed).length
      // a minute may have ended meanwhile
      assert.ok(allowed === 10 || (ends.size > 1 && allowed <= 20), `${allowed}`)
      const [one] = stores as [TaskStore]
      const fresh = await one.rates.take('account:bob', 3, 10)
      assert.deepEqual([fresh.allowed, fresh.left], [true, 7])
    },
  )

  check('what does not fit counts nothing, and what is given back fits again', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const name = (n: number) => `key:${n}`
    // again with another name, should a minute end in the middle
    for (let n = 0; ; n += 1) {
      const first = await store.rates.take(name(n), 6, 10)
      const refused = await other.rates.take(name(n), 5, 10)
      const fits = await other.rates.take(name(n), 4, 10)
      await first.giveBack()
      const again = await other.rates.take(name(n), 5, 10)
      const over = await store.rates.take(name(n), 2, 10)
      if (over.resetMs > first.resetMs) continue
      assert.deepEqual([first.allowed, first.left], [true, 4])
      assert.deepEqual([refused.allowed, refused.left], [false, 4])
      assert.deepEqual([fits.allowed, fits.left], [true, 0])
      assert.deepEqual([again.allowed, again.left], [true, 1])
      assert.deepEqual([over.allowed, over.left], [false, 1])
      return
    }
  })

  check('what is given back twice, or was refused, gives nobody more', async world => {
    const store = await world.open()
    for (let n = 0; ; n += 1) {
      const name = `key:${n}`
      const [one] = [await store.rates.take(name, 2, 3), await store.rates.take(name, 1, 3)]
      await (await store.rates.take(name, 1, 3)).giveBack()
      await one.giveBack()
      await one.giveBack()
      const again = await store.rates.take(name, 2, 3)
      const over = await store.rates.take(name, 1, 3)
      // a minute ended in the middle
      if (over.resetMs > one.resetMs) continue
      assert.deepEqual([again.allowed, again.left, over.allowed, over.left], [true, 0, false, 0])
      return
    }
  })

  check('more than the limit at once is refused also where nothing was counted before', async world => {
    const store = await world.open()
    const { allowed, left } = await store.rates.take('account:ann', 5, 3)
    assert.deepEqual([allowed, left], [false, 3])
    assert.equal((await store.rates.take('account:ann', 3, 3)).allowed, true)
  })

  check('a name may hold anything', async world => {
    const store = await world.open()
    for (const name of ['', '../../x', 'a\u0000b', `long ${'x'.repeat(5_000)}`, '\ud800', 'ж', 'a b\nc'])
      assert.equal((await store.rates.take(name, 1, 1)).allowed, true, JSON.stringify(name.slice(0, 20)))
  })
}
