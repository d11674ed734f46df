// Sign-in by OpenID Connect at the dashboard, against a real provider: from the button of the login to the page that was
// wanted, and what the login says when it fails.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { OidcOptions } from '../../../src/access/oidc/options.ts'
import { LOGIN_COOKIE } from '../../../src/api/identify.ts'
import { SESSION_COOKIE } from '../../../src/dashboard/access/session.ts'
import { createFixture, type Fixture } from '../../api/fixture.ts'
import { CLIENT_ID, CLIENT_SECRET, type RealProvider, startProvider } from '../../support/oidc-provider.ts'
import { createTinyBrowser, type Page, passProvider, type TinyBrowser } from '../../support/tiny-browser.ts'
import { createDashboardFixture, noProcesses, peopleOf } from '../fixture.ts'

const BOARD = 'http://localhost:9001'

describe('sign-in by OpenID Connect at the dashboard', { timeout: 300_000 }, () => {
  let provider: RealProvider
  let api: Fixture
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  before(async () => {
    provider = await startProvider({ redirectUris: [`${BOARD}/login/oidc/callback`] })
  })
  after(() => provider.close())

  const optionsOf = (more: Partial<OidcOptions> = {}): OidcOptions => ({
    ...{ issuer: provider.issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
    ...{ apiUrl: null, dashboardUrl: BOARD, groupsClaim: 'groups', scopes: 'openid profile email' },
    roles: [{ group: 'staff', role: 'operator' }],
    name: 'Acme & <Sons>',
    ...more,
  })
  const open = (oidc: OidcOptions | null) => {
    const made = createFixture({ anonymous: 'none', ...(oidc ? { oidc } : {}) })
    return {
      made,
      board: createDashboardFixture({ processes: noProcesses(), api: made.app, ...peopleOf(made.access) }),
    }
  }
  beforeEach(async () => {
    provider.people.set('ada', { preferred_username: 'ada', groups: ['staff'] })
    const { made, board } = open(optionsOf())
    api = made
    door = await board
  })
  afterEach(async () => {
    await door.close()
    await api.close()
  })

  const browserOf = (): TinyBrowser =>
    createTinyBrowser({ [BOARD]: (url, init) => door.app.request(url.href, init) })
  const linkOf = (page: Page): string => {
    const [, link = ''] = /<a class="button wide" href="([^"]+)"/.exec(page.text) ?? []
    return new URL(link.replaceAll('&amp;', '&'), page.url).href
  }
  const signIn = async (browser: TinyBrowser, at = '/login'): Promise<Page> =>
    passProvider(browser, await browser.visit(linkOf(await browser.visit(BOARD + at))), 'ada')

  it('leads from the button to the page that was wanted', async () => {
    const browser = browserOf()
    // where nobody is logged in, a page leads to the login, and the login to the provider
    const login = await browser.visit(`${BOARD}/tasks?kind=calcpi&why=1`)
    assert.equal(login.url.pathname, '/login')
    assert.match(login.text, />Log in with Acme &amp; &lt;Sons&gt;<\/a>/)
    const end = await passProvider(browser, await browser.visit(linkOf(login)), 'ada')
    assert.equal(end.status, 200)
    assert.match(end.text, /http-equiv="refresh" content="0; url=\/tasks\?kind=calcpi&amp;why=1"/)
    // the session that every API knows, for requests of this site alone
    assert.deepEqual(Object.keys(browser.cookies(BOARD)), [LOGIN_COOKIE])
    const cookies = end.headers.getSetCookie().join('\n')
    assert.match(cookies, new RegExp(`${LOGIN_COOKIE}=mds_.*; Path=/; HttpOnly; SameSite=Strict`))
    const me = JSON.parse((await browser.visit(`${BOARD}/me.json`)).text) as { name: string; role: string }
    assert.deepEqual([me.name, me.role], ['ada', 'operator'])
    const own = JSON.parse((await browser.visit(`${BOARD}/api/me`)).text) as { account: { signIn: string[] } }
    assert.deepEqual(own.account.signIn, ['oidc'])
  })

  it('takes the place of a login of the installation, which would count before it', async () => {
    const browser = browserOf()
    const { cookie } = await door.enter('operator')
    const end = await signIn(browser)
    // a browser that comes from another site does not show this one
    assert.match(end.headers.getSetCookie().join('\n'), new RegExp(`${SESSION_COOKIE}=; Max-Age=0; Path=/`))
    assert.equal((await door.get('/me.json', { cookie })).status, 200)

    const shown = browserOf()
    const [name = '', value = ''] = cookie.split('=')
    const page = await shown.visit(linkOf(await shown.visit(`${BOARD}/login`)))
    shown.set(BOARD, { name, value, path: '/' })
    assert.equal((await passProvider(shown, page, 'ada')).status, 200)
    assert.deepEqual(Object.keys(shown.cookies(BOARD)), [LOGIN_COOKIE])
    // where it was shown, it has ended
    assert.equal((await door.get('/me.json', { cookie, accept: 'application/json' })).status, 401)
  })

  it('says at the login what went wrong, in words of this server', async () => {
    provider.people.set('ada', { preferred_username: 'ada', groups: ['others'] })
    const browser = browserOf()
    const refused = await signIn(browser)
    assert.equal(refused.status, 403)
    assert.match(refused.text, /role="alert">The provider knows you, but none of your groups/)
    assert.deepEqual(browser.cookies(BOARD), {})
    // the way in again
    assert.match(refused.text, /href="\/login\/oidc"/)
    provider.people.set('ada', { preferred_username: 'ada', groups: ['staff'] })

    const stopAt = `${BOARD}/login/oidc/callback`
    const mine = browserOf()
    const back = await passProvider(mine, await mine.visit(`${BOARD}/login/oidc`), 'ada', { stopAt })
    for (const path of [back.url.href, `${stopAt}?state=x&error=<b>`, stopAt]) {
      const answer = await door.get(path.slice(BOARD.length))
      assert.equal(answer.status, 400)
      assert.match(await answer.text(), /role="alert">This sign-in is over/)
    }
    const russian = await door.get('/login/oidc/callback', { 'accept-language': 'ru' })
    assert.match(await russian.text(), /Этот вход уже завершён/)

    const at = browserOf()
    const page = await at.visit(`${BOARD}/login/oidc`)
    const [, abort = ''] = /<a href="([^"]+abort[^"]*)"/.exec(page.text) ?? []
    assert.match(
      (await at.visit(new URL(abort, page.url).href)).text,
      /The provider has refused the sign-in\./,
    )
  })

  it('leads to no other server, and begins for no picture and no HEAD', async () => {
    for (const next of ['//evil.example.org', 'https://evil.example.org/', '/\\evil', 'x'.repeat(3_000)]) {
      const browser = browserOf()
      const page = await browser.visit(`${BOARD}/login/oidc?${new URLSearchParams({ next })}`)
      const end = await passProvider(browser, page, 'ada')
      assert.match(end.text, /content="0; url=\/"/)
    }
    const image = await door.get('/login/oidc', { 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' })
    assert.deepEqual([image.status, image.headers.get('set-cookie')], [403, null])
    for (const path of ['/login/oidc', '/login/oidc/callback'])
      assert.equal(
        (await door.app.request(path, { method: 'HEAD', headers: { host: 'localhost' } })).status,
        405,
      )
  })

  it('has no button and no way where it is not set up here, and tells that the provider is away', async () => {
    for (const [oidc, status] of [
      [null, 404],
      [optionsOf({ apiUrl: BOARD, dashboardUrl: null }), 404],
      [optionsOf({ issuer: 'http://127.0.0.1:9' }), 503],
    ] as const) {
      const { made, board } = open(oidc)
      const other = await board
      const login = await (await other.get('/login')).text()
      assert.equal(login.includes('/login/oidc'), status === 503)
      const answer = await other.get('/login/oidc')
      assert.equal(answer.status, status)
      if (status === 503) assert.match(await answer.text(), /role="alert">The provider does not answer/)
      // the other ways in are as before
      await other.enter('operator')
      await other.close()
      await made.close()
    }
  })
})
