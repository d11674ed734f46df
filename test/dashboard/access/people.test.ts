// Logins of accounts at the dashboard: by the form and by programs, their cookies, their ends, and what each sees.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Access, Registration } from '../../../src/access/access.ts'
import { LOGIN_COOKIE } from '../../../src/api/identify.ts'
import type { Actor } from '../../../src/core/actor.ts'
import { MadhavaError } from '../../../src/core/errors.ts'
import type { AccountRole } from '../../../src/core/policy.ts'
import { createPeopleSessions, SEEN_COUNTS_MS } from '../../../src/dashboard/access/people-sessions.ts'
import { SESSION_COOKIE } from '../../../src/dashboard/access/session.ts'
import { deadTopic } from '../../../src/dashboard/stream/store-topics.ts'
import { allTasksTopic, oneTaskTopic } from '../../../src/dashboard/stream/task-topics.ts'
import { createFixture, type Fixture, PASSWORD } from '../../api/fixture.ts'
import { person } from '../../support/actors.ts'
import { basic, createDashboardFixture, noProcesses, PASSWORDS, peopleOf, SAME_SITE } from '../fixture.ts'

const FORM = { ...SAME_SITE, 'content-type': 'application/x-www-form-urlencoded' }
const JSON_TYPE = { 'content-type': 'application/json' }
const ADMIN = person('admin', 'admin')

