// Which task a slot gets, where the index is behind what other processes have done.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { KindLimits } from '../../../src/core/kind-limits.ts'
import type { ClaimOptions } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import type { KindLimiter } from '../../../src/stores/files/claims/kind-limits.ts'
import { createPicker } from '../../../src/stores/files/claims/pick.ts'
import type { LiveIndex } from '../../../src/stores/files/index/live-index.ts'
import { createTaskIndex } from '../../../src/stores/files/index/task-index.ts'
import { at } from '../../suites/store/world.ts'
import { createParts, OTHER, run } from './parts.ts'

const NOW = at(100)
const kinds = ['adding']
const few: Record<string, KindLimits> = { adding: { maxConcurrency: 1, rate: null } }

const setUp = async (test: TestContext, limiter: Partial<KindLimiter> = {}) => {
  const parts = await createParts(test)
  const index = createTaskIndex()
  const permits: string[] = []
  const picker = createPicker({
    liveIndex: { current: async () => index, recent: async () => index } as unknown as LiveIndex,
    mover: parts.mover,
    limiter: {
      mayBegin: async () => 'free',
      isFree: async () => false,
      permit(kind) {
        permits.push(kind)
        return { giveBack: () => void permits.pop() }
      },
      ...limiter,
    },
  })
  /** The index has it as `believed`, the state file as `change` says. */
  const put = (change: Partial<TaskRecord> = {}, believed: Partial<TaskRecord> = {}) => {
    const task = parts.put(change)
    index.put({ ...task, ...believed })
    return task
  }
  const next = (want: Partial<ClaimOptions> = {}, move = run) =>
    picker.claimNext({ kinds, now: NOW, ...want }, move)
  return { ...parts, index, put, next, permits }
}

describe('picking from an index that lags', () => {
  it('begins nothing before its time, and leaves no claim on it', async test => {
    const { put, next, claims, records } = await setUp(test)
    const early = put({ notBefore: at(3_600), createdAt: at(0) }, { notBefore: null })
    const due = put({ notBefore: NOW, createdAt: at(1) })
    assert.equal((await next())?.id, due.id)
    assert.equal(await next(), null)
    assert.equal(records.read(early.id)?.status, 'PENDING')
    assert.deepEqual(claims(), [`${due.id}.1`])
  })

  it('begins nothing that has ended, runs, or is gone', async test => {
    const { put, next, claims, records, takeFor } = await setUp(test)
    const ended = {
      status: 'SUCCESS',
      claim: 1,
      rev: 2,
      attempt: 1,
      startedAt: at(1),
      finishedAt: at(2),
    } as const
    const running = {
      status: 'STARTED',
      claim: 1,
      rev: 1,
      attempt: 1,
      startedAt: at(1),
      worker: 'w',
    } as const
    const believed = { status: 'PENDING', claim: 0, rev: 0 } as const
    put(ended, believed)
    const held = put(running, believed)
    takeFor(OTHER, held.id, 1)
    const gone = put()
    records.remove(gone.id)
    const due = put({ createdAt: at(9) })
    // it is not left to the move: this one takes anything
    const anything = (task: TaskRecord): TaskRecord => ({ ...task, status: 'STARTED', worker: 'w' })
    assert.equal((await next({}, anything))?.id, due.id)
    assert.equal(await next({}, anything), null)
    assert.deepEqual(claims(), [`${due.id}.1`, `${held.id}.1`].sort())
  })

  it('takes no suspect that became one meanwhile, unless it runs alone', async test => {
    const told: string[] = []
    const { put, next, claims } = await setUp(test, { isFree: async () => true })
    const { id } = put({ workersLost: 3, attempt: 3, maxAttempts: 9 }, { workersLost: undefined })
    assert.equal(await next({ onSuspect: suspect => told.push(suspect) }), null)
    assert.deepEqual([told, claims()], [[id], []])
    assert.equal((await next({ allowSuspect: true }))?.id, id)
  })
})

describe('picking within the limits of a kind', () => {
  it('leaves a kind for a while whose places others contest without an end', async test => {
    let asked = 0
    const held: [string, number][] = []
    const { put, next, claims } = await setUp(test, {
      async mayBegin() {
        asked += 1
        assert.ok(asked < 200, 'a contest has an end')
        return 'contested'
      },
    })
    put()
    assert.equal(
      await next({ limits: few, onRateLimited: (kind, untilMs) => held.push([kind, untilMs]) }),
      null,
    )
    const [kind, untilMs] = held[0] ?? []
    assert.equal(kind, 'adding')
    assert.ok((untilMs ?? 0) > Date.parse(NOW))
    assert.deepEqual([held.length, claims()], [1, []])
    assert.ok(asked > 1, 'one contest is no reason to leave it')
  })

  it('hears of a kind that is full, and takes tasks of the others', async test => {
    const full: string[] = []
    const { put, next, claims } = await setUp(test, { mayBegin: async () => 'full' })
    put({ priority: 9 })
    const other = put({ kind: 'other', priority: 0 })
    const want = { kinds: ['adding', 'other'], limits: few, onKindFull: (kind: string) => full.push(kind) }
    assert.equal((await next(want))?.id, other.id)
    assert.deepEqual([full, claims()], [['adding'], [`${other.id}.1`]])
  })

  it('gives a permit back that began nothing, and spends one that did', async test => {
    const { put, next, permits } = await setUp(test)
    const limits = { adding: { maxConcurrency: null, rate: { count: 1, perMs: 1000 } } }
    put({ notBefore: at(3_600) }, { notBefore: null })
    assert.equal(await next({ limits }), null)
    assert.deepEqual(permits, [])
    put()
    assert.ok(await next({ limits }))
    assert.deepEqual(permits, ['adding'])
  })

  it('does not pass by a task that was let go while a younger one was taken', async test => {
    const free = new Set<string>()
    const { put, next, takeFor, claimFiles } = await setUp(test, {
      isFree: async id => free.has(id),
    })
    const older = put({ createdAt: at(0) })
    put({ createdAt: at(1) })
    takeFor(OTHER, older.id, 1)
    free.add(older.id)
    let contests = 0
    const want = {
      limits: { adding: { maxConcurrency: 2, rate: null } },
      onRateLimited: () => {
        contests += 1
      },
    }
    assert.equal(await next(want), null)
    assert.equal(contests, 1)
    claimFiles.drop(older.id, 1)
    assert.equal((await next(want))?.id, older.id)
  })
})
