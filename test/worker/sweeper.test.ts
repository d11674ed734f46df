// The pace of the sweeper: sooner when a task becomes due, and no faster for a store that is away.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import type { TaskQueue } from '../../src/core/queue.ts'
import type { Agenda, TaskStore } from '../../src/core/store.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createSweeper } from '../../src/worker/sweeper.ts'
import { until } from '../support/until.ts'

const EVERY_MS = 300

describe('the sweeper', () => {
  it('looks soon for what is due, and at its usual pace while the store is away', {
    timeout: 60_000,
  }, async () => {
    const looks: number[] = []
    let away = false
    const store: Partial<TaskStore> = {
      async agenda(): Promise<Agenda> {
        looks.push(performance.now())
        if (away) throw new MadhavaError('STORE_UNAVAILABLE')
        const nextAt = new Date().toISOString()
        return { due: 0, dueIds: [], expired: [], orphaned: [], nextAt }
      },
      retain: async () => 0,
    }
    const sweeper = createSweeper({
      store: store as TaskStore,
      queue: { state: () => ({ outbox: 0 }) } as TaskQueue,
      kinds: [],
      nudge: () => {},
      clock: () => new Date(),
      log: silentLog(),
      retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
      everyMs: EVERY_MS,
    })
    await until('it looked again and again', () => looks.length >= 5)
    assert.ok((looks[4] ?? 0) - (looks[0] ?? 0) < 4 * EVERY_MS, 'what is due is not waited for')
    away = true
    const before = looks.length
    await until('it looked in vain', () => looks.length >= before + 3)
    const [first = 0, , third = 0] = looks.slice(before)
    // a timer may ring one millisecond early
    assert.ok(third - first >= 2 * (EVERY_MS - 1), `two looks within ${third - first} ms`)
    await sweeper.close()
  })
})
