// Acquiring the claim on a task: on the record as it is under the claim, never past a live process.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { TaskRecord } from '../../../src/core/task.ts'
import { at } from '../../suites/store/world.ts'
import { createParts, DEAD, ME, OTHER } from './parts.ts'

const running = { status: 'STARTED', attempt: 1, startedAt: at(1), worker: 'w' } as const

describe('acquiring a claim', () => {
  it('starts over when the record has moved on before the claim was taken, and leaves nothing behind', async test => {
    let reads = 0
    let late: TaskRecord | null = null
    const parts = await createParts(test, {
      records: ({ read }) => ({
        read(id) {
          reads += 1
          const task = read(id)
          // somebody took the next number, wrote and let go between the two looks
          if (reads === 1 && late) parts.records.put(late)
          return task
        },
      }),
    })
    const { put, acquirer, believed, claims } = parts
    const task = put({ claim: 1, rev: 2 })
    believed.set(task.id, null)
    late = { ...task, claim: 2, rev: 4 }
    const got = await acquirer.acquire(task.id)
    assert.deepEqual([got?.task.claim, got?.task.rev, got?.claim], [2, 4, 3])
    assert.deepEqual(claims(), [`${task.id}.3`])
  })

  it('does not rely on an index that lags', async test => {
    const { put, acquirer, believed, claims, takeFor } = await createParts(test)
    const task = put({ claim: 3, rev: 6 })
    believed.set(task.id, { claim: 1, status: 'PENDING' })
    const got = await acquirer.acquire(task.id)
    assert.deepEqual([got?.task.claim, got?.claim], [3, 4])
    assert.deepEqual(claims(), [`${task.id}.4`])
    const held = put({ ...running, claim: 1, rev: 1 })
    takeFor(OTHER, held.id, 1)
    believed.set(held.id, { claim: 0, status: 'PENDING' })
    assert.equal(await acquirer.acquire(held.id), null)
    believed.set(held.id, { claim: 1, status: 'PENDING' })
    assert.equal(await acquirer.acquire(held.id), null)
    assert.deepEqual(claims(), [`${held.id}.1`, `${task.id}.4`].sort())
  })

  it('never passes a live process, and passes any number of dead ones', async test => {
    const { put, acquirer, takeFor, claims, believed } = await createParts(test)
    const { id } = put()
    takeFor(DEAD, id, 1)
    takeFor(DEAD, id, 2)
    takeFor(OTHER, id, 3)
    assert.equal(await acquirer.acquire(id), null)
    believed.set(id, null)
    assert.equal(await acquirer.acquire(id), null)
    assert.deepEqual(
      claims(),
      [1, 2, 3].map(number => `${id}.${number}`),
    )
    const next = put({ ...running, claim: 4, rev: 5 })
    takeFor(DEAD, next.id, 4)
    takeFor(DEAD, next.id, 5)
    const got = await acquirer.acquire(next.id)
    assert.deepEqual([got?.claim, got?.task.status], [6, 'STARTED'])
  })

  it('has an attempt that a dead process had begun, and not shown, as one that was running', async test => {
    const { put, acquirer, takeFor, claimFiles } = await createParts(test)
    const begun = put()
    takeFor(DEAD, begun.id, 1)
    const got = await acquirer.acquire(begun.id)
    assert.deepEqual([got?.claim, got?.task.status, got?.task.attempt], [2, 'STARTED', 1])
    // one that was taken for a single write had begun nothing
    const written = put()
    takeFor(DEAD, written.id, 1, 'write')
    const other = await acquirer.acquire(written.id)
    assert.deepEqual([other?.claim, other?.task.status, other?.task.attempt], [2, 'PENDING', 0])
    assert.deepEqual([claimFiles.owner(begun.id, 2), claimFiles.owner(written.id, 2)], [ME, ME])
  })

  it('lists what the dead had begun and not shown, and nothing else', async test => {
    const { put, acquirer, takeFor, claimFiles } = await createParts(test)
    const [begun, shown, alive, ended] = [
      put({ claim: 1, rev: 1 }),
      put({ ...running, claim: 1, rev: 1 }),
      put(),
      put({ status: 'SUCCESS', claim: 1, rev: 2, attempt: 1, startedAt: at(1), finishedAt: at(2) }),
    ]
    takeFor(DEAD, begun.id, 2)
    takeFor(DEAD, shown.id, 2)
    takeFor(OTHER, alive.id, 1)
    takeFor(DEAD, ended.id, 2)
    const old = put({ claim: 2, rev: 2 })
    takeFor(DEAD, old.id, 2)
    claimFiles.take(put().id, 1, 'write')
    assert.deepEqual(
      acquirer.begunByDead(instance => instance === DEAD),
      [begun.id],
    )
    assert.equal(await acquirer.isHeld({ id: alive.id, claim: 1 }), true)
    for (const task of [shown, { id: begun.id, claim: 2 }]) assert.equal(await acquirer.isHeld(task), false)
  })

  it('says that a task is not there, and leaves no claim on it', async test => {
    const { put, acquirer, records, claims } = await createParts(test)
    const { id } = put()
    records.remove(id)
    await assert.rejects(acquirer.acquire(id), { code: 'TASK_NOT_FOUND' })
    assert.deepEqual(claims(), [])
  })

  it('has seen a cancel request that came before the claim', async test => {
    const { put, acquirer, requestCancel } = await createParts(test)
    const [{ id }, other] = [put(), put()]
    requestCancel(id, 0)
    assert.equal((await acquirer.acquire(id))?.mayHaveRequest, true)
    assert.equal((await acquirer.acquire(other.id))?.mayHaveRequest, false)
  })
})
