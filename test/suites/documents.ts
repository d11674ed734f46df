// The contract of the Documents port: what every adapter must do. Written to the promises in src/core/documents.ts.
// documents-processes.ts has the part for stores that live over several processes.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import {
  type CollectionName,
  DOCUMENT_BYTES_MAX,
  DOCUMENT_DEPTH_MAX,
  type Document,
  type DocumentContent,
  type Documents,
} from '../../src/core/documents.ts'
import { isMadhavaError } from '../../src/core/errors.ts'
import { generator, newSeed } from '../support/generator.ts'
import { until } from '../support/until.ts'
import { SAMPLE } from './store/sample.ts'
import {
  add,
  addEnded,
  at,
  type Check,
  checkIn,
  type Follower,
  follow,
  refused,
  type StoreFactory,
} from './store/world.ts'

export const content = (data: DocumentContent['data'] = {}, change: Partial<DocumentContent> = {}) => ({
  version: 1,
  expiresAt: null,
  data,
  ...change,
})

/** Everything in a collection, page by page. */
export const allOf = async (
  documents: Documents,
  collection: CollectionName,
  limit = 100,
): Promise<Document[]> => {
  const found: Document[] = []
  let cursor: string | null = null
  do {
    const page = await documents.list(collection, { limit, cursor })
    assert.ok(page.documents.length <= limit)
    found.push(...page.documents)
    cursor = page.next
  } while (cursor !== null)
  return found
}

