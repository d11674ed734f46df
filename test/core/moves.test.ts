// The moves: which status leads where, what each changes, and what no history of moves can break.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isMadhavaError } from '../../src/core/errors.ts'
import {
  drain,
  expire,
  FREE_DRAINS,
  fail,
  giveBack,
  type Move,
  report,
  restartWait,
  retryByHand,
  revoke,
  start,
  succeed,
  takeOver,
} from '../../src/core/moves.ts'
import {
  HISTORY_LENGTH,
  isFinal,
  isRunning,
  isWaiting,
  STATUSES,
  type Status,
  type TaskRecord,
  taskSchema,
} from '../../src/core/task.ts'
import { at, newTask } from '../suites/store/world.ts'

const error = { code: 'KIND_FAILED', message: 'no', detail: null }
const progress = (percent: number) => ({ percent, note: 'half', etaSeconds: 3 })

const MOVES: Record<string, (when: string) => Move> = {
  start: when => start('w1', when),
  report: when => report(progress(50), 'part', when),
  succeed: when => succeed('all', null, when),
  fail: when => fail(error, null, when),
  retry: when => fail(error, at(9999), when),
  revoke,
  giveBack: when => giveBack(when),
  takeOver,
  expire,
  again: retryByHand,
}

/** From each status, the moves that are allowed and where they lead; any other is refused. */
const LEADS: Record<Status, Record<string, Status>> = {
  PENDING: { start: 'STARTED', revoke: 'REVOKED' },
  RETRY: { start: 'STARTED', revoke: 'REVOKED' },
  STARTED: {
    report: 'PROGRESS',
    succeed: 'SUCCESS',
    fail: 'FAILURE',
    retry: 'RETRY',
    revoke: 'REVOKED',
    giveBack: 'PENDING',
    takeOver: 'PENDING',
  },
  PROGRESS: {
    report: 'PROGRESS',
    succeed: 'SUCCESS',
    fail: 'FAILURE',
    retry: 'RETRY',
    revoke: 'REVOKED',
    giveBack: 'PENDING',
    takeOver: 'PENDING',
  },
  SUCCESS: { again: 'PENDING' },
  FAILURE: { again: 'PENDING' },
  REVOKED: { again: 'PENDING' },
}

const apply = (task: TaskRecord, ...names: string[]): TaskRecord =>
  names.reduce((now, name, n) => {
    const move = MOVES[name]
    assert.ok(move)
    return move(at(n + 1))(now)
  }, task)

/** A way from the beginning into each status. */
const WAYS: Record<Status, string[]> = {
  PENDING: [],
  STARTED: ['start'],
  PROGRESS: ['start', 'report'],
  RETRY: ['start', 'retry'],
  SUCCESS: ['start', 'succeed'],
  FAILURE: ['start', 'fail'],
  REVOKED: ['revoke'],
}

