import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RECORD_VERSION } from '../../src/core/task.ts'
import { createUpgrade, UPGRADE_STEPS } from '../../src/core/upgrade.ts'

describe('upgrade of records', () => {
  const upgrade = createUpgrade(
    {
      1: ({ colour, ...rest }) => ({ ...rest, color: colour }),
      2: record => ({ ...record, tags: [] }),
    },
    3,
  )

  it('takes every step from the version of the record on, and keeps fields it does not know', () => {
    assert.deepEqual(upgrade({ version: 1, colour: 'red', later: { deep: [1] } }), {
      version: 3,
      color: 'red',
      tags: [],
      later: { deep: [1] },
    })
    assert.deepEqual(upgrade({ version: 2, color: 'red' }), { version: 3, color: 'red', tags: [] })
  })

  it('leaves records of the present and of later versions alone, and changes none in place', () => {
    for (const version of [3, 4]) {
      const record = Object.freeze({ version, colour: 'red' })
      assert.equal(upgrade(record), record)
    }
    const old = Object.freeze({ version: 1, colour: 'red' })
    upgrade(old)
    assert.deepEqual(old, { version: 1, colour: 'red' })
  })

  it('leaves what is no record, or of a version that no step begins at, to the schema', () => {
    for (const value of [
      null,
      1,
      'x',
      [],
      {},
      { version: '1' },
      { version: 0 },
      { version: -1 },
      { version: 1.5 },
    ])
      assert.equal(upgrade(value), value)
  })

  it('has a step for every version that there was', () => {
    const versions = Array.from({ length: RECORD_VERSION - 1 }, (_, n) => String(n + 1))
    assert.deepEqual(Object.keys(UPGRADE_STEPS), versions)
  })
})
