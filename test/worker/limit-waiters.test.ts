// Who waits for a place of a kind is woken when one gets free: the rules of who looks when, and the whole over each store.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fail, firstRecord, report, revoke, start, succeed } from '../../src/core/moves.ts'
import type { TaskStore } from '../../src/core/store.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createEmbeddedQueue } from '../../src/queues/embedded/open.ts'
import { createMemory } from '../../src/stores/memory/open.ts'
import { createLimitWaiters } from '../../src/worker/limit-waiters.ts'
import { placesSuite } from '../suites/places.ts'
import { newTaskOf } from '../support/new-task.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { openPlace, type StorePlace } from '../support/store-place.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const clock = () => new Date()
const at = '2026-01-01T00:00:00.000Z'
const waiting = (): TaskRecord => firstRecord(newTaskOf({ kind: 'limited', createdAt: at }))
const running = (): TaskRecord => start('w', at)(waiting())
const ended = (): TaskRecord => succeed(1, null, at)(running())

/** Waiters whose looks are counted; those of `full` find the kind full. */
const setUp = (t: { after: (close: () => void) => void }) => {
  const seen = { looks: 0 }
  const waiters = createLimitWaiters({
    limited: new Set(['limited']),
    poll() {
      seen.looks += 1
    },
    random: () => 0,
  })
  undo(t, waiters.close)
  const full = () => waiters.pollStarted()('limited')
  return { waiters, seen, full }
}
/** All that was to come within the head start has come: what is set later rings later. */
const later = async () => {
  let passed = false
  setTimeout(() => {
    passed = true
  }, 100)
  await until('time passed', () => passed)
}

describe('waiters', () => {
  it('looks at once after an end here, if a look had found the kind full', t => {
    const { waiters, seen, full } = setUp(t)
    waiters.runEnded('limited')
    assert.equal(seen.looks, 0)
    full()
    waiters.runEnded('limited')
    assert.equal(seen.looks, 1)
    // that look found nothing more
    waiters.runEnded('limited')
    assert.equal(seen.looks, 1)
  })

  it('looks again when a run ended while a look found the kind full', t => {
    const { waiters, seen } = setUp(t)
    const found = waiters.pollStarted()
    waiters.runEnded('limited')
    found('limited')
    assert.equal(seen.looks, 1)
    const again = waiters.pollStarted()
    waiters.onRecord(ended())
    again('limited')
    assert.equal(seen.looks, 2)
  })

  it('looks a moment after an end elsewhere, once for all that ended', async t => {
    const { waiters, seen, full } = setUp(t)
    full()
    for (let n = 0; n < 3; n += 1) waiters.onRecord(ended())
    waiters.onRecord(
      fail(
        { code: 'KIND_FAILED', message: '', detail: null },
        null,
        at,
      )(report({ percent: 1, note: null, etaSeconds: null }, null, at)(running())),
    )
    assert.equal(seen.looks, 0)
    await until('it looked', () => seen.looks === 1)
    await later()
    assert.equal(seen.looks, 1)
  })

  it('does not look when somebody has taken the place before, and does when only one of two is taken', async t => {
    const { waiters, seen, full } = setUp(t)
    full()
    waiters.onRecord(ended())
    waiters.onRecord(running())
    await later()
    assert.equal(seen.looks, 0)
    for (const task of [ended(), ended(), running()]) waiters.onRecord(task)
    await until('it looked', () => seen.looks === 1)
  })

  it('does not look for what is no end of a run: a new task, a begin, a report, a cancel request, a cancel of one that waits', async t => {
    const { waiters, seen, full } = setUp(t)
    full()
    const progress = report({ percent: 1, note: null, etaSeconds: null }, null, at)(running())
    for (const task of [
      waiting(),
      running(),
      progress,
      revoke(at)(waiting()),
      { ...running(), revokeRequestedAt: at },
    ])
      waiters.onRecord(task)
    waiters.onRecord({ ...ended(), kind: 'other' })
    waiters.runEnded('other')
    await later()
    assert.equal(seen.looks, 0)
  })

  it('looks at once when changes may have been missed, and no more once closed', async t => {
    const { waiters, seen, full } = setUp(t)
    waiters.pollAll()
    assert.equal(seen.looks, 0)
    full()
    waiters.pollAll()
    assert.equal(seen.looks, 1)
    full()
    waiters.onRecord(ended())
    waiters.close()
    await later()
    assert.equal(seen.looks, 1)
  })
})

const embedded = (store: TaskStore) => createEmbeddedQueue({ store, log: silentLog(), clock })
placesSuite('memory store, embedded queue', {
  skip: false,
  world: async () => {
    const memory = createMemory()
    return { open: async () => memory.open({ clock }), queue: embedded, end: async () => {} }
  },
})

placesSuite('files store, embedded queue', {
  skip: false,
  world: async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'madhava-waiters-'))
    const place: StorePlace = { adapter: 'files', dir }
    return {
      open: () => openPlace(place),
      queue: embedded,
      end: async () => rmSync(dir, { recursive: true }),
    }
  },
})

const skip = requireService('redis')
let redis: PrivateRedis
describe('on a private Redis', { skip }, () => {
  before(async () => {
    redis = await startRedis()
  })
  after(() => redis?.remove())
  placesSuite('Redis store, embedded queue', {
    skip: false,
    world: async () => {
      const place: StorePlace = {
        adapter: 'redis',
        url: redis.url,
        prefix: `t${randomBytes(4).toString('hex')}`,
      }
      return { open: () => openPlace(place), queue: embedded, end: async () => {} }
    },
  })
})
