// GET /metrics: every figure, in a form that Prometheus's own checker accepts.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { PresenceDetails } from '../../src/core/store.ts'
import { BUCKETS, createTimings } from '../../src/core/timings.ts'
import { requireService } from '../support/services.ts'
import { createFixture, type Fixture } from './fixture.ts'

const timings = createTimings()
for (const seconds of [0.003, 0.2, 0.2, 100_000]) timings.observe('echo', 'wait', seconds)
timings.observe('echo', 'run', 1.5)
// a clock that jumped back
timings.observe('echo', 'run', -7)

const WORKER: PresenceDetails = {
  address: null,
  slots: 4,
  running: ['a', 'b'],
  counters: { takenOver: 3, succeeded: 7 },
  timings: timings.snapshot(),
  failures: { echo: { KIND_FAILED: 4, TIME_LIMIT: 1 }, 'odd-one': { WORKER_LOST: 2 } },
  rssBytes: 1_000_000,
  cpu: 0.25,
  troubles: { queue: 'the broker "x"\nis away' },
}

describe('GET /metrics', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture()
  })
  afterEach(() => door.close())

  const scrape = async (): Promise<string> => {
    const response = await door.app.request('/metrics')
    assert.equal(response.status, 200)
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    return response.text()
  }
  /** The value of the sample whose line begins with the name and has all these labels. */
  const sample = (text: string, name: string, labels: Record<string, string> = {}): number | undefined => {
    const line = text
      .split('\n')
      .find(
        each =>
          /^[a-z_]+/.exec(each)?.[0] === name &&
          Object.entries(labels).every(([label, value]) => each.includes(`${label}="${value}"`)),
      )
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1))
  }

  it('has tasks by kind and status, the queue, and the door itself', async () => {
    await door.submit('echo', 1)
    await door.ended('done')
    await door.app.request('/task/no-id')
    await door.app.request('/nowhere/at/all')
    const text = await scrape()
    assert.equal(sample(text, 'madhava_tasks', { kind: 'echo', status: 'PENDING' }), 1)
    assert.equal(sample(text, 'madhava_tasks', { kind: 'echo', status: 'SUCCESS' }), 1)
    assert.equal(sample(text, 'madhava_tasks', { kind: 'echo', status: 'FAILURE' }), 0)
    assert.equal(sample(text, 'madhava_queue_depth', { queue: 'listening' }), 2)
    assert.equal(sample(text, 'madhava_queue_up'), 1)
    assert.equal(sample(text, 'madhava_store_up'), 1)
    assert.equal(sample(text, 'madhava_build_info', { version: '1.2.3' }), 1)
    const requests = 'madhava_http_request_seconds_count'
    assert.equal(sample(text, requests, { method: 'GET', route: '/task/:id', status: '400' }), 1)
    assert.equal(sample(text, requests, { route: 'none', status: '404' }), 1)
    assert.doesNotMatch(text, /nowhere|no-id/)
    // itself, the next time
    assert.equal(sample(await scrape(), requests, { route: '/metrics', status: '200' }), 1)
  })

  it('has the figures of each process, its waits and runs as histograms', async () => {
    await door.store.announce({ role: 'worker', details: () => WORKER })
    const text = await scrape()
    const labels = { role: 'worker', process: 'worker-0' }
    assert.equal(sample(text, 'madhava_process_up', labels), 1)
    assert.equal(sample(text, 'madhava_process_resident_memory_bytes', labels), 1_000_000)
    assert.equal(sample(text, 'madhava_process_cpu_ratio', labels), 0.25)
    assert.equal(sample(text, 'madhava_worker_slots', labels), 4)
    assert.equal(sample(text, 'madhava_worker_running', labels), 2)
    assert.equal(sample(text, 'madhava_process_trouble', { ...labels, part: 'queue' }), 1)
    assert.equal(sample(text, 'madhava_events_total', { ...labels, event: 'taken_over' }), 3)
    const failed = 'madhava_tasks_failed_total'
    assert.equal(sample(text, failed, { ...labels, kind: 'echo', code: 'KIND_FAILED' }), 4)
    assert.equal(sample(text, failed, { ...labels, kind: 'echo', code: 'TIME_LIMIT' }), 1)
    assert.equal(sample(text, failed, { ...labels, kind: 'odd-one', code: 'WORKER_LOST' }), 2)
    const wait = (le: string) =>
      sample(text, 'madhava_task_wait_seconds_bucket', { ...labels, kind: 'echo', le })
    assert.deepEqual(['0.005', '0.1', '0.25', '43200', '+Inf'].map(wait), [1, 1, 3, 3, 4])
    assert.equal(sample(text, 'madhava_task_wait_seconds_count', { kind: 'echo' }), 4)
    assert.equal(sample(text, 'madhava_task_run_seconds_sum', { kind: 'echo' }), 1.5)
    assert.equal(sample(text, 'madhava_task_run_seconds_count', { kind: 'echo' }), 2)
    assert.equal(text.match(/^madhava_task_wait_seconds_bucket/gm)?.length, BUCKETS.length + 1)
    const shown = await (await door.app.request('/')).text()
    assert.doesNotMatch(shown, /timings|failures/)
  })

  it('says that the store is away, and no more', async () => {
    const away = createFixture({ service: { state: () => Promise.reject(new Error('away')) } })
    const text = await (await away.app.request('/metrics')).text()
    assert.equal(sample(text, 'madhava_store_up'), 0)
    assert.doesNotMatch(text, /madhava_tasks|madhava_process/)
    await away.close()
  })

  it('has alarms that promtool takes, each over figures that there are', {
    skip: requireService('promtool'),
  }, async () => {
    const docs = await readFile(new URL('../../docs/operating.md', import.meta.url), 'utf8')
    const [, table = ''] = /## What to alarm on\n([\s\S]*?)\n## /.exec(docs) ?? []
    const rows = [...table.matchAll(/^\| ([^|]+) \| ((?:[^|\\]|\\\|)+) \|/gm)].slice(2)
    const rules = rows.flatMap(([, name = '', cell = '']) =>
      [...cell.matchAll(/`([^`]+)`/g)].map(([, expr = '']) => ({
        alert: name.trim(),
        expr: expr.replaceAll('\\|', '|'),
      })),
    )
    assert.ok(rules.length > 10 && rules.some(({ alert }) => /fail/.test(alert)), JSON.stringify(rules))
    const file = path.join(await mkdtemp(path.join(tmpdir(), 'madhava-rules-')), 'rules.json')
    await writeFile(file, JSON.stringify({ groups: [{ name: 'madhava', rules }] }))
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' })
    await rm(path.dirname(file), { recursive: true })
    assert.equal(status, 0, stdout + stderr)
    await door.store.announce({ role: 'worker', details: () => WORKER })
    await door.submit('echo', 1)
    const text = await scrape()
    // gauges that are left out while they have nothing to tell
    const left = ['madhava_dead_tasks', 'madhava_open_tasks']
    for (const { expr } of rules)
      for (const [name] of expr.matchAll(/madhava_[a-z_]+/g))
        assert.ok(left.includes(name) || text.includes(name), name)
  })

  it('passes the check of promtool', { skip: requireService('promtool') }, async () => {
    await door.store.announce({ role: 'worker', details: () => WORKER })
    await door.submit('echo', 1)
    await scrape()
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await scrape(),
      encoding: 'utf8',
    })
    assert.deepEqual([status, stdout + stderr], [0, ''])
  })
})
