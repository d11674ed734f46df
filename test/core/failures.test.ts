// The count of failures by kind and code, as the metrics tell it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFailures } from '../../src/core/failures.ts'

describe('the count of failures', () => {
  it('counts every one by kind and code, and begins at zero for the kinds that are known', () => {
    const failures = createFailures(['echo', 'sleep'])
    assert.deepEqual(failures.snapshot(), { echo: { KIND_FAILED: 0 }, sleep: { KIND_FAILED: 0 } })
    for (const [kind, code] of [
      ['echo', 'KIND_FAILED'],
      ['echo', 'KIND_FAILED'],
      ['echo', 'TIME_LIMIT'],
      ['gone', 'KIND_FAILED'],
      ['echo', 'KIND_FAILED'],
    ] as const)
      failures.count(kind, code)
    assert.deepEqual(failures.snapshot(), {
      echo: { KIND_FAILED: 3, TIME_LIMIT: 1 },
      sleep: { KIND_FAILED: 0 },
      gone: { KIND_FAILED: 1 },
    })
  })

  it('hands out a copy', () => {
    const failures = createFailures(['echo'])
    const before = failures.snapshot()
    failures.count('echo', 'KIND_FAILED')
    assert.deepEqual(before, { echo: { KIND_FAILED: 0 } })
  })
})
