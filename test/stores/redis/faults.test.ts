// The Redis store while Redis is frozen, held up, full, slow, demoted, or its answers are lost: a call that could not be
// made says why, and all goes on by itself.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { report, start, succeed } from '../../../src/core/moves.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { add, at, caughtUp, details, follow, newTask, read, refused, take } from '../../suites/store/world.ts'
import { persist, promise } from '../../support/redis-world.ts'
import { requireService } from '../../support/services.ts'
import { until } from '../../support/until.ts'

const progress = (percent: number) => report({ percent, note: null, etaSeconds: null }, percent, at(2))

describe('the Redis store when things go wrong', { skip: requireService('redis') }, () => {
  promise(
    'a Redis that is blocked by the script of another program is reported',
    { 'busy-reply-threshold': '50' },
    async ({ redis, openDirect }) => {
      const store = await openDirect()
      const endless = redis.cli('EVAL', 'while true do end', '0').catch(() => '')
      await until('it is busy', () =>
        store.get(newTask().id).then(
          () => false,
          error => /held up by a script of another program/.test(String(error)),
        ),
      )
      await redis.cli('SCRIPT', 'KILL')
      await endless
      assert.ok(await persist(() => add(store)))
    },
  )

  promise('a call that is cut off at any byte happens once or not at all', {}, async ({ proxy, open }) => {
    const store = await open()
    const { id } = await add(store)
    const { claim, rev } = await take(store, id)
    let moves = 0
    for (const direction of ['up', 'down'] as const)
      for (const after of [0, 7, 500, 3_000]) {
        const cut = proxy.cutAt({ direction, after })
        const before = await persist(() => read(store, id))
        moves += 1
        const moved = await persist(() => store.move(id, claim, progress(moves)))
        assert.equal(moved.result, moves)
        // written once, or once by each of two tries that nobody could tell apart
        assert.ok(moved.rev === before.rev + 1 || moved.rev === before.rev + 2)
        proxy.cut()
        // a spot that was not reached stands in the way of the next one
        await persist(async () => {
          for (let n = 0; n < 40; n += 1) await read(store, id)
        })
        await cut
      }
    const last = proxy.cutAt({ direction: 'down', after: 0 })
    const done = await persist(() => store.move(id, claim, succeed('end', null, at(9))))
    await last
    assert.deepEqual([done.status, done.claim], ['SUCCESS', claim])
    assert.ok(done.rev >= rev + moves + 1)
    assert.equal(done.history.filter(({ status }) => status === 'SUCCESS').length, 1)
    await refused(() => store.move(id, claim, progress(99)), 'CLAIM_LOST')
  })

  promise(
    'a claim whose answer is lost does not keep its task: it is given back unharmed',
    {},
    async ({ proxy, open, openDirect }) => {
      const [store, other] = [await open(), await openDirect()]
      const { id } = await add(other, { maxAttempts: 1 })
      // the script's answer that the claim is written, less its last two bytes
      const cut = proxy.cutAt({ direction: 'down', pattern: Buffer.from('*1\r\n$4\r\ndone'), after: 0 })
      await refused(() => store.claim(id, start('w', at(5))), 'STORE_UNAVAILABLE')
      await cut
      assert.equal((await read(other, id)).status, 'STARTED')
      await until('it waits again', async () => (await read(other, id)).status === 'PENDING')
      const task = await read(other, id)
      assert.equal(task.attempt, 0)
      assert.equal((await take(other, id)).attempt, 1)
    },
  )

  promise(
    'a task whose pick was lost on the way back waits again, unharmed',
    {},
    async ({ proxy, open, openDirect }) => {
      const [store, other] = [await open(), await openDirect()]
      const task = await add(other, { maxAttempts: 1 })
      const wanted = { kinds: ['adding'], now: at(5) }
      // the answer that names the task and says that it is held from now on
      const cut = proxy.cutAt({ direction: 'down', pattern: Buffer.from('*5\r\n$'), after: 0 })
      await refused(() => store.claimNext(wanted, start('w', at(5))), 'STORE_UNAVAILABLE')
      await cut
      assert.equal(await other.claimNext(wanted, start('w', at(5))), null)
      let taken: TaskRecord | null = null
      await until('it can be had again', async () => {
        taken = await other.claimNext(wanted, start('w', at(5)))
        return taken !== null
      })
      const { id, attempt, claim, rev } = taken ?? task
      assert.deepEqual([id, attempt, claim, rev], [task.id, 1, 1, 1])
    },
  )

  promise(
    'a Redis that is frozen is reported, and all goes on when it thaws',
    {},
    async ({ redis, openDirect }) => {
      const store = await openDirect()
      await store.announce({ role: 'worker', details: () => details() })
      const { id } = await add(store)
      const { claim } = await take(store, id)
      redis.pause()
      const begun = performance.now()
      const task = newTask()
      await Promise.all([
        refused(() => store.create(task, null), 'STORE_UNAVAILABLE'),
        refused(() => store.get(id), 'STORE_UNAVAILABLE'),
        refused(() => store.move(id, claim, progress(1)), 'STORE_UNAVAILABLE'),
        refused(() => store.check(), 'STORE_UNAVAILABLE'),
      ])
      assert.ok(performance.now() - begun < 20_000, 'nobody waits for ever')
      redis.resume()
      const moved = await persist(() => store.move(id, claim, progress(2)))
      assert.equal(moved.result, 2)
      assert.equal((await store.presences())[0]?.alive, true)
      // it may have been created after all; asking again makes no second one
      await persist(() =>
        store.create(task, null).catch(error => refused(() => Promise.reject(error), 'TASK_EXISTS')),
      )
      assert.equal((await store.counts()).total, 2)
    },
  )

  promise(
    'a Redis that is full takes no new tasks, and lets those that run end',
    {},
    async ({ redis, openDirect }) => {
      const store = await openDirect()
      const { id } = await add(store)
      const { claim } = await take(store, id)
      const waiting = await add(store)
      const used = Number(/used_memory:(\d+)/.exec(await redis.cli('INFO', 'memory'))?.[1])
      await redis.cli('CONFIG', 'SET', 'maxmemory', String(Math.floor(used * 0.9)))
      await refused(() => add(store), 'STORE_FULL')
      await refused(() => store.putBlob(id, 'result.txt', Buffer.alloc(600_000)), 'STORE_FULL')
      await refused(() => store.check(), 'STORE_FULL')
      // a process that starts now may do as much
      assert.equal((await read(await openDirect(), id)).status, 'STARTED')
      assert.equal(await store.claimNext({ kinds: ['adding'], now: at(5) }, start('w', at(5))), null)
      assert.equal((await store.move(id, claim, progress(5))).status, 'PROGRESS')
      assert.equal((await store.move(id, claim, succeed(1, null, at(6)))).status, 'SUCCESS')
      assert.equal((await store.revoke(waiting.id, at(7))).outcome, 'revoked')
      await store.remove(id)
      await redis.cli('CONFIG', 'SET', 'maxmemory', '0')
      await store.check()
      assert.ok(await add(store))
    },
  )

  promise(
    'with 200 ms of latency everything works, and nobody is thought dead',
    {},
    async ({ proxy, open, openDirect }) => {
      proxy.delay(100)
      const [store, other] = [await open(), await openDirect()]
      await store.announce({ role: 'worker', details: () => details() })
      const ids = await Promise.all(Array.from({ length: 10 }, async () => (await add(store)).id))
      const taken = await Promise.all(
        Array.from({ length: 10 }, () =>
          store.claimNext({ kinds: ['adding'], now: at(5) }, start('w', at(5))),
        ),
      )
      assert.deepEqual(taken.map(task => task?.id).toSorted(), ids.toSorted())
      assert.deepEqual((await other.agenda(at(6), 10)).orphaned, [])
      const follower = follow(store, await store.cursor())
      for (const task of taken) if (task) await other.revoke(task.id, at(6))
      await Promise.all(taken.map(task => task && store.move(task.id, task.claim, succeed(1, null, at(7)))))
      await caughtUp(follower, other, ids)
      await follower.stop()
      assert.equal((await other.presences())[0]?.alive, true)
    },
  )

  promise(
    'a master that becomes a replica says so, and is used again when it is master',
    {},
    async ({ redis, openDirect }) => {
      const store = await openDirect()
      const { id } = await add(store)
      const { claim } = await take(store, id)
      await redis.cli('REPLICAOF', '127.0.0.1', '1')
      await assert.rejects(add(store), /read-only replica/)
      await assert.rejects(store.move(id, claim, progress(1)), error =>
        isMadhavaError(error, 'STORE_UNAVAILABLE'),
      )
      // what a replica tells may be old: nothing is read from it either
      await until('reads are refused too', () =>
        store.get(id).then(
          () => false,
          error => isMadhavaError(error, 'STORE_UNAVAILABLE'),
        ),
      )
      await redis.cli('REPLICAOF', 'NO', 'ONE')
      assert.equal((await persist(() => store.move(id, claim, progress(2)))).result, 2)
      assert.equal((await persist(() => read(store, id))).result, 2)
    },
  )
})
