// Two bundles on one Redis: one set of tasks, one story of events, and each other's workers; Redis restarted under them,
// and the host of one of them cut off.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { TaskRecord } from '../../src/core/task.ts'
import { type Bundle, makeDataDir, startBundle, startRefused } from '../support/bundle.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { assertOrder } from '../support/redis-order.ts'
import { requireService } from '../support/services.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const skip = requireService('redis')
const LONG = { timeout: 300_000, skip }
const isFinal = (task: TaskRecord): boolean => ['SUCCESS', 'FAILURE', 'REVOKED'].includes(task.status)

interface Process {
  role: string
  pid: number
  alive: boolean
}

const processes = async (bundle: Bundle): Promise<Process[]> =>
  ((await (await fetch(`${bundle.api}/`)).json()) as { processes: Process[] }).processes
const ready = async (bundle: Bundle): Promise<{ status: number; reason: string }> => {
  const answer = await fetch(`${bundle.api}/readyz`)
  const { checks } = (await answer.json()) as { checks: { store: { reason?: string } } }
  return { status: answer.status, reason: checks.store.reason ?? '' }
}

/** `claim.rev STATUS`, by claim and rev. */
const byVersion = (a: string, b: string): number => {
  const [one, other] = [a, b].map(step => step.split(/[. ]/).map(Number))
  return (one?.[0] ?? 0) - (other?.[0] ?? 0) || (one?.[1] ?? 0) - (other?.[1] ?? 0)
}

/** What the live feed of a bundle tells, until `stop`. */
const listen = async (bundle: Bundle) => {
  const ending = new AbortController()
  const response = await fetch(`${bundle.api}/events`, { signal: ending.signal })
  assert.equal(response.status, 200)
  const told = new Map<string, string[]>()
  const reading = (async () => {
    let text = ''
    for await (const piece of response.body ?? []) {
      text += Buffer.from(piece).toString()
      const events = text.split('\n\n')
      text = events.pop() ?? ''
      for (const event of events) {
        const data = /^data: (.+)$/m.exec(event)?.[1]
        const task = data === undefined ? null : (JSON.parse(data) as Partial<TaskRecord>)
        if (task?.id === undefined || task.status === undefined) continue
        told.set(task.id, [...(told.get(task.id) ?? []), `${task.claim}.${task.rev} ${task.status}`])
      }
    }
  })().catch(() => {})
  return {
    told,
    async stop() {
      ending.abort()
      await reading
    },
  }
}

