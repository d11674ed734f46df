import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import type { QueueState } from '../../src/core/queue.ts'
import { createReadiness, lastStartOf, roleProblems } from '../../src/core/readiness.ts'
import type { SeenPresence } from '../../src/core/store.ts'

const presence = (role: string, alive: boolean, beatMs: number): SeenPresence => ({
  instance: role,
  role,
  host: 'machine',
  pid: 1,
  startedAt: '2026-01-31T12:00:00.000Z',
  beatAt: new Date(beatMs).toISOString(),
  details: { address: null, slots: 0, running: [], counters: {}, rssBytes: 0, cpu: 0, troubles: {} },
  alive,
})

const createBundle = (everyMs = 3_600_000) => {
  const world = {
    ms: Date.parse('2026-01-31T12:00:00.000Z'),
    queue: { status: 'ready', reason: null, outbox: 0 } as QueueState,
    presences: async (): Promise<SeenPresence[]> => [
      presence('api', true, world.ms),
      presence('worker', true, world.ms),
    ],
    check: async (): Promise<void> => undefined,
    lastWords: async (_role: string, _sinceMs: number): Promise<string | null> => null,
    looks: 0,
    /** How far the wall clock was set ahead (or back) of what has passed. */
    setMs: 0,
  }
  const probe = createReadiness({
    store: {
      check: () => world.check(),
      presences: () => {
        world.looks += 1
        return world.presences()
      },
    },
    queue: { state: () => world.queue },
    roles: ['api', 'worker'],
    isOwn: presence => presence.details.bundle !== 'other',
    clock: () => new Date(world.ms + world.setMs),
    elapsed: () => world.ms,
    lastWords: (role, sinceMs) => world.lastWords(role, sinceMs),
    storeMs: 50,
    everyMs,
  })
  return { world, probe }
}

