// The record: its ids, the order of its versions, when it is due, what its schema keeps; the wait before a retry.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isDue } from '../../src/core/due.ts'
import { isMadhavaError } from '../../src/core/errors.ts'
import { retryDelayMs } from '../../src/core/retry.ts'
import {
  compareVersions,
  isFinal,
  isRunning,
  isWaiting,
  newTaskId,
  parseTaskId,
  retryPolicySchema,
  STATUSES,
  taskSchema,
} from '../../src/core/task.ts'
import { at, newTask } from '../suites/store/world.ts'

describe('task', () => {
  it('every status waits, runs, or is an end, and only one of them', () => {
    for (const status of STATUSES)
      assert.equal([isWaiting, isRunning, isFinal].filter(is => is(status)).length, 1, status)
  })

  it('an id is any UUID, in lower case', () => {
    fc.assert(
      fc.property(fc.uuid(), id => {
        assert.equal(parseTaskId(id.toUpperCase()), id)
        assert.equal(parseTaskId(id), id)
      }),
    )
    assert.equal(parseTaskId(newTaskId()).length, 36)
  })

  it('what is not a UUID is refused with BAD_ID, and nothing of it is repeated', () => {
    const rubbish = fc.oneof(
      fc.anything(),
      fc.string({ unit: 'binary', minLength: 36, maxLength: 36 }),
      fc.uuid().map(id => `${id}\n`),
      fc.uuid().map(id => `../${id}`),
      fc.uuid().map(id => id.replace('-', '/')),
    )
    fc.assert(
      fc.property(rubbish, id => {
        assert.throws(
          () => parseTaskId(id),
          (error: unknown) =>
            isMadhavaError(error, 'BAD_ID') &&
            !(typeof id === 'string' && id.length > 9 && error.message.includes(id)),
        )
      }),
      { numRuns: 500 },
    )
  })

  it('ids that are made one after another sort in that order', () => {
    const ids = Array.from({ length: 2000 }, newTaskId)
    assert.deepEqual(ids, ids.toSorted())
    assert.equal(new Set(ids).size, ids.length)
  })

  it('versions are ordered by claim, then by rev', () => {
    const versions = fc.record({ claim: fc.nat(3), rev: fc.nat(3) })
    fc.assert(
      fc.property(versions, versions, (a, b) => {
        const expected = a.claim * 10 + a.rev - (b.claim * 10 + b.rev)
        assert.equal(Math.sign(compareVersions(a, b)), Math.sign(expected))
      }),
    )
  })

  it('due is what waits, from notBefore on, until expiresAt while it has never started', () => {
    const task = newTask({ notBefore: at(10), expiresAt: at(20) })
    assert.deepEqual(
      [9, 10, 19, 20].map(now => isDue(task, at(now))),
      [false, true, true, false],
    )
    assert.ok(isDue({ ...task, status: 'RETRY' }, at(99)))
    for (const status of STATUSES.filter(one => !isWaiting(one)))
      assert.ok(!isDue({ status, notBefore: null, expiresAt: null }, at(99)))
  })

  it('the schema keeps fields it does not know, and refuses a record that is not one', () => {
    const record = { ...newTask(), future: [1, { a: null }] }
    assert.deepEqual(taskSchema.parse(record), record)
    for (const wrong of [
      { ...record, status: 'pending' },
      { ...record, version: 2 },
      { ...record, claim: -1 },
      { ...record, rev: 0.5 },
      { ...record, priority: 10 },
      { ...record, createdAt: '2026-01-01T00:00:00Z' },
      { ...record, createdAt: '2026-01-01T00:00:00.000+01:00' },
      { ...record, params: undefined },
      { ...record, history: null },
    ])
      assert.ok(!taskSchema.safeParse(wrong).success)
  })
})

describe('retry delay', () => {
  it('grows by the factor to its bound, and lies in the upper half', () => {
    const policies = fc.record({
      delaySeconds: fc.double({ min: 0, max: 86_400, noNaN: true }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      maxDelaySeconds: fc.double({ min: 0, max: 2_592_000, noNaN: true }),
    })
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(policies, fc.integer({ min: 1, max: 1000 }), random, (policy, attempt, drawn) => {
        const delay = retryDelayMs(retryPolicySchema.parse(policy), attempt, drawn)
        const whole = Math.min(
          policy.delaySeconds * policy.factor ** (attempt - 1) || 0,
          policy.maxDelaySeconds,
        )
        assert.ok(Number.isInteger(delay))
        assert.ok(delay >= Math.floor(whole * 500) && delay <= Math.ceil(whole * 1000))
      }),
    )
    const policy = retryPolicySchema.parse({ delaySeconds: 2, factor: 3, maxDelaySeconds: 10 })
    assert.deepEqual(
      [1, 2, 3].map(attempt => retryDelayMs(policy, attempt, 0)),
      [1000, 3000, 5000],
    )
  })
})
