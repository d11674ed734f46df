// The attempts in a record: numbered on, bounded, and told of records that were written before there were any.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { attemptNumber } from '../../src/core/attempts.ts'
import { drain, fail, giveBack, retryByHand, revoke, start, succeed, takeOver } from '../../src/core/moves.ts'
import { ATTEMPTS_KEPT, type TaskRecord, taskSchema } from '../../src/core/task.ts'
import { checkTask } from '../../src/core/task-check.ts'
import { at, newTask } from '../suites/store/world.ts'

const error = { code: 'KIND_FAILED', message: 'no', detail: { stack: ['at kind'] } }
const told = ({ attempts = [] }: TaskRecord) =>
  attempts.map(({ attempt, outcome }) => `${attempt} ${outcome}`)

describe('the attempts in a record', () => {
  it('tell each attempt with its worker, its times, and how it ended', () => {
    const waiting = newTask()
    assert.equal('attempts' in waiting, false)
    const running = start('w1', at(1))(waiting)
    const begun = { attempt: 1, worker: 'w1', startedAt: at(1), endedAt: null, outcome: null, error: null }
    assert.deepEqual(running.attempts, [begun])
    const again = fail(error, at(9), at(2))(running)
    assert.deepEqual(again.attempts, [{ ...begun, endedAt: at(2), outcome: 'RETRY', error }])
    const done = succeed('all', null, at(11))(start('w2', at(10))(again))
    assert.deepEqual(done.attempts?.[1], {
      attempt: 2,
      worker: 'w2',
      startedAt: at(10),
      endedAt: at(11),
      outcome: 'SUCCESS',
      error: null,
    })
  })

  it('go on in number through a retry by hand, a dead worker and one that shut down', () => {
    let task = start('w1', at(1))(newTask({ maxAttempts: 3 }))
    task = start('w2', at(3))(takeOver(at(2))(task))
    assert.equal(task.attempts?.[0]?.error?.code, 'WORKER_LOST')
    task = start('w3', at(5))(drain(at(4))(task))
    task = retryByHand(at(7))(fail(error, null, at(6))(task))
    assert.equal(task.attempt, 0)
    task = revoke(at(9))(start('w4', at(8))(task))
    assert.deepEqual(told(task), ['1 LOST', '2 GIVEN_BACK', '3 FAILURE', '4 REVOKED'])
    assert.deepEqual([task.attempt, attemptNumber(task)], [1, 4])
  })

  it('say that the worker was lost, even if the task was to be cancelled', () => {
    const asked = { ...start('w1', at(1))(newTask()), revokeRequestedAt: at(2) }
    const ended = takeOver(at(3))(asked)
    assert.deepEqual([ended.status, ...told(ended)], ['REVOKED', '1 LOST'])
  })

  it('do not tell of one that never began, and give its number to the next', () => {
    const back = giveBack(at(2), false)(start('w1', at(1))(newTask()))
    assert.deepEqual(told(back), [])
    assert.deepEqual(told(start('w2', at(3))(back)), ['1 null'])
  })

  it('are the last twenty, in few bytes, with the whole error of the last three alone', () => {
    const large = { code: 'KIND_FAILED', message: 'm'.repeat(2_000), detail: { stack: ['s'.repeat(9_000)] } }
    let task = newTask({ maxAttempts: 1_000 })
    for (let times = 1; times <= 30; times += 1)
      task = fail(large, at(times), at(times))(start('w', at(times))(task))
    const { attempts = [] } = task
    assert.equal(attempts.length, ATTEMPTS_KEPT)
    assert.deepEqual([attempts[0]?.attempt, attempts.at(-1)?.attempt], [11, 30])
    assert.deepEqual(
      attempts.map(entry => entry.error?.detail !== null),
      attempts.map((_, place) => place >= ATTEMPTS_KEPT - 3),
    )
    assert.ok(attempts.every(entry => entry.error?.message.startsWith('mmm')))
    assert.ok(JSON.stringify(attempts).length < 50_000)
    taskSchema.parse(task)
    assert.ok(checkTask(task).success)
  })

  it('begin, in a record from before them, with what the record tells of its last attempt', () => {
    const older = (task: TaskRecord): TaskRecord => {
      const { attempts: _, ...rest } = task
      return rest as TaskRecord
    }
    const running = older(start('w1', at(1))(newTask()))
    assert.deepEqual(told(succeed('all', null, at(2))(running)), ['1 SUCCESS'])
    const failed = older(fail(error, null, at(2))(start('w1', at(1))(newTask())))
    assert.deepEqual(told(start('w2', at(4))(retryByHand(at(3))(failed))), ['1 FAILURE', '2 null'])
    const lost = older(takeOver(at(2))(start('w1', at(1))(newTask())))
    assert.deepEqual(told(start('w2', at(3))(lost)), ['2 null'])
  })
})