describe('people at the dashboard', { timeout: 600_000 }, () => {
  let api: Fixture
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  before(async () => {
    api = createFixture({ anonymous: 'none' })
    door = await createDashboardFixture({
      processes: noProcesses(),
      ...peopleOf(api.access),
      api: api.app,
      topics: {
        tasks: allTasksTopic(api.service),
        task: oneTaskTopic(api.service),
        dead: deadTopic(api.service, 20),
      },
    })
  })
  after(async () => {
    await door.close()
    await api.close()
  })

  let addresses = 0
  /** From an address that has not tried before: one may try five times a minute. */
  const request = (method: string, where: string, headers: Record<string, string>, body?: string) => {
    addresses += 1
    const address = `198.51.100.${addresses}`
    const init = { method, headers, ...(body === undefined ? {} : { body }) }
    return door.app.request(where, init, { client: { address, clientKey: address } })
  }
  const logIn = (fields: Record<string, string>, headers: Record<string, string> = {}) =>
    request('POST', '/login', { ...FORM, ...headers }, new URLSearchParams(fields).toString())
  const cookiesOf = (answer: Response): Record<string, string> =>
    Object.fromEntries(
      answer.headers.getSetCookie().map(text => {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(text) ?? []
        return [name, value]
      }),
    )
  /** Headers of a page's own requests. */
  const ownOf = async (token: string): Promise<Record<string, string>> => {
    const cookie = `${LOGIN_COOKIE}=${token}`
    const me = (await (await door.get('/me.json', { cookie })).json()) as { csrf: string }
    return { ...SAME_SITE, ...JSON_TYPE, cookie, 'x-csrf-token': me.csrf }
  }
  /** Makes an account and logs in; answers what its page sends. */
  const enter = async (name: string, role: 'viewer' | 'user' | 'operator' | 'admin' = 'user') => {
    const { id, token, actor } = await api.logIn(name, role)
    return { id, token, actor, own: await ownOf(token) }
  }
  const statusOf = async (headers: Record<string, string>): Promise<number> =>
    (await door.get('/me.json', headers)).status

  it('log in by the form, with a cookie that no script can read and no other site can send', async () => {
    const { id } = await api.logIn('ada', 'user')
    const answer = await logIn({ name: 'Ada', password: PASSWORD, next: '/dead' })
    assert.deepEqual([answer.status, answer.headers.get('location')], [303, '/dead'])
    const [text = ''] = answer.headers.getSetCookie()
    assert.match(text, /^madhava_login=mds_/)
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=43200'])
      assert.ok(text.includes(part), part)
    assert.doesNotMatch(text, /Domain|Secure/)
    const cookie = text.split(';')[0] ?? ''
    const me = (await (await door.get('/me.json', { cookie })).json()) as Record<string, unknown>
    assert.deepEqual(
      [me.name, me.account, me.role, me.scopes, me.isBuiltIn],
      ['ada', id, 'user', ['read', 'submit'], false],
    )
    assert.equal((await door.get('/login', { cookie })).headers.get('location'), '/')
    assert.equal((await door.get('/', { cookie })).headers.get('location'), '/tasks')
    assert.match(
      await (await door.get('/tasks', { cookie })).text(),
      /data-may="tasks\.look tasks\.change account"/,
    )
    // the same session at the REST API
    assert.equal((await api.app.request('/tasks', { headers: { cookie } })).status, 200)
  })

  it('are told the same of a wrong name and a wrong password, and wait after five tries', async () => {
    await api.logIn('brian', 'user')
    for (const name of ['brian', 'nobody-has-this'])
      assert.equal((await logIn({ name, password: 'not this one' })).status, 401)
    const statuses: number[] = []
    for (let count = 0; count < 7; count += 1) {
      const form = new URLSearchParams({ name: 'brian', password: `wrong ${count}` }).toString()
      statuses.push((await door.post('/login', form, FORM)).status)
    }
    assert.equal(statuses.at(-1), 429)
  })

  it('begin a session of their own, whatever cookie the browser had, and the earlier one ends', async () => {
    const { token } = await enter('carol')
    const planted = (await api.logIn('mallory', 'user')).token
    const answer = await logIn(
      { name: 'carol', password: PASSWORD },
      { cookie: `${LOGIN_COOKIE}=${planted}` },
    )
    const own = cookiesOf(answer)[LOGIN_COOKIE] ?? ''
    assert.ok(own !== planted && own !== token)
    assert.equal(await statusOf({ cookie: `${LOGIN_COOKIE}=${planted}` }), 401)
    // from one login to the other, only one of the two cookies stays
    const signed = await logIn(
      { name: 'operator', password: PASSWORDS.operator },
      { cookie: `${LOGIN_COOKIE}=${own}` },
    )
    const cookies = cookiesOf(signed)
    assert.equal(cookies[LOGIN_COOKIE], '')
    const back = await logIn(
      { name: 'carol', password: PASSWORD },
      { cookie: `${SESSION_COOKIE}=${cookies[SESSION_COOKIE]}` },
    )
    assert.equal(cookiesOf(back)[SESSION_COOKIE], '')
    assert.equal(await statusOf({ cookie: `${SESSION_COOKIE}=${cookies[SESSION_COOKIE]}` }), 401)
    assert.equal(await statusOf({ cookie: `${LOGIN_COOKIE}=${token}` }), 200)
  })

  it('are nobody with a key in the cookie, which is for programs at the other APIs', async () => {
    const { actor } = await enter('dave')
    const wanted = { name: 'k', scopes: ['read' as const], kinds: null, own: false, expiresAt: null }
    const { key } = await api.access.createKey(actor, wanted)
    assert.equal(await statusOf({ cookie: `${LOGIN_COOKIE}=${key}` }), 401)
    for (const none of ['', 'x', 'mds_', `mds_${'a'.repeat(16)}_${'b'.repeat(43)}`])
      assert.equal(await statusOf({ cookie: `${LOGIN_COOKIE}=${none}` }), 401)
  })

  it('change nothing without the token of their session, or from another site', async () => {
    const [{ own }, other] = [await enter('erin'), await enter('eve')]
    const send = (headers: Record<string, string>) =>
      door.post('/api/tasks', JSON.stringify({ kind: 'echo', params: 1 }), headers)
    const { 'x-csrf-token': _, ...without } = own
    const operator = await door.enter('operator')
    for (const headers of [
      without,
      { ...own, 'x-csrf-token': '' },
      { ...own, 'x-csrf-token': other.own['x-csrf-token'] ?? '' },
      { ...own, 'x-csrf-token': operator.token },
      { ...own, origin: 'http://evil.example' },
      { ...own, 'sec-fetch-site': 'cross-site' },
      { ...own, 'sec-fetch-site': 'same-site' },
    ])
      assert.equal((await send(headers)).status, 403)
    assert.equal((await send(own)).status, 202)
    const post = (form: Record<string, string>) =>
      door.post('/logout', new URLSearchParams(form).toString(), { ...own, ...FORM })
    assert.equal((await post({ token: other.own['x-csrf-token'] ?? '' })).status, 403)
    assert.equal(await statusOf(own), 200)
  })

  it('log out at once and everywhere', async () => {
    const { own, token } = await enter('frank')
    const form = new URLSearchParams({ token: own['x-csrf-token'] ?? '' }).toString()
    const answer = await door.post('/logout', form, { ...own, ...FORM })
    assert.equal(answer.headers.get('location'), '/login')
    assert.equal(cookiesOf(answer)[LOGIN_COOKIE], '')
    assert.equal(await statusOf(own), 401)
    const rest = await api.app.request('/tasks', { headers: { authorization: `Bearer ${token}` } })
    assert.equal(rest.status, 401)
  })

  it('keep the session that changed the password, and lose all others', async () => {
    const { own, actor } = await enter('grace')
    const second = await api.access.logIn(
      { name: 'grace', password: PASSWORD },
      { address: '192.0.2.200', agent: null, via: 'dashboard' },
    )
    const other = await ownOf(second.token)
    const body = JSON.stringify({ password: PASSWORD, newPassword: 'another one that is long' })
    const wrong = JSON.stringify({ password: 'not this one', newPassword: 'another one that is long' })
    const put = (text: string) => request('PUT', '/api/me/password', own, text)
    assert.equal((await put(wrong)).status, 401)
    assert.equal((await put(body)).status, 204)
    assert.deepEqual([await statusOf(own), await statusOf(other)], [200, 401])
    assert.equal((await api.access.sessions(actor)).length, 1)
  })

  it('have another role from the next request on, and their stream ends', async () => {
    const { id, own } = await enter('heidi', 'operator')
    assert.equal((await door.get('/processes.json', own)).status, 200)
    const stream = await door.get('/stream?topic=tasks', own)
    assert.equal(stream.status, 200)
    const told = stream.text()
    await api.access.changeAccount(ADMIN, id, { role: 'user' })
    assert.equal((await door.get('/processes.json', own)).status, 403)
    assert.equal((await door.post('/processes/api/stop', '{}', own)).status, 403)
    assert.match(await told, /event: end\ndata: \{"reason":"login"\}/)
    await api.access.changeAccount(ADMIN, id, { disabled: true })
    assert.equal(await statusOf(own), 401)
  })

  it('see, count and touch nothing of others', async () => {
    const [ivan, judy] = [await enter('ivan'), await enter('judy')]
    const submit = async (own: Record<string, string>): Promise<string> => {
      const answer = await door.post('/api/tasks', JSON.stringify({ kind: 'echo', params: 'secret' }), own)
      return ((await answer.json()) as { id: string }).id
    }
    const listening = await door.get('/stream?topic=tasks&topic=dead', judy.own)
    const reader = listening.body?.getReader()
    let heard = ''
    const next = async (): Promise<void> => {
      heard += Buffer.from((await reader?.read())?.value ?? []).toString()
    }
    while (!heard.includes('tasks-live') || !heard.includes('"topic":"dead"')) await next()
    const [his, hers] = [await submit(ivan.own), await submit(judy.own)]
    while (!heard.includes(hers) || !heard.includes('"all":1')) await next()
    await reader?.cancel()
    assert.ok(!heard.includes(his))
    assert.doesNotMatch(heard, /"all":[2-9]/)
    const ask = (method: string, where: string) =>
      door.app.request(`/api${where}`, { method, headers: judy.own })
    for (const [method, where] of [
      ['GET', `/task/${his}`],
      ['GET', `/task/${his}/result`],
      ['GET', `/task/${his}/why`],
      ['GET', `/task/${his}/log`],
      ['GET', `/task/${his}/events`],
      ['POST', `/task/${his}/retry`],
      ['DELETE', `/task/${his}`],
      ['DELETE', `/task/${his}?purge=1`],
      ['POST', `/dead/${his}/replay`],
      ['DELETE', `/dead/${his}`],
    ] as const)
      assert.equal((await ask(method, where)).status, 404, `${method} ${where}`)
    for (const where of [
      '/tasks',
      '/alltasks',
      `/tasks?owner=ivan`,
      `/tasks?owner=${ivan.id}`,
      '/tasks?q=secret',
    ])
      assert.ok(!(await (await ask('GET', where)).text()).includes(his), where)
    const home = (await (await ask('GET', '/')).json()) as Record<string, { total: number } | null>
    assert.deepEqual([home.tasks?.total, home.host, home.processes, home.queue], [1, null, null, null])
    const cancelled = (await (await ask('POST', '/tasks/cancel?all=1')).json()) as { matched: number }
    assert.equal(cancelled.matched, 1)
    assert.equal((await api.store.get(his))?.status, 'PENDING')
    const stream = await door.get(`/stream?topic=task:${his}`, judy.own)
    const first = stream.body?.getReader()
    let said = ''
    while (!said.includes('event: topic')) said += Buffer.from((await first?.read())?.value ?? []).toString()
    await first?.cancel()
    assert.match(said, /TASK_NOT_FOUND/)
    // sessions and keys of others are not there
    const { key, id } = await api.access.createKey(ivan.actor, {
      ...{ name: 'k', scopes: ['read'], kinds: null, own: false, expiresAt: null },
    })
    assert.ok(key)
    assert.equal((await ask('DELETE', `/keys/${id}`)).status, 404)
    const [session] = await api.access.sessions(ivan.actor)
    assert.equal((await ask('DELETE', `/sessions/${session?.id}`)).status, 404)
    assert.ok(!(await (await ask('GET', '/sessions')).text()).includes(session?.id ?? 'none'))
  })

  it('send a name and a password with each request as programs, and are hashed once', async () => {
    const { id, actor } = await enter('karl', 'operator')
    const program = basic('karl', PASSWORD)
    const before = (await api.access.sessions(actor)).length
    for (let count = 0; count < 10; count += 1)
      assert.equal((await request('GET', '/processes.json', program)).status, 200)
    await Promise.all(Array.from({ length: 5 }, () => door.get('/processes.json', program)))
    assert.equal((await api.access.sessions(actor)).length, before + 1)
    // a page cannot be had, whose token is the session's
    assert.equal((await door.get('/processes', program)).status, 401)
    await api.access.changeAccount(ADMIN, id, { role: 'user' })
    assert.equal((await door.get('/processes.json', program)).status, 403)
    await api.access.changeAccount(ADMIN, id, { password: 'a new one for karl' })
    const meOf = async (password: string): Promise<number> =>
      (await request('GET', '/me.json', { host: 'localhost:9001', ...basic('karl', password) })).status
    assert.equal(await meOf(PASSWORD), 401)
    assert.equal(await meOf('a new one for karl'), 200)
    await api.access.deleteAccount(ADMIN, id)
    assert.equal(await meOf('a new one for karl'), 401)
  })
})

