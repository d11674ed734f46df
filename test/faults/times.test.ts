// What is tried again or due later: when it runs, what shows meanwhile, and that a restart of all workers changes
// nothing.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { revoke, start } from '../../src/core/moves.ts'
import { until } from '../support/until.ts'
import { openWorld, type World } from './cluster.ts'

const LIMIT = { timeout: 600_000 }
/** How late a task may begin on a machine that is busy with other things. */
const LATE_MS = 15_000

describe('a task with times', LIMIT, () => {
  let world: World
  before(async () => {
    world = await openWorld({ workers: 1, slots: 2 })
    await world.submit()
    await world.allDone()
  })
  after(() => world.close())
  const inMs = (ms: number): string => new Date(Date.now() + ms).toISOString()

  it(
    'shows RETRY with the time of the next attempt, and keeps it over a restart of the workers',
    LIMIT,
    async () => {
      const id = await world.submit({ failures: 2 }, { retry: { delaySeconds: 3, factor: 1.5 } })
      for (const attempt of [1, 2]) {
        await until('it waits', async () => {
          const task = await world.get(id)
          return task.status === 'RETRY' && task.attempt === attempt
        })
        const { notBefore, updatedAt, error } = await world.get(id)
        const wait = Date.parse(notBefore ?? '') - Date.parse(updatedAt)
        const whole = 3_000 * 1.5 ** (attempt - 1)
        assert.ok(wait >= whole / 2 && wait <= whole, `${wait} ms after attempt ${attempt}`)
        assert.match(error?.message ?? '', new RegExp(`attempt ${attempt} fails`))
        await world.dismiss()
        assert.equal((await world.get(id)).notBefore, notBefore)
        await world.hire(1)
      }
      await world.allDone()
      const { attempt, history } = await world.get(id)
      assert.equal(attempt, 3)
      const retries = history.filter(({ status }) => status === 'RETRY')
      const starts = history.filter(({ status }) => status === 'STARTED').slice(1)
      for (const [n, { at }] of retries.entries()) {
        const waited = Date.parse(starts[n]?.at ?? '') - Date.parse(at)
        assert.ok(waited >= 1_500 * 1.5 ** n && waited < 4_500 + LATE_MS, `${waited} ms`)
      }
    },
  )

  it('that failed together does not come back together', LIMIT, async () => {
    const ids: string[] = []
    for (let n = 0; n < 20; n++) {
      const id = await world.submit({ failures: 99 }, { retry: { delaySeconds: 3_600 } })
      world.want(id, 'REVOKED')
      ids.push(id)
    }
    const waits: number[] = []
    for (const id of ids) {
      await until('it waits', async () => (await world.get(id)).status === 'RETRY')
      const { notBefore, updatedAt } = await world.get(id)
      waits.push(Date.parse(notBefore ?? '') - Date.parse(updatedAt))
    }
    assert.ok(Math.min(...waits) >= 1_800_000 && Math.max(...waits) <= 3_600_000)
    // 20 draws from half an hour: all within five minutes of each other is less likely than 1 in 10^12
    assert.ok(Math.max(...waits) - Math.min(...waits) > 300_000, waits.join(', '))
    for (const id of ids) assert.equal((await world.cancel(id)).status, 200)
  })

  it(
    'begins at its notBefore, not before and soon after, also with the workers gone in between',
    LIMIT,
    async () => {
      const soon = [inMs(1_500), inMs(1_500), inMs(3_000)]
      const ids: string[] = []
      for (const notBefore of soon) ids.push(await world.submit({}, { notBefore }))
      await world.dismiss()
      await world.hire(1)
      await world.allDone()
      for (const [n, id] of ids.entries()) {
        const { startedAt } = await world.get(id)
        const late = Date.parse(startedAt ?? '') - Date.parse(soon[n] ?? '')
        assert.ok(late >= 0 && late < LATE_MS, `${late} ms after its time`)
      }
    },
  )

  it('that is due in a year waits a year, and can be taken then', LIMIT, async () => {
    const year = inMs(365 * 86_400_000)
    const id = await world.submit({}, { notBefore: year })
    world.want(id, 'REVOKED')
    await world.submit()
    await until(
      'others pass it',
      async () => (await world.all()).filter(({ status }) => status === 'PENDING').length === 1,
    )
    const early = new Date(Date.parse(year) - 1).toISOString()
    const { store } = world.api
    assert.equal(
      await store.claimNext({ kinds: ['effect'], limits: {}, now: early }, start('w', early)),
      null,
    )
    const taken = await store.claimNext({ kinds: ['effect'], limits: {}, now: year }, start('w', year))
    assert.equal(taken?.id, id)
    assert.deepEqual(await world.cancel(id), { status: 202, says: 'requested' })
    // the claim is this process's, which runs nothing: it ends what it holds
    await store.move(id, taken?.claim ?? 0, revoke(inMs(0)))
    await world.allDone()
  })

  it(
    'that expires before a slot is free ends in EXPIRED and has no effect; one that runs does not expire',
    LIMIT,
    async () => {
      const busy = [
        await world.submit({ ms: 4_000 }, { expiresAt: inMs(2_000) }),
        await world.submit({ ms: 4_000 }, { expiresAt: inMs(2_000) }),
      ]
      await until('both run', async () =>
        (await Promise.all(busy.map(world.get))).every(({ startedAt }) => startedAt !== null),
      )
      const id = await world.submit({}, { expiresAt: inMs(1_000) })
      world.want(id, 'FAILURE')
      await until('it has ended', async () => (await world.get(id)).status === 'FAILURE')
      const { error, attempt, expiresAt, finishedAt } = await world.get(id)
      assert.deepEqual([error?.code, attempt], ['EXPIRED', 0])
      assert.ok((finishedAt ?? '') >= (expiresAt ?? 'x'))
      await world.allDone()
    },
  )
})