describe('two bundles on one Redis', { timeout: 420_000 }, () => {
  const folders = [makeDataDir(), makeDataDir()]
  let redis: PrivateRedis
  let proxy: TcpProxy
  let one: Bundle
  let other: Bundle
  before(async () => {
    if (skip) return
    redis = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'always' } })
    proxy = await startTcpProxy({ port: redis.port })
    const start = (folder: number, port: number) =>
      startBundle(folders[folder]?.dataDir ?? '', {
        STORE_URL: `redis://127.0.0.1:${port}`,
        ROLES: 'api,worker',
        CONCURRENCY: '1',
      })
    one = await start(0, proxy.port)
    other = await start(1, redis.port)
  })
  after(async () => {
    await Promise.all([one?.kill(), other?.kill()])
    await proxy?.close()
    await redis?.remove()
    for (const { remove } of folders) remove()
  })

  const ended = (bundle: Bundle, ids: readonly string[], limitMs?: number) =>
    until('they end', async () => (await Promise.all(ids.map(id => bundle.get(id)))).every(isFinal), limitMs)

  it('each shows the tasks and the processes of both, and is ready by its own', LONG, async () => {
    const { id } = await one.submit({ kind: 'calcpi', params: { digits: 50 } })
    await ended(other, [id])
    assert.deepEqual(await other.get(id), await one.get(id))
    assert.deepEqual(await other.all(), await one.all())
    for (const bundle of [one, other]) {
      const seen = await processes(bundle)
      assert.deepEqual(seen.map(({ role }) => role).sort(), ['api', 'api', 'worker', 'worker'])
      assert.ok(seen.every(({ alive }) => alive))
      assert.equal((await ready(bundle)).status, 200)
    }
    assert.ok((await redis.cli('GET', `madhava:task:${id}`)).includes('3.14159265'))
  })

  it('tasks of one are run by the workers of both, and both tell the same of each', LONG, async () => {
    const feeds = [await listen(one), await listen(other)]
    const made = await Promise.all(
      Array.from({ length: 6 }, () => one.submit({ kind: 'sleep', params: { seconds: 0.6, steps: 3 } })),
    )
    const ids = made.map(task => task.id)
    await ended(one, ids)
    const workers = new Set((await Promise.all(ids.map(id => one.get(id)))).map(({ worker }) => worker))
    assert.equal(workers.size, 2)
    await until('all is told', () =>
      feeds.every(({ told }) => ids.every(id => told.get(id)?.at(-1)?.includes('SUCCESS'))),
    )
    for (const id of ids) {
      const stories = feeds.map(({ told }) => told.get(id) ?? [])
      // a step that another one overtook may be left out; none comes out of order, and none is told otherwise
      for (const story of stories) {
        assert.ok(story.length >= 2)
        assert.deepEqual(story, story.toSorted(byVersion))
      }
      const [first = new Map<string, string>(), second = new Map<string, string>()] = stories.map(
        story => new Map(story.map(step => step.split(' ') as [string, string])),
      )
      for (const [version, status] of first) assert.equal(second.get(version) ?? status, status)
      assert.equal(stories[0]?.at(-1), stories[1]?.at(-1))
    }
    for (const feed of feeds) await feed.stop()
  })

  it(
    'Redis is killed under running tasks: 503 with the reason, and all goes on when it is back',
    LONG,
    async () => {
      const { id } = await one.submit({ kind: 'sleep', params: { seconds: 4, steps: 8 } })
      await until('it runs', async () => (await one.get(id)).status === 'PROGRESS')
      await redis.kill()
      for (const bundle of [one, other]) {
        await until('the api says so', async () => (await ready(bundle)).status === 503)
        const answer = await fetch(`${bundle.api}/task/${id}`)
        assert.equal(answer.status, 503)
        assert.match(JSON.stringify(await answer.json()), /STORE_UNAVAILABLE/)
      }
      // at first the connection is lost; the next try says what is there
      await until('the reason is named', async () => /nothing listens/.test((await ready(other)).reason))
      await redis.start()
      for (const bundle of [one, other])
        await until('it is ready again', async () => (await ready(bundle)).status === 200)
      await ended(one, [id])
      const task = await one.get(id)
      assert.deepEqual([task.status, task.attempt], ['SUCCESS', 1])
    },
  )

  it('a host that is cut off is taken over, and does not overwrite what came after it', LONG, async () => {
    const made = await Promise.all(
      Array.from({ length: 2 }, () => other.submit({ kind: 'sleep', params: { seconds: 6, steps: 6 } })),
    )
    const ids = made.map(task => task.id)
    await until('both run', async () =>
      (await Promise.all(ids.map(id => other.get(id)))).every(({ status }) => status === 'PROGRESS'),
    )
    const before = await Promise.all(ids.map(id => other.get(id)))
    const far = (await processes(other)).filter(({ role }) => role === 'worker')
    proxy.stall()
    // its lease runs out by Redis's clock, and the other host's worker takes its task over
    await ended(other, ids, 90_000)
    const after = await Promise.all(ids.map(id => other.get(id)))
    assert.deepEqual(after.map(({ attempt }) => attempt).sort(), [1, 2])
    assert.equal(new Set(after.map(({ worker }) => worker)).size, 1)
    assert.equal(new Set(before.map(({ worker }) => worker)).size, 2)
    assert.equal((await processes(other)).filter(({ alive }) => alive).length, 2)
    proxy.resume()
    await until('it is back', async () => (await ready(one)).status === 200)
    await until('it is seen alive again', async () => {
      const seen = await processes(other)
      return far.every(({ pid }) => seen.some(each => each.pid === pid && each.alive))
    })
    // it goes on with what comes next, and what it did meanwhile counts for nothing
    const next = await Promise.all(
      Array.from({ length: 4 }, () => one.submit({ kind: 'sleep', params: { seconds: 0.5, steps: 1 } })),
    )
    await ended(
      one,
      next.map(({ id }) => id),
    )
    assert.deepEqual(await Promise.all(ids.map(id => one.get(id))), after)
  })

  it('a start that Redis refuses says why, once', LONG, async () => {
    const third = makeDataDir()
    try {
      const url = `redis://:wrong@127.0.0.1:${redis.port}`
      await redis.cli('CONFIG', 'SET', 'requirepass', 'secret')
      const { code, output } = await startRefused(third.dataDir, { STORE_URL: url })
      assert.equal(code, 1)
      assert.match(output, /Madhava cannot start\. Redis refuses the user name or password of STORE_URL/)
      assert.doesNotMatch(output, /wrong|secret/)
      await redis.cli('-a', 'secret', 'CONFIG', 'SET', 'requirepass', '')
    } finally {
      third.remove()
    }
  })

  it('they stop, and what is left fits together', LONG, async () => {
    assert.equal((await one.stop()).code, 0)
    assert.equal((await other.stop()).code, 0)
    await assertOrder(redis.url, 'madhava')
    assert.equal(await redis.cli('HLEN', 'madhava:presences'), '0')
  })
})
