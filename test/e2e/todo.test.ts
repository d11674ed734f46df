// The shared list, of two bundles on one Redis and of one on files: everybody sees the same, one of all who try completes
// an item, and a kill of everything takes nothing away.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ApiError, type Client, createClient, type Task, type TaskView } from '../../src/client/client.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const skip = requireService('redis')
const LONG = { timeout: 300_000 }

const listOf = async (client: Client, ended = false): Promise<TaskView[]> => {
  const found: TaskView[] = []
  for await (const task of client.todo.list({ ended })) found.push(task)
  return found
}
const clientOf = (bundle: Bundle): Client => createClient({ baseUrl: bundle.api })

/** Completes an item; null: somebody was quicker. */
const tryIt = async (client: Client, id: string, note: string): Promise<Task | null> => {
  try {
    return await client.todo.complete(id, { note })
  } catch (error) {
    assert.ok(error instanceof ApiError && error.code === 'TASK_ENDED', String(error))
    return null
  }
}

/** Eight clients, over these bundles in turn, complete 200 items at once. */
const completeAll = async (bundles: readonly Bundle[]): Promise<void> => {
  const [first] = bundles
  assert.ok(first)
  const made = await Promise.all(
    Array.from({ length: 200 }, (_, n) => clientOf(first).todo.add({ title: `item ${n}` })),
  )
  const winners = new Map<string, string[]>()
  await Promise.all(
    Array.from({ length: 8 }, async (_, n) => {
      const client = clientOf(bundles[n % bundles.length] ?? first)
      for (const { id } of made) {
        const done = await tryIt(client, id, `client ${n}`)
        if (done) winners.set(id, [...(winners.get(id) ?? []), `client ${n}`])
      }
    }),
  )
  const ids = new Set(made.map(({ id }) => id))
  for (const bundle of bundles) {
    const ended = (await listOf(clientOf(bundle), true)).filter(({ id }) => ids.has(id))
    assert.equal(ended.length, 200)
    for (const { id, result } of ended) {
      assert.equal(winners.get(id)?.length, 1)
      assert.deepEqual(result, { by: null, note: winners.get(id)?.[0] })
    }
  }
}

describe('the shared list of two bundles on one Redis', { timeout: 420_000 }, () => {
  const folders = [makeDataDir(), makeDataDir()]
  let redis: PrivateRedis
  let one: Bundle
  let other: Bundle
  before(async () => {
    if (skip) return
    redis = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'always' } })
    const start = (folder: number) =>
      startBundle(folders[folder]?.dataDir ?? '', {
        STORE_URL: `redis://127.0.0.1:${redis.port}`,
        ROLES: 'api,worker',
        CONCURRENCY: '1',
      })
    one = await start(0)
    other = await start(1)
  })
  after(async () => {
    await Promise.all([one?.kill(), other?.kill()])
    await redis?.remove()
    for (const { remove } of folders) remove()
  })

  it('is told live on both, and no worker touches an item', { ...LONG, skip }, async () => {
    const [here, there] = [clientOf(one), clientOf(other)]
    const told: string[] = []
    const leaving = new AbortController()
    const reading = (async () => {
      for await (const event of there.watchAll({ kind: 'manual' }, { signal: leaving.signal }))
        if (event.type === 'task') told.push(`${event.task.title} ${event.task.status}`)
        else if (event.type === 'live') told.push('live')
    })().catch(() => {})
    await until('the other one listens', () => told.includes('live'))
    const { id } = await here.todo.add({ title: 'Water' })
    await until('it is told', () => told.includes('Water PENDING'))
    const known = await there.get(id)
    await here.todo.edit(known, { title: 'Water all' })
    await until('the edit is told', () => told.includes('Water all PENDING'))
    await assert.rejects(there.todo.edit(known, { title: 'late' }), { code: 'VERSION_CHANGED' })
    // the workers of both look at the line once more, and run what is there
    const { id: job } = await here.submit({ kind: 'sleep', params: { seconds: 0, steps: 1 } })
    assert.equal((await there.wait(job)).status, 'SUCCESS')
    assert.equal((await there.get(id)).status, 'PENDING')
    assert.equal((await there.why(id)).reason, 'FOR_PEOPLE')
    await there.todo.complete(id, { note: 'wet' })
    await until('the end is told', () => told.includes('Water all SUCCESS'))
    leaving.abort()
    await reading
  })

  it('has each of 200 items completed exactly once by eight clients over both', {
    ...LONG,
    skip,
  }, async () => {
    await completeAll([one, other])
  })

  it('is the same on the one that is left when the other is killed', { ...LONG, skip }, async () => {
    const [here, there] = [clientOf(one), clientOf(other)]
    const titles = ['a', 'b', 'c']
    for (const title of titles) await here.todo.add({ title })
    const last = await here.todo.add({ title: 'last' })
    await one.kill()
    const open = (await listOf(there)).map(({ title }) => title)
    assert.deepEqual(open.sort(), [...titles, 'last'])
    assert.equal((await there.todo.complete(last.id)).status, 'SUCCESS')
    assert.equal((await listOf(there)).length, 3)
  })
})

describe('the shared list on files', { timeout: 420_000 }, () => {
  const folder = makeDataDir()
  let bundle: Bundle | null = null
  const start = async (): Promise<Bundle> => {
    bundle = await startBundle(folder.dataDir, { ROLES: 'api,worker', CONCURRENCY: '1' })
    return bundle
  }
  after(async () => {
    await bundle?.kill()
    folder.remove()
  })

  it('has each item completed once, and outlives a kill of everything and a restart', LONG, async () => {
    const first = await start()
    await completeAll([first])
    const client = clientOf(first)
    const { id } = await client.todo.add({ title: 'Water' })
    const edited = await client.todo.edit(await client.get(id), { title: 'Water all', assignee: 'ann' })
    await first.kill()
    const next = clientOf(await start())
    assert.deepEqual(await next.get(id), edited)
    assert.deepEqual(
      (await listOf(next)).map(task => task.title),
      ['Water all'],
    )
    assert.equal((await listOf(next, true)).length, 200)
    const { checks } = (await (await fetch(`${bundle?.api}/readyz`)).json()) as { checks: object }
    assert.ok(checks)
    assert.equal((await next.todo.complete(id)).status, 'SUCCESS')
    await bundle?.stop()
    assert.deepEqual((await listOf(clientOf(await start()), true)).length, 201)
  })
})
