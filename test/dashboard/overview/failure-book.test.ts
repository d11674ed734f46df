// The failures of the last day in groups: what is one group, and that it stays right whatever becomes of the tasks.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { MadhavaError } from '../../../src/core/errors.ts'
import { toFilter } from '../../../src/core/filter.ts'
import { fail, retryByHand, start } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { createFailureBook, type FailureBookLimits } from '../../../src/dashboard/overview/failure-book.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { newTaskOf } from '../../support/new-task.ts'

const HOUR = 3_600_000

describe('the book of failures', { timeout: 300_000 }, () => {
  let now: number
  let store: TaskStore
  let reads: number
  beforeEach(() => {
    now = Date.UTC(2030, 0, 1, 12)
    store = createMemoryStore({ clock: () => new Date(now) })
    reads = 0
  })
  afterEach(() => store.close())
  const iso = () => new Date(now).toISOString()

  const open = (limits: Partial<FailureBookLimits> = {}) =>
    createFailureBook({
      store: {
        ...store,
        async list(filter, page) {
          const found = await store.list(filter, page)
          reads += found.tasks.length
          return found
        },
      },
      clock: () => now,
      limits: { freshMs: 0, waitMs: 60_000, ...limits },
    })
  const failed = async (kind: string, message: string, code = 'KIND_FAILED'): Promise<string> => {
    const { task } = await store.create(newTaskOf({ kind, createdAt: iso(), maxAttempts: 1 }), null)
    const claimed = await store.claim(task.id, start('w', iso()))
    assert.ok(claimed)
    await store.move(task.id, claimed.claim, fail({ code, message, detail: null }, null, iso()))
    return task.id
  }
  const shown = async (book: ReturnType<typeof open>) =>
    (await book()).groups.map(({ kind, code, pattern, count }) => [kind, code, pattern, count])

  it('has one group of what failed alike, the largest first, and the filter of its tasks finds them alone', async () => {
    const book = open()
    const ids: string[] = []
    for (let n = 0; n < 5; n += 1) {
      ids.push(await failed('report', `no answer from db-${n} after ${n * 100} ms`))
      now += 1_000
    }
    await failed('report', 'no answer from db-7 after 3 s')
    await failed('report', 'no answer from db-7 after 30 ms', 'TIME_LIMIT')
    await failed('other', 'no answer from db-7 after 30 ms')
    await failed('other', 'no answer from db-8 after 20 ms')
    const { groups, count, isWhole, moreGroups } = await book()
    assert.deepEqual([count, isWhole, moreGroups], [9, true, 0])
    assert.deepEqual(
      groups.map(group => group.count),
      [5, 2, 1, 1],
    )
    const [first] = groups
    assert.ok(first)
    assert.equal(first.pattern, 'no answer from db-… after … ms')
    assert.deepEqual([first.firstAt, first.lastAt], ['2030-01-01T12:00:00.000Z', '2030-01-01T12:00:04.000Z'])
    assert.deepEqual(first.example, { id: ids[4], message: 'no answer from db-4 after 400 ms' })
    const filter = toFilter('query', {
      status: ['FAILURE'],
      kind: [first.kind],
      errorCode: [first.code],
      errorLike: first.pattern,
      finishedFrom: first.firstAt,
    })
    const { tasks } = await store.list(filter, { limit: 100, cursor: null })
    assert.deepEqual(tasks.map(({ id }) => id).sort(), ids.sort())
  })

  it('follows retries, removals, new failures and the passing of a day', async () => {
    const book = open()
    const [one, two] = [await failed('a', 'x 1'), await failed('a', 'x 2')]
    now += 12 * HOUR
    await failed('a', 'x 3')
    assert.deepEqual(await shown(book), [['a', 'KIND_FAILED', 'x …', 3]])
    await store.claim(one, retryByHand(iso()))
    assert.deepEqual(await shown(book), [['a', 'KIND_FAILED', 'x …', 2]])
    await store.remove(two)
    now += 1_000
    await failed('b', 'y')
    assert.deepEqual(await shown(book), [
      ['b', 'KIND_FAILED', 'y', 1],
      ['a', 'KIND_FAILED', 'x …', 1],
    ])
    now += 25 * HOUR
    assert.deepEqual(await shown(book), [])
  })

  it('reads what it knows no second time', async () => {
    const book = open()
    for (let n = 0; n < 50; n += 1) await failed('a', `x ${n}`)
    now += HOUR
    await book()
    assert.equal(reads, 50)
    now += HOUR
    await failed('a', 'x')
    await book()
    await book()
    // ends of the last seconds are looked at again
    assert.ok(reads <= 52, `${reads} records`)
  })

  it('begins anew where the feed no longer knows what changed', async () => {
    let isTooOld = false
    const changedSince: TaskStore['changedSince'] = async cursor => {
      if (isTooOld) throw new MadhavaError('CURSOR_TOO_OLD')
      return store.changedSince(cursor)
    }
    const book = createFailureBook({
      store: { ...store, changedSince },
      clock: () => now,
      limits: { freshMs: 0, waitMs: 60_000 },
    })
    const id = await failed('a', 'x')
    await book()
    await store.claim(id, retryByHand(iso()))
    isTooOld = true
    assert.deepEqual((await book()).groups, [])
  })

  it('is bounded in tasks, patterns and groups, and says so', async () => {
    const words = ['red', 'green', 'blue', 'white', 'black']
    for (const word of words) await failed('a', word)
    const few = await open({ patterns: 3 })()
    assert.deepEqual(few.groups.map(({ pattern, count }) => [pattern === null, count]).sort(), [
      [false, 1],
      [false, 1],
      [false, 1],
      [true, 2],
    ])
    const short = await open({ shown: 2 })()
    assert.deepEqual([short.groups.length, short.moreGroups, short.count], [2, 3, 5])
    const small = await open({ tasks: 2 })()
    assert.deepEqual([small.count, small.isWhole], [2, false])
  })

  it('answers with what is known while the reading goes on, and fails only while nothing can be read', async () => {
    for (let n = 0; n < 250; n += 1) await failed('a', `x ${n}`)
    const gate: { open: () => void } = { open: () => {} }
    let pages = 0
    let isAway = false
    const book = createFailureBook({
      store: {
        ...store,
        async list(filter, page) {
          if (isAway) throw new MadhavaError('STORE_UNAVAILABLE')
          pages += 1
          if (pages === 2) await new Promise<void>(resolve => Object.assign(gate, { open: resolve }))
          return store.list(filter, page)
        },
      },
      clock: () => now,
      limits: { freshMs: 0, waitMs: 50 },
    })
    const part = await book()
    assert.deepEqual([part.count, part.isWhole], [100, false])
    gate.open()
    let whole = await book()
    for (let tries = 0; !whole.isWhole && tries < 100; tries += 1) whole = await book()
    assert.equal(whole.count, 250)
    isAway = true
    await assert.rejects(book(), { code: 'STORE_UNAVAILABLE' })
  })
})
