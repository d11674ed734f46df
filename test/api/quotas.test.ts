// Quotas over REST: what is refused and how, what the headers say, and that nobody learns who submitted a task.
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import type { Problem } from '../../src/api/problem.ts'
import type { QuotaLimits } from '../../src/core/quotas.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

const NONE = { account: null, key: null, address: null }
let door: Fixture
const open = (quotas: Partial<QuotaLimits>): void => {
  door = createFixture({ quotas })
}
afterEach(() => door.close())

const from = (address: string) => ({ client: { address, clientKey: address } })
const submit = async (
  { token, address = '192.0.2.1', key }: { token?: string; address?: string; key?: string },
  body: unknown = { kind: 'echo', params: 1 },
): Promise<Response> =>
  door.app.request(
    '/tasks',
    {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      body: JSON.stringify(body),
    },
    from(address),
  )
const many = (count: number) => Array.from({ length: count }, (_, params) => ({ kind: 'echo', params }))
const headersOf = ({ headers }: Response): (string | null)[] =>
  [
    'ratelimit-policy',
    'ratelimit',
    'ratelimit-limit',
    'ratelimit-remaining',
    'ratelimit-reset',
    'retry-after',
  ].map(name => headers.get(name))
const refused = async (answer: Response): Promise<Problem> => {
  const problem = await jsonOf<Problem>(answer)
  assert.deepEqual([answer.status, problem.code], [429, 'QUOTA_EXCEEDED'], JSON.stringify(problem))
  return problem
}

