// Why a task waits, over Thrift: of one task, and in pages.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import types from '../../gen/js/rpcinterface_types.js'
import { createRpcClient, type RpcClient } from '../../src/client/rpc.ts'
import { start } from '../../src/core/moves.ts'
import { newTaskId } from '../../src/core/task.ts'
import { type Bench, openBench, openClient } from './fixture.ts'

describe('why a task waits, over Thrift', () => {
  let own: Bench
  let rpc: ReturnType<typeof openClient>
  let client: RpcClient
  before(async () => {
    own = await openBench()
    rpc = openClient(own.door)
    client = createRpcClient({ port: own.door.address.port })
  })
  after(async () => {
    client.close()
    rpc.close()
    await own.close()
  })

  test('whyTask says the reason with all that belongs to it, and a task that runs is a Conflict', async () => {
    const first = await client.submit('calcpi', { digits: 3 })
    const later = await client.submit(
      'calcpi',
      { digits: 3 },
      { notBefore: new Date(Date.now() + 3_600_000) },
    )
    const told = await client.why(first.id)
    assert.deepEqual([told.reason, told.position, told.startsIn], ['NO_WORKER', 0, null])
    assert.deepEqual([told.since, told.detail], [first.createdAt, 'No worker is alive'])
    const waits = await client.why(later.id)
    assert.deepEqual([waits.reason, waits.position, waits.facts.dueAt], ['NOT_DUE', null, later.notBefore])
    assert.ok(waits.startsIn && waits.startsIn.p50 > 3_000 && waits.startsIn.p90 <= 3_600)

    await own.store.claim(first.id, start('w1', new Date().toISOString()))
    const conflict = { name: 'Conflict', code: 'TASK_NOT_WAITING', status: 409 }
    await assert.rejects(rpc.client.whyTask(first.id), conflict)
    await assert.rejects(rpc.client.whyTask(newTaskId()), { name: 'NotFound', code: 'TASK_NOT_FOUND' })
    await assert.rejects(rpc.client.whyTask('x'), { name: 'Refused', code: 'BAD_ID' })

    const page = await client.page({}, { why: true })
    assert.deepEqual(
      page.tasks.map(({ id, waiting }) => [id, waiting?.reason]),
      [
        [later.id, 'NOT_DUE'],
        [first.id, undefined],
      ],
    )
    const plain = await client.page()
    assert.deepEqual(
      plain.tasks.map(({ waiting }) => waiting),
      [null, null],
    )
  })

  test('a page that does not fit one reply says of each task that is in it why it waits', async () => {
    for (let n = 0; n < 4; n += 1)
      await client.submit('echo', n, { description: 'x'.repeat(2_000), title: `One of four, ${n}` })
    const { tasks } = await rpc.client.pageTasksWhy(new types.TaskFilter({ kinds: ['echo'] }), 3, '')
    assert.equal(tasks.length, 3)
    for (const { waiting } of tasks) assert.equal(waiting?.reason, 'NO_WORKER')
  })
})