describe('the registration', { timeout: 600_000 }, () => {
  const set = async (registration: Registration) => {
    const api = createFixture({ anonymous: 'none', registration })
    const door = await createDashboardFixture({
      processes: noProcesses(),
      ...peopleOf(api.access),
      api: api.app,
    })
    const send = (fields: Record<string, string>, headers: Record<string, string> = FORM) =>
      door.post('/register', new URLSearchParams(fields).toString(), headers)
    return {
      api,
      door,
      send,
      async invite(role: AccountRole = 'user'): Promise<string> {
        const wanted = { role, note: null, seconds: 3600 }
        return (await api.access.invite((await api.logIn('chief', 'admin')).actor, wanted)).invitation
      },
      async close() {
        await door.close()
        await api.close()
      },
    }
  }
  /** The field whose fault the page tells, and its words. */
  const faultIn = (page: string): [string, string] => {
    const [, field = '', words = ''] =
      /id="(\w+)-help"><span class="field-fault" role="alert">([^<]+)</.exec(page) ?? []
    return [field, words]
  }

  it('takes an invitation once, with its role, and leads to the login', async () => {
    const { api, door, send, invite, close } = await set('invite')
    const invitation = await invite('operator')
    const page = await (await door.get(`/register?invitation=${invitation}`)).text()
    assert.ok(page.includes(`value="${invitation}"`))
    assert.doesNotMatch(page, /<script|style=/)
    const fields = { name: 'Ada', password: 'the dog eats homework', invitation: ` ${invitation}` }
    const made = await send(fields)
    assert.deepEqual([made.status, made.headers.get('location')], [303, '/login?made=Ada'])
    assert.equal(made.headers.get('set-cookie'), null)
    const { token } = await api.access.logIn(fields, {
      address: '192.0.2.250',
      agent: null,
      via: 'dashboard',
    })
    const actor = await api.access.identify(token, 'rest')
    assert.deepEqual(actor.scopes, ['read', 'submit', 'operate'])
    const again = await send({ ...fields, name: 'eve' })
    assert.equal(again.status, 422)
    assert.equal(faultIn(await again.text())[0], 'invitation')
    await close()
  })

  it('says what is wrong beside the field, keeps what was typed, and never the password', async () => {
    const { send, invite, close } = await set('invite')
    const invitation = await invite()
    const good = { name: 'ada', password: 'the dog eats homework', invitation }
    for (const [wrong, field, words] of [
      [{ name: 'chief' }, 'name', /taken/],
      [{ name: '<b>"' }, 'name', /letters, digits/],
      [{ name: 'operator' }, 'name', /kept for the server/],
      [{ password: 'short' }, 'password', /at least 8/],
      [{ password: 'password' }, 'password', /first that anybody/],
      [{ password: 'ADA', name: 'ada' }, 'password', /at least 8/],
      [{ invitation: 'mdi_x' }, 'invitation', /unknown, used/],
      [{ invitation: '' }, 'invitation', /needs an invitation/],
    ] as const) {
      const given = { ...good, ...wrong }
      const answer = await send(given, { ...FORM, 'accept-language': 'en' })
      assert.equal(answer.status, 422)
      const page = await answer.text()
      const [at, said] = faultIn(page)
      assert.equal(at, field, said)
      assert.match(said, words)
      assert.ok(!page.includes(`value="${given.password}"`))
      assert.doesNotMatch(page, /<b>/)
      assert.ok(page.includes(`value="${given.invitation}"`))
    }
    await close()
  })

  it('is open where the setting says so, and closed to who sends a role or comes from another site', async () => {
    const { api, send, close } = await set('open')
    const good = { name: 'ada', password: 'the dog eats homework', invitation: '', role: 'admin' }
    for (const headers of [
      { ...FORM, origin: 'http://evil.example' },
      { ...FORM, 'sec-fetch-site': 'cross-site' },
    ])
      assert.equal((await send(good, headers)).status, 403)
    assert.equal((await send(good, { ...FORM, 'content-type': 'application/json' })).status, 415)
    assert.equal(await api.access.idOf('ada'), null)
    assert.equal((await send(good)).status, 303)
    const { account } = await api.access.logIn(good, {
      address: '192.0.2.251',
      agent: null,
      via: 'dashboard',
    })
    assert.equal(account.role, 'user')
    await close()
  })

  it('is counted with the tries of its address', async () => {
    const { send, close } = await set('open')
    const statuses: number[] = []
    for (let count = 0; count < 6; count += 1)
      statuses.push((await send({ name: `one-${count}`, password: 'the dog eats homework' })).status)
    assert.deepEqual(statuses, [303, 303, 303, 303, 303, 429])
    await close()
  })
})

