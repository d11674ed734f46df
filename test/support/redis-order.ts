// Whether all that stands in Redis fits together: every set, count and claim against the records themselves.
import assert from 'node:assert/strict'
import type { TaskRecord } from '../../src/core/task.ts'
import { connectRedis } from '../../src/platform/redis.ts'
import { placeOf } from './store-place.ts'

type Scores = Record<string, number>

const RUNNING = ['STARTED', 'PROGRESS']
const WAITING = ['PENDING', 'RETRY']
const FINAL = ['SUCCESS', 'FAILURE', 'REVOKED']
const TIMES = ['later', 'ripe', 'expiring', 'expired']

/** @throws AssertionError that names what does not fit. Only while nobody writes. */
export const assertOrder = async (url: string, prefix: string): Promise<void> => {
  const redis = connectRedis(placeOf(url), 'test-order')
  try {
    await redis.ready(10_000)
    const keys: string[] = []
    let cursor = '0'
    do {
      const [next, found] = (await redis.call('SCAN', cursor, 'MATCH', `${prefix}:*`, 'COUNT', 1000)) as [
        string,
        string[],
      ]
      keys.push(...found.map(key => key.slice(prefix.length + 1)))
      cursor = next
    } while (cursor !== '0')
    const call = (command: string, key: string, ...args: string[]) =>
      redis.call(command, `${prefix}:${key}`, ...args)
    const pairs = async (command: string, key: string, ...args: string[]): Promise<[string, string][]> => {
      const flat = (await call(command, key, ...args)) as string[]
      return Array.from({ length: flat.length / 2 }, (_, n) => [flat[2 * n] ?? '', flat[2 * n + 1] ?? ''])
    }
    const scores = async (key: string): Promise<Scores> =>
      Object.fromEntries(
        (await pairs('ZRANGE', key, '0', '-1', 'WITHSCORES')).map(([id, score]) => [id, Number(score)]),
      )
    const named = (start: string): string[] => keys.filter(key => key.startsWith(start))
    const distinct = [...new Set(keys)]
    assert.ok(distinct.includes('about'))

    const tasks = new Map<string, { json: string; task: TaskRecord }>()
    for (const key of new Set(named('task:'))) {
      const json = String(await call('GET', key))
      tasks.set(key.slice(5), { json, task: JSON.parse(json) as TaskRecord })
    }

    const expected = new Map<string, Scores>()
    const put = (set: string, id: string, score: number): void => {
      expected.set(set, { ...expected.get(set), [id]: score })
    }
    const times = Object.fromEntries(await Promise.all(TIMES.map(async set => [set, await scores(set)])))
    let bytes = 0
    const blobBytes = new Map<string, number>()
    for (const key of new Set(named('blobs:'))) {
      const id = key.slice(6)
      assert.ok(tasks.has(id), `blobs of ${id}, which is not there`)
      for (const [name, text] of await pairs('HGETALL', key)) {
        const [version, size] = text.split(' ')
        blobBytes.set(id, (blobBytes.get(id) ?? 0) + Number(size))
        const chunks = (await call('HLEN', `bytes:${id}:${name}:${version}`)) as number
        assert.equal(chunks, Math.ceil(Number(size) / (256 * 1024)), `chunks of ${id} ${name}`)
        if (chunks > 0) assert.equal(await call('PTTL', `bytes:${id}:${name}:${version}`), -1)
      }
    }
    const holders = Object.fromEntries(await pairs('HGETALL', 'holders'))
    const held: Record<string, string> = {}
    for (const key of new Set(named('held:')))
      for (const id of (await call('SMEMBERS', key)) as string[]) held[id] = key.slice(5)
    assert.deepEqual(held, holders, 'holders, and what is held')

    const tallies: Record<string, Record<string, number>> = {}
    for (const [id, { json, task }] of tasks) {
      assert.equal(task.id, id)
      const created = Date.parse(task.createdAt)
      put('created', id, created)
      put(`in:${task.kind}:${task.status}`, id, created)
      const owner = task.owner ?? ''
      put(`owner:${owner}`, id, created)
      const field = `${task.kind}:${task.status}`
      tallies[owner] = { ...tallies[owner], [field]: (tallies[owner]?.[field] ?? 0) + 1 }
      if (task.parentId !== null) put(`children:${task.parentId}`, id, created)
      // a task that waits and is held was begun, and its record is not written yet
      const begun = WAITING.includes(task.status) && Object.hasOwn(holders, id)
      assert.equal(Object.hasOwn(holders, id), RUNNING.includes(task.status) || begun, `the holder of ${id}`)
      if (FINAL.includes(task.status)) {
        for (const set of [task.status === 'FAILURE' ? 'failed' : 'ended', `ends:${owner}`])
          put(set, id, Date.parse(task.finishedAt ?? ''))
        bytes += Buffer.byteLength(json) + (blobBytes.get(id) ?? 0)
      }
      if (!WAITING.includes(task.status) || begun || task.doneBy === 'people') continue
      const [from, till] = [task.notBefore, task.status === 'PENDING' ? task.expiresAt : null]
      const ripe = from !== null && id in times.ripe
      const expired = till !== null && id in times.expired
      if (from !== null) put(ripe ? 'ripe' : 'later', id, Date.parse(from))
      if (till !== null) put(expired ? 'expired' : 'expiring', id, Date.parse(till))
      if ((from === null || ripe) && !expired)
        put(
          `ready:${task.kind}${(task.workersLost ?? 0) > 1 ? '!' : ''}`,
          id,
          (9 - task.priority) * 2 ** 44 + created,
        )
    }
    const sets = distinct.filter(
      key =>
        /^(in|owner|ends|children|ready):/.test(key) ||
        ['created', 'ended', 'failed', ...TIMES].includes(key),
    )
    const found = new Map<string, Scores>()
    for (const set of sets) found.set(set, await scores(set))
    assert.deepEqual(
      Object.fromEntries([...found].sort()),
      Object.fromEntries([...expected].sort()),
      'the sets, and what the records say',
    )
    const counted: typeof tallies = {}
    for (const key of new Set(named('tally:'))) counted[key.slice('tally:'.length)] = await scores(key)
    assert.deepEqual(counted, tallies, 'counts by owner')
    assert.deepEqual(
      ((await call('SMEMBERS', 'kinds')) as string[]).toSorted(),
      [...new Set([...tasks.values()].map(({ task }) => task.kind))].sort(),
    )
    assert.equal(Number((await call('GET', 'endedBytes')) ?? 0), bytes, 'bytes of ended tasks')
    for (const key of new Set(named('key:'))) {
      const [id = ''] = String(await call('GET', key)).split(' ')
      assert.ok(tasks.get(id)?.task.idempotencyKey != null, `${key} names a task without a key`)
    }
    for (const key of new Set(named('bytes:'))) {
      if (((await call('PTTL', key)) as number) > 0) continue
      const [, id = '', name = '', version = ''] = key.split(':')
      const text = (await call('HGET', `blobs:${id}`, name)) as string | null
      assert.equal(text?.split(' ')[0], version, `bytes that nobody names: ${key}`)
    }
    const uploads = await pairs('HGETALL', 'uploads')
    assert.deepEqual(
      Object.keys(await scores('uploadIds')).toSorted(),
      uploads.map(([id]) => id).toSorted(),
      'ids of uploads',
    )
    for (const [id, size] of uploads) {
      const chunks = (await pairs('HGETALL', `upload:${id}`)).length
      assert.equal(chunks, Math.ceil(Number(size) / (256 * 1024)), `chunks of the upload ${id}`)
    }
    for (const key of new Set(named('upload:')))
      assert.ok(
        uploads.some(([id]) => key === `upload:${id}`),
        `bytes of no upload: ${key}`,
      )
    const documents: Record<string, Scores> = {}
    const expiring: Scores = {}
    for (const key of new Set(named('documents:'))) {
      const collection = key.slice('documents:'.length)
      for (const [name, value] of await pairs('HGETALL', key)) {
        documents[collection] = { ...documents[collection], [name]: 0 }
        const { expiresAt } = JSON.parse(value.slice(value.indexOf(' ')))
        if (expiresAt !== null) expiring[`${collection}/${name}`] = Date.parse(expiresAt)
      }
    }
    const names: Record<string, Scores> = {}
    for (const key of new Set(named('documentNames:')))
      names[key.slice('documentNames:'.length)] = await scores(key)
    assert.deepEqual(names, documents, 'names of documents')
    assert.deepEqual(await scores('documentsExpiring'), expiring, 'documents that expire')
  } finally {
    redis.close()
  }
}