describe('readiness', () => {
  it('is ok when the store answers, the queue is ready and every role lives', async () => {
    const { probe } = createBundle()
    assert.deepEqual(await probe.check(), {
      ok: true,
      checks: {
        store: { status: 'ok' },
        queue: { status: 'ok' },
        api: { status: 'ok' },
        worker: { status: 'ok' },
      },
    })
    probe.close()
    probe.close()
  })

  it('stays ok, degraded with the reason, while the queue is away', async () => {
    const { world, probe } = createBundle()
    world.queue = { status: 'connecting', reason: 'RabbitMQ refuses the connection', outbox: 3 }
    const ready = await probe.check()
    assert.equal(ready.ok, true)
    assert.deepEqual(ready.checks.queue, { status: 'degraded', reason: 'RabbitMQ refuses the connection' })
    probe.close()
  })

  it('stays ok, degraded with the reason, while a worker alone is cut off', async () => {
    const { world, probe } = createBundle()
    const worker = presence('worker', true, world.ms)
    const troubled = { ...worker, details: { ...worker.details, troubles: { queue: 'RabbitMQ refuses' } } }
    world.presences = async () => [presence('api', true, world.ms), worker, troubled]
    const ready = await probe.check()
    assert.equal(ready.ok, true)
    assert.deepEqual(ready.checks.worker, { status: 'degraded', reason: 'queue: RabbitMQ refuses' })
    assert.deepEqual(ready.checks.queue, { status: 'ok' })
    probe.close()
  })

  it('stays ok, and names a kind whose file cannot be used, once for all processes that say so', async () => {
    const { world, probe } = createBundle()
    const broken = { name: 'broken', file: 'broken.ts', reason: 'no luck' }
    const late = { name: 'late', file: 'late.ts', reason: 'it is gone' }
    const saying = (role: string, ...kindsInTrouble: (typeof broken)[]): SeenPresence => {
      const one = presence(role, true, world.ms)
      return { ...one, details: { ...one.details, kindsInTrouble, troubles: { kinds: 'in other words' } } }
    }
    world.presences = async () => [
      saying('api', broken),
      saying('worker', broken, late),
      presence('supervisor', true, world.ms),
    ]
    const ready = await probe.check()
    assert.equal(ready.ok, true)
    assert.deepEqual(ready.checks.kinds, {
      status: 'degraded',
      reason: 'broken.ts: no luck; late.ts: it is gone (in worker)',
    })
    assert.deepEqual([ready.checks.worker, ready.checks.api], [{ status: 'ok' }, { status: 'ok' }])
    probe.close()
  })

  it('stays ok, degraded with the reason, while the disk is full, beats that cannot be written included', async () => {
    const { world, probe } = createBundle()
    const before = world.ms
    world.check = async () => {
      throw new MadhavaError('STORE_FULL', 'No new tasks are taken')
    }
    world.presences = async () => [presence('api', true, before), presence('worker', true, before)]
    world.ms += 60_000
    const ready = await probe.check()
    assert.equal(ready.ok, true)
    assert.deepEqual(ready.checks.store, { status: 'degraded', reason: 'No new tasks are taken' })
    assert.equal(ready.checks.worker?.status, 'degraded')
    world.check = async () => undefined
    assert.equal((await probe.check()).checks.worker?.status, 'failed')
    probe.close()
  })

  it('fails when the store throws or does not answer in time, and shows no text that is not ours', async () => {
    const { world, probe } = createBundle()
    world.check = async () => {
      throw new MadhavaError('STORE_UNAVAILABLE', 'The disk is full')
    }
    assert.deepEqual((await probe.check()).checks.store, { status: 'failed', reason: 'The disk is full' })
    world.check = () => new Promise(() => undefined)
    world.presences = () => new Promise(() => undefined)
    const late = await probe.check()
    assert.equal(late.ok, false)
    assert.match(late.checks.store?.reason ?? '', /50 ms/)
    assert.equal(late.checks.worker?.status, 'degraded')
    world.check = async () => {
      throw new Error('EACCES /secret/path')
    }
    assert.doesNotMatch(JSON.stringify(await probe.check()), /secret/)
    probe.close()
  })

  it('gives a role 30 seconds to appear or to come back, then fails with its name', async () => {
    const { world, probe } = createBundle()
    world.presences = async () => [presence('api', true, world.ms), presence('worker', false, world.ms)]
    world.ms += 29_000
    const young = await probe.check()
    assert.deepEqual([young.ok, young.checks.worker?.status], [true, 'degraded'])
    world.ms += 1_000
    const old = await probe.check()
    assert.deepEqual([old.ok, old.checks.worker?.status, old.checks.api?.status], [false, 'failed', 'ok'])
    assert.match(old.checks.worker?.reason ?? '', /worker.*30 s/)
    world.presences = async () => [presence('api', true, world.ms), presence('worker', true, world.ms)]
    assert.equal((await probe.check()).ok, true)
    world.presences = async () => [presence('api', true, world.ms)]
    world.ms += 29_000
    assert.equal((await probe.check()).ok, true)
    world.ms += 1_000
    assert.equal((await probe.check()).ok, false)
    probe.close()
  })

  it('repeats the last words of a role that is away, and does without them', async () => {
    const { world, probe } = createBundle()
    const start = world.ms
    world.presences = async () => [presence('api', true, world.ms)]
    const asked: unknown[] = []
    world.lastWords = async (role, sinceMs) => {
      asked.push([role, start - sinceMs])
      return 'Port 1 is taken'
    }
    world.ms += 31_000
    assert.deepEqual((await probe.check()).checks.worker, {
      status: 'failed',
      reason: 'No worker process has been alive for 31 s. The last one said: Port 1 is taken',
    })
    assert.deepEqual(asked, [['worker', 30_000]])
    world.lastWords = () => Promise.reject(new Error('EACCES'))
    assert.equal((await probe.check()).checks.worker?.reason, 'No worker process has been alive for 31 s')
  })

  it('fails for a process that is there and has not beaten for 30 seconds, with the reason', async () => {
    const { world, probe } = createBundle()
    const lastBeat = world.ms
    world.presences = async () => [presence('api', true, world.ms), presence('worker', true, lastBeat)]
    world.ms += 29_999
    assert.deepEqual((await probe.check()).checks.worker, { status: 'ok' })
    world.ms += 1
    const frozen = await probe.check()
    assert.equal(frozen.ok, false)
    assert.deepEqual(frozen.checks.worker, {
      status: 'failed',
      reason: 'No beat for 30 s: frozen or overloaded',
    })
    assert.deepEqual(frozen.checks.api, { status: 'ok' })
    world.presences = async () => [
      presence('api', true, world.ms),
      presence('worker', true, lastBeat),
      presence('worker', true, world.ms),
    ]
    assert.deepEqual((await probe.check()).checks.worker, { status: 'ok' })
    probe.close()
  })

  it('takes a beat in the future for a fresh one: a clock may be set back', async () => {
    const { world, probe } = createBundle()
    const beat = world.ms
    world.presences = async () => [presence('api', true, beat), presence('worker', true, beat)]
    world.setMs = -3_600_000
    assert.equal((await probe.check()).ok, true)
    probe.close()
  })

  it('judges beats by the time that passes, wherever the clock is set to', async () => {
    const { world, probe } = createBundle()
    const beat = world.ms
    assert.equal((await probe.check()).ok, true)
    for (const setMs of [86_400_000, -86_400_000]) {
      world.setMs = setMs
      world.presences = async () => [presence('api', true, beat), presence('worker', true, beat)]
      assert.equal((await probe.check()).ok, true, `a clock that leapt by ${setMs} ms is nobody's silence`)
    }
    world.ms += 30_000
    world.presences = async () => [presence('api', true, world.ms), presence('worker', true, beat)]
    assert.equal((await probe.check()).checks.worker?.reason, 'No beat for 30 s: frozen or overloaded')
    world.presences = async () => [presence('api', true, world.ms)]
    world.setMs = 86_400_000
    assert.equal((await probe.check()).checks.worker?.status, 'failed')
    probe.close()
  })

  it('stays ok, degraded with the reason, while a worker that shares the store works elsewhere', async () => {
    const { world, probe } = createBundle()
    const elsewhere = (role: string, beatMs: number): SeenPresence => {
      const other = presence(role, true, beatMs)
      return { ...other, instance: 'b', host: 'box-2', details: { ...other.details, bundle: 'other' } }
    }
    const frozenAt = world.ms
    for (const own of [[], [presence('worker', false, frozenAt)], [presence('worker', true, frozenAt)]]) {
      world.presences = async () => [
        presence('api', true, world.ms),
        ...own,
        elsewhere('worker', world.ms),
        elsewhere('api', world.ms),
      ]
      world.ms += 60_000
      const ready = await probe.check()
      assert.deepEqual([ready.ok, ready.checks.worker?.status], [true, 'degraded'])
      assert.match(ready.checks.worker?.reason ?? '', /60 s|120 s|180 s/)
      assert.match(ready.checks.worker?.reason ?? '', /a worker on box-2/)
    }
    // one that is frozen helps nobody, and a door elsewhere does not open the one here
    const later = world.ms
    world.presences = async () => [presence('api', true, world.ms), elsewhere('worker', later)]
    await probe.check()
    world.ms += 60_000
    assert.equal((await probe.check()).checks.worker?.status, 'failed')
    world.presences = async () => [elsewhere('api', world.ms), presence('worker', true, world.ms)]
    world.ms += 60_000
    assert.deepEqual((await probe.check()).checks.api?.status, 'failed')
    probe.close()
  })

  it('asks for no words that were said before the last process of the role had begun', async () => {
    const { world, probe } = createBundle()
    const asked: number[] = []
    world.lastWords = async (_role, sinceMs) => {
      asked.push(sinceMs)
      return null
    }
    const begunAt = world.ms + 5_000
    world.ms += 10_000
    const worker = { ...presence('worker', true, world.ms), startedAt: new Date(begunAt).toISOString() }
    world.presences = async () => [presence('api', true, world.ms), worker]
    await probe.check()
    world.presences = async () => [presence('api', true, world.ms)]
    world.ms += 1_000
    await probe.check()
    assert.deepEqual(asked, [begunAt])
    probe.close()
  })

  it('measures the gap also when nobody asks', async () => {
    const { world, probe } = createBundle(5)
    const looked = async (): Promise<void> => {
      const before = world.looks
      for (let turn = 0; world.looks < before + 2; turn += 1) {
        assert.ok(turn < 2_000, 'it does not look by itself')
        await new Promise(resolve => setTimeout(resolve, 5))
      }
    }
    // nor does one look that fails end the others
    const well = world.presences
    world.presences = async () => {
      throw new Error('not now')
    }
    await looked()
    world.presences = well
    world.ms += 600_000
    await looked()
    world.presences = async () => [presence('api', true, world.ms)]
    world.ms += 1_000
    const ready = await probe.check()
    assert.deepEqual([ready.ok, ready.checks.worker?.status], [true, 'degraded'])
    probe.close()
  })
})

