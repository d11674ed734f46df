// Sign-in by OpenID Connect in a real Chromium: from the button of the login over the pages of a real provider, which is
// another site to the browser, to the page that was wanted; and what the pages about accounts say of it.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, visit } from '../support/dashboard-page.ts'
import { freePort } from '../support/free-port.ts'
import { CLIENT_ID, CLIENT_SECRET, type RealProvider, startProvider } from '../support/oidc-provider.ts'
import { requireService } from '../support/services.ts'

describe('sign-in by OpenID Connect in Chromium', {
  skip: requireService('chromium'),
  timeout: 600_000,
}, () => {
  let browser: Browser
  let door: DashboardDoor
  let provider: RealProvider
  before(async () => {
    const port = await freePort()
    const board = `http://127.0.0.1:${port}`
    // a browser sends no cookie for its own site alone when it comes from here
    provider = await startProvider({ redirectUris: [`${board}/login/oidc/callback`], host: 'localhost' })
    provider.people.set('ada', { preferred_username: 'ada', groups: ['staff'] })
    provider.people.set('boss', { preferred_username: 'boss', groups: ['admins'] })
    door = await openDashboardDoor({
      port,
      fixture: {
        anonymous: 'none',
        oidc: {
          ...{ issuer: provider.issuer, clientId: CLIENT_ID, clientSecret: CLIENT_SECRET },
          ...{ apiUrl: null, dashboardUrl: board, groupsClaim: 'groups', scopes: 'openid profile email' },
          roles: [
            { group: 'staff', role: 'operator' },
            { group: 'admins', role: 'admin' },
          ],
          name: 'Example login',
        },
      },
    })
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await door?.close()
    await provider?.close()
  })

  /** The provider's own pages. Its consent and the fonts that it asks for are no business of ours. */
  const passPages = async (page: Page, login: string): Promise<void> => {
    await page.waitForURL(`${provider.issuer}/**`)
    await page.fill('input[name=login]', login)
    await page.fill('input[name=password]', 'whatever')
    await page.click('button[type=submit]')
    await page.click('button[type=submit]:has-text("Continue")')
  }
  const OTHERS = /asked (?:localhost:|fonts\.)|policy: |console: /

  it('leads from the button to the page that was wanted, without scripts too', async () => {
    for (const javaScriptEnabled of [true, false]) {
      const { page, leave } = await visit(browser, door.url, { name: null, javaScriptEnabled })
      await page.goto(`${door.url}/tasks?kind=calcpi`)
      assert.match(page.url(), /\/login\?next=/)
      if (javaScriptEnabled) await assertAccessible(page, 'the login with a provider')
      await page.click('text=Log in with Example login')
      await passPages(page, 'ada')
      // the cookie of the login is for requests of this site alone, and yet it is there
      await page.waitForURL(`${door.url}/tasks?kind=calcpi`)
      const cookies = await page.context().cookies(door.url)
      assert.deepEqual(
        cookies.map(({ name, sameSite, httpOnly }) => [name, sameSite, httpOnly]),
        [['madhava_login', 'Strict', true]],
      )
      await leave(OTHERS)
    }
  })

  it('is told on the pages of the account and of people', async () => {
    const { page, leave } = await visit(browser, door.url, { name: null })
    await page.goto(`${door.url}/login?next=/account`)
    await page.click('text=Log in with Example login')
    await passPages(page, 'boss')
    await page.waitForURL(`${door.url}/account`)
    await page.waitForSelector('.facts >> text=OpenID Connect')
    await page.waitForSelector('text=This account has no password')
    assert.equal(await page.locator('#password-present').count(), 0)
    await assertAccessible(page, 'an account without a password')
    if (process.env.OIDC_PICTURES) await page.screenshot({ path: `${process.env.OIDC_PICTURES}/account.png` })
    await page.click('.menu a[href="/people"]')
    await page.waitForSelector('tr:has-text("boss") >> text=OpenID Connect')
    await assertAccessible(page, 'people with a provider')
    if (process.env.OIDC_PICTURES) await page.screenshot({ path: `${process.env.OIDC_PICTURES}/people.png` })
    await page.click('text=Log out')
    await page.waitForURL(`${door.url}/login`)
    if (process.env.OIDC_PICTURES) await page.screenshot({ path: `${process.env.OIDC_PICTURES}/login.png` })
    // the provider still knows them: the way in is the button alone
    await page.click('text=Log in with Example login')
    await page.waitForURL(`${door.url}/`)
    await leave(OTHERS)
  })

  it('says at the login why somebody is not let in', async () => {
    const { page, leave } = await visit(browser, door.url, { name: null })
    await page.goto(`${door.url}/login`)
    await page.click('text=Log in with Example login')
    await passPages(page, 'eve')
    await page.waitForSelector('[role=alert] >> text=none of your groups has a role here')
    await assertAccessible(page, 'a sign-in that was refused')
    if (process.env.OIDC_PICTURES) await page.screenshot({ path: `${process.env.OIDC_PICTURES}/refused.png` })
    await leave(OTHERS)
  })
})
