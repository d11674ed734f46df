// The recorder of figures over a clock that the test moves: samples, minutes, gaps, restarts, listeners.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { MadhavaError } from '../../../src/core/errors.ts'
import type { ServiceState } from '../../../src/core/service.ts'
import type { SeenPresence } from '../../../src/core/store.ts'
import { STATUSES } from '../../../src/core/task.ts'
import { MEASURED_ROLES, type Sample } from '../../../src/dashboard/figures/columns.ts'
import { type Figures, openFigures } from '../../../src/dashboard/figures/recorder.ts'
import { MEASURED_ROLES as shownRoles } from '../../../src/dashboard/web/state/figures.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { ROLES } from '../../../src/settings.ts'
import { HOST } from '../../api/fixture.ts'

const NOON = Date.UTC(2030, 0, 1, 12)

describe('the recorder of figures', { timeout: 300_000 }, () => {
  let folder: string
  let now: number
  let cpu: number
  let waiting: number
  let broker: string
  let isAway: boolean
  let presences: SeenPresence[]
  let figures: Figures
  const state = async (): Promise<ServiceState> => {
    if (isAway) throw new MadhavaError('STORE_UNAVAILABLE')
    const byStatus = Object.fromEntries(STATUSES.map(status => [status, 0]))
    return {
      isWhole: true,
      presences,
      queue: { name: broker, depth: broker === 'embedded' ? 0 : 7, status: 'ready', reason: null, outbox: 0 },
      counts: { total: waiting, byStatus: { ...byStatus, PENDING: waiting, RETRY: 1 } as never, byKind: {} },
      waiting: waiting + 1,
      open: {},
      dead: { waiting: {}, messages: 0 },
    }
  }
  const open = async (): Promise<void> => {
    figures = await openFigures({
      dataDir: folder,
      service: { state },
      host: {
        snapshot: () => ({
          ...HOST,
          cpu: { ...HOST.cpu, loadPercent: cpu },
          disks: [{ path: '/data', totalBytes: 100, freeBytes: 30, usedPercent: 70, data: true }],
        }),
      },
      isOwn: ({ instance }) => instance.startsWith('ours'),
      log: silentLog(),
      clock: () => now,
      elapsed: () => now,
      isTimed: false,
    })
  }
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'madhava-figures-'))
    now = NOON
    cpu = 10
    waiting = 3
    broker = 'embedded'
    isAway = false
    presences = []
    await open()
  })
  afterEach(async () => {
    await figures.close()
    await rm(folder, { recursive: true, force: true })
  })
  const sampleAt = async (seconds: number): Promise<void> => {
    now = NOON + seconds * 1_000
    await figures.sample()
  }

  it('has machine, queue and tasks of each sample, and tells them to whoever listens', async () => {
    const told: Sample[] = []
    const leave = figures.subscribe(sample => told.push(sample))
    await sampleAt(0.1)
    broker = 'rabbitmq'
    await sampleAt(10.1)
    leave()
    await sampleAt(20.1)
    const { at, ...columns } = figures.columns('hour')
    assert.deepEqual(at, [NOON, NOON + 10_000, NOON + 20_000])
    assert.deepEqual(columns.cpu, [10, 10, 10])
    assert.deepEqual(columns.memory, [60, 60, 60])
    assert.deepEqual(columns.disk, [70, 70, 70])
    assert.deepEqual(columns.load, [0.1, 0.1, 0.1])
    assert.deepEqual(columns.queueDepth, [4, 7, 7], 'those that wait, where no broker holds any')
    assert.deepEqual(columns.PENDING, [3, 3, 3])
    assert.deepEqual(columns.started, [null, 0, 0])
    assert.deepEqual(columns.runP50, [null, null, null])
    assert.deepEqual(
      told.map(sample => [sample.at, sample.queueDepth]),
      [
        [NOON, 4],
        [NOON + 10_000, 7],
      ],
    )
    assert.deepEqual(
      figures.since(NOON).map(sample => sample.at),
      [NOON + 10_000, NOON + 20_000],
    )
  })

  it('has columns for every role of a bundle, and the page a chart', () => {
    assert.deepEqual(MEASURED_ROLES, ROLES)
    assert.deepEqual(shownRoles, ROLES)
  })

  it('has what the living processes of the bundle use, by role, and a gap for one that does not run', async () => {
    const seen = (instance: string, role: string, cpuShare: number, alive = true): SeenPresence => ({
      ...{ instance, role, host: 'here', pid: 1, alive },
      ...{ startedAt: new Date(NOON).toISOString(), beatAt: new Date(NOON).toISOString() },
      details: {
        ...{ address: null, slots: 0, running: [], counters: {}, troubles: {} },
        ...{ rssBytes: 123_456_789, cpu: cpuShare },
      },
    })
    presences = [
      seen('ours-1', 'worker', 0.5),
      seen('ours-2', 'api', 0.25, false),
      seen('another', 'worker', 1),
      seen('ours-3', 'no role of a bundle', 1),
    ]
    await sampleAt(0)
    presences = [seen('ours-4', 'worker', 0.125), seen('ours-5', 'worker', 0.5)]
    await sampleAt(10)
    const names = ['workerCpu', 'workerMemory', 'apiCpu', 'rpcMemory'] as const
    const { at, span, everyMs, ...columns } = figures.columns('hour', 360, names)
    assert.deepEqual(Object.keys(columns), names)
    assert.deepEqual(columns.workerCpu, [50, 62.5])
    // kept as 32-bit floats
    assert.ok(Math.abs((columns.workerMemory[0] ?? 0) - 123_456_789) < 10)
    assert.deepEqual(
      [columns.apiCpu, columns.rpcMemory],
      [
        [null, null],
        [null, null],
      ],
    )
  })

  it('keeps the mean of each minute, also over a restart in the middle of it', async () => {
    for (const [seconds, load] of [
      [0, 10],
      [10, 20],
    ] as const) {
      cpu = load
      await sampleAt(seconds)
    }
    await figures.close()
    await open()
    cpu = 60
    await sampleAt(20)
    cpu = 100
    await sampleAt(60)
    const { at, cpu: means, everyMs } = figures.columns('week')
    assert.equal(everyMs, 60_000)
    assert.deepEqual(at, [NOON, NOON + 60_000])
    assert.deepEqual(means, [30, 100])
  })

  it('has means where fewer points are asked for, and gaps only where nothing is known', async () => {
    for (const [seconds, load] of [
      [0, 10],
      [10, 20],
      [20, 30],
      [60, 50],
    ] as const) {
      cpu = load
      await sampleAt(seconds)
    }
    const { at, cpu: loads, everyMs } = figures.columns('hour', 4)
    assert.equal(everyMs, 20_000)
    assert.deepEqual(at, [NOON, NOON + 20_000, NOON + 40_000, NOON + 60_000])
    assert.deepEqual(loads, [15, 30, null, 50])
  })

  it('has a gap where it did not run, and where the store was away one in what comes from there', async () => {
    await sampleAt(0)
    isAway = true
    await sampleAt(10)
    isAway = false
    await figures.close()
    await open()
    await sampleAt(40)
    const { cpu: loads, PENDING } = figures.columns('hour')
    assert.deepEqual(loads, [10, 10, null, null, 10])
    assert.deepEqual(PENDING, [3, null, null, null, 3])
  })
})
