// The shared list by the TypeScript client of the REST API.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import {
  ApiError,
  assigneeOf,
  type Client,
  createClient,
  doneOf,
  TODO_KIND,
} from '../../src/client/client.ts'
import { SHARED_LIST_KIND } from '../../src/core/people.ts'
import { createFixture, type Fixture } from '../api/fixture.ts'
import { manual } from '../support/manual-kind.ts'

describe('the shared list in the client', { timeout: 300_000 }, () => {
  let door: Fixture
  let client: Client
  let token = ''
  before(async () => {
    door = createFixture({ kinds: [manual] })
    token = (await door.logIn('ann', 'user')).token
    client = createClient({
      baseUrl: 'http://localhost',
      key: () => token,
      fetch: (async (input, init) => door.app.request(String(input), init)) as typeof fetch,
    })
  })
  after(() => door.close())
  const titles = async (options: Parameters<Client['todo']['list']>[0] = {}): Promise<(string | null)[]> => {
    const found: (string | null)[] = []
    for await (const { title } of client.todo.list(options)) found.push(title)
    return found
  }
  const codeOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'ok',
      (error: unknown) => (error instanceof ApiError ? error.code : String(error)),
    )

  it('is added to, listed, edited, completed, opened again and cleared', async () => {
    assert.equal(TODO_KIND, SHARED_LIST_KIND)
    const first = await client.todo.add({ title: 'Water', assignee: 'bob' })
    assert.deepEqual(first, { id: first.id, title: 'Water', description: null, status: 'PENDING' })
    await client.todo.add({ title: 'Mow', description: 'the lawn' })
    assert.deepEqual((await titles()).sort(), ['Mow', 'Water'])
    assert.deepEqual(await titles({ q: 'LAWN' }), ['Mow'])
    const known = await client.get(first.id)
    assert.deepEqual([assigneeOf(known), doneOf(known)], ['bob', null])
    const edited = await client.todo.edit(known, { title: 'Water all', assignee: null })
    assert.deepEqual([edited.title, assigneeOf(edited)], ['Water all', null])
    assert.equal(await codeOf(client.todo.edit(known, { title: 'late' })), 'VERSION_CHANGED')
    assert.equal(await codeOf(client.todo.complete(first.id, { known })), 'VERSION_CHANGED')
    const done = await client.todo.complete(first.id, { note: 'wet', known: edited })
    assert.deepEqual(doneOf(done), { by: 'ann', note: 'wet' })
    assert.equal(await codeOf(client.todo.complete(first.id)), 'TASK_ENDED')
    assert.deepEqual([await titles(), await titles({ ended: true })], [['Mow'], ['Water all']])
    await client.todo.reopen(first.id)
    assert.deepEqual((await titles()).sort(), ['Mow', 'Water all'])
    await client.todo.remove(first.id)
    assert.deepEqual([await titles(), await titles({ ended: true })], [['Mow'], []])
  })

  it('adds one item of a key', async () => {
    const once = { idempotencyKey: 'k' }
    const { id } = await client.todo.add({ title: 'once' }, once)
    assert.equal((await client.todo.add({ title: 'once' }, once)).id, id)
  })
})
