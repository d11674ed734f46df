// Sign-in by OpenID Connect at REST, against a real provider: the whole way, what a group gives, and where it may lead.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { AccountView } from '../../src/access/access.ts'
import type { OidcOptions } from '../../src/access/oidc/options.ts'
import { LOGIN_COOKIE } from '../../src/api/identify.ts'
import { HTTP_LIMITS } from '../../src/platform/serve.ts'
import { CLIENT_ID, CLIENT_SECRET, type RealProvider, startProvider } from '../support/oidc-provider.ts'
import { createTinyBrowser, passProvider, type TinyBrowser } from '../support/tiny-browser.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

const API = 'http://127.0.0.1:8000'

describe('sign-in by OpenID Connect at REST', { timeout: 300_000 }, () => {
  let provider: RealProvider
  let door: Fixture
  before(async () => {
    provider = await startProvider({ redirectUris: [`${API}/sessions/oidc/callback`] })
    provider.people.set('ada', {
      preferred_username: 'Ada',
      email: 'ada@example.org',
      groups: ['staff', 'x'],
    })
    provider.people.set('eve', { preferred_username: 'eve', groups: ['others'] })
  })
  after(() => provider.close())

  const optionsOf = (more: Partial<OidcOptions> = {}): OidcOptions => ({
    issuer: provider.issuer,
    clientId: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    apiUrl: API,
    dashboardUrl: null,
    roles: [
      { group: 'staff', role: 'user' },
      { group: 'admins', role: 'admin' },
    ],
    groupsClaim: 'groups',
    scopes: 'openid profile email',
    name: 'the company',
    ...more,
  })
  const open = (more: Partial<OidcOptions> = {}) =>
    createFixture({ oidc: optionsOf(more), anonymous: 'none', corsOrigins: ['https://app.example.org'] })
  beforeEach(() => {
    door = open()
  })
  afterEach(() => door.close())

  const browserOf = (...doors: Fixture[]): TinyBrowser => {
    let n = 0
    return createTinyBrowser({
      // each request goes to another one of several hosts
      [API]: (url, init) => {
        const at = doors[n % doors.length] ?? door
        n += 1
        return at.app.request(url.href, init)
      },
    })
  }
  const signIn = async (browser: TinyBrowser, login: string, query = '') => {
    const page = await browser.visit(`${API}/sessions/oidc${query}`)
    return page.url.href.startsWith(API) ? page : passProvider(browser, page, login)
  }
  const meOf = async (browser: TinyBrowser) =>
    jsonOf<{ account: AccountView; scopes: string[] }>(
      await door.app.request('/me', {
        headers: { cookie: `${LOGIN_COOKIE}=${browser.cookies(API)[LOGIN_COOKIE]}` },
      }),
    )

  it('makes an account with the role of the groups, and the same session as a password', async () => {
    const browser = browserOf(door)
    const end = await signIn(browser, 'ada', '?returnTo=%2Fdocs%3Fa%3D1%26b%3D2')
    assert.equal(end.status, 200)
    assert.match(end.text, /http-equiv="refresh" content="0; url=\/docs\?a=1&amp;b=2"/)
    const { account, scopes } = await meOf(browser)
    assert.deepEqual(
      { ...account, id: '', createdAt: '' },
      { id: '', name: 'Ada', role: 'user', createdAt: '', disabledAt: null, signIn: ['oidc'] },
    )
    assert.deepEqual(scopes, ['read', 'submit'])
    // the cookie of the sign-in is gone, and the other one is for this site alone
    assert.deepEqual(Object.keys(browser.cookies(API)), [LOGIN_COOKIE])
    assert.match(
      end.headers.getSetCookie().join('\n'),
      new RegExp(`${LOGIN_COOKIE}=mds_.*HttpOnly; SameSite=Strict`),
    )
    assert.equal(end.headers.get('cache-control'), 'no-store')
  })

  it('is the same for a public client, and for claims in the ID token', async () => {
    const other = await startProvider({
      redirectUris: [`${API}/sessions/oidc/callback`],
      clientSecret: null,
      claimsIn: 'id-token',
    })
    other.people.set('ada', { preferred_username: 'Ada', nested: { roles: ['boss'] } })
    const host = open({
      issuer: other.issuer,
      clientSecret: null,
      groupsClaim: 'nested.roles',
      roles: [{ group: 'boss', role: 'operator' }],
    })
    const browser = browserOf(host)
    const end = await signIn(browser, 'ada')
    assert.equal(end.status, 200, end.text)
    const cookie = `${LOGIN_COOKIE}=${browser.cookies(API)[LOGIN_COOKIE]}`
    const { account } = await jsonOf<{ account: AccountView }>(
      await host.app.request('/me', { headers: { cookie } }),
    )
    assert.equal(account.role, 'operator')
    await host.close()
    await other.close()
  })

  it('lets in whom the groups let in, and changes the role of a session that is there', async () => {
    const eve = browserOf(door)
    const problem = JSON.parse((await signIn(eve, 'eve')).text) as {
      code: string
      status: number
      detail: string
    }
    assert.deepEqual([problem.code, problem.status], ['OIDC_NO_ROLE', 403])
    assert.match(problem.detail, /claim groups/)
    assert.deepEqual(eve.cookies(API), {})
    const browser = browserOf(door)
    await signIn(browser, 'ada')
    provider.people.set('ada', { preferred_username: 'Ada', groups: ['admins'] })
    // the provider has a session of its own by now: nobody is asked for a password again
    assert.equal((await signIn(browser, 'ada')).status, 200)
    provider.people.set('ada', {
      preferred_username: 'Ada',
      email: 'ada@example.org',
      groups: ['staff', 'x'],
    })
    assert.equal((await meOf(browser)).account.role, 'admin')
  })

  it('leads nowhere else in the end', async () => {
    for (const returnTo of [
      ...[
        '//evil.example.org',
        '/\\evil.example.org',
        'https://evil.example.org/',
        'javascript:alert(1)',
        'docs',
      ],
      ...[
        'https://app.example.org.evil.org/',
        'https://app.example.org@evil.org/',
        'https:app.example.org',
        'blob:https://app.example.org/2f4c',
        '/a b',
        '\t//evil.org',
        '/%'.padEnd(1_200, 'x'),
      ],
    ]) {
      const answer = await door.app.request(`/sessions/oidc?${new URLSearchParams({ returnTo })}`)
      assert.equal(answer.status, 400, returnTo)
      assert.equal(answer.headers.get('set-cookie'), null)
    }
    for (const returnTo of ['/', '/docs?x=%22%3E%3Cscript%3E', 'https://app.example.org/in?a=1']) {
      const end = await signIn(browserOf(door), 'ada', `?${new URLSearchParams({ returnTo })}`)
      assert.equal(end.status, 200)
      assert.ok(!end.text.includes('<script'))
      assert.ok(end.text.includes(`url=${returnTo.replaceAll('&', '&amp;')}"`), returnTo)
    }
  })

  it('ends in the browser that began, once, and within ten minutes', async () => {
    const stopAt = `${API}/sessions/oidc/callback`
    const browser = browserOf(door)
    const page = await browser.visit(`${API}/sessions/oidc`)
    const back = await passProvider(browser, page, 'ada', { stopAt })
    const codeAt = async (url: string, headers: Record<string, string> = {}) =>
      (await jsonOf<{ code: string }>(await door.app.request(url, { headers }))).code
    // what an attacker sends to somebody
    assert.equal(await codeAt(back.url.href), 'OIDC_STATE_INVALID')
    const kept = Object.entries(browser.cookies(API)).map(([name, value]) => `${name}=${value}`)
    assert.equal(kept.length, 1)
    const [name = ''] = (kept[0] ?? '').split('=')
    const own = { cookie: kept.join('; ') }
    assert.equal(await codeAt(`${back.url.href}&state=x`, own), 'OIDC_FAILED')
    const ended = await door.app.request(back.url.href, { headers: own })
    assert.equal(ended.status, 200)
    assert.match(
      ended.headers.getSetCookie().join('\n'),
      new RegExp(`${name}=; Max-Age=0; Path=/sessions/oidc`),
    )
    // the cookie is brought back by hand
    assert.equal(await codeAt(back.url.href, own), 'OIDC_STATE_INVALID')
    const late = browserOf(door)
    const lateBack = await passProvider(late, await late.visit(`${API}/sessions/oidc`), 'ada', { stopAt })
    door.pass(600_000)
    const pending = Object.entries(late.cookies(API)).map(([key, value]) => `${key}=${value}`)
    assert.equal(await codeAt(lateBack.url.href, { cookie: pending.join('; ') }), 'OIDC_STATE_INVALID')
  })

  it('tells what the provider has refused', async () => {
    const browser = browserOf(door)
    const page = await browser.visit(`${API}/sessions/oidc`)
    const abort = /<a href="([^"]+abort[^"]*)"/.exec(page.text)?.[1]
    assert.ok(abort, page.text)
    const { code, detail } = JSON.parse((await browser.visit(new URL(abort, page.url).href)).text) as Record<
      string,
      string
    >
    assert.deepEqual([code, detail], ['OIDC_DENIED', 'The provider has refused the sign-in: access_denied'])
  })

  it('begins for those who go there, and for no picture, frame, HEAD or browser that looks ahead', async () => {
    for (const path of ['/sessions/oidc', '/sessions/oidc/callback?state=x']) {
      for (const headers of [
        { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
        { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
        { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
        { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-purpose': 'prefetch' },
      ] as Record<string, string>[]) {
        const answer = await door.app.request(path, { headers })
        assert.equal((await jsonOf(answer)).code, 'CROSS_SITE')
        assert.equal(answer.headers.get('set-cookie'), null)
      }
      const head = await door.app.request(path, { method: 'HEAD' })
      assert.deepEqual([head.status, head.headers.get('allow')], [405, 'GET, OPTIONS'])
    }
    const crossSite = {
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    }
    const answer = await door.app.request('/sessions/oidc', { headers: crossSite })
    assert.equal(answer.status, 303)
    assert.match(answer.headers.get('set-cookie') ?? '', /Path=\/sessions\/oidc; HttpOnly; SameSite=Lax$/)
  })

  it('says so where it is not set up, and where browsers reach the server over HTTPS its cookie is for that', async () => {
    const bare = createFixture()
    for (const path of ['/sessions/oidc', '/sessions/oidc/callback']) {
      const answer = await bare.app.request(path)
      assert.deepEqual([answer.status, (await jsonOf(answer)).code], [404, 'OIDC_NOT_SET_UP'])
    }
    await bare.close()
    const safe = open({ apiUrl: 'https://tasks.example.org' })
    const answer = await safe.app.request('/sessions/oidc', { headers: { host: 'localhost' } })
    assert.match(answer.headers.get('set-cookie') ?? '', /; HttpOnly; Secure; SameSite=Lax$/)
    // never of the Host header
    const location = new URL(answer.headers.get('location') ?? '')
    assert.equal(
      location.searchParams.get('redirect_uri'),
      'https://tasks.example.org/sessions/oidc/callback',
    )
    await safe.close()
  })

  it('keeps the headers of a browser short that begins again and again', async () => {
    const browser = browserOf(door)
    for (let n = 0; n < 9; n += 1) await browser.visit(`${API}/sessions/oidc`, { stopAt: provider.issuer })
    assert.equal(Object.keys(browser.cookies(API)).length, 4)
    // the longest that a cookie takes: what becomes of a quote in it is longer
    const returnTo = `/${'"'.repeat(999)}`
    for (let n = 0; n < 4; n += 1)
      await browser.visit(`${API}/sessions/oidc?${new URLSearchParams({ returnTo })}`, {
        stopAt: provider.issuer,
      })
    const cookies = Object.entries(browser.cookies(API))
    const bytes = cookies.map(([name, value]) => `${name}=${value}; `).join('').length
    assert.ok(
      bytes > 4_000 && bytes < HTTP_LIMITS.headerBytes / 2,
      `${cookies.length} cookies, ${bytes} bytes`,
    )
  })

  it('is refused while the provider is away, with a time to try again, and the rest of the server goes on', async () => {
    const away = open({ issuer: 'http://127.0.0.1:9' })
    const answer = await away.app.request('/sessions/oidc')
    assert.deepEqual([answer.status, (await jsonOf(answer)).code], [503, 'OIDC_UNAVAILABLE'])
    assert.equal(answer.headers.get('retry-after'), '1')
    assert.equal((await away.app.request('/livez')).status, 200)
    const { token } = await away.logIn('bob', 'user')
    assert.equal(
      (await away.app.request('/tasks', { headers: { authorization: `Bearer ${token}` } })).status,
      200,
    )
    await away.close()
  })
})
