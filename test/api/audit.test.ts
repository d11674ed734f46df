// GET /audit: pages and filters, who may see it, and that every request that changes something leaves a line.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { AuditEntry } from '../../src/core/audit.ts'
import { entryOf } from '../support/audit-entries.ts'
import { createFixture, type Fixture, jsonOf, PASSWORD } from './fixture.ts'

interface Page {
  entries: AuditEntry[]
  next: string | null
}

describe('GET /audit', { timeout: 300_000 }, () => {
  let door: Fixture
  let token: string
  beforeEach(async () => {
    door = createFixture({ anonymous: 'none' })
    token = (await door.logIn('root', 'admin')).token
    await door.store.audit.removeBefore('9999-01-01T00:00:00.000Z')
  })
  afterEach(() => door.close())

  const get = (query = '', shown = token) =>
    door.app.request(`/audit${query}`, { headers: { authorization: `Bearer ${shown}` } })
  const entries = async (query = ''): Promise<AuditEntry[]> => (await jsonOf<Page>(await get(query))).entries

  it('gives pages, the newest first', async () => {
    const added = [1, 2, 3].map(n => entryOf({ at: `2026-01-0${n}T00:00:00.000Z` }))
    await door.store.audit.add(added)
    const first = await jsonOf<Page>(await get('?limit=2'))
    assert.ok(first.next)
    const second = await jsonOf<Page>(await get(`?limit=2&cursor=${first.next}`))
    assert.deepEqual([...first.entries, ...second.entries], added.toReversed())
    assert.equal(second.next, null)
    assert.equal((await get('?cursor=x')).status, 400)
  })

  it('filters by actor, action, target, outcome and time', async () => {
    const at = '2026-01-02T10:00:00.000Z'
    const wanted = entryOf({ at, action: 'key.create', target: 'k1 scopes=read', outcome: 'SCOPE_MISSING' })
    await door.store.audit.add([
      entryOf({ at: '2026-01-01T10:00:00.000Z', actor: null }),
      wanted,
      entryOf({ at: '2026-01-03T00:00:00.000Z', actor: { account: 'b', name: 'bob' }, target: 'k10' }),
    ])
    for (const query of [
      '?action=key.create',
      '?target=k1',
      '?target=k1%20scopes%3Dread',
      '?outcome=SCOPE_MISSING',
      '?from=2026-01-02&to=2026-01-03',
    ])
      assert.deepEqual(await entries(query), [wanted], query)
    for (const query of ['?action=LOGIN', '?actor=a&actor=b', '?from=soon', '?limit=201', '?who=ann'])
      assert.equal((await get(query)).status, 400, query)
    assert.deepEqual(
      (await entries('?actor=a-1')).map(({ id }) => id),
      [wanted.id],
    )
    assert.deepEqual((await entries('?actor=bob')).length, 1)
    assert.deepEqual((await entries('?action=login&action=key.create')).length, 1)
  })

  it('is for admins', async () => {
    for (const role of ['viewer', 'user', 'operator'] as const) {
      const { token: shown } = await door.logIn(`is-${role}`, role)
      const answer = await get('', shown)
      assert.equal(answer.status, 403)
      assert.equal((await jsonOf(answer)).code, 'SCOPE_MISSING')
    }
    assert.equal((await door.app.request('/audit')).status, 401)
  })

  it('has a line of each request that changes something, with where it came from', async () => {
    const request = async (
      method: string,
      path: string,
      body?: unknown,
      shown: string | null = token,
    ): Promise<Record<string, string>> => {
      const init = {
        method,
        headers: {
          'content-type': 'application/json',
          ...(shown === null ? {} : { authorization: `Bearer ${shown}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }
      const client = { address: '192.0.2.44', clientKey: '192.0.2.44' }
      const answer = await door.app.fetch(new Request(`http://localhost${path}`, init), { client } as never)
      assert.ok(answer.status < 400, `${method} ${path}: ${answer.status}`)
      return answer.status === 204 ? {} : jsonOf<Record<string, string>>(answer)
    }
    const task = { kind: 'echo', params: 1 }
    const { id } = await request('POST', '/tasks', task)
    await request('GET', '/calcpi/3')
    await request('DELETE', `/task/${id}`)
    await request('POST', `/task/${id}/retry`)
    await request('DELETE', `/task/${id}`)
    await request('DELETE', `/task/${id}?purge=1`)
    await request('POST', '/tasks/cancel?kind=calcpi')
    await request('POST', '/tasks/retry?kind=calcpi')
    await request('POST', '/tasks/cancel?kind=calcpi')
    await request('POST', '/tasks/delete?kind=calcpi')
    const { invitation } = await request('POST', '/invitations', {})
    const ada = await request('POST', '/accounts', { name: 'ada', password: PASSWORD, invitation }, null)
    const login = await request('POST', '/sessions', { name: 'ada', password: PASSWORD }, null)
    const shown = login.token ?? ''
    const key = await request('POST', '/keys', { name: 'k', scopes: ['read'] }, shown)
    await request('DELETE', `/keys/${key.id}`, undefined, shown)
    await request('PUT', '/me/password', { password: PASSWORD, newPassword: `${PASSWORD}!` }, shown)
    await request('PATCH', `/accounts/${ada.id}`, { role: 'viewer' })
    await request('DELETE', `/accounts/${ada.id}`)
    await request('DELETE', '/sessions/current', undefined, (await door.logIn('out', 'user')).token)
    const all = (await entries('?limit=200')).filter(({ address }) => address === '192.0.2.44').reverse()
    assert.deepEqual(
      all.map(({ action, outcome }) => (outcome === 'done' ? action : `${action} ${outcome}`)),
      [
        ...['task.submit', 'task.submit', 'task.cancel', 'task.retry', 'task.cancel', 'task.delete'],
        ...['tasks.cancel', 'tasks.retry', 'tasks.cancel', 'tasks.delete', 'invitation.create'],
        ...['account.register', 'login', 'key.create', 'key.revoke', 'password.change'],
        ...['account.change', 'account.delete', 'logout'],
      ],
    )
    assert.ok(all.every(({ via }) => via === 'rest'))
  })
})
