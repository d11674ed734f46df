// The pace of the sweeper: sooner when a task becomes due, and no faster for a store that is away.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import type { AuditTrail } from '../../src/core/audit.ts'
import type { Documents } from '../../src/core/documents.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { fail, start, succeed } from '../../src/core/moves.ts'
import type { TaskQueue } from '../../src/core/queue.ts'
import type { Agenda, TaskStore } from '../../src/core/store.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createMemory, createMemoryStore } from '../../src/stores/memory/open.ts'
import { createSweeper } from '../../src/worker/sweeper.ts'
import { auditOf } from '../suites/audit.ts'
import { entryOf } from '../support/audit-entries.ts'
import { newTaskOf } from '../support/new-task.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const EVERY_MS = 300
const HOUR = 3_600_000
const DAY = 24 * HOUR

describe('the sweeper', () => {
  it('looks soon for what is due, and at its usual pace while the store is away', {
    timeout: 300_000,
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
      list: async () => ({ tasks: [], next: null }),
      documents: { removeExpired: async () => 0 } as unknown as Documents,
      audit: { settle: async () => 0 } as unknown as AuditTrail,
    }
    const sweeper = createSweeper({
      store: store as TaskStore,
      queue: { state: () => ({ outbox: 0 }) } as TaskQueue,
      kinds: () => [],
      poll: () => {},
      clock: () => new Date(),
      log: silentLog(),
      retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
      retentionMs: 1_000,
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

  it('applies retention also while the tasks of deleted accounts cannot be looked at', {
    timeout: 300_000,
  }, async () => {
    let retained = 0
    const store: Partial<TaskStore> = {
      agenda: async () => ({ due: 0, dueIds: [], expired: [], orphaned: [], nextAt: null }),
      retain: async () => {
        retained += 1
        return 2
      },
      list: async () => ({ tasks: [], next: null }),
      documents: { removeExpired: async () => 0 } as unknown as Documents,
      audit: { settle: async () => 0 } as unknown as AuditTrail,
    }
    let answer: () => Promise<number> = async () => 3
    const sweeper = createSweeper({
      store: store as TaskStore,
      queue: { state: () => ({ outbox: 0 }) } as TaskQueue,
      accountTasks: { sweep: () => answer() },
      kinds: () => [],
      poll: () => {},
      clock: () => new Date(),
      log: silentLog(),
      retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
      retentionMs: 1_000,
      everyMs: DAY,
      retainEveryMs: 0,
    })
    // the first one begins by itself
    await sweeper.close()
    const { removed } = sweeper.counters()
    assert.equal(removed, 5)
    answer = () => Promise.reject(new MadhavaError('STORE_UNAVAILABLE'))
    const before = retained
    await sweeper.sweep()
    assert.deepEqual([retained, sweeper.counters().removed], [before + 1, 7])
  })

  it('says in its presence that retention fails, without the folders of this machine, until it works again', {
    timeout: 300_000,
  }, async () => {
    let failure: Error | null = new Error("EIO: i/o error, unlink '/srv/data/tasks/ab/x.json'")
    const store: Partial<TaskStore> = {
      agenda: async () => ({ due: 0, dueIds: [], expired: [], orphaned: [], nextAt: null }),
      retain: async () => {
        if (failure) throw failure
        return 0
      },
      list: async () => ({ tasks: [], next: null }),
      documents: { removeExpired: async () => 0 } as unknown as Documents,
      audit: { settle: async () => 0 } as unknown as AuditTrail,
    }
    const sweeper = createSweeper({
      store: store as TaskStore,
      queue: { state: () => ({ outbox: 0 }) } as TaskQueue,
      kinds: () => [],
      poll: () => {},
      clock: () => new Date(),
      log: silentLog(),
      retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
      retentionMs: 1_000,
      everyMs: DAY,
      retainEveryMs: 0,
    })
    await sweeper.sweep()
    assert.equal(sweeper.retentionTrouble(), "Ended tasks are not removed: EIO: i/o error, unlink 'x.json'")
    failure = null
    await sweeper.sweep()
    assert.equal(sweeper.retentionTrouble(), null)
    await sweeper.close()
  })

  /** A sweeper over a store in memory, on clocks that the test sets; its own sweeps are an hour apart. */
  const onClocks = async (test: TestContext) => {
    const time = { wallMs: Date.UTC(2026, 5, 1, 12), elapsedMs: 0 }
    const clock = () => new Date(time.wallMs)
    const iso = () => clock().toISOString()
    const store = createMemoryStore({ clock })
    const seen = { waits: 0 }
    const sweeper = createSweeper({
      store: {
        ...store,
        list(filter, page) {
          if (filter.statuses?.includes('RETRY')) seen.waits += 1
          return store.list(filter, page)
        },
      },
      queue: {
        state: () => ({ outbox: 0 }),
        depth: async () => 0,
        announce: () => {},
      } as unknown as TaskQueue,
      kinds: () => ['test'],
      poll: () => {},
      clock,
      elapsed: () => time.elapsedMs,
      log: silentLog(),
      retention: now => ({
        finishedBefore: new Date(now.getTime() - 7 * DAY).toISOString(),
        failedBefore: new Date(now.getTime() - 14 * DAY).toISOString(),
        maxCount: null,
        maxBytes: null,
      }),
      retentionMs: 7 * DAY,
      everyMs: HOUR,
      retainEveryMs: 0,
      expireEveryMs: 0,
    })
    undo(test, () => sweeper.close().then(() => store.close()))
    const begun = async (): Promise<TaskRecord> => {
      const { task } = await store.create(newTaskOf({ createdAt: iso() }), null)
      return (await store.claim(task.id, start('w', iso()))) as TaskRecord
    }
    const pass = (ms: number): void => {
      time.wallMs += ms
      time.elapsedMs += ms
    }
    await sweeper.sweep()
    return { time, iso, store, seen, sweeper, begun, pass }
  }

  it('removes what the audit no longer keeps, and tells there of what dead processes had begun', {
    timeout: 300_000,
  }, async () => {
    const memory = createMemory()
    const clock = () => new Date()
    const [store, dead] = [memory.open({ clock }), memory.open({ clock })]
    const { outcome: _, ...draft } = entryOf({ action: 'task.delete' })
    await dead.audit.begin(draft)
    const [old, young] = [entryOf({ at: new Date(Date.now() - 2 * DAY).toISOString() }), entryOf()]
    await dead.audit.add([old, young])
    dead.die()
    const sweeper = createSweeper({
      store,
      queue: { state: () => ({ outbox: 0 }) } as TaskQueue,
      kinds: () => [],
      poll: () => {},
      clock,
      log: silentLog(),
      retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
      retentionMs: 1_000,
      auditMs: DAY,
    })
    await until('the sweeper has done both', async () => {
      const lines = (await auditOf(store)).map(({ id, outcome }) => `${id} ${outcome}`).sort()
      return isDeepStrictEqual(lines, [`${draft.id} unknown`, `${young.id} done`].sort())
    })
    await sweeper.close()
    await store.close()
  })

  it('removes documents whose time is over, and not while a jump of the clock is not believed', async test => {
    const { time, store, sweeper, pass } = await onClocks(test)
    const until = (ms: number) => ({
      version: 1,
      data: {},
      expiresAt: new Date(time.wallMs + ms).toISOString(),
    })
    await store.documents.put('ended-sessions', 'soon', until(HOUR), null)
    await store.documents.put('ended-sessions', 'later', until(DAY), null)
    const left = async () => {
      const { documents } = await store.documents.list('ended-sessions', { limit: 10, cursor: null })
      return documents.map(({ name }) => name)
    }
    await sweeper.sweep()
    assert.deepEqual(await left(), ['later', 'soon'])
    // by then the clock is trusted
    pass(HOUR)
    await sweeper.sweep()
    assert.deepEqual(await left(), ['later'])
    time.wallMs += 20 * DAY
    await sweeper.sweep()
    assert.deepEqual(await left(), ['later'])
    pass(2 * DAY)
    await sweeper.sweep()
    assert.deepEqual(await left(), [])
  })

  it('makes a retry wait no longer than it was to, when the clock goes back', async test => {
    const { time, iso, store, sweeper, begun, pass } = await onClocks(test)
    const failed = async (delayMs: number): Promise<string> => {
      const { id, claim } = await begun()
      const retryAt = new Date(time.wallMs + delayMs).toISOString()
      await store.move(id, claim, fail({ code: 'KIND_FAILED', message: 'no', detail: null }, retryAt, iso()))
      return id
    }
    const put = new Date(time.wallMs + HOUR).toISOString()
    const given = (await store.create(newTaskOf({ createdAt: iso(), notBefore: put }), null)).task
    const [soon, later] = [await failed(5_000), await failed(600_000)]
    time.wallMs -= 2 * HOUR
    await sweeper.sweep()
    const waitOf = async (id: string): Promise<number> =>
      Date.parse((await store.get(id))?.notBefore ?? '') - time.wallMs
    assert.deepEqual([await waitOf(soon), await waitOf(later)], [5_000, 600_000])
    assert.equal((await store.get(given.id))?.notBefore, put, 'a time that was asked for stays')
    assert.equal(sweeper.counters().waitsShortened, 2)
    pass(1_000)
    await sweeper.sweep()
    assert.equal(await waitOf(soon), 4_000, 'once is enough')
    // one whose end was on its way when the clock was set
    const { id, claim } = await begun()
    const old = new Date(time.wallMs + 2 * HOUR)
    const error = { code: 'KIND_FAILED', message: 'no', detail: null } as const
    await store.move(id, claim, fail(error, new Date(old.getTime() + 5_000).toISOString(), old.toISOString()))
    pass(60_000)
    await sweeper.sweep()
    assert.equal(await waitOf(id), 5_000)
  })

  it('checks waits three times after the clock went back, and then no more', async test => {
    const { time, seen, sweeper, pass } = await onClocks(test)
    const looks = async (...pauses: number[]): Promise<number[]> => {
      const counts: number[] = []
      for (const ms of pauses) {
        const before = seen.waits
        pass(ms)
        await sweeper.sweep()
        counts.push(seen.waits - before)
      }
      return counts
    }
    assert.deepEqual(await looks(1_000, 60_000), [0, 0])
    time.wallMs -= HOUR
    assert.deepEqual(await looks(0, 1_000, 5_000, 1_000, 60_000, 1_000, 60_000), [1, 0, 1, 0, 1, 0, 0])
  })

  it('looks through the waits when it starts: the clock may have gone back while nobody was there', async test => {
    const { time, iso, store, begun } = await onClocks(test)
    const { id, claim } = await begun()
    const error = { code: 'KIND_FAILED', message: 'no', detail: null } as const
    await store.move(id, claim, fail(error, new Date(time.wallMs + 5_000).toISOString(), iso()))
    time.wallMs -= 48 * HOUR
    const second = createSweeper({
      store,
      queue: {
        state: () => ({ outbox: 0 }),
        depth: async () => 0,
        announce: () => {},
      } as unknown as TaskQueue,
      kinds: () => [],
      poll: () => {},
      clock: () => new Date(time.wallMs),
      log: silentLog(),
      retention: () => ({ finishedBefore: null, maxCount: null, maxBytes: null }),
      retentionMs: DAY,
    })
    await until(
      'the wait is short',
      async () => (await store.get(id))?.notBefore === new Date(time.wallMs + 5_000).toISOString(),
    )
    await second.close()
  })

  it('removes nothing by its age when the clock leaps ahead, and says why; what is old goes when the clock is believed', async test => {
    const { time, iso, store, sweeper, begun, pass } = await onClocks(test)
    const { id, claim } = await begun()
    await store.move(id, claim, succeed(1, null, iso()))
    const failed = await begun()
    const error = { code: 'KIND_FAILED', message: 'no', detail: null } as const
    await store.move(failed.id, failed.claim, fail(error, null, iso()))
    pass(2 * HOUR)
    await sweeper.sweep()
    assert.equal(sweeper.clockTrouble(), null)
    time.wallMs += 30 * DAY
    await sweeper.sweep()
    assert.equal((await store.get(id))?.status, 'SUCCESS')
    assert.equal((await store.get(failed.id))?.status, 'FAILURE', 'nor what failed')
    assert.match(sweeper.clockTrouble() ?? '', /30 days ahead/)
    time.wallMs -= 30 * DAY
    await sweeper.sweep()
    assert.equal(sweeper.clockTrouble(), null)
    time.wallMs += 30 * DAY
    await sweeper.sweep()
    pass(25 * HOUR)
    await sweeper.sweep()
    assert.deepEqual([await store.get(id), await store.get(failed.id)], [null, null])
    assert.equal(sweeper.clockTrouble(), null)
  })
})
