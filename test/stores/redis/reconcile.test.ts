// What Redis has in a process's name and the process does not know: it is given back, but never while an answer may be
// on its way. Redis is the test's own.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { start } from '../../../src/core/moves.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createHeldClaims } from '../../../src/stores/redis/held-claims.ts'
import type { Leases } from '../../../src/stores/redis/leases.ts'
import { decode, encode } from '../../../src/stores/redis/records.ts'
import type { Scripts } from '../../../src/stores/redis/scripts.ts'
import { createTaskMover } from '../../../src/stores/redis/task-mover.ts'
import { at, newTask } from '../../suites/store/world.ts'

const [ME, OTHER] = ['me', 'other']

/** One task that Redis has as held by somebody. */
const setUp = (task: TaskRecord, holder = ME) => {
  const redis = { task, holder, heldIds: [task.id] }
  const written: TaskRecord[] = []
  const scripts = {
    async run(name: string, ...args: unknown[]) {
      if (name === 'look') return ['held', encode(redis.task), redis.holder, '']
      assert.equal(name, 'write')
      written.push(decode(String(args[4])))
      return ['done']
    },
  } as unknown as Scripts
  const heldClaims = createHeldClaims({ scripts, instance: ME, log: silentLog() })
  const mover = createTaskMover({
    scripts,
    heldClaims,
    leases: {} as Leases,
    instance: ME,
    clock: () => new Date(at(9)),
    heldIds: async () => redis.heldIds,
  })
  return { redis, written, heldClaims, mover }
}
const running = (): TaskRecord => ({ ...start('w', at(1))(newTask()), claim: 1, rev: 1 })

describe('what Redis has in the name of a process', () => {
  it('is given back when it was unknown at two comparisons, and its attempt does not count', async () => {
    const { written, mover } = setUp(running())
    await mover.reconcile(1)
    assert.deepEqual(written, [])
    await mover.reconcile(1)
    assert.deepEqual(
      written.map(({ status, attempt, rev }) => [status, attempt, rev]),
      [['PENDING', 0, 2]],
    )
  })

  it('waits again as it was where it was begun, and nothing was written', async () => {
    const task = newTask()
    const { written, mover } = setUp(task)
    for (let n = 0; n < 2; n += 1) await mover.reconcile(1)
    assert.deepEqual(written, [task])
  })

  it('stays where its process knows it by then, or another one has it', async () => {
    const known = setUp(running())
    await known.mover.reconcile(1)
    known.heldClaims.add(known.redis.task.id, 1, encode(known.redis.task))
    const others = setUp(running(), OTHER)
    await others.mover.reconcile(1)
    for (const { mover, written } of [known, others]) {
      for (let n = 0; n < 3; n += 1) await mover.reconcile(2)
      assert.deepEqual(written, [])
    }
  })

  it('is not given back where it was known in between: two comparisons in a row count', async () => {
    const { redis, written, mover } = setUp(running())
    const ids = redis.heldIds
    for (let n = 0; n < 3; n += 1) {
      redis.heldIds = ids
      await mover.reconcile(1)
      redis.heldIds = []
      await mover.reconcile(1)
    }
    assert.deepEqual(written, [])
  })
})
