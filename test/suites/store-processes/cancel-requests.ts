// The cancel request, over deaths of every process.
import assert from 'node:assert/strict'
import { newTaskId } from '../../../src/core/task.ts'
import { startChild } from '../../support/child.ts'
import type { Answer, Order } from '../../support/store-obey.ts'
import type { Check } from '../store/world.ts'
import type { ProcessWorld } from '../store-processes.ts'

/** A process makes these calls one after another and is killed; answers what it was told. */
const killedAfter = async (world: ProcessWorld, orders: readonly Order[]): Promise<Answer[]> => {
  const child = startChild<{ ready: true } | { number: number; answer: Answer }>('store-child.ts', {
    place: world.place,
    role: 'obey',
  })
  await child.line(line => 'ready' in line)
  const answers: Answer[] = []
  for (const [number, order] of orders.entries()) {
    child.send({ number, order })
    const line = await child.line(line => 'number' in line && line.number === number)
    assert.ok('answer' in line)
    answers.push(line.answer)
  }
  await child.kill()
  return answers
}

export const cancelRequests = (check: Check<ProcessWorld>): void => {
  check('a cancel request survives the death of every process', async world => {
    const id = newTaskId()
    const answers = await killedAfter(world, [
      { call: 'create', id },
      { call: 'claim', id },
      { call: 'revoke', id },
    ])
    assert.deepEqual(answers[2], { outcome: 'requested' })
    const store = await world.open()
    const task = await store.get(id)
    assert.equal(task?.status, 'STARTED')
    assert.ok(task.revokeRequestedAt !== null)
    await store.close()
  })

  check(
    'a cancel request that came after the end does not hit the task that was started again',
    async world => {
      const id = newTaskId()
      const answers = await killedAfter(world, [
        { call: 'create', id },
        { call: 'claim', id },
        { call: 'revoke', id },
        { call: 'succeed', id, claim: 1 },
        { call: 'again', id },
      ])
      assert.deepEqual(answers[3], { seen: { status: 'SUCCESS', claim: 1, cancelRequested: true } })
      assert.deepEqual(answers[4], { seen: { status: 'PENDING', claim: 2, cancelRequested: false } })
      const store = await world.open()
      const task = await store.get(id)
      assert.equal(task?.status, 'PENDING')
      assert.equal(task.revokeRequestedAt, null)
      await store.close()
    },
  )
}
