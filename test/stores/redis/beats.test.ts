// The beat of a process towards Redis, without one: what fails or comes late must not be the last of it.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createLeases } from '../../../src/stores/redis/leases.ts'
import type { Scripts } from '../../../src/stores/redis/scripts.ts'
import { at, details } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'

const BEAT_MS = 2_000

const setUp = (test: TestContext) => {
  test.mock.timers.enable({ apis: ['setInterval'] })
  const calls: string[] = []
  const told = { beats: 0, missed: 0 }
  const redis = { answer: async (): Promise<unknown> => [1_000, 0] }
  const leases = createLeases({
    scripts: {
      run: (name: string) => {
        calls.push(name)
        return redis.answer()
      },
    } as unknown as Scripts,
    instance: 'me',
    host: 'h',
    clock: () => new Date(at(0)),
    processes: async () => ({}),
    onBeat() {
      told.beats += 1
    },
    onMissed() {
      told.missed += 1
    },
  })
  undo(test, () => leases.stop())
  /** The time of one more beat. */
  const pass = async (): Promise<void> => {
    test.mock.timers.tick(BEAT_MS)
    await new Promise(setImmediate)
  }
  return { leases, calls, told, redis, pass }
}

describe('the beat of a process', () => {
  it('goes on after any number of beats that were missed, and tells of each', async test => {
    const { leases, told, redis, pass } = setUp(test)
    await leases.begin()
    const well = redis.answer
    redis.answer = () => Promise.reject(new Error('Redis is away'))
    for (let n = 0; n < 3; n += 1) await pass()
    assert.deepEqual(told, { beats: 1, missed: 3 })
    redis.answer = well
    for (let n = 0; n < 2; n += 1) await pass()
    assert.deepEqual(told, { beats: 3, missed: 3 })
  })

  it('sends no other while one is not answered, and goes on when it is', async test => {
    const { leases, calls, told, redis, pass } = setUp(test)
    await leases.begin()
    const well = redis.answer
    const held: (() => void)[] = []
    redis.answer = () => new Promise(resolve => held.push(() => resolve([1_000, 0])))
    for (let n = 0; n < 5; n += 1) await pass()
    assert.deepEqual([calls.length, held.length, told.beats], [2, 1, 1])
    redis.answer = well
    for (const answer of held) answer()
    await new Promise(setImmediate)
    await pass()
    assert.deepEqual([calls.length, told.beats], [3, 3])
  })

  it('is the last one once the process has left or stopped', async test => {
    const { leases, calls, pass } = setUp(test)
    await leases.begin()
    await leases.announce({ role: 'worker', details: () => details() })
    await leases.leave()
    await leases.leave()
    await leases.beat()
    await pass()
    assert.deepEqual(calls, ['beat', 'beat', 'leave'])
  })
})
