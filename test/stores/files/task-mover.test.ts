// Who may write a record: under which claim, in which order, and what is left when it is done.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { giveBack, report, retryByHand, succeed, takeOver } from '../../../src/core/moves.ts'
import type { SafeId } from '../../../src/stores/files/layout.ts'
import { at } from '../../suites/store/world.ts'
import { until } from '../../support/until.ts'
import { createParts, DEAD, ME, OTHER, retryAt, run } from './parts.ts'

const progress = report({ percent: 5, note: null, etaSeconds: null }, null, at(2))
const done = succeed(1, null, at(3))

describe('the mover of tasks', () => {
  it('lets nobody have a task that ended with a cancel request before the request is gone', async test => {
    const seen: string[][] = []
    const parts = await createParts(test, {
      cancelRequests: ({ remove }) => ({
        remove(id) {
          seen.push(parts.claims())
          remove(id)
        },
      }),
    })
    const { mover, put, requestCancel, claims, requestFiles } = parts
    const { id } = put()
    await mover.claim(id, run)
    requestCancel(id, 1)
    assert.equal((await mover.move(id, 1, done)).status, 'SUCCESS')
    assert.deepEqual(seen, [[`${id}.1`]])
    assert.deepEqual([claims(), requestFiles()], [[], []])
  })

  it('lets go of its claim only when the record is to be seen, whatever the move leads to', async test => {
    const shown: [string, string[]][] = []
    const parts = await createParts(test, {
      disk: ({ rename }) => ({
        rename(from, to) {
          shown.push([to, parts.claims()])
          rename(from, to)
        },
      }),
    })
    const { mover, put, claims } = parts
    for (const [n, end] of [done, giveBack(at(2)), retryAt(at(9))].entries()) {
      const { id } = put()
      await mover.claim(id, run)
      shown.splice(0)
      await mover.move(id, 1, end)
      assert.deepEqual(
        shown.map(([, taken]) => taken),
        [[`${id}.1`]],
        `end ${n}`,
      )
      assert.deepEqual(claims(), [])
    }
  })

  it('keeps its claim while the task runs, and leaves none of the earlier ones', async test => {
    const { mover, put, takeFor, claims, claimFiles } = await createParts(test)
    const { id } = put({ status: 'STARTED', claim: 2, rev: 3, attempt: 1, startedAt: at(1), worker: 'w' })
    takeFor(DEAD, id, 2)
    takeFor(DEAD, id, 3)
    assert.equal((await mover.claim(id, takeOver(at(2))))?.claim, 4)
    assert.deepEqual(claims(), [])
    assert.equal((await mover.claim(id, run))?.claim, 5)
    await mover.move(id, 5, progress)
    assert.deepEqual([claims(), claimFiles.owner(id, 5)], [[`${id}.5`], ME])
    await mover.move(id, 5, done)
    assert.deepEqual(claims(), [])
  })

  it('honours a cancel request that came while the task was let go, though its sender is dead', async test => {
    const { mover, put, requestCancel, records, requestFiles } = await createParts(test)
    for (const end of [retryAt(at(3_600)), giveBack(at(2))]) {
      const { id } = put()
      await mover.claim(id, run)
      // between the look for the request and the end of the write
      const moved = mover.move(id, 1, task => {
        requestCancel(id, 1)
        return end(task)
      })
      await moved
      assert.equal(records.read(id)?.status, 'REVOKED')
      assert.deepEqual(requestFiles(), [])
    }
  })

  it('honours a cancel request that came while the claim was taken for one write', async test => {
    const { mover, put, requestCancel, records } = await createParts(test)
    const { id } = put({ status: 'STARTED', claim: 1, rev: 1, attempt: 1, startedAt: at(1), worker: 'w' })
    await mover.claim(id, task => {
      requestCancel(id, 2)
      return takeOver(at(2))(task)
    })
    assert.equal(records.read(id)?.status, 'REVOKED')
    const other = put({ status: 'STARTED', claim: 1, rev: 1, attempt: 1, startedAt: at(1), worker: 'w' })
    await mover.claim(other.id, takeOver(at(2)), async () => requestCancel(other.id, 2))
    assert.equal(records.read(other.id)?.status, 'REVOKED')
  })

  it('does not honour a cancel request that came after the end', async test => {
    const { mover, put, requestCancel, records, requestFiles } = await createParts(test)
    const { id } = put()
    await mover.claim(id, run)
    await mover.move(id, 1, done)
    requestCancel(id, 1)
    await mover.claim(id, retryByHand(at(4)))
    assert.equal(records.read(id)?.status, 'PENDING')
    assert.deepEqual(requestFiles(), [])
    // and one with a number that was used up before counts for nothing
    requestCancel(id, 1)
    await mover.claim(id, run)
    assert.equal((await mover.move(id, 3, giveBack(at(5)))).status, 'PENDING')
    assert.equal(records.read(id)?.status, 'PENDING')
  })

  it('says from which claim number on every taker sees a cancel request, even if a taker came and went meanwhile', async test => {
    let meanwhile: () => void = () => {}
    const parts = await createParts(test, {
      claimFiles: ({ owner }) => ({
        owner(id, number) {
          const found = owner(id, number)
          meanwhile()
          return found
        },
      }),
    })
    const { mover, put, takeFor, records } = parts
    const task = put()
    takeFor(OTHER, task.id, 1)
    takeFor(OTHER, task.id, 2)
    assert.deepEqual(mover.highestClaim(task.id), { task, claim: 2 })
    parts.claimFiles.drop(task.id, 1)
    parts.claimFiles.drop(task.id, 2)
    let times = 0
    meanwhile = () => {
      times += 1
      // took number 1, showed its record and let go between the two looks
      if (times === 1) records.put({ ...task, claim: 1, rev: 1, status: 'RETRY' })
    }
    assert.equal(mover.highestClaim(task.id).claim, 1)
  })

  it('shows others a record only once it is in the state file', async test => {
    const { mover, put, records, published } = await createParts(test)
    const { id } = put()
    const begun = await mover.begin(id, run)
    assert.equal(begun?.status, 'STARTED')
    assert.equal(mover.read(id)?.status, 'STARTED')
    await until('that it runs is shown', () => records.read(id)?.status === 'STARTED')
    const moving = mover.move(id, 1, progress)
    await moving
    assert.equal(records.read(id)?.status, 'PROGRESS')
    assert.deepEqual(
      published.map(({ claim, rev }) => [claim, rev]),
      [
        [1, 1],
        [1, 2],
      ],
    )
  })

  it('lets go at once of a task whose move throws, and keeps what it held before', async test => {
    const { mover, put, claims, records } = await createParts(test)
    const { id } = put()
    const no = () => {
      throw new Error('no')
    }
    await assert.rejects(mover.claim(id, no), /no/)
    await assert.rejects(mover.begin(id, no), /no/)
    await assert.rejects(
      mover.claim(id, run, async () => no()),
      /no/,
    )
    assert.deepEqual(claims(), [])
    await mover.claim(id, run)
    await assert.rejects(mover.move(id, 1, no), /no/)
    assert.deepEqual(claims(), [`${id}.1`])
    assert.equal((await mover.move(id, 1, done)).rev, 2)
    assert.equal(records.read(id)?.status, 'SUCCESS')
    await assert.rejects(
      mover.withClaim(id, async () => no()),
      /no/,
    )
    assert.deepEqual(claims(), [])
  })

  it('writes under the claim that it holds alone, and takes nothing that it holds', async test => {
    const { mover, put } = await createParts(test)
    const { id } = put()
    assert.equal((await mover.begin(id, run))?.claim, 1)
    assert.equal(await mover.begin(id, run), null)
    assert.equal(await mover.claim(id, run), null)
    assert.equal(await mover.withClaim(id, async () => 'had'), null)
    for (const claim of [0, 2]) await assert.rejects(mover.move(id, claim, done), { code: 'CLAIM_LOST' })
    await mover.move(id, 1, done)
    await assert.rejects(mover.move(id, 1, done), { code: 'CLAIM_LOST' })
  })

  it('shows what runs when it leaves, and takes nothing from then on', async test => {
    const { mover, put, records } = await createParts(test)
    const [{ id }, other] = [put(), put()]
    await mover.begin(id, run)
    await mover.leave()
    assert.equal(records.read(id)?.status, 'STARTED')
    await assert.rejects(mover.move(id, 1, done), { code: 'CLAIM_LOST' })
    for (const late of [mover.claim(other.id, run), mover.begin(other.id, run)])
      await assert.rejects(late, { code: 'STORE_UNAVAILABLE' })
    await assert.rejects(
      mover.withClaim(other.id as SafeId, async () => {}),
      { code: 'STORE_UNAVAILABLE' },
    )
    assert.equal(records.read(other.id)?.status, 'PENDING')
  })
})
