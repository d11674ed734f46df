// Tasks that people do, over Thrift and by the TypeScript clients: the shared list.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import types from '../../gen/js/rpcinterface_types.js'
import { createRpcClient, type RpcClient } from '../../src/client/rpc.ts'
import { RpcError } from '../../src/client/rpc-errors.ts'
import { type Bench, openBench, openClient } from './fixture.ts'

describe('the shared list over Thrift', { timeout: 300_000 }, () => {
  let bench: Bench
  let client: RpcClient
  before(async () => {
    bench = await openBench()
    client = createRpcClient({ port: bench.door.address.port })
  })
  after(async () => {
    client.close()
    await bench.close()
  })
  const codeOf = async (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'ok',
      (error: unknown) => (error instanceof RpcError ? error.code : String(error)),
    )

  it('makes, edits, completes, opens again and removes an item', async () => {
    const item = await client.todo.add({ title: 'Water', description: 'twice', assignee: 'ann' })
    assert.deepEqual(
      [item.kind, item.title, item.description, item.params, item.doneBy, item.status],
      ['manual', 'Water', 'twice', { assignee: 'ann' }, 'people', 'PENDING'],
    )
    assert.equal((await client.why(item.id)).reason, 'FOR_PEOPLE')
    const edited = await client.todo.edit(item, { title: 'Water all', description: null, assignee: null })
    assert.deepEqual([edited.title, edited.description, edited.params], ['Water all', null, {}])
    assert.equal(await codeOf(client.todo.edit(item, { title: 'late' })), 'VERSION_CHANGED')
    assert.equal(await codeOf(client.todo.complete(item.id, { version: item.version })), 'VERSION_CHANGED')
    const done = await client.todo.complete(item.id, { note: 'wet', version: edited.version })
    assert.deepEqual([done.status, done.result], ['SUCCESS', { by: null, note: 'wet' }])
    assert.equal(await codeOf(client.todo.complete(item.id)), 'TASK_ENDED')
    assert.equal(await codeOf(client.todo.edit(done, { title: 'late' })), 'TASK_ENDED')
    assert.equal((await client.retry(item.id)).status, 'PENDING')
    await client.purge(item.id)
    assert.equal(await codeOf(client.get(item.id)), 'TASK_NOT_FOUND')
    assert.deepEqual(bench.announced, [])
  })

  it('makes one item of a key', async () => {
    const first = await client.todo.add({ title: 'once', idempotencyKey: 'k' })
    assert.equal((await client.todo.add({ title: 'once', idempotencyKey: 'k' })).id, first.id)
    assert.equal(
      await codeOf(client.todo.add({ title: 'other', idempotencyKey: 'k' })),
      'IDEMPOTENCY_MISMATCH',
    )
  })

  it('declares each refusal as its exception', async () => {
    const { client: plain, close } = openClient(bench.door)
    try {
      const none = new types.TaskEdit()
      const { id } = await client.todo.add({ title: 'x' })
      const { id: other } = await client.submit('echo', 1)
      const refusals: [Promise<unknown>, string, string][] = [
        [plain.createItem(new types.NewItem({ title: ' ' })), 'Refused', 'BAD_REQUEST'],
        [plain.editTask(id, new types.TaskEdit({ title: 'y' }), ''), 'Refused', 'VERSION_MISSING'],
        [plain.editTask(id, none, '0-0'), 'Refused', 'BAD_REQUEST'],
        [plain.editTask(id, new types.TaskEdit({ title: 'y' }), '7-7'), 'Conflict', 'VERSION_CHANGED'],
        [plain.editTask(other, new types.TaskEdit({ title: 'y' }), '0-0'), 'Conflict', 'NOT_FOR_PEOPLE'],
        [plain.completeTask(other, '', ''), 'Conflict', 'NOT_FOR_PEOPLE'],
        [plain.completeTask('x', '', ''), 'Refused', 'BAD_ID'],
        [plain.completeTask('0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f', '', ''), 'NotFound', 'TASK_NOT_FOUND'],
        [plain.completeTask(id, 'a'.repeat(1001), ''), 'Refused', 'BAD_REQUEST'],
      ]
      for (const [call, name, code] of refusals) await assert.rejects(call, { name, code })
    } finally {
      close()
    }
  })
})
