// What Redis keeps when it is killed or its machine loses power: all that was acknowledged and kept is there, in whole
// steps, and nobody is led astray by what is not.
import assert from 'node:assert/strict'
import { appendFileSync, readdirSync, statSync, truncateSync } from 'node:fs'
import path from 'node:path'
import { describe } from 'node:test'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { report, start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { add, at, caughtUp, follow, newTask, read, refused, take } from '../../suites/store/world.ts'
import type { PrivateRedis } from '../../support/redis.ts'
import { assertOrder } from '../../support/redis-order.ts'
import { persist, promise } from '../../support/redis-world.ts'
import { requireService } from '../../support/services.ts'
import { until } from '../../support/until.ts'

const progress = (percent: number) => report({ percent, note: null, etaSeconds: null }, percent, at(2))

/** The file that the next changes are appended to. */
const appendFile = ({ dir }: PrivateRedis): string => {
  const folder = path.join(dir, 'appendonlydir')
  return path.join(folder, readdirSync(folder).find(name => name.endsWith('.incr.aof')) ?? '')
}

/** As the log has it. */
const command = (...words: string[]): string =>
  [`*${words.length}`, ...words.flatMap(word => [`$${Buffer.byteLength(word)}`, word]), ''].join('\r\n')

/** Makes tasks and moves one of them until the store says that it is away; what was acknowledged. */
const writeUntilItBreaks = async (store: TaskStore, held: TaskRecord, enough: () => void) => {
  const made: string[] = []
  let last = held
  for (let n = 1; ; n += 1) {
    try {
      const lanes = Array.from({ length: 4 }, async () => made.push((await add(store)).id))
      const moving = store.move(held.id, held.claim, progress(n / 100)).then(task => {
        last = task
      })
      const settled = await Promise.allSettled([...lanes, moving])
      for (const result of settled) if (result.status === 'rejected') throw result.reason
    } catch (error) {
      assert.ok(isMadhavaError(error, 'STORE_UNAVAILABLE'), String(error))
      return { made, last }
    }
    if (n === 20) enough()
  }
}

describe('what Redis keeps', { skip: requireService('redis') }, () => {
  for (const fsync of ['always', 'everysec'])
    promise(
      `with appendfsync ${fsync} a kill and a restart lose nothing that was acknowledged`,
      { appendonly: 'yes', appendfsync: fsync },
      async ({ redis, openDirect }) => {
        const [store, other] = [await openDirect(), await openDirect()]
        const { id } = await add(store, { priority: 9 })
        const held = await take(store, id)
        const follower = follow(other, await other.cursor())
        let killed: Promise<void> | null = null
        const { made, last } = await writeUntilItBreaks(store, held, () => {
          setTimeout(() => {
            killed = redis.kill()
          }, Math.random() * 100)
        })
        // a store may know of the end before the process is gone
        await killed
        await refused(() => store.get(id), 'STORE_UNAVAILABLE')
        await refused(() => store.check(), 'STORE_UNAVAILABLE')
        await redis.start()
        const now = await persist(() => read(other, id))
        assert.ok(now.rev >= last.rev && now.claim === last.claim)
        for (const each of made) assert.ok(await other.get(each), `a task that was created is lost: ${each}`)
        // the holder holds on, and nobody takes from it
        assert.deepEqual((await other.agenda(at(5), 10)).orphaned, [])
        const done = await persist(() => store.move(id, held.claim, succeed(1, null, at(3))))
        assert.equal(done.status, 'SUCCESS')
        await add(store)
        await caughtUp(follower, other, [id])
        await follower.stop()
      },
    )

  for (const then of ['', ', though another has written on since'])
    promise(
      `a power cut with appendfsync everysec loses the last moments as a whole, and misleads nobody${then}`,
      { appendonly: 'yes', appendfsync: 'everysec' },
      async ({ redis, openDirect }) => {
        const store = await openDirect()
        const kept = await add(store)
        const held = await take(store, kept.id)
        const file = appendFile(redis)
        // while a sync of a slow disk goes on, Redis keeps for seconds what it has yet to write
        await until('the log has all of it', async () =>
          /aof_buffer_length:0\r?$/m.test(await redis.cli('INFO', 'persistence')),
        )
        const size = statSync(file).size
        const cursor = await store.cursor()
        const follower = follow(store, cursor)
        const told: string[] = []
        const following = (async () => {
          for await (const change of store.changes(cursor, new AbortController().signal))
            told.push(change.cursor)
        })()
        following.catch(() => {})
        const moved = await store.move(kept.id, held.claim, progress(5))
        const lost = await add(store)
        const taken = await take(store, (await add(store)).id)
        await caughtUp(follower, store, [lost.id, kept.id, taken.id])
        await follower.stop()
        await until('all is told', () => told.length === 4)
        await redis.kill()
        // what the disk did not have yet
        truncateSync(file, size)
        if (then !== '') appendFileSync(file, command('XADD', 'test:feed', `${Date.now()}-0`, 'begin', ''))
        await redis.start()
        const back = await persist(() => read(store, kept.id))
        assert.deepEqual([back.claim, back.rev], [held.claim, held.rev])
        assert.equal(await store.get(lost.id), null)
        await refused(() => store.move(taken.id, taken.claim, progress(6)), 'CLAIM_LOST')
        // what was told of is not so any more: who follows has to look anew
        await refused(() => following, 'CURSOR_TOO_OLD')
        const next = await store.move(kept.id, held.claim, progress(6))
        assert.deepEqual([next.claim, next.rev, next.result], [held.claim, moved.rev, 6])
      },
    )

  promise(
    'a disk that kept the log up to any byte has whole steps: no script is there by half',
    { appendonly: 'yes', appendfsync: 'everysec' },
    async ({ redis, openDirect }) => {
      const store = await openDirect()
      await Promise.all(
        Array.from({ length: 12 }, async (_, n) => {
          const { id } = await add(store, { notBefore: n % 3 === 0 ? at(n) : null, idempotencyKey: `k${n}` })
          const task = await store.claimNext({ kinds: ['adding'], now: at(20) }, start('w', at(20)))
          if (!task) return
          await store.putBlob(task.id, 'log.txt', Buffer.alloc(100 * n, 'x'))
          await store.revoke(id, at(21))
          if (n % 2 === 0) await store.move(task.id, task.claim, succeed(n, null, at(22)))
          if (n % 4 === 0) await store.remove(task.id)
        }),
      )
      await redis.kill()
      const file = appendFile(redis)
      const size = statSync(file).size
      const cuts = Array.from({ length: 6 }, () => Math.floor(size * (0.1 + 0.9 * Math.random())))
      for (const cut of cuts.sort((a, b) => b - a)) {
        // Redis may have cut off more already than was asked for
        truncateSync(file, Math.min(cut, statSync(file).size))
        await redis.start()
        await persist(async () => store.get(newTask().id))
        await assertOrder(redis.url, 'test')
        await redis.kill()
      }
      await redis.start()
      await persist(() => store.check())
    },
  )
})
