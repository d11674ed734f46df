// revoke: at once when nobody holds the task, else a durable request that the holder or the next taker honours.
import assert from 'node:assert/strict'
import { fail, giveBack, report, retryByHand, start, succeed, takeOver } from '../../../src/core/moves.ts'
import { add, addEnded, at, type Check, read, refused, take } from './world.ts'

const error = { code: 'KIND_FAILED', message: 'no', detail: null }

export const cancel = (check: Check): void => {
  check('a waiting task is REVOKED at once, and cannot be started any more', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const pending = await add(one)
    const retrying = await add(one)
    const { claim } = await take(one, retrying.id)
    await one.move(retrying.id, claim, fail(error, at(99), at(2)))
    for (const { id } of [pending, retrying]) {
      const { outcome, task } = await other.revoke(id, at(3))
      assert.deepEqual([outcome, task.status, task.finishedAt], ['revoked', 'REVOKED', at(3)])
      assert.deepEqual(await read(one, id), task)
      await refused(() => one.claim(id, start('w', at(4))), 'ILLEGAL_MOVE')
    }
    assert.equal(await one.claimNext({ kinds: ['adding'], now: at(100) }, start('w', at(100))), null)
  })

  check(
    'a cancel request for a running task is recorded, seen by all, and does not disturb the holder',
    async world => {
      const [one, other] = [await world.open(), await world.open()]
      const { id } = await add(one)
      const started = await take(one, id)
      const { outcome, task } = await other.revoke(id, at(3))
      assert.equal(outcome, 'requested')
      assert.deepEqual([task.status, task.revokeRequestedAt], ['STARTED', at(3)])
      for (const store of [one, other]) {
        const now = await read(store, id)
        assert.deepEqual([now.status, now.revokeRequestedAt], ['STARTED', at(3)])
        const [listed] = (await store.list({}, { limit: 1, cursor: null })).tasks
        assert.equal(listed?.revokeRequestedAt, at(3))
      }
      const progress = { percent: 50, note: null, etaSeconds: null }
      const next = await one.move(id, started.claim, report(progress, null, at(4)))
      assert.deepEqual([next.status, next.revokeRequestedAt], ['PROGRESS', at(3)])
    },
  )

  check('the request is honoured when the holder gives back or would try again', async world => {
    const [one, other] = [await world.open(), await world.open()]
    for (const move of [giveBack(at(5)), fail(error, at(9), at(5))]) {
      const { id } = await add(one)
      const { claim } = await take(one, id)
      await other.revoke(id, at(3))
      const ended = await one.move(id, claim, move)
      assert.deepEqual([ended.status, ended.revokeRequestedAt], ['REVOKED', at(3)])
    }
  })

  check('the request outlives every process, and whoever takes over honours it', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    await take(one, id)
    await other.revoke(id, at(3))
    await other.close()
    await one.close()
    const later = await world.open()
    assert.equal((await read(later, id)).revokeRequestedAt, at(3))
    const ended = await later.claim(id, takeOver(at(5)))
    assert.equal(ended?.status, 'REVOKED')
  })

  check('a final move wins over the request, and a retry by hand starts without it', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const { claim } = await take(one, id)
    assert.equal((await other.revoke(id, at(3))).outcome, 'requested')
    assert.equal((await one.move(id, claim, succeed(7, null, at(4)))).status, 'SUCCESS')
    assert.equal((await other.revoke(id, at(5))).outcome, 'ended')
    const anew = await other.claim(id, retryByHand(at(6)))
    assert.deepEqual([anew?.status, anew?.revokeRequestedAt], ['PENDING', null])
    const started = await take(one, id, at(7))
    assert.equal(started.revokeRequestedAt, null)
    assert.equal((await one.move(id, started.claim, giveBack(at(8)))).status, 'PENDING')
    assert.equal((await read(other, id)).revokeRequestedAt, null)
  })

  check('asking twice changes nothing, and after the end the answer is `ended`', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await add(one)
    const { claim } = await take(one, id)
    assert.equal((await other.revoke(id, at(3))).outcome, 'requested')
    const second = await one.revoke(id, at(4))
    assert.deepEqual([second.outcome, second.task.revokeRequestedAt], ['requested', at(3)])
    const ended = await one.move(id, claim, giveBack(at(5)))
    for (const store of [one, other])
      assert.deepEqual(await store.revoke(id, at(6)), { outcome: 'ended', task: ended })
    const done = await addEnded(one)
    assert.deepEqual(await other.revoke(done.id, at(6)), { outcome: 'ended', task: done })
    assert.deepEqual(await read(one, done.id), done)
  })

  check('a cancel that races a claim ends the task or reaches its holder, never both', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const outcomes = new Set<string>()
    for (let round = 0; round < 100; round += 1) {
      const { id } = await add(one)
      const claiming = () => one.claim(id, start('w', at(1))).catch(() => null)
      const revoking = () => other.revoke(id, at(2))
      const [claimed, revoked] =
        round % 2 === 0
          ? await Promise.all([claiming(), revoking()])
          : ((await Promise.all([revoking(), claiming()])).toReversed() as [
              Awaited<ReturnType<typeof claiming>>,
              Awaited<ReturnType<typeof revoking>>,
            ])
      outcomes.add(revoked.outcome)
      if (claimed?.status === 'STARTED') {
        assert.equal(revoked.outcome, 'requested')
        assert.equal((await read(one, id)).revokeRequestedAt, at(2))
        assert.equal((await one.move(id, claimed.claim, giveBack(at(3)))).status, 'REVOKED')
      } else {
        // nobody runs it, so the cancel itself must have ended it, or the claim did so in its name
        const task = await read(other, id)
        if (task.status !== 'REVOKED') {
          assert.equal(task.revokeRequestedAt, at(2))
          assert.equal((await one.claim(id, start('w', at(4))))?.status, 'REVOKED')
        }
      }
      assert.equal((await read(other, id)).status, 'REVOKED')
    }
    assert.ok([...outcomes].every(outcome => outcome === 'revoked' || outcome === 'requested'))
  })

  check('a cancel that races the holder letting go is never lost', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const lettingGo = ['giveBack', 'throw', 'succeed'] as const
    for (let round = 0; round < 60; round += 1) {
      const { id } = await add(one)
      const way = lettingGo[round % 3]
      const claim = way === 'throw' ? 0 : (await take(one, id)).claim
      const holder = async () => {
        if (way === 'giveBack') await one.move(id, claim, giveBack(at(3)))
        if (way === 'succeed') await one.move(id, claim, succeed(1, null, at(3)))
        if (way === 'throw')
          await one
            .claim(id, () => {
              throw new Error('a move that throws')
            })
            .catch(() => null)
      }
      const [, { outcome }] = await Promise.all([holder(), other.revoke(id, at(2))])
      const next = await one.claimNext({ kinds: ['adding'], now: at(4) }, start('w', at(4)))
      assert.equal(next, null, `${way}: a task with the answer "${outcome}" was started after its cancel`)
      const task = await read(other, id)
      assert.equal(task.status, way === 'succeed' ? 'SUCCESS' : 'REVOKED')
      if (way === 'succeed') assert.notEqual(outcome, 'revoked')
    }
  })

  check('two cancels at once end the task once', async world => {
    const [one, other] = [await world.open(), await world.open()]
    for (let round = 0; round < 30; round += 1) {
      const { id } = await add(one)
      await Promise.all([one.revoke(id, at(2)), other.revoke(id, at(2)), one.revoke(id, at(2))])
      const ended = await read(other, id)
      assert.equal(ended.status, 'REVOKED')
      assert.equal(ended.history.filter(move => move.status === 'REVOKED').length, 1)
    }
  })
}