describe('moves', () => {
  for (const status of STATUSES)
    for (const [name, move] of Object.entries(MOVES)) {
      const to = LEADS[status][name]
      it(`${name} from ${status} ${to ? `leads to ${to}` : 'is refused and changes nothing'}`, () => {
        const task = apply(newTask(), ...WAYS[status])
        assert.equal(task.status, status)
        const before = structuredClone(task)
        if (to) assert.equal(move(at(50))(task).status, to)
        else
          assert.throws(
            () => move(at(50))(task),
            (thrown: unknown) =>
              isMadhavaError(thrown, 'ILLEGAL_MOVE') || isMadhavaError(thrown, 'TASK_NOT_ENDED'),
          )
        assert.deepEqual(task, before, 'a move leaves its argument alone')
      })
    }

  it('a start counts the attempt and clears what an earlier one left', () => {
    const task = apply(newTask(), 'start', 'report', 'retry')
    assert.deepEqual([task.attempt, task.notBefore, task.result, task.progress], [1, at(9999), null, null])
    const next = start('w2', at(60))(task)
    assert.deepEqual(
      [next.attempt, next.worker, next.startedAt, next.notBefore, next.error],
      [2, 'w2', at(60), null, null],
    )
  })

  it('a task that was given back has the attempt to its credit, one that was taken over has not', () => {
    assert.deepEqual(
      [apply(newTask(), 'start', 'giveBack').attempt, apply(newTask(), 'start', 'takeOver').attempt],
      [0, 1],
    )
  })

  it('a wait is begun anew, as long as it was, only where the last move lies in the future', () => {
    // put off at 100 until 130, by a clock that goes back then
    const put = fail(error, at(130), at(100))(apply(newTask(), 'start'))
    const anew = restartWait(at(60))(put)
    assert.deepEqual([anew.status, anew.notBefore, anew.updatedAt], ['RETRY', at(90), at(60)])
    const refuse = (task: TaskRecord, now: string) =>
      assert.throws(() => restartWait(now)(task), { code: 'ILLEGAL_MOVE' })
    for (const now of [at(100), at(101)]) refuse(put, now)
    refuse(anew, at(60))
    refuse(newTask({ notBefore: at(130), createdAt: at(100) }), at(60))
    // its time had come before it was put off: it is due at once
    assert.equal(restartWait(at(60))({ ...put, notBefore: at(90) }).notBefore, at(60))
  })

  it('the last attempt ends in FAILURE: the error of the kind, or WORKER_LOST when the worker died', () => {
    const task = apply(newTask({ maxAttempts: 1 }), 'start')
    const failed = fail(error, at(99), at(5))(task)
    assert.deepEqual([failed.status, failed.error, failed.finishedAt], ['FAILURE', error, at(5)])
    const lost = takeOver(at(5))(task)
    assert.deepEqual([lost.status, lost.error?.code, lost.finishedAt], ['FAILURE', 'WORKER_LOST', at(5)])
  })

  it('a cancel request is honoured by whatever would let the task run again, and by every end but a success', () => {
    const cancelRequested: TaskRecord = { ...apply(newTask(), 'start', 'report'), revokeRequestedAt: at(3) }
    for (const name of ['giveBack', 'retry', 'fail', 'takeOver', 'revoke']) {
      const ended = apply(cancelRequested, name)
      assert.deepEqual([ended.status, ended.revokeRequestedAt], ['REVOKED', at(3)])
    }
    assert.equal(apply(cancelRequested, 'succeed').status, 'SUCCESS')
    const waiting: TaskRecord = { ...newTask(), revokeRequestedAt: at(3) }
    assert.equal(apply(waiting, 'start').status, 'REVOKED')
    assert.equal(retryByHand(at(9))(apply(cancelRequested, 'succeed')).revokeRequestedAt, null)
  })

  it('a task expires at its moment, not before, and not once it has started', () => {
    const task = newTask({ expiresAt: at(10) })
    assert.throws(() => expire(at(9))(task))
    for (const ended of [expire(at(10))(task), start('w', at(10))(task)])
      assert.deepEqual([ended.status, ended.error?.code, ended.attempt], ['FAILURE', 'EXPIRED', 0])
    assert.equal(start('w', at(9))(task).status, 'STARTED')
    const retrying = fail(error, at(20), at(5))(start('w', at(4))(task))
    assert.equal(start('w', at(20))(retrying).status, 'STARTED')
    // nor when it comes back to PENDING: by a restart, by the death of its worker, for want of a slot for its second attempt
    const running = start('w', at(4))(newTask({ expiresAt: at(10), maxAttempts: 3 }))
    const second = start('w', at(20))(fail(error, at(15), at(5))(running))
    for (const back of [
      giveBack(at(12))(running),
      takeOver(at(12))(running),
      giveBack(at(21), false)(second),
    ]) {
      assert.deepEqual([back.status, back.expiresAt], ['PENDING', null])
      assert.equal(start('w', at(30))(back).status, 'STARTED')
    }
    // but when it was only taken ahead, and nothing of it had begun
    const untouched = giveBack(at(12), false)(running)
    assert.equal(start('w', at(13))(untouched).error?.code, 'EXPIRED')
  })

  it('percent stays between 0 and 100 and never falls within an attempt', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: -500, max: 500, noNaN: true }), { minLength: 1 }), percents => {
        let task = apply(newTask(), 'start')
        let last = 0
        for (const percent of percents) {
          task = report(progress(percent), null, at(5))(task)
          const now = task.progress?.percent ?? -1
          assert.ok(now >= last && now >= 0 && now <= 100)
          last = now
        }
      }),
    )
  })

  it('a partial result stays readable after FAILURE, a retry by hand keeps only the history', () => {
    const failed = apply(newTask(), 'start', 'report', 'fail')
    assert.equal(failed.result, 'part')
    const anew = retryByHand(at(9))(failed)
    assert.deepEqual(
      [anew.status, anew.attempt, anew.result, anew.error, anew.finishedAt, anew.progress],
      ['PENDING', 0, null, null, null, null],
    )
    assert.deepEqual(
      anew.history.map(entry => entry.status),
      ['PENDING', 'STARTED', 'PROGRESS', 'FAILURE', 'PENDING'],
    )
  })

  it('SUCCESS holds how the result was come by, and a retry by hand forgets it', () => {
    const running = start('w1', at(1))(newTask({}))
    assert.equal('resultInfo' in succeed('all', null, at(2))(running), false)
    const done = succeed('all', null, at(2), { terms: 7 })(running)
    assert.deepEqual(done.resultInfo, { terms: 7 })
    assert.equal('resultInfo' in retryByHand(at(3))(done), false)
    assert.equal('workersLost' in retryByHand(at(3))({ ...done, workersLost: 2 }), false)
    assert.equal(taskSchema.parse(JSON.parse(JSON.stringify(done))).resultInfo !== undefined, true)
  })

  it('no history of moves makes a record that is not one, or forgets what it must keep', () => {
    const names = fc.array(fc.constantFrom(...Object.keys(MOVES)), { maxLength: 80 })
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 4 }), fc.nat(80), (moves, maxAttempts, cancelAt) => {
        let task: TaskRecord = { ...newTask({ maxAttempts, title: 't' }), future: { kept: true } }
        const { id, params, createdAt } = task
        for (const [n, name] of moves.entries()) {
          if (n === cancelAt && isRunning(task.status)) task = { ...task, revokeRequestedAt: at(n) }
          const before = task
          try {
            task = (MOVES[name] as (when: string) => Move)(at(n))(task)
          } catch (thrown) {
            assert.ok(isMadhavaError(thrown))
            assert.ok(!(name in LEADS[before.status]))
            continue
          }
          assert.ok(taskSchema.safeParse(task).success)
          assert.deepEqual(
            [task.id, task.params, task.createdAt, task.future],
            [id, params, createdAt, { kept: true }],
          )
          assert.ok(task.attempt >= 0 && task.attempt <= maxAttempts)
          assert.equal(task.finishedAt !== null, isFinal(task.status))
          if (isRunning(task.status)) assert.ok(task.worker && task.startedAt)
          if (isWaiting(task.status)) assert.equal(task.progress, null)
          assert.ok(task.history.length <= HISTORY_LENGTH)
          assert.equal(task.attempts?.at(-1)?.outcome === null, isRunning(task.status))
          const numbers = task.attempts?.map(({ attempt }) => attempt) ?? []
          assert.deepEqual(
            numbers,
            numbers.map((_, n) => (numbers[0] ?? 0) + n),
          )
          assert.equal(task.history.at(-1)?.status, task.status)
          assert.equal(task.updatedAt, at(n))
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('a task whose workers shut down again and again', () => {
  const run = (task: TaskRecord): TaskRecord => start('w1', at(1))(task)

  it('is given back uncounted a few times in succession; then each row of them costs an attempt', () => {
    let task: TaskRecord = { ...newTask(), maxAttempts: 2 }
    let drains = 0
    for (; !isFinal(task.status); drains++) {
      assert.ok(drains < 100, 'it goes on for ever')
      task = drain(at(2))(report(progress(1), null, at(2))(run(task)))
    }
    assert.equal(drains, 2 * (FREE_DRAINS + 1))
    assert.deepEqual([task.status, task.error?.code, task.attempt], ['FAILURE', 'WORKER_LOST', 2])
    taskSchema.parse(task)
  })

  it('names the worker that gave it back in its history, and counts nothing that came otherwise', () => {
    let task = newTask()
    for (let times = 0; times < 30; times++) task = giveBack(at(2), false)(run(task))
    task = drain(at(3))(run(task))
    assert.deepEqual([task.status, task.attempt, task.worker], ['PENDING', 0, null])
    assert.equal(task.history.at(-1)?.worker, 'w1')
    for (let times = 1; times < FREE_DRAINS; times++) task = drain(at(3))(run(task))
    // an attempt that ended in its own way begins the row anew
    task = drain(at(5))(run(fail(error, at(4), at(4))(run(task))))
    assert.equal(task.attempt, 1)
  })

  it('is revoked when that was asked', () => {
    const task = drain(at(3))({ ...run(newTask()), revokeRequestedAt: at(2) })
    assert.equal(task.status, 'REVOKED')
  })
})