describe('a session of an account', () => {
  const TOKEN = `mds_${'a'.repeat(16)}_${'b'.repeat(43)}`
  const away = new MadhavaError('STORE_UNAVAILABLE')
  const set = () => {
    let [now, failure]: [number, MadhavaError | null] = [0, null]
    const actor: Actor = person('ada', 'user', 'dashboard')
    const endsAt = 1_000_000
    const access: Pick<Access, 'identify' | 'me' | 'logOut'> = {
      identify: async () => {
        if (failure) throw failure
        return actor
      },
      me: async () => ({
        ...{
          account: null,
          scopes: actor.scopes,
          sees: actor.sees,
          kinds: null,
          credential: actor.credential,
        },
        expiresAt: new Date(endsAt).toISOString(),
      }),
      logOut: async () => {
        if (failure) throw failure
      },
    }
    const clock = (): number => now
    const sessions = createPeopleSessions({ access, key: Buffer.alloc(32, 2), clock, steady: clock })
    return {
      sessions,
      endsAt,
      at(ms: number) {
        now = ms
      },
      fail(next: MadhavaError | null) {
        failure = next
      },
    }
  }

  it('counts some minutes more while the store is away, where it was seen, and not beyond its end', async () => {
    const { sessions, at, fail, endsAt } = set()
    fail(away)
    await assert.rejects(sessions.check(TOKEN), away)
    fail(null)
    assert.equal((await sessions.check(TOKEN))?.who.name, 'ada')
    fail(away)
    at(SEEN_COUNTS_MS - 1)
    assert.equal((await sessions.check(TOKEN))?.session.expiresAt, endsAt)
    at(SEEN_COUNTS_MS)
    await assert.rejects(sessions.check(TOKEN), away)
    fail(null)
    at(endsAt - 1)
    assert.ok(await sessions.check(TOKEN))
    fail(away)
    at(endsAt)
    await assert.rejects(sessions.check(TOKEN), away)
  })

  it('that has ended is not revived by a store that goes away', async () => {
    const { sessions, fail } = set()
    assert.ok(await sessions.check(TOKEN))
    fail(new MadhavaError('UNAUTHORIZED'))
    assert.equal(await sessions.check(TOKEN), null)
    fail(away)
    await assert.rejects(sessions.check(TOKEN), away)
  })

  it('that was ended here stays so, also where that could not be written', async () => {
    const { sessions, fail } = set()
    assert.ok(await sessions.check(TOKEN))
    fail(away)
    await assert.rejects(sessions.end(TOKEN), away)
    assert.equal(await sessions.check(TOKEN), null)
    fail(null)
    assert.equal(await sessions.check(TOKEN), null)
    await sessions.end(TOKEN)
  })
})