const basics = (check: Check): void => {
  check('a document comes back as it was written, in every store', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const data = {
      text: 'Mādhava “\u2028\u0001”',
      list: [1, 1.5, null, { deep: [true] }],
      empty: {},
      none: [],
    }
    const made = await one.documents.put('accounts', 'Someone_1.x-y', content(data, { version: 3 }), null)
    assert.deepEqual(
      { ...made, rev: 0 },
      { name: 'Someone_1.x-y', version: 3, expiresAt: null, data, rev: 0 },
    )
    for (const store of [one, other])
      assert.deepEqual(await store.documents.get('accounts', 'Someone_1.x-y'), made)
    assert.equal(await other.documents.get('accounts', 'someone'), null)
    assert.equal(
      await other.documents.get('secrets', 'Someone_1.x-y'),
      null,
      'a name is one of its collection',
    )
  })

  check('what a caller gets or gave is its own: changing it changes nothing here', async world => {
    const { documents } = await world.open()
    const given = content({ list: [1] })
    const made = await documents.put('accounts', 'a', given, null)
    ;(given.data as { list: number[] }).list.push(2)
    ;(made.data as { list: number[] }).list.push(3)
    assert.deepEqual((await documents.get('accounts', 'a'))?.data, { list: [1] })
  })

  check('a put needs the rev that is there, and gives a greater one', async world => {
    const [{ documents: one }, { documents: other }] = [await world.open(), await world.open()]
    const first = await one.put('accounts', 'a', content({ n: 1 }), null)
    await refused(() => other.put('accounts', 'a', content({ n: 9 }), null), 'DOCUMENT_CHANGED')
    const second = await other.put('accounts', 'a', content({ n: 2 }), first.rev)
    assert.ok(second.rev > first.rev)
    await refused(() => one.put('accounts', 'a', content({ n: 9 }), first.rev), 'DOCUMENT_CHANGED')
    await refused(() => one.put('accounts', 'b', content({ n: 9 }), second.rev), 'DOCUMENT_CHANGED')
    assert.deepEqual(await one.get('accounts', 'a'), second)
    const third = await one.put('accounts', 'a', content({ n: 3 }), 'any')
    assert.ok(third.rev > second.rev)
    assert.deepEqual((await other.get('accounts', 'a'))?.data, { n: 3 })
    assert.equal(await one.get('accounts', 'b'), null)
    await one.put('accounts', 'b', content(), 'any')
  })

  check('a remove needs the rev that is there; a document made anew has a greater rev', async world => {
    const [{ documents: one }, { documents: other }] = [await world.open(), await world.open()]
    const first = await one.put('accounts', 'a', content({ n: 1 }), null)
    await refused(() => other.remove('accounts', 'a', first.rev - 1), 'DOCUMENT_CHANGED')
    await other.remove('accounts', 'a', first.rev)
    assert.equal(await one.get('accounts', 'a'), null)
    await refused(() => one.remove('accounts', 'a', first.rev), 'DOCUMENT_CHANGED')
    await one.remove('accounts', 'a', 'any')
    // a rev tells the time in milliseconds
    await until('the next millisecond', () => Date.now() > first.rev + 1)
    const second = await other.put('accounts', 'a', content({ n: 2 }), null)
    assert.ok(second.rev > first.rev)
    await refused(() => one.put('accounts', 'a', content({ n: 9 }), first.rev), 'DOCUMENT_CHANGED')
    await one.remove('accounts', 'a', 'any')
    assert.equal(await other.get('accounts', 'a'), null)
  })

  check('names that are no names are refused, and reach nothing', async world => {
    const { documents } = await world.open()
    for (const name of [
      '',
      '.',
      '..',
      '.hidden',
      '../tasks',
      'a/b',
      'a\0',
      'ä',
      '-a',
      'a b',
      'a'.repeat(129),
      'a\n',
    ]) {
      await refused(() => documents.get('accounts', name), 'BAD_KEY')
      await refused(() => documents.put('accounts', name, content(), 'any'), 'BAD_KEY')
      await refused(() => documents.remove('accounts', name, 'any'), 'BAD_KEY')
    }
    const longest = 'a'.repeat(128)
    await documents.put('accounts', longest, content(), null)
    assert.equal((await documents.get('accounts', longest))?.name, longest)
  })

  check('a document that is too large is refused, and what was there stays', async world => {
    const { documents } = await world.open()
    const fits = content({ text: 'x'.repeat(DOCUMENT_BYTES_MAX - '{"text":""}'.length) })
    const { rev } = await documents.put('accounts', 'a', fits, null)
    const large = content({ text: 'ä'.repeat(DOCUMENT_BYTES_MAX / 2) })
    await refused(() => documents.put('accounts', 'a', large, rev), 'DOCUMENT_INVALID')
    assert.deepEqual((await documents.get('accounts', 'a'))?.data, fits.data)
  })

  check('a document that nests too deep is refused, however deep it is', async world => {
    const { documents } = await world.open()
    const nested = (depth: number) =>
      content({ deep: JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`) })
    await documents.put('accounts', 'a', nested(DOCUMENT_DEPTH_MAX - 1), null)
    assert.deepEqual((await documents.get('accounts', 'a'))?.data, nested(DOCUMENT_DEPTH_MAX - 1).data)
    for (const depth of [DOCUMENT_DEPTH_MAX, 3_000, 30_000])
      await refused(() => documents.put('accounts', 'a', nested(depth), 'any'), 'DOCUMENT_INVALID')
  })

  check('a list has every document once, in the order of names, with any size of page', async world => {
    const [{ documents: one }, { documents: other }] = [await world.open(), await world.open()]
    const names = ['b', 'a', 'B', 'a.b', 'a-b', 'a_b', '10', '9', 'ab', 'Zz', 'z']
    for (const [n, name] of names.entries())
      await (n % 2 === 0 ? one : other).put('accounts', name, content({ n }), null)
    await one.put('secrets', 'elsewhere', content(), null)
    for (const limit of [1, 2, 3, 10, 11, 12])
      assert.deepEqual(
        (await allOf(other, 'accounts', limit)).map(({ name, data }) => [name, data.n]),
        [...names.entries()]
          .map(([n, name]) => [name, n])
          .sort((a, b) => ((a[0] ?? '') < (b[0] ?? '') ? -1 : 1)),
      )
    assert.deepEqual(await one.list('ended-sessions', { limit: 5, cursor: null }), {
      documents: [],
      leftOut: [],
      next: null,
    })
    // the place of a cursor may be gone
    await one.remove('accounts', 'a', 'any')
    const { documents } = await one.list('accounts', { limit: 1, cursor: 'a' })
    assert.deepEqual(
      documents.map(({ name }) => name),
      ['a-b'],
    )
    for (const cursor of ['', '../x', 'a b'])
      await refused(() => one.list('accounts', { limit: 5, cursor }), 'BAD_CURSOR')
  })

  check('removeExpired removes those whose time has come, and no other', async world => {
    const [one, other] = [await world.open(), await world.open()]
    await one.documents.put('ended-sessions', 'gone', content({}, { expiresAt: at(10) }), null)
    await other.documents.put('ended-sessions', 'now', content({}, { expiresAt: at(20) }), null)
    await one.documents.put('ended-sessions', 'later', content({}, { expiresAt: at(21) }), null)
    await one.documents.put('accounts', 'never', content(), null)
    const { rev } = await one.documents.put('accounts', 'longer', content({}, { expiresAt: at(10) }), null)
    await other.documents.put('accounts', 'longer', content({}, { expiresAt: at(30) }), rev)
    const kept = await one.documents.put('accounts', 'kept', content({}, { expiresAt: at(10) }), null)
    await one.documents.put('accounts', 'kept', content(), kept.rev)
    const cursor = await one.cursor()
    const follower = follow(one, cursor)
    assert.equal(await other.documents.removeExpired(at(9)), 0)
    assert.equal(await other.documents.removeExpired(at(20)), 2)
    assert.equal(await one.documents.removeExpired(at(20)), 0)
    const left = [
      ...(await allOf(one.documents, 'accounts')),
      ...(await allOf(one.documents, 'ended-sessions')),
    ]
    assert.deepEqual(
      left.map(({ name }) => name),
      ['kept', 'longer', 'never', 'later'],
    )
    await until('the feed tells of both', () => follower.seen.length >= 2)
    await follower.stop()
    assert.deepEqual(follower.seen.map(change => change.type === 'document' && change.name).toSorted(), [
      'gone',
      'now',
    ])
  })

  check(
    'of several that remove what has expired at the same time, one removes each document',
    async world => {
      const stores = [await world.open(), await world.open(), await world.open()]
      const [first] = stores
      const names = ['a', 'b', 'c', 'd', 'e', 'f']
      for (const name of names)
        await first?.documents.put('ended-sessions', name, content({}, { expiresAt: at(1) }), null)
      const removed = await Promise.all(stores.map(({ documents }) => documents.removeExpired(at(2))))
      assert.equal(
        removed.reduce((sum, count) => sum + count),
        names.length,
      )
    },
  )

  check('after a close every call is refused', async world => {
    const store = await world.open()
    await store.close()
    const { documents } = store
    for (const call of [
      () => documents.get('accounts', 'a'),
      () => documents.list('accounts', { limit: 1, cursor: null }),
      () => documents.put('accounts', 'a', content(), null),
      () => documents.remove('accounts', 'a', 'any'),
      () => documents.removeExpired(at(0)),
    ])
      await refused(call, 'STORE_UNAVAILABLE')
  })
}

const feed = (check: Check): void => {
  check('the feed tells every store of every write and removal, among those of tasks', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const since = await one.cursor()
    const followers = [follow(one, since), follow(other, since)]
    const toldOf = (follower: Follower, wanted: string): string[] =>
      follower.seen.flatMap(change =>
        change.type === 'document' && change.name === wanted
          ? [`${change.collection}/${change.name} ${change.cursor}`]
          : [],
      )
    const name = 'a'
    let { rev } = await one.documents.put('accounts', 'first', content(), null)
    const steps = [
      async () => {
        rev = (await one.documents.put('accounts', name, content(), null)).rev
      },
      async () => {
        rev = (await other.documents.put('accounts', name, content({ n: 1 }), rev)).rev
      },
      () => one.documents.remove('accounts', name, rev),
      () => other.documents.put('accounts', name, content(), null),
      () => other.documents.remove('accounts', name, 'any'),
    ]
    const tasks: string[] = []
    for (const step of steps) {
      const before = followers.map(follower => toldOf(follower, name).length)
      await step()
      tasks.push((await addEnded(one)).id)
      await until('both are told of it', () =>
        followers.every((follower, n) => toldOf(follower, name).length > (before[n] ?? 0)),
      )
    }
    for (const follower of followers) await follower.stop()
    for (const change of followers.flatMap(({ seen }) => seen))
      if (change.type === 'document') assert.equal(change.collection, 'accounts')
    // readers of tasks alone
    const { ids } = await other.changedSince(since)
    assert.deepEqual(ids.toSorted(), tasks.toSorted())
    // from the middle on: what came before it is not told again
    const middle = followers[1]?.seen.find(
      change => change.type === 'document' && change.name === name,
    )?.cursor
    const late = follow(one, middle ?? '')
    await until('the rest is told', () => toldOf(late, name).length >= steps.length - 1)
    await late.stop()
    assert.deepEqual(toldOf(late, 'first'), [])
  })

  check('a refused write is not told', async world => {
    const store = await world.open()
    const { rev } = await store.documents.put('accounts', 'a', content(), null)
    const follower = follow(store, await store.cursor())
    await refused(() => store.documents.put('accounts', 'a', content(), rev - 1), 'DOCUMENT_CHANGED')
    await refused(() => store.documents.remove('accounts', 'a', rev - 1), 'DOCUMENT_CHANGED')
    await refused(() => store.documents.remove('accounts', 'b', 1), 'DOCUMENT_CHANGED')
    await store.documents.remove('accounts', 'b', 'any')
    await add(store)
    await until('the task is told', () => follower.seen.length > 0)
    await follower.stop()
    assert.deepEqual(
      follower.seen.map(({ type }) => type),
      ['task'],
    )
  })
}

/** What the port says, on a map: what is there by collection and name. */
const models = (check: Check): void => {
  check('random histories over two stores do what a map does', async world => {
    const stores = [await world.open(), await world.open()]
    const seed = newSeed()
    const random = generator(seed)
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T
    const model = new Map<string, Document>()
    const collections = ['accounts', 'ended-sessions'] as const
    try {
      for (let step = 0; step < SAMPLE.documentSteps; step += 1) {
        const { documents } = pick(stores)
        const [collection, name] = [pick(collections), pick(['a', 'b', 'c', 'd'])]
        const key = `${collection}/${name}`
        const there = model.get(key)
        const rev = pick([there?.rev ?? null, null, 'any', (there?.rev ?? 5) - 1] as const)
        const fits = rev === 'any' || rev === (there?.rev ?? null)
        const expiresAt = pick([null, at(1), at(9)])
        const settled = async (call: () => Promise<unknown>): Promise<unknown> => {
          try {
            return await call()
          } catch (error) {
            if (isMadhavaError(error, 'DOCUMENT_CHANGED')) return 'changed'
            throw error
          }
        }
        const action = pick(['put', 'put', 'put', 'remove', 'get', 'list', 'expire'] as const)
        if (action === 'put') {
          const put = await settled(() =>
            documents.put(collection, name, content({ step }, { expiresAt }), rev),
          )
          assert.equal(put === 'changed', !fits, `${step} put ${key} ${rev}`)
          if (put === 'changed') continue
          const made = put as Document
          assert.ok(made.rev > (there?.rev ?? 0))
          assert.deepEqual(made, { name, version: 1, expiresAt, data: { step }, rev: made.rev })
          model.set(key, made)
        } else if (action === 'remove') {
          if (rev === null) continue
          const removed = await settled(() => documents.remove(collection, name, rev))
          assert.equal(removed === 'changed', !fits, `${step} remove ${key} ${rev}`)
          if (fits) model.delete(key)
        } else if (action === 'get') assert.deepEqual(await documents.get(collection, name), there ?? null)
        else if (action === 'expire') {
          const due = [...model].filter(
            ([, document]) => document.expiresAt !== null && document.expiresAt <= at(5),
          )
          assert.equal(await documents.removeExpired(at(5)), due.length)
          for (const [gone] of due) model.delete(gone)
        } else {
          const inModel = [...model]
            .filter(([of]) => of.startsWith(`${collection}/`))
            .map(([, document]) => document)
          assert.deepEqual(
            await allOf(documents, collection, 3),
            inModel.sort((a, b) => (a.name < b.name ? -1 : 1)),
          )
        }
      }
    } catch (error) {
      throw new Error(`seed ${seed}: ${error}`, { cause: error })
    }
  })

  check('of writers that race with one rev, one succeeds, and no write is lost', async world => {
    const stores = [await world.open(), await world.open(), await world.open()]
    const add = async ({ documents }: { documents: Documents }): Promise<void> => {
      for (;;) {
        const there = await documents.get('accounts', 'sum')
        const data = { sum: Number(there?.data.sum ?? 0) + 1 }
        try {
          await documents.put('accounts', 'sum', content(data), there?.rev ?? null)
          return
        } catch (error) {
          if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
        }
      }
    }
    const rounds = 5
    await Promise.all(
      stores
        .flatMap(store => [store, store])
        .map(async store => {
          for (let n = 0; n < rounds; n += 1) await add(store)
        }),
    )
    assert.equal((await stores[0]?.documents.get('accounts', 'sum'))?.data.sum, 6 * rounds)
    const tries = await Promise.allSettled(
      stores.flatMap(({ documents }, n) => [
        documents.put('accounts', 'new', content({ n }), null),
        documents.put('accounts', 'new', content({ n: n + 10 }), null),
      ]),
    )
    const made = tries.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    assert.equal(made.length, 1)
    assert.deepEqual(await stores[1]?.documents.get('accounts', 'new'), made[0])
  })
}

export const documentsSuite = (name: string, factory: StoreFactory): void => {
  describe(`documents ${name}`, () => {
    for (const register of [basics, feed, models]) register(checkIn(factory))
  })
}
