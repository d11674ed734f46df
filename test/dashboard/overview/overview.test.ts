// What the overview says of each trouble, in which order, and that it answers whatever is away.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { beforeEach, describe, it } from 'node:test'
import { MadhavaError } from '../../../src/core/errors.ts'
import type { ServiceState } from '../../../src/core/service.ts'
import type { SeenPresence } from '../../../src/core/store.ts'
import { STATUSES } from '../../../src/core/task.ts'
import { COLUMN_NAMES } from '../../../src/dashboard/figures/columns.ts'
import { createOverview } from '../../../src/dashboard/overview/overview.ts'
import { TROUBLE_CODES, type TroubleSources, troublesOf } from '../../../src/dashboard/overview/troubles.ts'
import type { ProcessRow } from '../../../src/dashboard/processes/processes.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { HOST } from '../../api/fixture.ts'
import { newTaskOf } from '../../support/new-task.ts'

const NOW = Date.UTC(2030, 0, 1, 12)
const MINUTE = 60_000

const presence = (role: string, troubles: Record<string, string> = {}): SeenPresence => ({
  ...{ instance: role, role, host: 'h', pid: 1, alive: true },
  ...{ startedAt: new Date(NOW - 3_600_000).toISOString(), beatAt: new Date(NOW).toISOString() },
  details: {
    ...{ address: null, slots: role === 'worker' ? 2 : 0, running: [], counters: {}, rssBytes: 1, cpu: 0 },
    ...(role === 'worker' ? { kinds: ['echo'] } : {}),
    troubles,
  },
})
const process = (name: string, state = 'online', restarts = 0): ProcessRow => ({
  ...{ name, pmId: 0, state, pid: 1, uptimeMs: 1, restarts, cpuPercent: 0, memoryBytes: 1 },
  isDashboard: name === 'dashboard',
})
const stateOf = (more: Partial<ServiceState> = {}, waiting = 0): ServiceState => ({
  isWhole: true,
  presences: ['api', 'worker', 'rpc', 'dashboard'].map(role => presence(role)),
  queue: { name: 'rabbitmq', depth: 0, status: 'ready', reason: null, outbox: 0 },
  counts: {
    total: 0,
    byStatus: {
      ...(Object.fromEntries(STATUSES.map(status => [status, 0])) as Record<
        (typeof STATUSES)[number],
        number
      >),
      PENDING: waiting,
    },
    byKind: {},
  },
  waiting,
  open: {},
  dead: { waiting: {}, messages: 0 },
  ...more,
})

const well = (): TroubleSources => ({
  readiness: {
    ok: true,
    checks: {
      store: { status: 'ok' },
      queue: { status: 'ok' },
      worker: { status: 'ok' },
      api: { status: 'ok' },
    },
  },
  state: stateOf(),
  stateTrouble: null,
  host: HOST,
  processes: ['api', 'worker', 'rpc', 'dashboard'].map(name => process(name)),
  kindTroubles: [],
  hour: { at: [], failed: [] },
  next: null,
  now: NOW,
  isOwn: () => true,
})
const told = (more: Partial<TroubleSources>) => troublesOf({ ...well(), ...more })
const codes = (more: Partial<TroubleSources>) => told(more).map(({ code, level }) => `${code} ${level}`)
const checks = (given: Record<string, { status: 'ok' | 'degraded' | 'failed'; reason?: string }>) => ({
  readiness: { ok: false, checks: { ...well().readiness?.checks, ...given } },
})

