// The Redis store: what a task weighs and how long pages, counts and claims take with very many; then no-op tasks per
// second beside Celery with results in Redis, and beside BullMQ, on one Redis, in turns.

import path from 'node:path'
import { parseArgs } from 'node:util'
import { Redis } from 'ioredis'
import { start, succeed } from '../src/core/moves.ts'
import type { TaskStore } from '../src/core/store.ts'
import { processesOf, startBundle } from '../test/support/bundle.ts'
import { startRabbit } from '../test/support/rabbitmq.ts'
import { startRedis } from '../test/support/redis.ts'
import { openPlace } from '../test/support/store-place.ts'
import { createBullmqSide } from './bullmq-side.ts'
import { celeryVersion, createCelerySide, type Results } from './celery-side.ts'
import { compare } from './compare.ts'
import { median, quantile, show, table } from './figures.ts'
import { createMadhavaSide, dataDirOf } from './madhava-side.ts'
import { takePlace } from './place.ts'
import { pssOf } from './proc.ts'
import { mixedTask } from './sample.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    records: { type: 'string', default: '1000000' },
    times: { type: 'string', default: '50' },
    claims: { type: 'string', default: '2000' },
    tasks: { type: 'string', default: '12000' },
    rounds: { type: 'string', default: '5' },
    concurrency: { type: 'string', default: '2' },
    /** Only our side, under V8's profiler, whose file lands in the folder of the call. */
    profile: { type: 'boolean', default: false },
  },
})
const [records, times, claims, tasks, rounds, concurrency] = [
  options.records,
  options.times,
  options.claims,
  options.tasks,
  options.rounds,
  options.concurrency,
].map(Number) as [number, number, number, number, number, number]
const IN_FLIGHT = 128

const place = takePlace(options.dir)
const redis = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'everysec', save: '' } })
const client = new Redis({ port: redis.port, host: '127.0.0.1' })
const infoOf = async (name: string): Promise<string> =>
  new RegExp(`^${name}:(\\S+)`, 'm').exec(await client.info())?.[1] ?? ''
console.log(`${place.machine}, Redis ${await infoOf('redis_version')}, Celery ${celeryVersion()}`)

const inLanes = async (count: number, work: (n: number) => Promise<void>): Promise<number> => {
  const from = performance.now()
  let next = 0
  const lane = async (): Promise<void> => {
    for (let n = next++; n < count; n = next++) await work(n)
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane))
  return performance.now() - from
}

const timed = async (
  count: number,
  work: (n: number) => Promise<unknown>,
): Promise<[string, string, string]> => {
  const took: number[] = []
  for (let n = 0; n < count; n += 1) {
    const from = performance.now()
    await work(n)
    took.push(performance.now() - from)
  }
  return [show(median(took)), show(quantile(took, 0.99)), show(Math.max(...took))]
}

/** Cursors spread over the whole list. */
const walk = async (store: TaskStore, pages: number): Promise<string[]> => {
  const cursors: string[] = []
  let cursor: string | null = null
  for (let n = 0; n < pages; n += 1) {
    const page = await store.list({}, { limit: 200, cursor })
    cursor = page.next
    if (cursor === null) break
    cursors.push(cursor)
  }
  return cursors
}

