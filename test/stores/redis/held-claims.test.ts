// What a process holds in Redis: its moves go by what Redis says, answers that come late harm nobody, and what was lost
// stays lost. Redis is the test's own, so that it answers when the test says.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { MadhavaError } from '../../../src/core/errors.ts'
import { report, start, succeed } from '../../../src/core/moves.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createHeldClaims } from '../../../src/stores/redis/held-claims.ts'
import { decode, encode, type WritePlan } from '../../../src/stores/redis/records.ts'
import type { Scripts } from '../../../src/stores/redis/scripts.ts'
import { at, newTask } from '../../suites/store/world.ts'
import { soon } from '../../support/soon.ts'
import { until } from '../../support/until.ts'

const ME = 'me'
const progress = (percent: number) => report({ percent, note: null, etaSeconds: null }, null, at(2))
const done = succeed(1, null, at(3))
const started = (claim: number, task = newTask()): TaskRecord => ({
  ...start('w', at(1))(task),
  claim,
  rev: 1,
})

interface Asked {
  name: string
  json: string
  plan: WritePlan
  answer: (answer: unknown) => void
  fail: (error: unknown) => void
}

const setUp = () => {
  /** Calls that the test has not answered. */
  const asked: Asked[] = []
  const run = (name: string, ...args: unknown[]) =>
    new Promise((answer, fail) => {
      const plan =
        name === 'write' ? (JSON.parse(String(args[5])) as WritePlan) : { kind: '', out: [], in: [] }
      asked.push({ name, json: String(args[4]), plan, answer, fail })
    })
  const held = createHeldClaims({ scripts: { run } as unknown as Scripts, instance: ME, log: silentLog() })
  const next = async (): Promise<Asked> => {
    await until('Redis is asked', () => asked.length > 0)
    return asked.shift() as Asked
  }
  const lost = (work: Promise<unknown>) => assert.rejects(soon(work, 'the refusal'), { code: 'CLAIM_LOST' })
  /** The answer is lost on the way: what was asked may have been done. */
  const away = () =>
    new MadhavaError('STORE_UNAVAILABLE', 'away', { cause: new Error('Connection is closed.') })
  return { held, asked, next, lost, away }
}

