// Documents in Redis where a map would have no trouble: answers that are lost, memory that is full, values that a
// person wrote, a clock that went back, and many that expire at once.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { allOf, content } from '../../suites/documents.ts'
import { add, at, follow, refused } from '../../suites/store/world.ts'
import { persist, promise } from '../../support/redis-world.ts'
import { requireService } from '../../support/services.ts'
import { until } from '../../support/until.ts'

const DONE = Buffer.from('*2\r\n$4\r\ndone')

describe('documents in Redis', { skip: requireService('redis') }, () => {
  promise(
    'a put whose answer is lost is written whole; one that did not arrive is not written',
    {},
    async ({ proxy, open, openDirect }) => {
      const [store, other] = [await open(), await openDirect()]
      const { documents } = other
      const first = await documents.put('accounts', 'a', content({ n: 1 }), null)
      const follower = follow(other, await other.cursor())
      const lost = proxy.cutAt({ direction: 'down', pattern: DONE, after: 0 })
      const second = content({ n: 2 }, { expiresAt: at(9) })
      await refused(() => store.documents.put('accounts', 'a', second, first.rev), 'STORE_UNAVAILABLE')
      await lost
      const there = await documents.get('accounts', 'a')
      assert.ok(there && there.rev > first.rev)
      assert.deepEqual(there, { name: 'a', ...second, rev: there.rev })
      // whoever tries again without reading is told
      await persist(() => store.documents.get('accounts', 'a'))
      await refused(() => store.documents.put('accounts', 'a', second, first.rev), 'DOCUMENT_CHANGED')
      const cut = proxy.cutAt({ direction: 'up', pattern: Buffer.from('halfway'), after: 3 })
      await refused(() => store.documents.put('accounts', 'halfway', content(), null), 'STORE_UNAVAILABLE')
      await cut
      assert.equal(await documents.get('accounts', 'halfway'), null)
      await persist(() => store.documents.put('accounts', 'halfway', content(), null))
      await until('both are told', () => follower.seen.length >= 2)
      await follower.stop()
      assert.deepEqual(
        follower.seen.map(change => change.type === 'document' && change.name),
        ['a', 'halfway'],
      )
    },
  )

  promise(
    'a call that is cut off at any byte happens whole or not at all',
    {},
    async ({ proxy, open, openDirect }) => {
      const [store, other] = [await open(), await openDirect()]
      let there = await other.documents.put('accounts', 'a', content({ n: 0 }), null)
      let outcomes = 0
      for (const direction of ['up', 'down'] as const)
        for (const after of [0, 40, 90, 200, 1_000]) {
          await persist(() => store.documents.get('accounts', 'a'))
          const cut = proxy.cutAt({ direction, after })
          outcomes += 1
          const wanted = content({ n: outcomes, text: 'x'.repeat(500) })
          await store.documents.put('accounts', 'a', wanted, there.rev).catch((error: unknown) => {
            assert.ok(isMadhavaError(error, 'STORE_UNAVAILABLE'), String(error))
          })
          // what is under way in it can no longer arrive
          proxy.cut()
          const now = await persist(() => store.documents.get('accounts', 'a'))
          assert.ok(now)
          if (now.rev === there.rev) assert.deepEqual(now, there)
          else assert.deepEqual(now, { name: 'a', ...wanted, rev: now.rev })
          assert.ok(now.rev >= there.rev)
          // a spot that was not reached stands in the way of the next one
          await persist(async () => {
            for (let n = 0; n < 40; n += 1) await store.documents.get('accounts', 'a')
          })
          await cut
          there = (await other.documents.get('accounts', 'a')) ?? there
        }
      assert.equal((await allOf(other.documents, 'accounts')).length, 1)
    },
  )

  promise(
    'a Redis that was killed has every document that was acknowledged, and refuses calls meanwhile',
    { appendonly: 'yes', appendfsync: 'always' },
    async ({ redis, openDirect }) => {
      const [store, other] = [await openDirect(), await openDirect()]
      const { documents } = store
      const made = await documents.put('accounts', 'a', content({ n: 1 }), null)
      await redis.kill()
      for (const call of [
        () => documents.get('accounts', 'a'),
        () => documents.list('accounts', { limit: 1, cursor: null }),
        () => documents.put('accounts', 'a', content(), made.rev),
        () => documents.remove('accounts', 'a', 'any'),
        () => documents.removeExpired(at(0)),
      ])
        await refused(call, 'STORE_UNAVAILABLE')
      await redis.start()
      assert.deepEqual(await persist(() => other.documents.get('accounts', 'a')), made)
      const next = await persist(() => documents.put('accounts', 'a', content({ n: 2 }), made.rev))
      assert.ok(next.rev > made.rev)
    },
  )

  promise(
    'a Redis that is full refuses a put and keeps what was there; what frees memory goes on',
    {},
    async ({ redis, openDirect }) => {
      const store = await openDirect()
      const { documents } = store
      const made = await documents.put('accounts', 'a', content({ n: 1 }), null)
      await documents.put('accounts', 'b', content(), null)
      await documents.put('ended-sessions', 's', content({}, { expiresAt: at(1) }), null)
      const follower = follow(store, await store.cursor())
      const used = Number(/used_memory:(\d+)/.exec(await redis.cli('INFO', 'memory'))?.[1])
      await redis.cli('CONFIG', 'SET', 'maxmemory', String(Math.floor(used * 0.9)))
      await refused(() => documents.put('accounts', 'a', content({ n: 2 }), made.rev), 'STORE_FULL')
      await refused(() => documents.put('accounts', 'c', content(), null), 'STORE_FULL')
      assert.deepEqual(await documents.get('accounts', 'a'), made)
      assert.equal((await allOf(documents, 'accounts', 1)).length, 2)
      await documents.remove('accounts', 'b', 'any')
      assert.equal(await documents.removeExpired(at(1)), 1)
      await until('both are told', () => follower.seen.length >= 2)
      await follower.stop()
      await redis.cli('CONFIG', 'SET', 'maxmemory', '0')
      assert.ok((await documents.put('accounts', 'a', content({ n: 2 }), made.rev)).rev > made.rev)
    },
  )

  promise(
    'what is no document is left out of lists, and can be replaced and removed',
    {},
    async ({ redis, openDirect }) => {
      const { documents } = await openDirect()
      const sound = '{"version":1,"expiresAt":null,"data":{}}'
      const unreadable = [
        '',
        'x',
        '5',
        '5 ',
        '5 {',
        '5 []',
        '5 null',
        '5 {"version":0,"expiresAt":null,"data":{}}',
        '5 {"version":1,"expiresAt":"never","data":{}}',
        '5 {"version":1,"expiresAt":null,"data":[]}',
        '5 {"version":1,"expiresAt":null}',
        `0 ${sound}`,
        `05 ${sound}`,
        `-5 ${sound}`,
        `5.5 ${sound}`,
        `1e3 ${sound}`,
        `9999999999999999 ${sound}`,
        sound,
      ]
      for (const name of ['a', 'n', 'z']) await documents.put('accounts', name, content(), null)
      const spoil = async (value: string): Promise<void> => {
        await redis.cli('HSET', 'test:documents:accounts', 'm', value)
        await redis.cli('ZADD', 'test:documentNames:accounts', '0', 'm')
      }
      for (const value of unreadable) {
        await spoil(value)
        await refused(() => documents.get('accounts', 'm'), 'DOCUMENT_INVALID')
        const { leftOut } = await documents.list('accounts', { limit: 10, cursor: null })
        assert.deepEqual(
          leftOut.map(({ name }) => name),
          ['m'],
          value,
        )
        for (const limit of [1, 2, 3, 4])
          assert.deepEqual(
            (await allOf(documents, 'accounts', limit)).map(({ name }) => name),
            ['a', 'n', 'z'],
            value,
          )
        for (const rev of [null, 0, 4, Number.NaN])
          await refused(() => documents.put('accounts', 'm', content(), rev), 'DOCUMENT_CHANGED')
        for (const rev of [0, 4, Number.NaN])
          await refused(() => documents.remove('accounts', 'm', rev), 'DOCUMENT_CHANGED')
        const made = await documents.put('accounts', 'm', content({ value }), 'any')
        assert.deepEqual(await documents.get('accounts', 'm'), made)
        await spoil(value)
        await documents.remove('accounts', 'm', 'any')
        assert.equal(await documents.get('accounts', 'm'), null)
      }
      // and one that can be read is as good as one of ours
      await spoil(`5 ${sound}`)
      assert.equal((await documents.get('accounts', 'm'))?.rev, 5)
      assert.ok((await documents.put('accounts', 'm', content(), 5)).rev > 5)
    },
  )

  promise("a rev grows also where Redis's clock is behind it", {}, async ({ redis, openDirect }) => {
    const { documents } = await openDirect()
    await documents.put('accounts', 'a', content(), null)
    const ahead = 9_007_199_254_741
    const json = '{"version":1,"expiresAt":null,"data":{}}'
    await redis.cli('HSET', 'test:documents:accounts', 'a', `${ahead} ${json}`)
    const second = await documents.put('accounts', 'a', content(), ahead)
    const third = await documents.put('accounts', 'a', content(), 'any')
    assert.deepEqual([second.rev, third.rev], [ahead + 1, ahead + 2])
    assert.deepEqual(await documents.get('accounts', 'a'), third)
  })

  promise('any number that have expired are removed, each once', {}, async ({ openDirect }) => {
    const stores = [await openDirect(), await openDirect()]
    const [one, other] = [stores[0]?.documents, stores[1]?.documents]
    assert.ok(one && other)
    const [many, kept] = [1_000, 5]
    await Promise.all(
      Array.from({ length: many + kept }, (_, n) =>
        one.put('ended-sessions', `s${n}`, content({}, { expiresAt: at(n < many ? 1 : 3) }), null),
      ),
    )
    const removed = await Promise.all([one.removeExpired(at(2)), other.removeExpired(at(2))])
    assert.equal(removed[0] + removed[1], many)
    assert.equal((await allOf(other, 'ended-sessions')).length, kept)
    assert.equal(await one.removeExpired(at(3)), kept)
  })

  promise(
    'entries of the feed about collections that this version does not know are passed over',
    {},
    async ({ redis, openDirect }) => {
      const store = await openDirect()
      const since = await store.cursor()
      const follower = follow(store, since)
      await redis.cli('XADD', 'test:feed', '*', 'document', 'of-later', 'name', 'a')
      await store.documents.put('accounts', 'a', content(), null)
      const { id } = await add(store)
      await until('the task is told', () => follower.seen.some(({ type }) => type === 'task'))
      await follower.stop()
      assert.deepEqual(
        follower.seen.map(change => (change.type === 'document' ? change.collection : change.type)),
        ['accounts', 'task'],
      )
      assert.deepEqual((await store.changedSince(since)).ids, [id])
    },
  )
})