describe('quotas', () => {
  it('are not there unless set, and say nothing then', async () => {
    open({})
    const { token } = await door.logIn('ann', 'user')
    const answer = await submit({ token })
    assert.deepEqual([answer.status, headersOf(answer).slice(0, 5)], [202, [null, null, null, null, null]])
    assert.equal((await submit({ token }, many(500))).status, 202)
  })

  it('refuse submits beyond so many in a minute, and say when more may come', async () => {
    open({ submits: { ...NONE, account: 5 } })
    const [ann, bob] = [await door.logIn('ann', 'user'), await door.logIn('bob', 'user')]
    const first = await submit(ann, many(3))
    assert.deepEqual(headersOf(first).slice(0, 5), [
      '"account";q=5;w=60',
      '"account";r=2;t=60',
      '5',
      '2',
      '60',
    ])
    const over = await submit(ann, many(3))
    assert.deepEqual(headersOf(over), ['"account";q=5;w=60', '"account";r=2;t=60', '5', '2', '60', '60'])
    const { detail } = await refused(over)
    assert.match(detail, /may submit 5 tasks in a minute; 2 are left .*QUOTA_SUBMITS_PER_ACCOUNT/)
    assert.match((await refused(await submit(bob, many(6)))).detail, /and these are 6/)
    assert.equal((await door.store.counts()).total, 3)
    assert.equal((await submit(ann, many(2))).status, 202)
    await refused(await submit(ann))
    await refused(await door.app.request('/calcpi/3', { headers: { authorization: `Bearer ${ann.token}` } }))
    assert.equal((await submit(bob, many(5))).status, 202)
    door.pass(60_000)
    assert.equal((await submit(ann)).status, 202)
  })

  it('count a key by itself, and its account for all', async () => {
    open({ submits: { ...NONE, account: 5, key: 2 } })
    const { actor } = await door.logIn('ann', 'user')
    const keyed = async () =>
      (
        await door.access.createKey(actor, {
          name: 'k',
          scopes: ['submit'],
          kinds: null,
          own: false,
          expiresAt: null,
        })
      ).key
    const [one, two] = [await keyed(), await keyed()]
    const answer = await submit({ token: one }, many(2))
    assert.deepEqual(headersOf(answer).slice(0, 5), [
      '"account";q=5;w=60, "key";q=2;w=60',
      '"account";r=3;t=60, "key";r=0;t=60',
      '2',
      '0',
      '60',
    ])
    assert.match((await refused(await submit({ token: one }))).detail, /QUOTA_SUBMITS_PER_KEY/)
    assert.equal((await submit({ token: two }, many(2))).status, 202)
    assert.equal((await submit({ token: (await door.logIn('ann2', 'user')).token }, many(5))).status, 202)
  })

  it('answer a task again that its key has made, whatever the quota', async () => {
    open({ submits: { account: null, key: null, address: 1 } })
    const first = await submit({ key: 'a' })
    assert.equal(first.status, 202)
    await refused(await submit({ key: 'b' }))
    const again = await submit({ key: 'a' })
    assert.equal(again.status, 202)
    assert.equal(again.headers.get('idempotent-replayed'), 'true')
    assert.equal(again.headers.get('ratelimit'), null)
    assert.equal((await jsonOf<TaskRecord>(again)).id, (await jsonOf<TaskRecord>(first)).id)
  })

  it('count what is refused for another reason as nothing', async () => {
    open({ submits: { ...NONE, address: 2 } })
    for (let n = 0; n < 5; n += 1) {
      assert.equal((await submit({}, { kind: 'nothing' })).status, 422)
      assert.equal((await submit({}, [{ kind: 'echo', params: 1 }, { kind: 'nothing' }])).status, 422)
    }
    assert.equal((await submit({}, many(2))).status, 202)
  })

  it('let in as many waiting tasks as may be, and more when some have run', async () => {
    open({ waiting: { ...NONE, address: 2 } })
    const first = await submit({})
    assert.deepEqual(headersOf(first).slice(0, 5), [
      '"address-waiting";q=2',
      '"address-waiting";r=1',
      '2',
      '1',
      null,
    ])
    const { id } = await jsonOf<TaskRecord>(await submit({}))
    const over = await submit({})
    assert.equal(over.headers.get('retry-after'), '5')
    assert.match((await refused(over)).detail, /may have 2 tasks waiting.*QUOTA_WAITING_PER_ADDRESS/)
    assert.equal((await submit({ address: '198.51.100.7' })).status, 202)
    await door.run(id)
    assert.equal((await submit({})).status, 202)
    await refused(await submit({}))
  })

  it('count what is new of a list whose key answers its first task alone', async () => {
    open({ submits: { ...NONE, account: 8 }, waiting: { ...NONE, account: 4 } })
    const { token } = await door.logIn('ann', 'user')
    const made = await jsonOf<TaskRecord[]>(await submit({ token, key: 'A' }, many(4)))
    const remove = async (ids: readonly string[]): Promise<void> => {
      for (const id of ids)
        for (const query of ['', '?purge=1']) {
          const authorization = `Bearer ${token}`
          const answer = await door.app.request(`/task/${id}${query}`, {
            method: 'DELETE',
            headers: { authorization },
          })
          assert.ok(answer.status < 300, `${answer.status}`)
        }
    }
    await remove(made.slice(1).map(({ id }) => id))
    const again = await submit({ token, key: 'A' }, many(4))
    assert.deepEqual(
      [again.status, again.headers.get('ratelimit')?.match(/"account";r=\d/)?.[0]],
      [202, '"account";r=1'],
    )
    const second = await jsonOf<TaskRecord[]>(again)
    assert.equal(second[0]?.id, made[0]?.id)
    const replayed = await submit({ token, key: 'A' }, many(4))
    assert.deepEqual([replayed.status, replayed.headers.get('ratelimit')], [202, null])
    await remove(second.slice(1).map(({ id }) => id))
    await refused(await submit({ token, key: 'A' }, many(4)))
  })

  it('tell nobody the address or the key that a task was submitted with', async () => {
    open({ waiting: { account: null, key: 1_000, address: 1_000 } })
    const root = await door.logIn('root', 'admin')
    const scopes = ['read', 'submit'] as const
    const wanted = { name: 'k', scopes: [...scopes], kinds: null, own: false, expiresAt: null }
    const { key, id: keyId } = await door.access.createKey(root.actor, wanted)
    const address = '203.0.113.99'
    const made = await jsonOf<TaskRecord>(await submit({ token: key, address }))
    const [listed] = await jsonOf<TaskRecord[]>(await submit({ token: key, address }, many(1)))
    const stored = await door.store.get(made.id)
    assert.deepEqual(stored?.submittedBy, { key: keyId, address })
    const texts: string[] = [JSON.stringify([made, listed])]
    const ask = async (path: string, init: RequestInit = {}): Promise<void> => {
      const headers = {
        authorization: `Bearer ${root.token}`,
        'content-type': 'application/json',
        ...init.headers,
      }
      const answer = await door.app.request(path, { ...init, headers })
      assert.ok(answer.status < 300, `${path} ${answer.status}`)
      if (!answer.headers.get('content-type')?.startsWith('text/event-stream'))
        texts.push(await answer.text())
      else {
        const reader = answer.body?.getReader()
        let text = ''
        while (!text.includes(made.id)) text += Buffer.from((await reader?.read())?.value ?? []).toString()
        texts.push(text)
        await reader?.cancel()
      }
    }
    const shared = await door.access.share(root.actor, made.id, 60)
    for (const path of [
      ...[`/task/${made.id}`, '/tasks', '/tasks?why=1', '/alltasks', `/shared/${shared.token}`],
      ...[`/task/${made.id}/events`, `/shared/${shared.token}/events`, '/events?snapshot=1', '/metrics', '/'],
    ])
      await ask(path)
    await ask('/alltasks', { headers: { accept: 'application/x-ndjson' } })
    await ask(`/task/${made.id}`, { method: 'DELETE' })
    await ask(`/task/${made.id}/retry`, { method: 'POST' })
    for (const text of texts) assert.doesNotMatch(text, /submittedBy|203\.0\.113/)
    assert.ok(texts.filter(text => text.includes(made.id)).length >= 11)
  })
})