describe('what a process holds in Redis', () => {
  it('is not let go by the answer to an old attempt, where it was taken again meanwhile', async () => {
    const { held, next, lost } = setUp()
    const first = started(1)
    held.add(first.id, 1, encode(first))
    const old = held.move(first.id, 1, progress(5))
    const older = held.move(first.id, 1, progress(5))
    const { answer } = await next()
    // another process took it over, gave it back, and this one took it again
    const again = { ...first, claim: 3, rev: 4 }
    held.add(first.id, 3, encode(again))
    answer(['lost'])
    await lost(old)
    await lost(older)
    const moved = held.move(first.id, 3, progress(6))
    const write = await next()
    assert.equal(decode(write.json).claim, 3)
    write.answer(['done'])
    assert.deepEqual([(await moved).claim, (await moved).rev], [3, 5])
    assert.equal(held.claimOf(first.id), 3)
    const ending = held.move(first.id, 3, done)
    ;(await next()).answer(['done'])
    await ending
    assert.equal(held.claimOf(first.id), null)
  })

  it('that was lost and claimed again no longer counts as lost once it has ended', async () => {
    const { held, next, lost, asked } = setUp()
    const waiting = newTask()
    const task = started(1, waiting)
    held.add(task.id, 1, encode(task))
    const old = held.move(task.id, 1, done)
    ;(await next()).answer(['lost'])
    await lost(old)
    await held.begin({ ...waiting, claim: 2, rev: 3 }, start('w', at(1)))
    assert.equal(held.claimOf(task.id), 3)
    const ending = held.move(task.id, 3, done)
    let ended = false
    void ending.then(() => {
      ended = true
    })
    // that it runs and its end, or its end alone
    await until('it has ended', () => {
      asked.shift()?.answer(['done'])
      return ended
    })
    assert.equal(held.claimOf(task.id), null)
  })

  it('is gone with the first answer that says so, and each move after that is refused unasked', async () => {
    for (const answer of [['lost'], ['gone']]) {
      const { held, next, lost, asked } = setUp()
      const task = started(1)
      held.add(task.id, 1, encode(task))
      const moves = [held.move(task.id, 1, progress(5)), held.move(task.id, 1, progress(6))]
      const { answer: say } = await next()
      say(answer)
      for (const move of moves) await lost(move)
      await lost(held.move(task.id, 1, done))
      assert.deepEqual([asked.length, held.has(task.id), held.size()], [0, false, 0])
      // its late bytes are still known to be of a lost attempt
      assert.equal(held.claimOf(task.id), 1)
    }
  })

  it('moves only under its own claim number', async () => {
    const { held, lost, asked } = setUp()
    const task = started(2)
    held.add(task.id, 2, encode(task))
    for (const claim of [1, 3]) await lost(held.move(task.id, claim, done))
    await lost(held.move(newTask().id, 1, done))
    assert.equal(asked.length, 0)
  })

  it('takes in what came by in Redis, and moves from there', async () => {
    const { held, next } = setUp()
    const task = started(1)
    held.add(task.id, 1, encode(task))
    const moving = held.move(task.id, 1, progress(5))
    const first = await next()
    const cancelRequested = { ...task, rev: 2, revokeRequestedAt: at(2) }
    first.answer(['stale', encode(cancelRequested)])
    const second = await next()
    second.answer(['done'])
    const moved = await moving
    assert.deepEqual([moved.rev, moved.revokeRequestedAt, moved.progress?.percent], [3, at(2), 5])
  })

  it('shows what it began, with a cancel request that had come before', async () => {
    const { held, next } = setUp()
    const waiting = newTask()
    const begun = await held.begin(waiting, start('w', at(1)))
    assert.deepEqual([begun.status, begun.claim, begun.rev], ['STARTED', 1, 1])
    const show = await next()
    assert.equal(show.plan.as, 'holder')
    show.answer(['stale', encode({ ...waiting, rev: 1, revokeRequestedAt: at(2) })])
    const again = await next()
    const shown = decode(again.json)
    assert.deepEqual(
      [shown.status, shown.claim, shown.rev, shown.revokeRequestedAt],
      ['STARTED', 1, 2, at(2)],
    )
    again.answer(['done'])
    const moving = held.move(waiting.id, 1, done)
    const end = await next()
    end.answer(['done'])
    assert.equal((await moving).rev, 3)
    assert.deepEqual([held.has(waiting.id), held.claimOf(waiting.id)], [false, null])
  })

  it('lets others have at once what its move would not begin', async () => {
    const { held, next } = setUp()
    const waiting = newTask()
    const beginning = held.begin(waiting, () => {
      throw new Error('no')
    })
    const back = await next()
    assert.deepEqual([decode(back.json), back.plan.as, back.plan.quiet], [waiting, 'holder', true])
    assert.ok(back.plan.wait, 'it waits in its old place')
    back.answer(['done'])
    await assert.rejects(beginning, /no/)
    assert.equal(held.has(waiting.id), false)
  })

  it('moves one after another, and one that throws changes nothing for the next', async () => {
    const { held, next, asked } = setUp()
    const task = started(1)
    held.add(task.id, 1, encode(task))
    const moves = [
      held.move(task.id, 1, progress(1)),
      held.move(task.id, 1, () => {
        throw new Error('no')
      }),
      held.move(task.id, 1, progress(2)),
    ]
    const first = await next()
    assert.equal(asked.length, 0, 'the next one waits')
    first.answer(['done'])
    await assert.rejects(moves[1] as Promise<unknown>, /no/)
    const third = await next()
    assert.equal(decode(third.json).rev, 3)
    third.answer(['done'])
    assert.equal((await moves[2])?.progress?.percent, 2)
  })

  it('checks what became of a move whose answer was lost before it makes the next one', async () => {
    for (const [what, isWritten] of [
      ['was written', true],
      ['was not', false],
    ] as const) {
      const { held, next, away } = setUp()
      const task = started(1)
      held.add(task.id, 1, encode(task))
      const ending = held.move(task.id, 1, done)
      const write = await next()
      write.fail(away())
      await assert.rejects(ending, { code: 'STORE_UNAVAILABLE' })
      assert.equal(held.has(task.id), true)
      const again = held.move(task.id, 1, done)
      const look = await next()
      assert.equal(look.name, 'look')
      look.answer(isWritten ? ['free', write.json] : ['held', encode(task), ME, ''])
      if (!isWritten) (await next()).answer(['done'])
      assert.deepEqual([(await again).status, (await again).rev], ['SUCCESS', 2], what)
      assert.equal(held.has(task.id), false)
    }
  })

  it('is lost where another holds it, after an answer was lost', async () => {
    for (const begun of [false, true]) {
      const { held, next, away, lost } = setUp()
      const waiting = newTask()
      const task = started(1, waiting)
      if (begun) await held.begin(waiting, start('w', at(1)))
      else held.add(task.id, 1, encode(task))
      const moving = held.move(waiting.id, 1, done)
      ;(await next()).fail(away())
      await assert.rejects(moving, { code: 'STORE_UNAVAILABLE' })
      const again = held.move(waiting.id, 1, done)
      const look = await next()
      // begun by another under the same number: only the holder's name tells
      look.answer(
        begun
          ? ['held', encode(waiting), 'another', '']
          : ['held', encode({ ...task, claim: 2, rev: 3 }), 'another', ''],
      )
      await lost(again)
      assert.equal(held.has(waiting.id), false)
    }
  })

  it('forgets what has ended, and writes what runs before it leaves', async () => {
    const { held, next, lost } = setUp()
    const waiting = newTask()
    await held.begin(waiting, start('w', at(1)))
    const leaving = held.leave()
    const show = await next()
    assert.equal(decode(show.json).status, 'STARTED')
    show.answer(['done'])
    await leaving
    assert.equal(held.size(), 0)
    await lost(held.move(waiting.id, 1, done))
  })
})
