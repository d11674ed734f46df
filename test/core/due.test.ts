// When a waiting task may be taken, and since when. That stores mean the same by it, their suite says.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { dueChangesAt, dueSince, isDue, isExpired } from '../../src/core/due.ts'
import { STATUSES, type TaskRecord } from '../../src/core/task.ts'
import { at } from '../suites/store/world.ts'

const task = (change: Partial<TaskRecord> = {}) => ({
  status: 'PENDING' as const,
  notBefore: null,
  expiresAt: null,
  updatedAt: at(10),
  ...change,
})

describe('a task that waits', () => {
  it('is due from its time on, the very moment included, and not once it has expired', () => {
    const one = task({ notBefore: at(20), expiresAt: at(30) })
    assert.deepEqual(
      [at(19), at(20), at(29), at(30)].map(now => [isDue(one, now), isExpired(one, now)]),
      [
        [false, false],
        [true, false],
        [true, false],
        [false, true],
      ],
    )
    // an attempt has begun: it expires no more
    assert.equal(isDue({ ...one, status: 'RETRY' }, at(40)), true)
  })

  it('has been due since its last move or, where that comes later, since its time', () => {
    assert.equal(dueSince(task()), at(10))
    assert.equal(dueSince(task({ notBefore: at(20) })), at(20))
    // given back long after its time had come
    assert.equal(dueSince(task({ notBefore: at(5) })), at(10))
    assert.equal(dueSince(task({ status: 'SUCCESS', notBefore: at(20) })), at(10))
  })

  it('changes by time alone at the next of its times, and never again once it has expired', () => {
    const changes = (change: Partial<TaskRecord>, now: string) => dueChangesAt(task(change), now)
    assert.equal(changes({ notBefore: at(20), expiresAt: at(30) }, at(10)), at(20))
    assert.equal(changes({ notBefore: at(20), expiresAt: at(30) }, at(20)), at(30))
    assert.equal(changes({ notBefore: at(30), expiresAt: at(20) }, at(10)), at(20))
    assert.equal(changes({ notBefore: at(30), expiresAt: at(20) }, at(20)), null)
    assert.equal(changes({}, at(10)), null)
    for (const status of STATUSES.filter(each => each !== 'PENDING' && each !== 'RETRY'))
      assert.equal(changes({ status, notBefore: at(20), expiresAt: at(30) }, at(10)), null, status)
  })
})
