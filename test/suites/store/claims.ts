// claim and move: one winner, numbers that only rise, moves that happen whole, in order, or not at all.
import assert from 'node:assert/strict'
import { fail, giveBack, type Move, report, retryByHand, start, succeed } from '../../../src/core/moves.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { add, at, type Check, read, refused, take } from './world.ts'

const broken = new Error('a move that throws')
const throwing: Move = () => {
  throw broken
}
const percent = (value: number): Move =>
  report({ percent: value, note: `note ${value}`, etaSeconds: null }, value, at(value))

export const claims = (check: Check): void => {
  check('of fifty claims at once over two stores exactly one wins', async world => {
    const stores = [await world.open(), await world.open()]
    for (let round = 0; round < 5; round += 1) {
      const { id } = await add(stores[0] ?? (await world.open()))
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, n) => stores[n % 2]?.claim(id, start(`try ${n}`, at(1)))),
      )
      const won = answers.filter(answer => answer !== null)
      assert.equal(won.length, 1)
      assert.equal(won[0]?.claim, 1)
      assert.equal(won[0]?.status, 'STARTED')
      for (const store of stores) assert.deepEqual(await read(store, id), won[0])
    }
  })

  check('the claim number rises by one at each acquisition and is never reset', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const error = { code: 'KIND_FAILED', message: 'no', detail: null }
    const seen: number[] = []
    const step = (task: TaskRecord | null): TaskRecord => {
      assert.ok(task)
      seen.push(task.claim)
      return task
    }
    await one.move(id, step(await take(one, id)).claim, giveBack(at(2)))
    await other.move(id, step(await take(other, id)).claim, fail(error, at(3), at(2)))
    await one.move(id, step(await take(one, id, at(4))).claim, succeed(1, null, at(5)))
    assert.equal(step(await other.claim(id, retryByHand(at(6)))).status, 'PENDING')
    await other.move(id, step(await take(other, id, at(7))).claim, fail(error, null, at(8)))
    step(await other.claim(id, retryByHand(at(9))))
    step((await one.revoke(id, at(10))).task)
    assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7])
  })

  check('a claim whose move ends in a status that does not run is not held', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const { claim } = await take(one, id)
    await one.move(id, claim, succeed(1, null, at(2)))
    const task = await other.claim(id, retryByHand(at(3)))
    assert.equal(task?.status, 'PENDING')
    await refused(() => other.move(id, task?.claim ?? 0, start('w', at(4))), 'CLAIM_LOST')
    await take(one, id)
  })

  check('a move that throws in a claim changes nothing and lets go', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const before = await read(one, id)
    await assert.rejects(one.claim(id, throwing), broken)
    assert.deepEqual(await read(one, id), before)
    assert.deepEqual(await read(other, id), before)
    const { claim } = await take(other, id)
    assert.ok(claim > before.claim)
    await other.move(id, claim, succeed(1, null, at(2)))
    // a legal claim with a move that the task's status does not allow
    await refused(() => one.claim(id, start('w', at(3))), 'ILLEGAL_MOVE')
    assert.equal((await read(one, id)).status, 'SUCCESS')
    assert.equal((await other.claim(id, retryByHand(at(4))))?.status, 'PENDING')
  })

  check('a move that throws under a claim changes nothing, and the claim stays', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const started = await take(one, id)
    await assert.rejects(one.move(id, started.claim, throwing), broken)
    assert.deepEqual(await read(other, id), started)
    assert.equal(await other.claim(id, start('w', at(2))), null)
    const next = await one.move(id, started.claim, percent(10))
    assert.equal(next.rev, started.rev + 1)
  })

  check('moves at once happen in the order of the calls, each on the record before it', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const { claim, rev } = await take(one, id)
    const results = await Promise.allSettled([
      ...Array.from({ length: 25 }, (_, n) => one.move(id, claim, n === 12 ? throwing : percent(n + 1))),
      one.move(id, claim, succeed('end', null, at(30))),
      one.move(id, claim, percent(99)),
    ])
    const done = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    assert.deepEqual(
      done.map(task => task.rev),
      Array.from({ length: 25 }, (_, n) => rev + 1 + n),
    )
    assert.deepEqual(
      done.map(task => task.result),
      [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 'end'],
    )
    assert.equal(results[12]?.status, 'rejected')
    const last = results.at(-1)
    assert.equal(last?.status, 'rejected')
    await refused(() => Promise.reject(last?.status === 'rejected' ? last.reason : null), 'CLAIM_LOST')
    assert.deepEqual(await read(other, id), done.at(-1))
  })

  check(
    'a move is refused when the claim is an older one, another one, or another process holds it',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const { id } = await add(one)
      const first = await take(one, id)
      await one.move(id, first.claim, giveBack(at(2)))
      const second = await take(one, id)
      for (const claim of [first.claim, second.claim + 1, 0, -1, Number.NaN, 1.5])
        await refused(() => one.move(id, claim, percent(1)), 'CLAIM_LOST')
      await refused(() => other.move(id, second.claim, percent(1)), 'CLAIM_LOST')
      assert.deepEqual(await read(other, id), second)
      await one.move(id, second.claim, giveBack(at(3)))
      const third = await take(other, id)
      await refused(() => one.move(id, third.claim, percent(1)), 'CLAIM_LOST')
      await refused(() => one.move(id, second.claim, percent(1)), 'CLAIM_LOST')
      assert.deepEqual(await read(one, id), third)
    },
  )

  check('a move after the claim was let go is refused and changes nothing', async world => {
    const store = await world.open()
    for (const last of [succeed(1, null, at(2)), giveBack(at(2))]) {
      const { id } = await add(store)
      const { claim } = await take(store, id)
      const ended = await store.move(id, claim, last)
      await refused(() => store.move(id, claim, percent(1)), 'CLAIM_LOST')
      assert.deepEqual(await read(store, id), ended)
    }
  })

  check("id, claim and rev are the store's: a move cannot set them", async world => {
    const store = await world.open()
    const { id } = await add(store)
    const { claim, rev } = await take(store, id)
    const forged = await store.move(id, claim, task => ({
      ...task,
      id: '1b671a64-40d5-491e-99b0-da01ff1f3341',
      claim: 99,
      rev: 99,
      title: 'forged',
    }))
    assert.deepEqual([forged.id, forged.claim, forged.rev, forged.title], [id, claim, rev + 1, 'forged'])
    assert.deepEqual(await read(store, id), forged)
    assert.equal((await store.counts()).total, 1)
  })

  check('fields that a newer version added go through every move', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const holds = (task: TaskRecord | null) =>
      assert.deepEqual([task?.future, task?.another], [{ deep: [1, null] }, 'x'])
    // `begin` takes what it knows; a newer process would have written these in its own first move
    const { claim } = await take(one, id)
    await one.move(id, claim, task => ({ ...task, future: { deep: [1, null] }, another: 'x' }))
    holds(await one.move(id, claim, percent(5)))
    holds(await one.move(id, claim, giveBack(at(6))))
    holds(await read(other, id))
    holds((await other.list({}, { limit: 1, cursor: null })).tasks[0] ?? null)
    const started = await take(other, id)
    holds((await one.revoke(id, at(8))).task)
    await other.move(id, started.claim, succeed(1, null, at(9)))
    holds(await other.claim(id, retryByHand(at(10))))
  })
}
