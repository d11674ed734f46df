// How many tasks may wait: by a count that is fresh, whatever the clock does.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createWaitingLimit } from '../../src/core/waiting-limit.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { add, addEnded, at } from '../suites/store/world.ts'

describe('the limit of waiting tasks', () => {
  const setUp = async (max: number | null) => {
    const time = { ms: Date.parse(at(100)) }
    const clock = () => new Date(time.ms)
    const store = createMemoryStore({ clock })
    let counts = 0
    const limit = createWaitingLimit(
      {
        counts: () => {
          counts += 1
          return store.counts()
        },
      },
      max,
      clock,
    )
    return { time, store, limit, counted: () => counts }
  }

  it('refuses what is more than it, and counts what it let through until the next count', async () => {
    const { store, limit, counted } = await setUp(3)
    await add(store)
    await addEnded(store)
    await limit.take(2)
    await assert.rejects(limit.take(1), { code: 'TOO_MANY_WAITING' })
    assert.equal(counted(), 1)
    const { limit: none, counted: never } = await setUp(null)
    await none.take(1_000_000)
    assert.equal(never(), 0)
  })

  it('goes by a fresh count, also when the clock was set back', async () => {
    for (const ms of [250, -3_600_000]) {
      const { time, limit } = await setUp(1)
      await limit.take(1)
      await assert.rejects(limit.take(1), { code: 'TOO_MANY_WAITING' })
      time.ms += ms
      // the store is empty: what was let through never came, and an old count would refuse for an hour
      await limit.take(1)
    }
  })
})
