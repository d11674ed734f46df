// The clock of the machine jumps by hours, there and back, while tasks live: nothing is lost, stuck or led backwards.
import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { report, start, succeed, takeOver } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { compareVersions, type TaskRecord } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { newTaskOf } from '../../support/new-task.ts'
import { undo } from '../../support/undo.ts'
import { until } from '../../support/until.ts'

const HOUR = 3_600_000
const NOON = Date.UTC(2026, 5, 1, 12)

describe('clock jumps', () => {
  const setUp = async (test: TestContext) => {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'clock-'))
    const clock = { ms: NOON }
    const iso = (): string => new Date(clock.ms).toISOString()
    const stores: TaskStore[] = []
    undo(test, async () => {
      for (const store of stores) await store.close()
      await fs.rm(dir, { recursive: true, force: true })
    })
    return {
      clock,
      iso,
      async open(): Promise<TaskStore> {
        const store = await openFilesStore({ dir, clock: () => new Date(clock.ms), log: silentLog() })
        stores.push(store)
        return store
      },
      make: (store: TaskStore): Promise<{ task: TaskRecord }> =>
        store.create(newTaskOf({ createdAt: iso() }), null),
    }
  }
  const ids = async (store: TaskStore): Promise<string[]> => {
    const found: string[] = []
    let cursor: string | null = null
    do {
      const page = await store.list({}, { limit: 2, cursor })
      found.push(...page.tasks.map(({ id }) => id))
      cursor = page.next
    } while (cursor !== null)
    return found
  }

  for (const hours of [-7, 7])
    it(`a task lives through a jump of ${hours} hours, in any of its states`, async test => {
      const { clock, iso, open, make } = await setUp(test)
      const [store, other] = [await open(), await open()]
      const waiting = (await make(store)).task
      const running = (await make(store)).task
      const claimed = await store.claim(running.id, start('w', iso()))
      assert.ok(claimed)
      clock.ms += hours * HOUR
      const reported = await store.move(
        running.id,
        claimed.claim,
        report({ percent: 5, note: null, etaSeconds: null }, null, iso()),
      )
      assert.ok(compareVersions(reported, claimed) > 0)
      assert.deepEqual((await other.agenda(iso(), 10)).orphaned, [], 'a live holder is not overruled')
      clock.ms -= hours * HOUR
      const ended = await store.move(running.id, claimed.claim, succeed(1, null, iso()))
      assert.deepEqual(await other.get(running.id), ended)
      clock.ms += hours * HOUR
      const late = (await make(other)).task
      const taken = new Set<string | undefined>()
      for (let n = 0; n < 2; n += 1)
        taken.add((await other.claimNext({ kinds: ['test'], now: iso() }, start('w', iso())))?.id)
      assert.deepEqual(taken, new Set([waiting.id, late.id]))
    })

  it('pages stay right while tasks of another time come in', async test => {
    const { clock, open, make } = await setUp(test)
    const [store, other] = [await open(), await open()]
    const made: string[] = []
    for (const jump of [0, 5, -9, 2, 6, -3]) {
      clock.ms += jump * HOUR
      for (const one of [store, other]) made.push((await make(one)).task.id)
    }
    for (const one of [store, other]) {
      const found = await ids(one)
      assert.equal(found.length, made.length)
      assert.deepEqual(new Set(found), new Set(made))
    }
    const first = await store.list({}, { limit: 5, cursor: null })
    clock.ms -= 20 * HOUR
    const older = (await make(other)).task.id
    clock.ms += 40 * HOUR
    const newer = (await make(other)).task.id
    const rest = await store.list({}, { limit: 50, cursor: first.next })
    const seen = [...first.tasks, ...rest.tasks].map(({ id }) => id)
    assert.equal(new Set(seen).size, seen.length, 'none twice')
    assert.ok(seen.includes(older))
    assert.ok(!seen.includes(newer), 'it belongs before the first page')
  })

  it('the feed goes on from a cursor of before, in both directions', async test => {
    const { clock, open, make } = await setUp(test)
    const store = await open()
    for (const hours of [7, -14, 7]) {
      const cursor = await store.cursor()
      clock.ms += hours * HOUR
      const { task } = await make(store)
      const stop = new AbortController()
      const seen: string[] = []
      for await (const change of store.changes(cursor, stop.signal)) {
        if (change.type === 'task') seen.push(change.task.id)
        stop.abort()
      }
      assert.deepEqual(seen, [task.id])
    }
  })

  it('a holder that dies is found and taken over from, whatever time it was for it', async test => {
    const { clock, iso, open, make } = await setUp(test)
    for (const hours of [7, -14]) {
      const [store, other] = [await open(), await open()]
      const { task } = await make(store)
      await store.announce({
        role: 'worker',
        details: () => ({
          address: null,
          slots: 1,
          running: [],
          counters: {},
          rssBytes: 0,
          cpu: 0,
          troubles: {},
        }),
      })
      assert.ok(await store.claim(task.id, start('w', iso())))
      clock.ms += hours * HOUR
      await store.leave()
      await until('it is orphaned', async () => (await other.agenda(iso(), 10)).orphaned.includes(task.id))
      const again = await other.claim(task.id, takeOver(iso()))
      assert.equal(again?.status, 'PENDING')
    }
  })

  it('retention goes by the end of each task, and what ended in the future of a clock that was wrong stays', async test => {
    const { clock, iso, open, make } = await setUp(test)
    const store = await open()
    const end = async (): Promise<string> => {
      const { task } = await make(store)
      const claimed = await store.claim(task.id, start('w', iso()))
      await store.move(task.id, claimed?.claim ?? 0, succeed(1, null, iso()))
      return task.id
    }
    const old = await end()
    clock.ms += 30 * HOUR
    const future = await end()
    clock.ms -= 10 * HOUR
    const removed = await store.retain({
      finishedBefore: new Date(clock.ms - HOUR).toISOString(),
      maxCount: null,
      maxBytes: null,
    })
    assert.equal(removed, 1)
    assert.equal(await store.get(old), null)
    assert.equal((await store.get(future))?.status, 'SUCCESS')
  })
})
