// Tasks that people do: no claim of a worker, no agenda, no line and no retention knows an open one, and lists find what
// it says now.
import assert from 'node:assert/strict'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { expire, type NewTask, retryByHand, start, startLate } from '../../../src/core/moves.ts'
import { complete, edit } from '../../../src/core/people-moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { type TaskRecord, versionOf } from '../../../src/core/task.ts'
import { add, addEnded, at, type Check, caughtUp, follow, read, refused } from './world.ts'

const forPeople = (store: TaskStore, task: Partial<NewTask> = {}): Promise<TaskRecord> =>
  add(store, { kind: 'manual', doneBy: 'people', params: {}, title: 'Water the plants', ...task })
const KINDS = ['manual', 'adding']
const done = (by: string, second = 5) => complete({ by, note: null }, null, at(second))

export const people = (check: Check): void => {
  check(
    'no claim sees one that is open, wherever it comes from and whatever the worker asks for',
    async world => {
      const [store, other] = [await world.open(), await world.open()]
      // one that has no time, and ones whose times a record of an older hand may have
      const open = await Promise.all([
        forPeople(store),
        forPeople(store, { priority: 9 }),
        forPeople(store, { notBefore: at(1), expiresAt: at(3) }),
      ])
      for (const each of [store, other]) {
        assert.equal(await each.claimNext({ kinds: KINDS, now: at(10) }, start('w', at(10))), null)
        const limits = { manual: { maxConcurrency: 1, rate: null } }
        assert.equal(await each.claimNext({ kinds: KINDS, now: at(10), limits }, start('w', at(10))), null)
        for (const { id } of open) {
          await refused(() => each.claim(id, start('w', at(10))), 'ILLEGAL_MOVE')
          await refused(() => each.claim(id, startLate('w', at(10))), 'ILLEGAL_MOVE')
          await refused(() => each.claim(id, expire(at(10))), 'ILLEGAL_MOVE')
        }
        const agenda = await each.agenda(at(10), 10)
        assert.deepEqual({ ...agenda }, { due: 0, dueIds: [], expired: [], orphaned: [], nextAt: null })
        assert.equal((await each.agenda(at(10), 10, KINDS)).due, 0)
      }
      // a worker's task beside them is taken, and none of them is before it
      const task = await add(store, { priority: 0 })
      const query = { now: at(10), kinds: KINDS, limits: new Map(), most: 100 }
      const { before } = await store.line([task, ...open], query)
      assert.deepEqual([...(before[0] ?? [])], [])
      const taken = await other.claimNext({ kinds: KINDS, now: at(10) }, start('w', at(10)))
      assert.equal(taken?.id, task.id)
      for (const { id } of open) assert.equal((await read(store, id)).status, 'PENDING')
    },
  )

  check('one that is completed stays so, and opens again by a retry', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const { id } = await forPeople(store)
    const ended = await other.claim(id, done('ann'))
    assert.deepEqual(
      [ended?.status, ended?.result, ended?.finishedAt, ended?.attempt],
      ['SUCCESS', { by: 'ann', note: null }, at(5), 0],
    )
    assert.deepEqual(await read(store, id), ended)
    await refused(() => store.claim(id, done('bob')), 'TASK_ENDED')
    const again = await store.claim(id, retryByHand(at(6)))
    assert.deepEqual([again?.status, again?.result, again?.doneBy], ['PENDING', null, 'people'])
    assert.equal(await other.claimNext({ kinds: KINDS, now: at(10) }, start('w', at(10))), null)
    assert.equal((await other.agenda(at(10), 10)).due, 0)
    assert.equal((await other.revoke(id, at(7))).outcome, 'revoked')
  })

  check('of many who complete one at once exactly one does', async world => {
    const stores = await Promise.all([world.open(), world.open(), world.open()])
    const [store] = stores as [TaskStore, ...TaskStore[]]
    for (let round = 0; round < 5; round += 1) {
      const { id } = await forPeople(store)
      const outcomes = await Promise.all(
        stores.flatMap((each, n) =>
          [0, 1, 2].map(async m => {
            const name = `${n}.${m}`
            for (;;)
              try {
                // null: another one is just writing it
                if (await each.claim(id, done(name))) return name
              } catch (error) {
                assert.ok(isMadhavaError(error, 'TASK_ENDED'), String(error))
                return null
              }
          }),
        ),
      )
      const winners = outcomes.filter(name => name !== null)
      assert.equal(winners.length, 1)
      assert.deepEqual((await read(store, id)).result, { by: winners[0], note: null })
    }
  })

  check('a list finds the title that one has now, and no more the one that it had', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const { id } = await forPeople(store, { title: 'Mend the ROOF', description: 'soon' })
    const find = async (text: string) => {
      const found: string[][] = []
      for (const each of [store, other])
        found.push(
          (await each.list({ text, kinds: ['manual'] }, { limit: 10, cursor: null })).tasks.map(
            task => task.id,
          ),
        )
      assert.deepEqual(found[0], found[1], 'every process finds the same')
      return found[0]
    }
    assert.deepEqual(await find('roof'), [id])
    const first = await read(store, id)
    const edited = await other.claim(id, edit({ title: 'Paint the FENCE' }, [versionOf(first)], at(3)))
    assert.deepEqual(
      [edited?.status, edited?.title, edited?.description, edited?.updatedAt, edited?.history],
      ['PENDING', 'Paint the FENCE', 'soon', at(3), first.history],
    )
    assert.deepEqual([await find('roof'), await find('fence'), await find('soon')], [[], [id], [id]])
    // an edit for a version of before changes nothing
    await refused(
      () => store.claim(id, edit({ title: 'Nothing' }, [versionOf(first)], at(4))),
      'VERSION_CHANGED',
    )
    assert.deepEqual(await read(store, id), edited)
    await store.claim(id, edit({ description: null }, null, at(5)))
    assert.deepEqual([await find('soon'), await find('fence')], [[], [id]])
  })

  check('retention takes none that is open, however old and however many', async world => {
    const store = await world.open()
    const open = await Promise.all([0, 1, 2].map(() => forPeople(store)))
    const ended = await forPeople(store)
    await store.claim(ended.id, done('ann'))
    await addEnded(store)
    const removed = await store.retain({ finishedBefore: at(1_000), maxCount: 0, maxBytes: 0 })
    assert.equal(removed, 2)
    for (const { id } of open) assert.equal((await read(store, id)).status, 'PENDING')
    await refused(() => store.remove(open[0]?.id ?? ''), 'TASK_NOT_ENDED')
  })

  check('every process is told of an edit and of the end', async world => {
    const [store, other] = [await world.open(), await world.open()]
    const follower = follow(other, await other.cursor())
    const { id } = await forPeople(store)
    await store.claim(id, edit({ title: 'Another one' }, null, at(3)))
    await caughtUp(follower, other, [id])
    await store.claim(id, done('ann'))
    await caughtUp(follower, other, [id])
    await follower.stop()
  })
}
