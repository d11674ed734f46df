// What the REST door tells of the server: its kinds, the machine, the processes, the queue, whether it lives and is ready.

import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { ServiceState } from '../../src/core/service.ts'
import { anybody } from '../support/actors.ts'
import { createFixture, type Fixture, HOST, jsonOf } from './fixture.ts'

describe('what the door tells of the server', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture({ allowedHosts: ['tasks.example.org'] })
  })
  afterEach(() => door.close())

  it('GET /kinds gives each kind with JSON Schema and an example', async () => {
    const { kinds } = await jsonOf<{
      kinds: { name: string; params: { type?: string }; example: unknown }[]
    }>(await door.app.request('/kinds'))
    assert.deepEqual(
      kinds.map(kind => kind.name),
      ['calcpi', 'echo'],
    )
    assert.equal(kinds[0]?.params.type, 'object')
    assert.equal(kinds[1]?.example, 'hello')
  })

  it('GET / tells of the machine, the processes, the queue and the tasks', async () => {
    await door.store.announce({
      role: 'worker',
      details: () => ({
        address: null,
        slots: 2,
        running: [],
        counters: { done: 3 },
        rssBytes: 1,
        cpu: 0.5,
        troubles: {},
      }),
    })
    await door.submit('echo', 1)
    const status = await jsonOf<{
      name: string
      version: string
      time: string
      host: unknown
      processes: Record<string, unknown>[]
      queue: unknown
      tasks: { total: number; byStatus: Record<string, number> }
      troubles: unknown
    }>(await door.app.request('/'))
    assert.deepEqual([status.name, status.version, status.host], ['madhava', '1.2.3', HOST])
    assert.ok(Math.abs(Date.parse(status.time) - Date.now()) < 60_000)
    const worker = status.processes[0]
    assert.deepEqual(
      [worker?.role, worker?.alive, worker?.slots, worker?.pid, worker?.counters],
      ['worker', true, 2, process.pid, { done: 3 }],
    )
    assert.deepEqual(status.queue, { name: 'listening', status: 'ready', reason: null, depth: 1, outbox: 0 })
    assert.deepEqual([status.tasks.total, status.tasks.byStatus.PENDING], [1, 1])
    assert.deepEqual(status.troubles, {})
  })

  it('GET / does not call a process alive that has not beaten for 30 seconds', async () => {
    const frozen = {
      instance: 'a',
      role: 'worker',
      host: 'machine',
      pid: 1,
      startedAt: '2026-01-31T12:00:00.000Z',
      beatAt: new Date(Date.now() - 45_000).toISOString(),
      details: {
        address: null,
        slots: 1,
        running: [],
        counters: {},
        rssBytes: 0,
        cpu: 0,
        troubles: { queue: 'away' },
      },
      alive: true,
    }
    const state = { ...(await door.service.state(anybody())), presences: [frozen] }
    const seen = createFixture({ service: { state: async () => state } })
    const { processes } = await jsonOf<{
      processes: { alive: boolean; troubles: Record<string, string> }[]
    }>(await seen.app.request('/'))
    assert.equal(processes[0]?.alive, false)
    assert.match(processes[0]?.troubles.beat ?? '', /No beat for \d+ s: frozen or overloaded/)
    assert.equal(processes[0]?.troubles.queue, 'away')
    await seen.close()
  })

  it('GET / keeps what the store knows when the broker does not say how long the queue is', async () => {
    for (const depth of [
      () => new Promise<number>(() => undefined),
      () => Promise.reject(new Error('secret')),
    ]) {
      const hung = createFixture({ depth })
      await hung.submit('echo', 1)
      const status = await jsonOf<{
        queue: { name: string; depth: number | null }
        tasks: { total: number }
        troubles: unknown
      }>(await hung.app.request('/'))
      assert.deepEqual(
        [status.queue.name, status.queue.depth, status.tasks.total, status.troubles],
        ['listening', null, 1, {}],
      )
      await hung.close()
    }
  })

  it('GET / answers in time and with the reason when the state cannot be read, and asks once for many', async () => {
    let asked = 0
    let state: () => Promise<ServiceState> = () => new Promise(() => undefined)
    const slow = createFixture({
      service: {
        state: () => {
          asked += 1
          return state()
        },
      },
    })
    const start = performance.now()
    const answers = await Promise.all([1, 2, 3].map(() => slow.app.request('/')))
    assert.ok(performance.now() - start < 5_000)
    assert.equal(asked, 1)
    for (const answer of answers) {
      const status = await jsonOf<{ processes: unknown; host: unknown; troubles: Record<string, string> }>(
        answer,
      )
      assert.deepEqual([answer.status, status.processes, status.host], [200, null, HOST])
      assert.match(status.troubles.state ?? '', /No answer within 500 ms/)
    }
    await slow.close()

    state = () => Promise.reject(new Error('secret'))
    const failing = createFixture({ service: { state: () => state() } })
    const answer = await failing.app.request('/')
    const text = await answer.text()
    assert.equal(answer.status, 200)
    assert.doesNotMatch(text, /secret/)
    assert.notEqual(JSON.parse(text).troubles.state, undefined)
    await failing.close()
  })

  it('GET /livez is 200; GET /readyz is 200 or 503 with every check', async () => {
    assert.equal((await door.app.request('/livez')).status, 200)
    for (const ok of [true, false]) {
      const checks = { store: { status: ok ? ('ok' as const) : ('failed' as const) } }
      const other = createFixture({ readiness: async () => ({ ok, checks }) })
      const response = await other.app.request('/readyz')
      assert.equal(response.status, ok ? 200 : 503)
      assert.deepEqual(await response.json(), { ok, checks })
      await other.close()
    }
  })
})
