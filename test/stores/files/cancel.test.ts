// Cancelling in the files store, where the task moves on between the looks at it.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { TaskRecord } from '../../../src/core/task.ts'
import { createCanceller } from '../../../src/stores/files/claims/cancel.ts'
import type { LiveIndex } from '../../../src/stores/files/index/live-index.ts'
import { at } from '../../suites/store/world.ts'
import { createParts } from './parts.ts'

const running = { status: 'STARTED', claim: 1, rev: 1, attempt: 1, startedAt: at(1), worker: 'w' } as const

/** `meanwhile` is what becomes of the record before the request stands beside it. */
const setUp = async (test: TestContext, meanwhile: Partial<TaskRecord>) => {
  const parts = await createParts(test)
  const { cancelRequests, committer, mover, records } = parts
  const task = parts.put(running)
  const told: string[] = []
  let looks = 0
  const canceller = createCanceller({
    cancelRequests,
    committer,
    liveIndex: { publish: ({ type }) => void told.push(type) } as LiveIndex,
    mover: {
      ...mover,
      async claim() {
        looks += 1
        if (looks === 1) records.put({ ...task, ...meanwhile })
        return null
      },
    },
  })
  return { ...parts, task, told, canceller }
}

describe('a cancel of a task that somebody holds', () => {
  it('stands beside the record until its holder acts on it', async test => {
    const { canceller, task, told, requestFiles } = await setUp(test, {})
    const { outcome } = await canceller.revoke(task.id, at(5))
    assert.deepEqual([outcome, told, requestFiles()], ['requested', ['revoke'], [task.id]])
  })

  it('leaves no request behind where the task ended before it could be seen', async test => {
    for (const [status, expected] of [
      ['SUCCESS', 'requested'],
      ['REVOKED', 'revoked'],
    ] as const) {
      const parts = await setUp(test, { status, rev: 2, finishedAt: at(4) })
      const { outcome, task } = await parts.canceller.revoke(parts.task.id, at(5))
      assert.deepEqual([outcome, task.status, parts.requestFiles()], [expected, status, []])
    }
  })
})
