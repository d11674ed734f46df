// What is known of a Redis from what it answered last, without one.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { silentLog } from '../../../src/platform/log.ts'
import type { RedisConnection } from '../../../src/platform/redis.ts'
import { createHealth } from '../../../src/stores/redis/health.ts'
import { undo } from '../../support/undo.ts'

const setUp = (test: TestContext, memory: Record<string, string | number> = {}) => {
  const answer = { maxmemory_policy: 'noeviction', ...memory }
  const text = Object.entries(answer).map(([name, value]) => `${name}:${value}\r\n`)
  const redis = { call: async () => text.join(''), lastError: () => null } as unknown as RedisConnection
  const health = createHealth({ redis, log: silentLog() })
  undo(test, () => health.close())
  return health
}
const readOnly = new Error("READONLY You can't write against a read only replica.")

describe('the health of a Redis', () => {
  it('asks nothing of one that has become a replica, however its refusal is wrapped, until it takes a beat', test => {
    const health = setUp(test)
    for (const error of [readOnly, new Error('the beat failed', { cause: readOnly })]) {
      health.missed(error)
      assert.throws(() => health.mayAsk(), { code: 'STORE_UNAVAILABLE' })
      health.beaten()
      health.mayAsk()
    }
    // one that is away says nothing of what it would answer
    health.missed(new Error('connect ECONNREFUSED'))
    health.mayAsk()
  })

  it('keeps a twentieth of its memory for the tasks that run', async test => {
    for (const [used, isFull] of [
      [950, false],
      [951, true],
    ] as const) {
      const health = setUp(test, { maxmemory: 1_000, used_memory: used })
      await health.look()
      assert.deepEqual([health.mayBegin(), health.trouble() === null], [!isFull, !isFull])
      if (isFull) assert.throws(() => health.forNewTask(), { code: 'STORE_FULL' })
      else health.forNewTask()
    }
  })
})