describe('the troubles of the overview', () => {
  it('are the codes of docs/overview.md, which also names the figures', () => {
    const text = readFileSync(new URL('../../../docs/overview.md', import.meta.url), 'utf8')
    const codesTold = [...text.matchAll(/^\| `([A-Z]+_[A-Z_]+)` \|/gm)].map(([, code]) => code)
    assert.deepEqual(codesTold, [...TROUBLE_CODES])
    const [, table = ''] = text.split('| figure | meaning |')
    const figures = [...table.matchAll(/^\| (`.+?) \|/gm)].flatMap(([, names = '']) =>
      [...names.matchAll(/`(\w+)`/g)].map(([, name]) => name),
    )
    assert.deepEqual(figures, [...COLUMN_NAMES])
  })

  it('are none when all is well', () => assert.deepEqual(told({}), []))

  it('name the store, the broker and the supervisor that are away', () => {
    const gone = { state: null, stateTrouble: 'No answer', processes: null }
    const away = {
      ...checks({
        store: { status: 'failed', reason: 'refused' },
        queue: { status: 'degraded', reason: 'no broker' },
        worker: { status: 'degraded', reason: 'Not known' },
      }),
      ...gone,
    }
    assert.deepEqual(codes(away), ['STORE_AWAY error', 'QUEUE_AWAY warning', 'SUPERVISOR_AWAY warning'])
    assert.deepEqual(told(away)[0]?.params, { reason: 'refused' })
    assert.deepEqual(codes({ ...gone, readiness: null }), ['STORE_AWAY error', 'SUPERVISOR_AWAY warning'])
    assert.deepEqual(codes(checks({ store: { status: 'degraded', reason: 'full' } })), ['STORE_FULL error'])
  })

  it('name the worker that is missing with what waits for it, and whoever crashes again and again', () => {
    const without = {
      ...checks({ worker: { status: 'failed', reason: 'No worker process has been alive for 40 s' } }),
      state: stateOf({ presences: [presence('api')] }, 17),
    }
    const [first] = told(without)
    assert.deepEqual(first, {
      code: 'NO_WORKER',
      level: 'error',
      params: { reason: 'No worker process has been alive for 40 s', waiting: 17, state: 'online' },
      link: '/processes',
    })
    const crash = { ...without, processes: [process('worker', 'waiting restart', 12), process('api')] }
    assert.deepEqual(codes(crash), ['NO_WORKER error', 'CRASH_LOOP error'])
    assert.deepEqual(told(crash)[1]?.params, { process: 'worker', restarts: 12, state: 'waiting restart' })
    const once = [process('worker', 'waiting restart', 1), process('api')]
    assert.deepEqual(codes({ ...without, processes: once }), ['NO_WORKER error'])
    const rpc = {
      ...checks({ rpc: { status: 'failed', reason: 'gone' } }),
      state: stateOf({ presences: [] }),
    }
    assert.deepEqual(codes(rpc), ['ROLE_AWAY error'])
    assert.deepEqual(codes({ ...rpc, processes: [process('rpc', 'errored', 9)] }), ['CRASH_LOOP error'])
    assert.deepEqual(codes({ processes: [process('rpc', 'stopped')] }), ['PROCESS_STOPPED warning'])
  })

  it('name disk and memory that are nearly full, of the container where it has a limit', () => {
    const disk = (usedPercent: number) => ({
      host: { ...HOST, disks: [{ path: '/d', totalBytes: 100, freeBytes: 1, usedPercent, data: true }] },
    })
    assert.deepEqual(codes(disk(89.9)), [])
    assert.deepEqual(codes(disk(90)), ['DISK_NEARLY_FULL warning'])
    assert.deepEqual(codes(disk(98)), ['DISK_NEARLY_FULL error'])
    const container = {
      cgroup: 2 as const,
      cpuCores: null,
      cpusetCores: null,
      memoryLimitBytes: 100,
      memoryUsedBytes: 95,
    }
    assert.deepEqual(told({ host: { ...HOST, container } }), [
      {
        code: 'MEMORY_NEARLY_FULL',
        level: 'warning',
        params: { percent: 95, freeBytes: 5 },
        link: '/processes',
      },
    ])
  })

  it('name what processes say of themselves, each thing once', () => {
    const presences = [
      presence('worker', {
        clock: 'it leapt',
        retention: 'EIO',
        threads: 'no memory',
        kinds: 'told elsewhere',
      }),
      { ...presence('worker', { clock: 'it leapt' }), instance: 'second' },
      { ...presence('api', { queue: 'cut off' }), instance: 'third' },
      { ...presence('api', { queue: 'long ago' }), instance: 'fourth', alive: false },
    ]
    assert.deepEqual(
      told({ state: stateOf({ presences }) }).map(({ code, params }) => [code, params.part ?? null]),
      [
        ['RETENTION_FAILED', null],
        ['CLOCK_STEPPED', null],
        ['PROCESS_TROUBLE', 'threads'],
        ['PROCESS_TROUBLE', 'queue'],
      ],
    )
  })

  it('name tasks that nothing runs, kinds in trouble and messages that are none, with links', () => {
    const dead = { waiting: { lost: 3 }, messages: 2 }
    const kindTroubles = [{ name: 'bad', file: 'bad.ts', reason: 'no luck', roles: ['worker'] }]
    assert.deepEqual(
      told({ state: stateOf({ dead }), kindTroubles }).map(({ code, link, params }) => [code, link, params]),
      [
        ['TASKS_DEAD', '/dead', { kind: 'lost', count: 3 }],
        ['KIND_IN_TROUBLE', '/kinds', { kind: 'bad', file: 'bad.ts', reason: 'no luck' }],
        ['MESSAGES_DEAD', '/dead', { count: 2 }],
      ],
    )
  })

  it('name failures that rise over what is usual, and not what is usual or little', () => {
    const rates = (before: number | null, recent: number) => ({
      hour: {
        at: Array.from({ length: 360 }, (_, step) => NOW - (359 - step) * 10_000),
        failed: Array.from({ length: 360 }, (_, step) => (step < 300 ? before : recent)),
      },
    })
    assert.deepEqual(codes(rates(2, 9)), ['FAILURES_RISING warning'])
    assert.deepEqual(told(rates(2, 9))[0]?.params, { count: 90, before: 20, minutes: 10 })
    assert.deepEqual(codes(rates(0, 1.1)), ['FAILURES_RISING warning'])
    assert.deepEqual(codes(rates(0, 0.9)), [], 'nine in ten minutes')
    assert.deepEqual(codes(rates(5, 10)), [])
    assert.deepEqual(codes(rates(null, 100)), [], 'nothing is known of before')
  })

  it('name the next task where it has been due for long', () => {
    const next = { id: 'x', since: NOW - 20 * MINUTE }
    assert.deepEqual(told({ next, state: stateOf({}, 5) }), [
      {
        code: 'TASKS_WAITING_LONG',
        level: 'warning',
        params: { id: 'x', since: '2030-01-01T11:40:00.000Z', waiting: 5 },
        link: '/task/x',
      },
    ])
    assert.deepEqual(told({ next: { id: 'x', since: NOW - 5 * MINUTE } }), [])
  })
})

describe('the overview', { timeout: 300_000 }, () => {
  const task = newTaskOf({ kind: 'echo', createdAt: new Date(NOW - 60 * MINUTE).toISOString() })
  let isAway: boolean
  let isSilent: boolean
  beforeEach(() => {
    isAway = false
    isSilent = false
  })
  const answer = async <T>(value: T): Promise<T> => {
    if (isSilent) await new Promise(() => {})
    if (isAway) throw new MadhavaError('STORE_UNAVAILABLE', 'refused')
    return value
  }
  const open = () =>
    createOverview({
      service: { state: () => answer(stateOf({}, 1)), kindTroubles: () => answer([]) },
      store: {
        agenda: () => answer({ due: 1, dueIds: [task.id], expired: [], orphaned: [], nextAt: null }),
        get: () => answer(task),
      },
      readiness: async () =>
        isAway || isSilent
          ? { ok: false, checks: { store: { status: 'failed', reason: 'refused' } } }
          : { ok: true, checks: { store: { status: 'ok' } } },
      processes: { list: () => answer([]) },
      host: { snapshot: () => HOST },
      figures: { columns: span => ({ span, everyMs: 1, at: [], failed: [] }) as never },
      failures: () =>
        answer({
          groups: [
            {
              ...{ kind: 'echo', code: 'KIND_FAILED', pattern: 'no …', count: 2 },
              ...{ firstAt: '2030-01-01T11:00:00.000Z', lastAt: '2030-01-01T11:30:00.000Z' },
              example: { id: task.id, message: 'no 1' },
            },
          ],
          ...{ moreGroups: 0, count: 2, byKind: { echo: 2 }, isWhole: true },
        }),
      isOwn: () => true,
      log: silentLog(),
      clock: () => new Date(NOW),
    })

  it('has counts, the queue, what waits long, and failures with the filter that lists them', async () => {
    const { troubles, counts, queue, failures, failuresTotal } = await open()()
    assert.deepEqual(
      troubles.map(({ code }) => code),
      ['TASKS_WAITING_LONG'],
    )
    assert.equal(counts?.PENDING, 1)
    assert.deepEqual(queue, { name: 'rabbitmq', status: 'ready', depth: 0, waiting: 1 })
    assert.deepEqual(failures?.[0]?.error, { code: 'KIND_FAILED', pattern: 'no …' })
    assert.deepEqual(failures?.[0]?.filter, {
      status: 'FAILURE',
      kind: 'echo',
      errorCode: 'KIND_FAILED',
      errorLike: 'no …',
      finishedFrom: '2030-01-01T11:00:00.000Z',
    })
    assert.deepEqual(failuresTotal, { count: 2, moreGroups: 0, isWhole: true })
  })

  it('answers while the store refuses, and while nothing answers at all', async () => {
    const overview = open()
    isAway = true
    const { troubles, ...rest } = await overview()
    assert.deepEqual(
      troubles.map(({ code }) => code),
      ['STORE_AWAY', 'SUPERVISOR_AWAY'],
    )
    assert.deepEqual([rest.counts, rest.queue, rest.failures, rest.failuresTotal], [null, null, null, null])
    isSilent = true
    const begun = performance.now()
    assert.equal((await overview()).troubles[0]?.code, 'STORE_AWAY')
    assert.ok(performance.now() - begun < 20_000)
  })
})