describe('the roles at one look', () => {
  const now = Date.parse('2026-01-31T12:00:00.000Z')
  const amiss = (...presences: SeenPresence[]) =>
    Object.fromEntries(roleProblems(presences, ['api', 'worker'], now, ({ host }) => host === 'machine'))

  it('are well while each has a process that beats, whatever else lies there', () => {
    const seen = [presence('api', true, now), presence('worker', false, now), presence('worker', true, now)]
    assert.deepEqual(amiss(...seen, presence('worker', true, now - 60_000)), {})
  })

  it('are amiss where none is alive, or those that are do not beat', () => {
    assert.deepEqual(amiss(presence('api', false, now), presence('worker', true, now - 30_000)), {
      api: { status: 'failed', reason: 'No api process is alive' },
      worker: { status: 'failed', reason: 'No beat for 30 s: frozen or overloaded' },
    })
  })

  it('are degraded where a worker that shares the store works elsewhere', () => {
    const elsewhere = { ...presence('worker', true, now), host: 'box-2' }
    const text = 'Tasks are run all the same: by a worker on box-2 that shares the store'
    assert.deepEqual(amiss(presence('api', true, now), elsewhere), {
      worker: { status: 'degraded', reason: `No worker process is alive. ${text}` },
    })
    assert.equal(amiss({ ...elsewhere, role: 'api' }, elsewhere).api?.status, 'failed')
  })

  it('are younger than the begin of their last process in what they said', () => {
    const early = presence('worker', true, now)
    const late = { ...early, startedAt: new Date(now + 5).toISOString(), alive: false }
    assert.equal(lastStartOf([late, early], 'worker'), now + 5)
    assert.equal(lastStartOf([late], 'api'), Number.NEGATIVE_INFINITY)
  })
})
