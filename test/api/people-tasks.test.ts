// Tasks that people do, over REST: the shared list. Two who do something at once, ETags, and what is refused.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { versionsIn } from '../../src/api/request-headers.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { manual } from '../support/manual-kind.ts'
import { createFixture, type Fixture } from './fixture.ts'

describe('the shared list over REST', { timeout: 300_000 }, () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture({ kinds: [manual] })
  })
  afterEach(() => door.close())

  const create = async (body: object, headers: Record<string, string> = {}) => {
    const answer = await door.post('/create_task', body, headers)
    return { answer, item: (await answer.json()) as { id: string; code: string } }
  }
  const patch = (id: string, body: unknown, headers: Record<string, string> = {}) =>
    door.app.request(`/task/${id}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const taskOf = async (answer: Response): Promise<TaskRecord> => (await answer.json()) as TaskRecord
  const codeOf = async (answer: Response): Promise<[number, string]> => [
    answer.status,
    ((await answer.json()) as { code: string }).code,
  ]

  it('makes an item in short form, as the original did', async () => {
    const { answer, item } = await create({
      title: ' Water the plants ',
      description: 'Upstairs',
      assignee: 'ann',
    })
    assert.equal(answer.status, 201)
    assert.deepEqual(item, {
      id: item.id,
      title: 'Water the plants',
      description: 'Upstairs',
      status: 'PENDING',
    })
    assert.equal(answer.headers.get('location'), `/task/${item.id}`)
    assert.equal(answer.headers.get('etag'), '"0-0"')
    const task = await taskOf(await door.app.request(`/task/${item.id}`))
    assert.deepEqual([task.kind, task.params, task.doneBy], ['manual', { assignee: 'ann' }, 'people'])
    // the long form makes the same
    const long = await door.post('/tasks', { kind: 'manual', title: 'Second' })
    assert.equal(long.status, 202)
    const listed = await door.app.request('/tasks?kind=manual')
    const { tasks } = (await listed.json()) as { tasks: TaskRecord[] }
    assert.deepEqual(tasks.map(({ title }) => title).sort(), ['Second', 'Water the plants'])
    assert.deepEqual(door.announced, [])
  })

  it('makes one item of a key, however often it is sent', async () => {
    const headers = { 'idempotency-key': 'once' }
    const { item } = await create({ title: 'a' }, headers)
    const again = await create({ title: 'a' }, headers)
    assert.deepEqual([again.answer.status, again.item.id], [201, item.id])
    assert.equal(again.answer.headers.get('idempotent-replayed'), 'true')
    const other = await create({ title: 'b' }, headers)
    assert.deepEqual([other.answer.status, other.item.code], [422, 'IDEMPOTENCY_MISMATCH'])
  })

  it('refuses what an item cannot be, with every problem in its place', async () => {
    for (const body of [
      {},
      { title: '' },
      { title: 'a\nb' },
      { title: 'a'.repeat(201) },
      { title: 'x', kind: 'echo' },
      { title: 'x', assignee: 7 },
      [],
    ]) {
      const { answer, item } = await create(body)
      assert.deepEqual([answer.status, item.code], [400, 'BAD_REQUEST'], JSON.stringify(body))
    }
    const late = await door.post('/tasks', {
      kind: 'manual',
      title: 'x',
      expiresAt: '2030-01-01T00:00:00Z',
      maxAttempts: 3,
    })
    const { problems } = (await late.json()) as { problems: { path: string }[] }
    assert.deepEqual(
      problems.map(({ path }) => path),
      ['expiresAt', 'maxAttempts'],
    )
    const untitled = await door.post('/tasks', { kind: 'manual' })
    assert.deepEqual(await codeOf(untitled), [400, 'BAD_REQUEST'])
    const params = await door.post('/tasks', { kind: 'manual', title: 'x', params: { other: 1 } })
    assert.deepEqual(await codeOf(params), [422, 'PARAMS_INVALID'])
  })

  it('edits an item for the version that one knows, and tells the present one to who is late', async () => {
    const { item } = await create({ title: 'a', description: 'Roof', assignee: 'ann' })
    assert.deepEqual(await codeOf(await patch(item.id, { title: 'c' })), [428, 'VERSION_MISSING'])
    const first = await patch(item.id, { title: 'Fence', assignee: null }, { 'if-match': '"0-0"' })
    assert.equal(first.status, 200)
    const edited = await taskOf(first)
    assert.deepEqual([edited.title, edited.description, edited.params], ['Fence', 'Roof', {}])
    const etag = first.headers.get('etag') ?? ''
    assert.equal(etag, `"${edited.claim}-${edited.rev}"`)
    const late = await patch(item.id, { title: 'd' }, { 'if-match': '"0-0"' })
    assert.equal(late.headers.get('etag'), etag)
    const problem = (await late.json()) as { code: string; detail: string }
    assert.deepEqual([late.status, problem.code], [412, 'VERSION_CHANGED'])
    assert.ok(problem.detail.includes(etag))
    // a list of tags, a weak one, and any version
    for (const match of [`"9-9", ${etag}`, '*'])
      assert.equal((await patch(item.id, { description: null }, { 'if-match': match })).status, 200, match)
    for (const match of ['', 'x', '"', etag])
      assert.equal((await patch(item.id, { title: 'e' }, { 'if-match': match })).status, 412, match)
    assert.deepEqual(versionsIn('W/"1-2", "3-4" ,x, "'), ['1-2', '3-4'])
    const empty = await patch(item.id, {}, { 'if-match': '*' })
    assert.deepEqual(await codeOf(empty), [400, 'BAD_REQUEST'])
    const found = await door.app.request('/tasks?q=fence&kind=manual')
    assert.equal(((await found.json()) as { tasks: [] }).tasks.length, 1)
    const before = await door.app.request('/tasks?q=roof&kind=manual')
    assert.equal(((await before.json()) as { tasks: [] }).tasks.length, 0)
  })

  it('completes an item once, with who did it, and says so to everybody else', async () => {
    const [ann, bob] = [await door.logIn('ann', 'user'), await door.logIn('bob', 'user')]
    const { item } = await create({ title: 'a' }, { authorization: `Bearer ${ann.token}` })
    const complete = (token: string | null, body?: object, headers: Record<string, string> = {}) =>
      door.app.request(`/task/${item.id}/complete`, {
        method: 'POST',
        headers: {
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
          ...(body ? { 'content-type': 'application/json' } : {}),
          ...headers,
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      })
    assert.deepEqual(await codeOf(await complete(bob.token, {}, { 'if-match': '"8-8"' })), [
      412,
      'VERSION_CHANGED',
    ])
    const answers = await Promise.all(
      [bob.token, ann.token, null, bob.token].map(token => complete(token, { note: 'wet' })),
    )
    const winner = answers.find(({ status }) => status === 200) ?? assert.fail('nobody did it')
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409])
    const done = await taskOf(winner)
    const by = (done.result as { by: string | null }).by
    assert.ok(by === null || ['ann', 'bob'].includes(by))
    assert.deepEqual([done.status, done.result], ['SUCCESS', { by, note: 'wet' }])
    for (const answer of answers.filter(({ status }) => status === 409)) {
      const { code, detail } = (await answer.json()) as { code: string; detail: string }
      assert.equal(code, 'TASK_ENDED')
      assert.match(detail, by === null ? /^It was completed/ : new RegExp(`^${by} completed it`))
    }
    assert.deepEqual(await codeOf(await patch(item.id, { title: 'b' }, { 'if-match': '*' })), [
      409,
      'TASK_ENDED',
    ])
    const result = await door.app.request(`/task/${item.id}/result`)
    assert.deepEqual(await result.json(), { by, note: 'wet' })
    assert.equal((await door.post(`/task/${item.id}/retry`, '')).status, 202)
    // without a body, too
    const again = await taskOf(await complete(bob.token))
    assert.deepEqual(again.result, { by: 'bob', note: null })
  })

  it('cancels and removes items, and removes an open one at once', async () => {
    const remove = (id: string, query = '') => door.app.request(`/task/${id}${query}`, { method: 'DELETE' })
    const { item: first } = await create({ title: 'a' })
    const cancelled = await remove(first.id)
    assert.deepEqual(
      [cancelled.status, ((await cancelled.json()) as { outcome: string }).outcome],
      [200, 'revoked'],
    )
    assert.equal((await remove(first.id, '?purge=1')).status, 204)
    const { item: second } = await create({ title: 'b' })
    assert.equal((await remove(second.id, '?purge=1')).status, 204)
    assert.equal((await door.app.request(`/task/${second.id}`)).status, 404)
    // of other kinds an open one stays
    const { id } = await door.submit('echo', 1)
    assert.deepEqual(await codeOf(await remove(id, '?purge=1')), [409, 'TASK_NOT_ENDED'])
  })

  it('edits and completes no task of a worker', async () => {
    const { id } = await door.submit('echo', 1)
    assert.deepEqual(await codeOf(await patch(id, { title: 'x' }, { 'if-match': '*' })), [
      409,
      'NOT_FOR_PEOPLE',
    ])
    assert.deepEqual(await codeOf(await door.post(`/task/${id}/complete`, {})), [409, 'NOT_FOR_PEOPLE'])
  })

  it('says why an item waits, and how many are open', async () => {
    const { item } = await create({ title: 'a' })
    const why = await door.app.request(`/task/${item.id}/why`)
    const waiting = (await why.json()) as { reason: string; position: null }
    assert.deepEqual([waiting.reason, waiting.position], ['FOR_PEOPLE', null])
    const { token } = await door.logIn('ann', 'user')
    const own = await door.app.request(`/task/${item.id}/why`, {
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(((await own.json()) as { reason: string }).reason, 'FOR_PEOPLE')
    const metrics = await (await door.app.request('/metrics')).text()
    assert.match(metrics, /^madhava_open_tasks\{kind="manual"\} 1$/m)
    assert.doesNotMatch(metrics, /madhava_dead_tasks\{/)
    const kinds = (await (await door.app.request('/kinds')).json()) as {
      kinds: { name: string; doneBy: string }[]
    }
    assert.deepEqual(
      kinds.kinds.map(({ name, doneBy }) => [name, doneBy]),
      [
        ['calcpi', 'workers'],
        ['echo', 'workers'],
        ['manual', 'people'],
      ],
    )
  })

  it('tells of every change in the audit, with who made it', async () => {
    const { token } = await door.logIn('ann', 'user')
    const as = { authorization: `Bearer ${token}` }
    const { item } = await create({ title: 'a' }, as)
    await patch(item.id, { title: 'b' }, { 'if-match': '*', ...as })
    await patch(item.id, { title: 'c' }, { 'if-match': '"0-0"', ...as })
    await door.post(`/task/${item.id}/complete`, {}, as)
    await door.post(`/task/${item.id}/complete`, {}, as)
    const { entries } = await door.store.audit.page({ target: item.id }, { limit: 10, cursor: null })
    assert.deepEqual(entries.map(({ action, outcome, actor }) => [action, outcome, actor?.name]).reverse(), [
      ['task.submit', 'done', 'ann'],
      ['task.edit', 'done', 'ann'],
      ['task.edit', 'VERSION_CHANGED', 'ann'],
      ['task.complete', 'done', 'ann'],
      ['task.complete', 'TASK_ENDED', 'ann'],
    ])
  })

  it('has 200 items completed by eight clients at once, each exactly once', async () => {
    const ids = await Promise.all(
      Array.from({ length: 200 }, async (_, n) => (await create({ title: `item ${n}` })).item.id),
    )
    const done = new Map<string, string[]>()
    await Promise.all(
      Array.from({ length: 8 }, async (_, client) => {
        const { token } = await door.logIn(`client-${client}`, 'user')
        for (const id of ids) {
          const answer = await door.post(`/task/${id}/complete`, {}, { authorization: `Bearer ${token}` })
          if (answer.status === 200) done.set(id, [...(done.get(id) ?? []), `client-${client}`])
          else assert.equal(answer.status, 409)
        }
      }),
    )
    for (const id of ids) {
      assert.equal(done.get(id)?.length, 1)
      const task = await door.store.get(id)
      assert.deepEqual(task?.result, { by: done.get(id)?.[0], note: null })
    }
  })
})
