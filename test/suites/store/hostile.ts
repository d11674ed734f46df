// Ids, names and keys from outside: refused, or harmless. Nothing becomes a path or a property unchecked.
import assert from 'node:assert/strict'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { fail, retryByHand, start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { type Json, newTaskId, RECORD_DEPTH_LIMIT, RECORD_LIMIT } from '../../../src/core/task.ts'
import { add, at, type Check, newTask, read, refused, take } from './world.ts'

const uuid = newTaskId()
const IDS: unknown[] = [
  '../../etc/passwd',
  '../../../../../../../../../etc/passwd.json',
  '',
  '.',
  '__proto__',
  'constructor',
  'x'.repeat(10_240),
  `${uuid}\0`,
  `${uuid.slice(0, 35)}\0`,
  `${uuid.slice(0, 35)}/`,
  `${uuid.slice(0, 35)}é`,
  `${uuid}\n`,
  ` ${uuid}`,
  `${uuid}/../${uuid}`,
  `{${uuid}}`,
  uuid.replaceAll('-', ''),
  '*'.repeat(36),
  undefined,
  null,
  7,
  [uuid],
  { toString: () => uuid },
]

const NAMES = [
  '',
  '.',
  '..',
  '../x',
  'a/b',
  'a\\b',
  '.hidden',
  '-x',
  'A',
  'a b',
  'a\0',
  'a\n',
  'ü',
  '__proto__',
  'x'.repeat(65),
]
const GOOD_NAMES = ['0', 'a..b', 'constructor', 'record.json', 'result.json', 'x.tmp', 'a-', 'x'.repeat(64)]
const KEYS = [
  '../../x',
  '/etc/passwd',
  '.',
  '..',
  '__proto__',
  'constructor',
  'a',
  'A',
  'a/b',
  'ü',
  '["ann","k"]',
  ' ',
  'k'.repeat(300),
]

const move = (at1 = at(1)) => start('w', at1)
const CALLS: Record<string, (store: TaskStore, id: string) => Promise<unknown>> = {
  create: (store, id) => store.create({ ...newTask(), id }, null),
  get: (store, id) => store.get(id),
  claim: (store, id) => store.claim(id, move()),
  move: (store, id) => store.move(id, 1, move()),
  revoke: (store, id) => store.revoke(id, at(1)),
  remove: (store, id) => store.remove(id),
  putBlob: (store, id) => store.putBlob(id, 'log.txt', Buffer.from('x')),
  getBlob: (store, id) => store.getBlob(id, 'log.txt'),
  removeBlob: (store, id) => store.removeBlob(id, 'log.txt'),
  listBlobs: (store, id) => store.listBlobs(id),
}

export const hostile = (check: Check): void => {
  check('every method that takes an id refuses what is not a UUID', async world => {
    const store = await world.open()
    for (const call of Object.values(CALLS))
      for (const id of IDS) await refused(() => call(store, id as string), 'BAD_ID')
    assert.equal((await store.counts()).total, 0)
    await add(store)
    assert.equal((await store.counts()).total, 1)
  })

  check('a UUID that no task has is unknown, and asking for it makes nothing', async world => {
    const store = await world.open()
    const id = newTaskId()
    assert.equal(await store.get(id), null)
    assert.equal(await store.getBlob(id, 'log.txt'), null)
    assert.deepEqual(await store.listBlobs(id), [])
    await store.removeBlob(id, 'log.txt')
    await refused(() => store.claim(id, move()), 'TASK_NOT_FOUND')
    await refused(() => store.revoke(id, at(1)), 'TASK_NOT_FOUND')
    await refused(() => store.remove(id), 'TASK_NOT_FOUND')
    await refused(() => store.putBlob(id, 'log.txt', Buffer.from('x')), 'TASK_NOT_FOUND')
    await refused(() => store.move(id, 1, move()), 'TASK_NOT_FOUND', 'CLAIM_LOST')
    assert.equal(await store.get(id), null)
    assert.equal((await store.counts()).total, 0)
    assert.equal((await store.create(newTask({ id }), null)).created, true)
  })

  check('an id in upper case is the same task for every method', async world => {
    const store = await world.open()
    const id = newTaskId()
    const upper = id.toUpperCase()
    const { task } = await store.create(newTask({ id: upper }), null)
    assert.equal(task.id, id)
    await refused(() => store.create(newTask({ id }), null), 'TASK_EXISTS')
    assert.deepEqual(await store.get(upper), await store.get(id))
    const { claim } = await take(store, upper)
    await store.putBlob(upper, 'log.txt', Buffer.from('x'))
    assert.deepEqual(await store.listBlobs(id), [{ name: 'log.txt', bytes: 1 }])
    const blob = await store.getBlob(upper, 'log.txt')
    assert.equal(String(await blob?.stream.toArray()), 'x')
    await store.removeBlob(upper, 'log.txt')
    assert.deepEqual(await store.listBlobs(upper), [])
    assert.equal((await store.revoke(upper, at(2))).task.id, id)
    const done = await store.move(upper, claim, task => ({ ...task, status: 'REVOKED', finishedAt: at(2) }))
    assert.equal(done.id, id)
    await store.remove(upper)
    assert.equal(await store.get(id), null)
  })

  check('any version of UUID is taken, and ids that differ only at the end stay apart', async world => {
    const store = await world.open()
    const ids = [
      '1b671a64-40d5-491e-99b0-da01ff1f3341',
      '1b671a64-40d5-491e-99b0-da01ff1f3342',
      'c232ab00-9414-11ec-b3c8-9f6bdeced846',
    ]
    for (const id of ids) await add(store, { id, title: id })
    for (const id of ids) assert.equal((await read(store, id)).title, id)
  })

  check('names of blobs outside the rule are refused, inside it none is special', async world => {
    const store = await world.open()
    const { id } = await add(store)
    for (const name of NAMES) {
      await refused(() => store.putBlob(id, name, Buffer.from('x')), 'BAD_KEY')
      await refused(() => store.getBlob(id, name), 'BAD_KEY')
      await refused(() => store.removeBlob(id, name), 'BAD_KEY')
    }
    assert.deepEqual(await store.listBlobs(id), [])
    for (const name of GOOD_NAMES) {
      assert.equal(await store.getBlob(id, name), null)
      await store.putBlob(id, name, Buffer.from(name))
    }
    for (const name of GOOD_NAMES) {
      const blob = await store.getBlob(id, name)
      assert.equal(Buffer.concat((await blob?.stream.toArray()) ?? []).toString(), name)
    }
    assert.deepEqual((await store.listBlobs(id)).map(blob => blob.name).sort(), GOOD_NAMES.toSorted())
    assert.equal((await store.counts()).total, 1)
    assert.equal((await store.list({}, { limit: 50, cursor: null })).tasks.length, 1)
  })

  check(
    'a record that nests too deep, is too large or is no JSON is refused, and changes nothing',
    async world => {
      const store = await world.open()
      const nest = (levels: number): Json => {
        let nested: Json = 1
        for (let level = 0; level < levels; level += 1) nested = [nested]
        return nested
      }
      const bad: Json[] = [
        nest(RECORD_DEPTH_LIMIT + 1),
        nest(1_500),
        nest(20_000),
        'x'.repeat(RECORD_LIMIT),
        1n as unknown as Json,
        [Number.NaN],
      ]
      const { id } = await add(store)
      const { claim } = await take(store, id)
      const before = await read(store, id)
      for (const value of bad) {
        await refused(() => store.create(newTask({ params: value }), null), 'RECORD_INVALID')
        for (const change of [
          { result: value },
          { resultInfo: value },
          { result: value, status: 'SUCCESS' as const },
        ])
          await refused(() => store.move(id, claim, task => ({ ...task, ...change })), 'RECORD_INVALID')
        await refused(
          () => store.move(id, claim, fail({ code: 'KIND_FAILED', message: '', detail: value }, null, at(2))),
          'RECORD_INVALID',
        )
      }
      assert.deepEqual(await read(store, id), before)
      assert.equal((await store.counts()).total, 1)
      const deep = nest(RECORD_DEPTH_LIMIT)
      const ended = await store.move(id, claim, succeed(deep, null, at(3)))
      assert.deepEqual([ended.status, JSON.stringify(ended.result)], ['SUCCESS', JSON.stringify(deep)])
      assert.equal(JSON.stringify((await read(store, id)).result), JSON.stringify(deep))
      await refused(
        () => store.claim(id, task => ({ ...retryByHand(at(4))(task), result: nest(2_000) })),
        'RECORD_INVALID',
      )
      assert.equal((await store.claim(id, retryByHand(at(4))))?.status, 'PENDING')
    },
  )

  check('an idempotency key is a word and nothing else: each has its own task', async world => {
    const store = await world.open()
    const made = new Map<string, string>()
    for (const key of KEYS) made.set(key, (await store.create(newTask({ idempotencyKey: key }), 'f')).task.id)
    assert.equal(new Set(made.values()).size, KEYS.length)
    for (const [key, id] of made) {
      const again = await store.create(newTask({ idempotencyKey: key }), 'f')
      assert.deepEqual([again.created, again.task.id], [false, id])
    }
    assert.equal((await store.counts()).total, KEYS.length)
  })

  check('a key of a kind that HTTP cannot carry is kept apart or refused, never mixed up', async world => {
    const store = await world.open()
    for (const key of ['', '\0', 'a\0b', '\ud800', 'k'.repeat(100_000)]) {
      const task = newTask({ idempotencyKey: key })
      try {
        const answer = await store.create(task, 'f')
        assert.deepEqual([answer.created, answer.task.id], [true, task.id])
      } catch (error) {
        assert.ok(isMadhavaError(error, 'BAD_KEY'), `expected BAD_KEY, got ${error}`)
        assert.equal(await store.get(task.id), null)
      }
    }
  })

  check('params are kept as they are, whatever JSON they hold', async world => {
    const one = await world.open()
    const params = JSON.parse(
      '{"constructor":{"prototype":{"polluted":true}},"nul":"\\u0000","lines":"a\\nb\\r\\u2028c","lone":"\\ud800","big":1e308,"deep":[[[[[[]]]]]]}',
    )
    const { id } = await add(one, { params, title: 'a\nb', description: '</script>{"}' })
    const long = await add(one, { params: { text: 'ü'.repeat(200_000) } })
    const expected = [await read(one, id), await read(one, long.id)]
    await one.close()
    const later = await world.open()
    assert.deepEqual([await read(later, id), await read(later, long.id)], expected)
    assert.deepEqual(Object.keys((await read(later, id)).params as object), Object.keys(params))
    // what a schema makes of this name is its affair, but it must reach no object of ours
    const evil = JSON.parse('{"__proto__":{"polluted":true},"a":1}')
    const answer = await read(later, (await add(later, { params: evil })).id)
    assert.equal((answer.params as { a?: number }).a, 1)
    assert.equal(Object.getPrototypeOf(answer.params), Object.prototype)
    assert.equal(({} as { polluted?: boolean }).polluted, undefined)
  })
}
