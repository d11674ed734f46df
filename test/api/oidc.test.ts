// Sign-in by OpenID Connect at REST, against a real provider: the whole way, what a group gives, and where it may lead.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe, it } from 'node:test'
import type { AccountView } from '../../src/access/access.ts'
import type { OidcOptions } from '../../src/access/oidc/options.ts'
import { LOGIN_COOKIE } from '../../src/api/identify.ts'
import { CLIENT_ID, CLIENT_SECRET, type RealProvider, startProvider } from '../support/oidc-provider.ts'
import { createTinyBrowser, passProvider, type TinyBrowser } from '../support/tiny-browser.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

const API = 'http://127.0.0.1:8000'

describe('sign-in by OpenID Connect at REST', { timeout: 300_000 }, () => {
  let provider: RealProvider
  let door: Fixture
  before(async () => {
    provider = await startProvider({ redirectUris: [`${API}/sessions/oidc/callback`] })
    provider.people.set('ada', { preferred_username: 'Ada', email: 'ada@example.org', groups: ['staff', 'x'] })
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
      await door.app.request('/me', { headers: { cookie: `${LOGIN_COOKIE}=${browser.cookies(API)[LOGIN_COOKIE]}` } }),
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
    assert.match(end.headers.getSetCookie().join('\n'), new RegExp(`${LOGIN_COOKIE}=mds_.*HttpOnly; SameSite=Strict`))
    assert.equal(end.headers.get('cache-control'), 'no-store')
  })
})