const large = async (): Promise<void> => {
  const store = await openPlace({ adapter: 'redis', url: redis.url, prefix: 'large' })
  const before = Number(await infoOf('used_memory'))
  // young enough for retention, none from the future
  const from = Date.now() - records * 100
  const ms = await inLanes(records, async n => {
    await store.create(mixedTask(n, from), null)
  })
  const used = Number(await infoOf('used_memory')) - before
  const resident = Number(await infoOf('used_memory_rss'))
  const counts = await store.counts()
  if (counts.total !== records) throw new Error(`${counts.total} of ${records} tasks are there`)
  console.log(
    `\n${show(records)} tasks: ${show(used / records)} bytes each in Redis (${show(used / 1e6)} MB; ${show(resident / 1e6)} MB resident), made at ${show((records * 1000) / ms)}/s, ${IN_FLIGHT} in flight\n`,
  )
  const cursors = await walk(store, 200)
  const now = new Date().toISOString()
  const kinds = ['calcpi', 'binomial', 'sleep', 'thumbnail']
  const claimOne = async (): Promise<void> => {
    const task = await store.claimNext({ kinds, now }, start('bench', now))
    if (!task) throw new Error('there was nothing to claim')
    await store.move(task.id, task.claim, succeed('3', null, now))
  }
  const rows = [
    ['ms', 'median', 'p99', 'max'],
    ['first page of 50', ...(await timed(times, () => store.list({}, { limit: 50, cursor: null })))],
    [
      'a page of 50 further back',
      ...(await timed(times, n =>
        store.list({}, { limit: 50, cursor: cursors[(n * 7) % cursors.length] ?? null }),
      )),
    ],
    [
      'page of one status and kind',
      ...(await timed(times, () =>
        store.list({ statuses: ['FAILURE'], kinds: ['sleep'] }, { limit: 50, cursor: null }),
      )),
    ],
    [
      'page of one owner',
      ...(await timed(times, () => store.list({ owner: 'euler' }, { limit: 50, cursor: null }))),
    ],
    ['counts by kind and status', ...(await timed(times, () => store.counts()))],
    ['agenda', ...(await timed(times, () => store.agenda(now, 1_000)))],
    ['claimNext and the end, one at a time', ...(await timed(Math.min(claims, records / 50), claimOne))],
  ]
  console.log(table(rows))
  const many = Math.floor(Math.min(claims, records / 50))
  const took = await inLanes(many, claimOne)
  console.log(`\nclaimNext and the end, ${IN_FLIGHT} in flight: ${show((many * 1000) / took)}/s`)
  await store.close()

  const dataDir = dataDirOf(place.dir, 1_000)
  const bundle = await startBundle(dataDir, {
    STORE_URL: redis.url,
    STORE_PREFIX: 'large',
    CONCURRENCY: '1',
    RETENTION_COUNT: String(records * 2),
  })
  try {
    for (let n = 0; n < 20; n += 1) await (await fetch(`${bundle.api}/tasks?limit=200`)).text()
    const bytes = processesOf(dataDir).map(pssOf)
    console.log(
      `\nthe bundle on it: ${show(bytes.reduce((sum, each) => sum + each, 0) / 1e6)} MB in ${bytes.length} processes`,
    )
  } finally {
    await bundle.stop()
  }
  await client.flushall()
}

const redisResults = (): Results => {
  const results = new Redis({ port: redis.port, host: '127.0.0.1', db: 1 })
  const names = (): Promise<string[]> => results.keys('celery-task-meta-*')
  return {
    backend: `redis://127.0.0.1:${redis.port}/1`,
    count: () => results.dbsize(),
    async read() {
      const texts = await results.mget(await names())
      await results.flushdb()
      results.disconnect()
      return texts.flatMap(text => text ?? [])
    },
  }
}

try {
  if (records > 0) await large()
  if (rounds > 0) {
    const rabbit = await startRabbit()
    try {
      const ours = createMadhavaSide({
        name: 'Madhava',
        concurrency,
        nodeArgs: options.profile ? ['--cpu-prof', `--cpu-prof-dir=${process.cwd()}`] : [],
        settings: turn => ({
          DATA_DIR: path.join(place.dir, `turn-${turn}`),
          STORE_URL: redis.url,
          STORE_PREFIX: `turn-${turn}`,
          AMQP_URL: rabbit.url,
          AMQP_QUEUE: `madhava-${turn}`,
        }),
      })
      if (options.profile) console.log(await ours.turn(tasks))
      else {
        const sides = [
          createCelerySide({ brokerUrl: rabbit.url, concurrency, results: redisResults }),
          createBullmqSide({ port: redis.port, concurrency }),
          ours,
        ]
        const text = await compare(sides, rounds, tasks)
        console.log(
          `\n${show(tasks)} no-op tasks a turn, ${rounds} rounds, concurrency ${concurrency}:\n\n${text}`,
        )
      }
    } finally {
      await rabbit.remove()
    }
  }
} finally {
  client.disconnect()
  await redis.remove()
}
