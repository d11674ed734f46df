// Accounts, logins, keys and invitations over REST: the ways of people and programs, and what attackers try.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { InvitationView, KeyView, Me, SessionView } from '../../src/access/access.ts'
import { createFixture, type Fixture, type FixtureOptions, jsonOf, PASSWORD } from './fixture.ts'

let door: Fixture
const open = (options: FixtureOptions = {}): void => {
  door = createFixture({ anonymous: 'none', ...options })
}
beforeEach(() => open())
afterEach(() => door.close())

const send = (
  method: string,
  path: string,
  {
    token,
    cookie,
    body,
    ...headers
  }: { token?: string; cookie?: string; body?: unknown; [name: string]: unknown } = {},
): Promise<Response> =>
  Promise.resolve(
    door.app.request(path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(cookie === undefined ? {} : { cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(headers as Record<string, string>),
      },
      body: body === undefined ? null : JSON.stringify(body),
    }),
  )
const codeOf = async (answer: Promise<Response>): Promise<[number, string | undefined]> => {
  const { status, headers, ...rest } = await answer.then(async found => ({
    status: found.status,
    headers: found.headers,
    text: await found.text(),
  }))
  const isProblem = headers.get('content-type')?.includes('problem')
  return [status, isProblem ? (JSON.parse(rest.text) as { code: string }).code : undefined]
}
const sessionOf = async (name: string): Promise<string> => {
  const answer = await send('POST', '/sessions', { body: { name, password: PASSWORD } })
  return (await jsonOf<{ token: string }>(answer)).token
}
const cookieOf = (answer: Response): string => (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? ''

describe('an account', () => {
  it('is made by invitation, logs in, asks who it is, and logs out', { timeout: 300_000 }, async () => {
    const admin = await door.logIn('root', 'admin')
    const invited = await send('POST', '/invitations', { token: admin.token, body: { note: 'for Ada' } })
    assert.equal(invited.status, 201)
    const { invitation, role } = await jsonOf<InvitationView & { invitation: string }>(invited)
    assert.match(invitation, /^mdi_[a-z0-9]{16}_[A-Za-z0-9]{43}$/)
    assert.equal(role, 'user')
    const wanted = { name: 'Ada', password: PASSWORD, invitation }
    const made = await send('POST', '/accounts', { body: wanted })
    assert.equal(made.status, 201)
    const account = await jsonOf<{ id: string; role: string }>(made)
    assert.equal(account.role, 'user')
    assert.deepEqual(await codeOf(send('POST', '/accounts', { body: { ...wanted, name: 'other' } })), [
      403,
      'INVITATION_INVALID',
    ])
    const login = await send('POST', '/sessions', { body: { name: 'ada', password: PASSWORD } })
    assert.equal(login.status, 201)
    assert.match(
      login.headers.get('set-cookie') ?? '',
      /^madhava_login=mds_.*Max-Age=43200.*HttpOnly.*SameSite=Strict/,
    )
    const cookie = cookieOf(login)
    const { token } = await jsonOf<{ token: string }>(login)
    for (const shown of [{ token }, { cookie }]) {
      const me = await jsonOf<Me>(await send('GET', '/me', shown))
      assert.deepEqual([me.account?.name, me.scopes, me.sees], ['Ada', ['read', 'submit'], 'own-and-unowned'])
      assert.equal(me.credential?.type, 'session')
    }
    const submitted = await send('POST', '/tasks', { cookie, body: { kind: 'echo', params: 1 } })
    assert.equal((await jsonOf<{ owner: string }>(submitted)).owner, account.id)
    const out = await send('DELETE', '/sessions/current', { cookie })
    assert.equal(out.status, 204)
    assert.match(out.headers.get('set-cookie') ?? '', /madhava_login=;.*Max-Age=0/)
    for (const shown of [{ token }, { cookie }])
      assert.deepEqual(await codeOf(send('GET', '/me', shown)), [401, 'UNAUTHORIZED'])
  })

  it('is made as REGISTRATION says', { timeout: 300_000 }, async () => {
    const body = { name: 'eve', password: PASSWORD }
    for (const [registration, ...expected] of [
      ['closed', 403, 'REGISTRATION_CLOSED'],
      ['invite', 403, 'REGISTRATION_CLOSED'],
      ['open', 201, undefined],
    ] as const) {
      await door.close()
      open({ registration })
      assert.deepEqual(await codeOf(send('POST', '/accounts', { body })), expected, registration)
      assert.deepEqual(await codeOf(send('POST', '/accounts', { body: { ...body, role: 'admin' } })), [
        401,
        'UNAUTHORIZED',
      ])
    }
    const { token } = await door.logIn('ann', 'user')
    const more = { ...body, name: 'other', role: 'admin' }
    assert.deepEqual(await codeOf(send('POST', '/accounts', { token, body: more })), [403, 'SCOPE_MISSING'])
    assert.deepEqual(await codeOf(send('POST', '/accounts', { body: { ...body, name: 'EVE' } })), [
      409,
      'NAME_TAKEN',
    ])
  })

  it('changes its password, which ends all its other sessions', { timeout: 300_000 }, async () => {
    const first = await door.logIn('ann', 'user')
    const other = await jsonOf<{ token: string }>(
      await send('POST', '/sessions', { body: { name: 'ann', password: PASSWORD } }),
    )
    const list = await jsonOf<{ sessions: SessionView[] }>(
      await send('GET', '/sessions', { token: first.token }),
    )
    assert.deepEqual(list.sessions.map(({ current }) => current).sort(), [false, true])
    const body = { password: PASSWORD, newPassword: 'another good one' }
    assert.deepEqual(
      await codeOf(send('PUT', '/me/password', { token: first.token, body: { ...body, password: 'no' } })),
      [401, 'LOGIN_WRONG'],
    )
    assert.equal((await send('PUT', '/me/password', { token: first.token, body })).status, 204)
    assert.equal((await send('GET', '/me', { token: first.token })).status, 200)
    assert.equal((await send('GET', '/me', { token: other.token })).status, 401)
    assert.deepEqual(await codeOf(send('POST', '/sessions', { body: { name: 'ann', password: PASSWORD } })), [
      401,
      'LOGIN_WRONG',
    ])
  })

  it('is disabled, demoted and deleted by an admin, at once', { timeout: 300_000 }, async () => {
    const admin = await door.logIn('root', 'admin')
    const { id, ...ann } = await door.logIn('ann', 'operator')
    let { token } = ann
    const { task } = await door.service.submit((await door.logIn('bob', 'user')).actor, {
      kind: 'echo',
      params: 1,
    })
    const asAnn = (path: string) => send('GET', path, { token })
    assert.equal((await asAnn(`/task/${task.id}`)).status, 200)
    const change = (body: object) => send('PATCH', `/accounts/${id}`, { token: admin.token, body })
    assert.equal((await change({ role: 'user' })).status, 200)
    assert.equal((await asAnn(`/task/${task.id}`)).status, 404)
    assert.equal((await change({ disabled: true })).status, 200)
    assert.equal((await asAnn('/me')).status, 401)
    assert.deepEqual(await codeOf(send('POST', '/sessions', { body: { name: 'ann', password: PASSWORD } })), [
      401,
      'LOGIN_WRONG',
    ])
    assert.equal((await change({ disabled: false })).status, 200)
    // no session comes back
    assert.equal((await asAnn('/me')).status, 401)
    token = await sessionOf('ann')
    const mine = await jsonOf<{ id: string }>(
      await send('POST', '/tasks', { token, body: { kind: 'echo', params: 1 } }),
    )
    assert.equal((await send('DELETE', `/accounts/${id}`, { token: admin.token })).status, 204)
    assert.equal((await asAnn('/me')).status, 401)
    const kept = await jsonOf<{ owner: string }>(
      await send('GET', `/task/${mine.id}`, { token: admin.token }),
    )
    assert.equal(kept.owner, id)
    const again = await door.logIn('ann', 'user')
    assert.notEqual(again.id, id)
    assert.deepEqual(await codeOf(send('GET', `/task/${mine.id}`, { token: again.token })), [
      404,
      'TASK_NOT_FOUND',
    ])
  })

  it('of the installation is changed by nobody here', { timeout: 300_000 }, async () => {
    const { token } = await door.logIn('root', 'admin')
    for (const name of ['operator', 'viewer', 'Operator', 'VIEWER'])
      assert.deepEqual(
        await codeOf(send('POST', '/accounts', { token, body: { name, password: PASSWORD, role: 'user' } })),
        [422, 'NAME_INVALID'],
      )
    for (const id of ['operator', 'viewer']) {
      assert.equal((await codeOf(send('DELETE', `/accounts/${id}`, { token })))[0], 403)
      assert.equal(
        (await codeOf(send('PATCH', `/accounts/${id}`, { token, body: { disabled: true } })))[0],
        403,
      )
    }
  })
})

describe('a list', () => {
  it('takes and shows the names of owners', { timeout: 300_000 }, async () => {
    const [ann, bob] = [await door.logIn('ann', 'user'), await door.logIn('Bob', 'user')]
    const { token } = await door.logIn('olga', 'operator')
    for (const who of [ann, bob])
      await send('POST', '/tasks', { token: who.token, body: { kind: 'echo', params: 1 } })
    await door.submit('echo', 2)
    const listed = async (path: string, as = token) => {
      const answer = await jsonOf<{ tasks: { owner: string | null; ownerName?: string | null }[] }>(
        await send('GET', path, { token: as }),
      )
      return answer.tasks.map(({ owner, ownerName }) => [owner, ownerName])
    }
    assert.deepEqual(await listed('/tasks'), [
      [null, undefined],
      [bob.id, 'Bob'],
      [ann.id, 'ann'],
    ])
    for (const name of ['bob', 'BOB', bob.id])
      assert.deepEqual(await listed(`/tasks?owner=${name}`), [[bob.id, 'Bob']], name)
    for (const nobody of ['nobody', '-', '..', '../x', '-1', '%00', '__proto__'])
      assert.deepEqual(await listed(`/tasks?owner=${nobody}`), [], nobody)
    assert.deepEqual(await listed('/tasks?owner=bob', ann.token), [])
    assert.deepEqual(await listed('/tasks', ann.token), [
      [null, undefined],
      [ann.id, 'ann'],
    ])
    const all = await jsonOf<{ ownerName?: string }[]>(await send('GET', '/alltasks', { token: bob.token }))
    assert.deepEqual(
      all.map(({ ownerName }) => ownerName),
      [undefined, 'Bob'],
    )
    assert.equal((await send('POST', '/tasks/cancel?owner=bob', { token })).status, 200)
    assert.equal(
      (await jsonOf<{ tasks: object[] }>(await send('GET', '/tasks?status=REVOKED', { token }))).tasks.length,
      1,
    )
  })

  it('of figures has nothing of others', { timeout: 300_000 }, async () => {
    const [ann, bob] = [await door.logIn('ann', 'user'), await door.logIn('bob', 'user')]
    await send('POST', '/tasks', { token: bob.token, body: { kind: 'echo', params: 1 } })
    const status = await jsonOf(await send('GET', '/', { token: ann.token }))
    assert.deepEqual(
      [status.host, status.processes, status.queue, (status.tasks as { total: number }).total],
      [null, null, null, 0],
    )
    const metrics = await (await send('GET', '/metrics', { token: ann.token })).text()
    assert.doesNotMatch(metrics, /echo|queue|process_|http/)
    assert.match(
      await (await send('GET', '/metrics', { token: bob.token })).text(),
      /madhava_tasks\{kind="echo",status="PENDING"\} 1/,
    )
  })
})

describe('a key', () => {
  it('is shown once, does what its scopes say, and is revoked at once', { timeout: 300_000 }, async () => {
    const { token } = await door.logIn('ann', 'user')
    const body = { name: 'nightly', scopes: ['read'], kinds: ['echo'], own: true }
    const made = await send('POST', '/keys', { token, body })
    assert.equal(made.status, 201)
    const { key, id } = await jsonOf<KeyView & { key: string }>(made)
    assert.match(key, new RegExp(`^mdv_${id}_[A-Za-z0-9]{43}$`))
    const text = await (await send('GET', '/keys', { token })).text()
    assert.doesNotMatch(text, new RegExp(key.slice(-43)))
    assert.equal((await send('GET', '/tasks', { token: key })).status, 200)
    for (const [method, path, sent, code] of [
      ['POST', '/tasks', { kind: 'echo', params: 1 }, 'SCOPE_MISSING'],
      ['POST', '/keys', { name: 'more', scopes: ['read'] }, 'FORBIDDEN'],
      ['PUT', '/me/password', { password: PASSWORD, newPassword: 'another good one' }, 'FORBIDDEN'],
      ['GET', '/sessions', undefined, 'FORBIDDEN'],
    ] as const)
      assert.deepEqual(await codeOf(send(method, path, { token: key, body: sent })), [403, code], path)
    assert.deepEqual(
      await codeOf(send('POST', '/keys', { token, body: { name: 'more', scopes: ['operate'] } })),
      [403, 'SCOPE_MISSING'],
    )
    const other = await door.logIn('bob', 'user')
    assert.deepEqual(await codeOf(send('DELETE', `/keys/${id}`, { token: other.token })), [
      404,
      'KEY_NOT_FOUND',
    ])
    assert.equal((await send('DELETE', `/keys/${id}`, { token })).status, 204)
    assert.equal((await send('GET', '/tasks', { token: key })).status, 401)
  })

  it('expires by the clock', { timeout: 300_000 }, async () => {
    const { token } = await door.logIn('ann', 'user')
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const { key } = await jsonOf<{ key: string }>(
      await send('POST', '/keys', { token, body: { name: 'short', scopes: ['read'], expiresAt } }),
    )
    assert.equal((await send('GET', '/tasks', { token: key })).status, 200)
    door.pass(61_000)
    assert.equal((await send('GET', '/tasks', { token: key })).status, 401)
  })
})

describe('a request', () => {
  it('with a cookie from another site changes nothing', { timeout: 300_000 }, async () => {
    const { token } = await door.logIn('ann', 'user')
    const cookie = `madhava_login=${token}`
    for (const [method, path] of [
      ['POST', '/tasks'],
      ['POST', '/keys'],
      ['DELETE', '/sessions/current'],
      ['DELETE', '/me'],
      ['PUT', '/me/password'],
      ['GET', '/calcpi/3'],
    ] as const)
      for (const from of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }]) {
        const body = method === 'GET' || method === 'DELETE' ? undefined : { kind: 'echo', params: 1 }
        assert.deepEqual(
          await codeOf(send(method, path, { cookie, body, ...from })),
          [403, 'CROSS_SITE'],
          path,
        )
      }
    assert.equal((await send('GET', '/me', { cookie })).status, 200)
  })

  it('that shows something invalid is never a stranger, even where strangers may do all', async () => {
    await door.close()
    open({ anonymous: 'full' })
    assert.equal((await send('GET', '/tasks')).status, 200)
    for (const authorization of [
      'Bearer',
      'Bearer ',
      'bearer x',
      'Bearer a b',
      `Bearer ${'x'.repeat(5_000)}`,
    ])
      assert.deepEqual(
        await codeOf(send('GET', '/tasks', { authorization })),
        [401, 'UNAUTHORIZED'],
        authorization.slice(0, 20),
      )
    assert.equal((await send('GET', '/tasks', { cookie: 'madhava_login=mds_x' })).status, 401)
    // of a proxy in front
    assert.equal((await send('GET', '/tasks', { authorization: 'Basic eDp5' })).status, 200)
    assert.equal((await send('GET', '/livez', { token: 'wrong' })).status, 200)
  })

  it('guesses passwords slowly', { timeout: 300_000 }, async () => {
    await door.logIn('ann', 'user')
    const answers: [number, string | undefined][] = []
    for (let n = 0; n < 7; n += 1)
      answers.push(await codeOf(send('POST', '/sessions', { body: { name: 'ann', password: `guess ${n}` } })))
    assert.deepEqual(answers.at(0), [401, 'LOGIN_WRONG'])
    assert.deepEqual(answers.at(-1), [429, 'TOO_MANY_REQUESTS'])
  })

  it('with a body that is none is refused with what is wrong', async () => {
    for (const [path, body] of [
      ['/sessions', { name: 'x' }],
      ['/sessions', { name: 'x', password: 'y', more: 1 }],
      ['/sessions', []],
      ['/accounts', { name: { $ne: null }, password: 'long enough' }],
    ] as const)
      assert.deepEqual(await codeOf(send('POST', path, { body })), [400, 'BAD_REQUEST'], path)
  })
})
