// What the operator allows a task to ask for.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isMadhavaError } from '../../src/core/errors.ts'
import { applyLimits, NO_LIMITS, type SubmitLimits } from '../../src/core/submit-limits.ts'
import type { Limits } from '../../src/core/task.ts'

const allowed = (
  limits: Partial<SubmitLimits>,
  asked: { priority?: number; hard?: number; soft?: number; owner?: string; ofKind?: Partial<Limits> } = {},
) => {
  const { priority, hard, soft, owner = null, ofKind } = asked
  const own =
    hard === undefined && soft === undefined
      ? {}
      : { limits: { hardSeconds: hard ?? null, softSeconds: soft ?? null } }
  const { priority: given, limits: made } = applyLimits(
    { ...NO_LIMITS, ...limits },
    { owner, wanted: { priority: priority ?? 5, ...own }, asksPriority: priority !== undefined, ofKind },
  )
  return [given, made.hardSeconds, made.softSeconds]
}
const refused = (path: string, setting: string) => (error: unknown) => {
  assert.ok(isMadhavaError(error, 'BAD_REQUEST'))
  assert.ok(error.message.includes(setting))
  return (error.detail as { problems: { path: string }[] }).problems[0]?.path === path
}

describe('what a task may ask for', () => {
  it('is anything when nothing is set', () => {
    assert.deepEqual(allowed({}), [5, null, null])
    assert.deepEqual(allowed({}, { priority: 9, hard: 1e6, soft: 3 }), [9, 1e6, 3])
    assert.deepEqual(allowed({}, { ofKind: { hardSeconds: 7 } }), [5, 7, null])
  })

  it('gets the hard limit of the setting where neither it nor its kind has one', () => {
    assert.deepEqual(allowed({ hardSeconds: 60 }), [5, 60, null])
    assert.deepEqual(allowed({ hardSeconds: 60 }, { soft: 3 }), [5, 60, 3])
    assert.deepEqual(allowed({ hardSeconds: 60 }, { hard: 90 }), [5, 90, null])
    assert.deepEqual(allowed({ hardSeconds: 60 }, { ofKind: { hardSeconds: 90 } }), [5, 90, null])
  })

  it('has no hard limit above the highest: one that is asked for is refused, any other is made to fit', () => {
    const most = { hardSecondsMax: 60 }
    assert.throws(() => allowed(most, { hard: 60.5 }), refused('limits.hardSeconds', 'TASK_HARD_SECONDS_MAX'))
    assert.deepEqual(allowed(most, { hard: 60 }), [5, 60, null])
    assert.deepEqual(allowed(most), [5, 60, null])
    assert.deepEqual(allowed(most, { soft: 5 }), [5, 60, 5])
    assert.deepEqual(allowed(most, { ofKind: { hardSeconds: 90 } }), [5, 60, null])
    assert.deepEqual(allowed({ hardSeconds: 90, hardSecondsMax: 60 }), [5, 60, null])
  })

  it('has no priority above the highest of who is not logged in, and any for who is', () => {
    const most = { anonymousPriorityMax: 4 }
    assert.throws(() => allowed(most, { priority: 5 }), refused('priority', 'ANONYMOUS_PRIORITY_MAX'))
    assert.deepEqual(allowed(most, { priority: 4 }), [4, null, null])
    assert.deepEqual(allowed(most), [4, null, null])
    assert.deepEqual(allowed(most, { owner: 'ann', priority: 9 }), [9, null, null])
    assert.deepEqual(allowed({ anonymousPriorityMax: 7 }), [5, null, null])
    assert.deepEqual(allowed({ anonymousPriorityMax: 0 }), [0, null, null])
  })
})
