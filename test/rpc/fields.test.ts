// What the structs have of a task: every field of the record, every filter, and all that can be submitted.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import types from '../../gen/js/rpcinterface_types.js'
import { isFinal } from '../../src/client/task.ts'
import { FILTERS } from '../../src/core/filter.ts'
import { STATUSES, statusesIn } from '../../src/core/status.ts'
import { shapeOf } from '../../src/core/task-fields.ts'

/** Fields that have another name in the structs, and those that a call says apart from the options. */
const OTHERWISE: Record<string, string> = { retry: 'retryPolicy' }
const APART = ['kind', 'params']
/** What the structs say beside that. */
const BESIDE = {
  Task: ['resultTruncated', 'paramsTruncated'],
  SubmitOptions: ['neverRetry', 'idempotencyKey'],
}

const sorted = (names: readonly string[]): string[] => names.toSorted()
const named = (names: readonly string[]): string[] => names.map(name => OTHERWISE[name] ?? name)

describe('the structs of a task', () => {
  it('show every field of the record', () => {
    const shown = [...named(Object.keys(shapeOf('schema'))), ...BESIDE.Task]
    assert.deepEqual(sorted(Object.keys(new types.Task())), sorted(shown))
  })

  it('take all that can be submitted', () => {
    const taken = named(Object.keys(shapeOf('submit')).filter(name => !APART.includes(name)))
    assert.deepEqual(
      sorted(Object.keys(new types.SubmitOptions())),
      sorted([...taken, ...BESIDE.SubmitOptions]),
    )
  })

  it('filter by all that lists can be filtered by', () =>
    assert.deepEqual(
      sorted(Object.keys(new types.TaskFilter())),
      sorted(Object.values(FILTERS).map(({ rpc }) => rpc)),
    ))

  it('end, for a client, in the statuses that are ends here', () =>
    assert.deepEqual(STATUSES.filter(isFinal), statusesIn('final')))
})
