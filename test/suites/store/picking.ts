// claimNext and agenda: which task comes next, and what there is to do.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { isDue } from '../../../src/core/due.ts'
import {
  fail,
  giveBack,
  restartWait,
  retryByHand,
  start,
  succeed,
  takeOver,
} from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { add, at, type Check, read, take } from './world.ts'

const next = (store: TaskStore, now = at(100), kinds = ['adding'], startAt = now) =>
  store.claimNext({ kinds, now }, start(store.instance, startAt))

export const picking = (check: Check): void => {
  check('the task with the highest priority comes first, among equals the oldest', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const low = await add(one, { priority: 0, createdAt: at(0) })
    const late = await add(one, { priority: 9, createdAt: at(8) })
    const early = await add(other, { priority: 9, createdAt: at(3) })
    const middle = await add(other, { priority: 5, createdAt: at(1) })
    const order = [early, late, middle, low].map(task => task.id)
    assert.deepEqual((await one.agenda(at(100), 10)).dueIds, order)
    assert.deepEqual((await other.agenda(at(100), 2)).dueIds, order.slice(0, 2))
    const taken: unknown[] = []
    for (const store of [one, other, other, one]) taken.push((await next(store))?.id)
    assert.deepEqual(taken, order)
    assert.equal(await next(one), null)
  })

  check('a random set of tasks is taken in the one right order', async world => {
    const store = await world.open()
    let offset = 0
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 }), async priorities => {
        const tasks: TaskRecord[] = []
        for (const priority of priorities) {
          offset += 1
          tasks.push(await add(store, { priority, createdAt: at(offset) }))
        }
        tasks.sort((a, b) => b.priority - a.priority || Date.parse(a.createdAt) - Date.parse(b.createdAt))
        for (const { id } of tasks) assert.equal((await next(store, at(100_000)))?.id, id)
        assert.equal(await next(store, at(100_000)), null)
      }),
      { numRuns: 15 },
    )
  })

  check(
    'a retry that was set by a clock which went back since waits as long as it was to, from now on',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const { id } = await add(one)
      const { claim } = await take(one, id)
      const error = { code: 'KIND_FAILED', message: 'no', detail: null } as const
      const hours = 2 * 3_600
      await one.move(id, claim, fail(error, at(hours + 5), at(hours)))
      assert.equal(await next(other, at(4)), null)
      const anew = await other.claim(id, restartWait(at(4)))
      assert.deepEqual([anew?.status, anew?.notBefore, anew?.attempt], ['RETRY', at(9), 1])
      await assert.rejects(other.claim(id, restartWait(at(4))), { code: 'ILLEGAL_MOVE' })
      assert.equal(await next(one, at(8)), null)
      assert.equal((await next(one, at(9)))?.attempt, 2)
    },
  )

  check('what a clock that was ahead made due is not due when the clock went back', async world => {
    const store = await world.open()
    for (let n = 0; n < 3; n += 1) await add(store, { notBefore: at(5_000 + n), priority: 9 })
    const low = await add(store, { priority: 0 })
    assert.equal((await store.agenda(at(9_000), 10)).due, 4)
    const agenda = await store.agenda(at(100), 10)
    assert.deepEqual([agenda.due, agenda.dueIds, agenda.nextAt], [1, [low.id], at(5_000)])
    assert.equal((await next(store))?.id, low.id)
    assert.equal(await next(store), null)
    assert.equal((await store.agenda(at(5_001), 10)).due, 2)
    assert.ok(await next(store, at(5_001)))
  })

  check('only what is due and of these kinds is taken', async world => {
    const store = await world.open()
    await add(store, { kind: 'other', priority: 9 })
    await add(store, { notBefore: at(101), priority: 9 })
    await add(store, { expiresAt: at(100), priority: 9 })
    assert.equal(await next(store), null)
    assert.equal(await next(store, at(100), []), null)
    assert.equal(await next(store, at(100), ['constructor', '__proto__', '', 'add']), null)
    const due = await add(store, { notBefore: at(100) })
    assert.equal((await next(store))?.id, due.id)
    const late = await next(store, at(101))
    assert.equal(late?.notBefore, null)
    assert.equal((await next(store, at(101), ['adding', 'other']))?.kind, 'other')
  })

  check('a move that leaves its task waiting gets none, and is not given it again and again', async world => {
    const store = await world.open()
    const { id } = await add(store)
    let moves = 0
    const wanted = { kinds: ['adding'], now: at(5) }
    const got = await store.claimNext(wanted, task => {
      moves += 1
      assert.ok(moves < 5, 'it is offered for ever')
      return { ...task, updatedAt: at(5) }
    })
    assert.equal(got, null)
    assert.equal((await next(store))?.id, id)
  })

  check('the next time is told behind however many that expire before they are due', async world => {
    const store = await world.open()
    const early = { notBefore: at(60), expiresAt: at(50) }
    await Promise.all(Array.from({ length: 120 }, () => add(store, early)))
    await add(store, { notBefore: at(90) })
    assert.equal((await store.agenda(at(49), 5)).nextAt, at(50))
    const { due, expired, nextAt } = await store.agenda(at(50), 5)
    assert.deepEqual([due, expired.length, nextAt], [0, 120, at(90)])
  })

  check('a task in RETRY waits for its time and does not expire', async world => {
    const store = await world.open()
    const { id } = await add(store, { expiresAt: at(50) })
    const { claim } = await take(store, id)
    await store.move(id, claim, fail({ code: 'KIND_FAILED', message: 'no', detail: null }, at(90), at(2)))
    assert.equal(await next(store, at(89)), null)
    assert.equal((await store.agenda(at(60), 5)).nextAt, at(90))
    assert.deepEqual((await store.agenda(at(60), 5)).expired, [])
    assert.equal((await next(store, at(90)))?.id, id)
  })

  check('claims at once over two stores get each task once', async world => {
    const stores = [await world.open(), await world.open()]
    const tasks: string[] = []
    for (let n = 0; n < 30; n += 1) {
      const store = stores[n % 2]
      if (store) tasks.push((await add(store)).id)
    }
    const taken = await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        const store = stores[n % 2]
        return store ? next(store) : null
      }),
    )
    const got = taken.flatMap(task => task?.id ?? [])
    assert.deepEqual(got.toSorted(), tasks.toSorted())
    for (const task of taken) if (task) assert.deepEqual([task.claim, task.status], [1, 'STARTED'])
  })

  check('a task that another store has just created is seen', async world => {
    const [one, other] = [await world.open(), await world.open()]
    for (let round = 0; round < 40; round += 1) {
      const { id } = await add(one)
      assert.equal((await next(other))?.id, id)
    }
  })

  check('a task that another store has just given back is seen', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    for (let round = 0; round < 10; round += 1) {
      const [from, to] = round % 2 === 0 ? [one, other] : [other, one]
      const task = await next(from)
      assert.equal(task?.id, id)
      await from.move(id, task?.claim ?? 0, giveBack(at(100)))
      assert.equal((await next(to))?.id, id)
      await to.move(id, (await read(to, id)).claim, giveBack(at(100)))
    }
  })

  check('cancelled and expired tasks are ended on the way to the next', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const cancelled = await add(one, { priority: 9 })
    const { claim } = await take(one, cancelled.id)
    // a holder that gave back without looking: the request waits in the record for the next taker
    await one.move(cancelled.id, claim, task => ({ ...task, status: 'PENDING', revokeRequestedAt: at(2) }))
    const expired = await add(one, { priority: 8, expiresAt: at(100) })
    const plain = await add(one, { priority: 7 })
    assert.equal((await next(other, at(99), ['adding'], at(100)))?.id, plain.id)
    assert.equal((await read(one, cancelled.id)).status, 'REVOKED')
    const ended = await read(one, expired.id)
    assert.deepEqual([ended.status, ended.error?.code], ['FAILURE', 'EXPIRED'])
    assert.equal(await next(other), null)
  })

  check('a move that throws in claimNext changes nothing and lets go', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const before = await read(one, id)
    const broken = new Error('a move that throws')
    await assert.rejects(
      one.claimNext({ kinds: ['adding'], now: at(1) }, () => {
        throw broken
      }),
      broken,
    )
    assert.deepEqual(await read(other, id), before)
    assert.equal((await next(other))?.id, id)
  })

  check('a task whose move threw is picked next by whoever polls, the better one first', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const rate = { count: 1000, perMs: 1000 }
    for (const limits of [
      {},
      { adding: { maxConcurrency: 9, rate: null } },
      { adding: { maxConcurrency: null, rate } },
    ]) {
      const better = await add(one, { priority: 9 })
      const worse = await add(one, { priority: 1 })
      const wanted = { kinds: ['adding'], now: at(100), limits }
      await assert.rejects(
        one.claimNext(wanted, () => {
          throw new Error('no')
        }),
        /no/,
      )
      const [first, second] = [
        await other.claimNext(wanted, start('w', at(100))),
        await one.claimNext(wanted, start('w', at(100))),
      ]
      assert.deepEqual([first?.id, second?.id], [better.id, worse.id], JSON.stringify(limits))
      for (const [store, task] of [
        [other, first],
        [one, second],
      ] as const)
        if (task) await store.move(task.id, task.claim, succeed(1, null, at(101)))
    }
  })

  check(
    "tasks of kinds that nobody asks for are in nobody's way, and the agenda can leave them out",
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      for (let n = 0; n < 300; n += 1) await add(one, { kind: 'unknown', priority: 9, createdAt: at(n) })
      const late = await add(one, { kind: 'adding', createdAt: at(500) })
      const early = await add(other, { kind: 'counting', createdAt: at(400) })
      await add(one, { kind: 'unknown', expiresAt: at(550) })
      for (const store of [one, other]) {
        const known = await store.agenda(at(600), 10, ['counting', 'adding', 'absent'])
        assert.deepEqual([known.due, known.dueIds, known.expired.length], [2, [early.id, late.id], 1])
        const all = await store.agenda(at(600), 10)
        assert.deepEqual([all.due, all.dueIds.length], [302, 10])
        assert.equal((await store.agenda(at(600), 10, [])).due, 0)
      }
      assert.equal((await next(other, at(600), ['adding', 'counting']))?.id, early.id)
      assert.equal((await next(other, at(600), ['adding', 'counting']))?.id, late.id)
      assert.equal(await next(other, at(600), ['adding', 'counting']), null)
      assert.equal((await other.agenda(at(600), 10, ['adding', 'counting'])).due, 0)
      assert.equal((await next(one, at(600), ['unknown']))?.kind, 'unknown')
    },
  )

  check(
    'a suspect is taken in its turn and by whoever asks alone; no other one is taken in its stead',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const first = await add(one, { priority: 9 })
      const { id } = await add(one, { createdAt: at(3), maxAttempts: 9 })
      const young = await add(one, { createdAt: at(4) })
      const limited = await add(one, { kind: 'limited', createdAt: at(5) })
      for (let deaths = 1; deaths <= 2; deaths += 1) {
        const { claim } = await take(one, id)
        assert.equal((await one.move(id, claim, takeOver(at(6)))).workersLost, deaths)
      }
      const kinds = ['adding', 'limited']
      const limits = { limited: { maxConcurrency: 1, rate: null } }
      const told: string[] = []
      const look = async (store: TaskStore, alone: boolean) => {
        told.length = 0
        const wanted = {
          kinds,
          limits,
          now: at(100),
          allowSuspect: alone,
          onSuspect: (of: string) => told.push(of),
        }
        return (await store.claimNext(wanted, start(store.instance, at(100))))?.id ?? null
      }
      assert.equal(await look(other, false), first.id)
      // that it runs is seen everywhere with its end at the latest
      await other.move(first.id, 1, succeed(null, null, at(100)))
      assert.deepEqual(told, [])
      for (const store of [one, other]) {
        assert.equal(await look(store, false), null)
        assert.deepEqual(told, [id])
      }
      for (const store of [one, other]) {
        const agenda = await store.agenda(at(100), 10, kinds)
        assert.deepEqual([agenda.due, agenda.dueIds], [3, [id, young.id, limited.id]])
      }
      // a store that begins anew knows of it too
      assert.equal(await look(await world.open(), false), null)
      assert.equal(await look(other, true), id)
      assert.deepEqual(told, [])
      assert.equal(await look(one, false), young.id)
      // who asks alone gets whatever comes next
      assert.equal(await look(one, true), limited.id)
      // an attempt that ended well enough, or was given back, does not make it trustworthy; a retry by hand does
      const back = await other.move(id, (await read(other, id)).claim, giveBack(at(101)))
      assert.equal(back.workersLost, 2)
      assert.equal(await look(one, false), null)
      assert.equal(await look(one, true), id)
      await one.move(
        id,
        (await read(one, id)).claim,
        fail({ code: 'KIND_FAILED', message: '', detail: null }, null, at(102)),
      )
      const anew = await one.claim(id, retryByHand(at(103)))
      assert.deepEqual([anew?.status, anew && 'workersLost' in anew], ['PENDING', false])
      assert.equal(await look(other, false), id)
    },
  )

  check('a suspect whose kind is full or held back blocks no other task', async world => {
    const store = await world.open()
    const { id } = await add(store, { priority: 9, kind: 'limited', maxAttempts: 9 })
    for (let deaths = 1; deaths <= 2; deaths += 1) {
      const { claim } = await take(store, id)
      await store.move(id, claim, takeOver(at(6)))
    }
    const running = await add(store, { kind: 'limited' })
    await take(store, running.id)
    const other = await add(store)
    const look = async (maxConcurrency: number | null, perMs: number | null) => {
      const rate = perMs === null ? null : { count: 1, perMs }
      const limits = { limited: { maxConcurrency, rate } }
      const told: string[] = []
      const wanted = {
        kinds: ['adding', 'limited'],
        limits,
        now: at(100),
        onSuspect: (of: string) => told.push(of),
      }
      const task = await store.claimNext(wanted, start(store.instance, at(100)))
      if (task) await store.move(task.id, task.claim, giveBack(at(100)))
      return [task?.id ?? null, ...told]
    }
    assert.deepEqual(await look(1, null), [other.id])
    assert.deepEqual(await look(2, null), [null, id])
    // a permit is not spent on it
    for (let n = 0; n < 3; n += 1) assert.deepEqual(await look(null, 10_000), [null, id])
  })

  check('the agenda tells what is due, expired and next', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const empty = { due: 0, dueIds: [], expired: [], orphaned: [], nextAt: null }
    assert.deepEqual(await one.agenda(at(0), 10), empty)
    const held = await add(one, { priority: 9 })
    await take(one, held.id)
    const due = await add(one, { notBefore: at(100) })
    const expired = await add(one, { expiresAt: at(100), notBefore: at(500) })
    const later = await add(one, { notBefore: at(300) })
    await add(one, { notBefore: at(250), expiresAt: at(200) })
    await other.revoke((await add(one, { notBefore: at(120) })).id, at(1))
    for (const store of [one, other]) {
      assert.deepEqual(await store.agenda(at(100), 10), {
        due: 1,
        dueIds: [due.id],
        expired: [expired.id],
        orphaned: [],
        nextAt: at(200),
      })
      assert.equal((await store.agenda(at(99), 10)).nextAt, at(100))
      assert.equal((await store.agenda(at(210), 10)).nextAt, at(300))
      const end = await store.agenda(at(600), 1)
      assert.deepEqual([end.due, end.dueIds.length, end.nextAt], [2, 1, null])
      assert.deepEqual((await store.agenda(at(600), 0)).dueIds, [])
    }
    assert.ok(isDue(await read(one, later.id), at(300)))
    assert.equal(await other.claim(held.id, takeOver(at(1))), null)
  })
}
