// The pages about accounts in a real Chromium: one's own, those of others, the way to get one, and what a user is shown.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { parseToken } from '../../src/access/tokens.ts'
import type { AccountRole } from '../../src/core/policy.ts'
import { PASSWORD } from '../api/fixture.ts'
import { person } from '../support/actors.ts'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, type Visit, visit } from '../support/dashboard-page.ts'
import { requireService } from '../support/services.ts'

const ADMIN = person('admin', 'admin')
const HIDDEN =
  '[document.documentElement, ...document.querySelectorAll(".table-card")].map(box => box.scrollWidth - box.clientWidth)'

describe('the pages about accounts', { skip: requireService('chromium'), timeout: 900_000 }, () => {
  let browser: Browser
  let door: DashboardDoor
  before(async () => {
    door = await openDashboardDoor({ fixture: { anonymous: 'none' } })
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await door?.close()
  })

  const enter = async (
    name: string,
    role: AccountRole,
    path: string,
  ): Promise<Visit & { id: string; token: string }> => {
    const { id, token } = await door.fixture.logIn(name, role)
    return { ...(await visit(browser, door.url, { token, path })), id, token }
  }
  /** Wide and narrow; nothing is cut off. */
  const assertFits = async (page: Page, what: string): Promise<void> => {
    await assertAccessible(page, what)
    await page.setViewportSize({ width: 390, height: 800 })
    const hidden = (await page.evaluate(HIDDEN)) as number[]
    assert.ok(
      hidden.every(width => width === 0),
      `${what}: ${String(hidden)} px are cut off`,
    )
    await assertAccessible(page, `${what}, narrow`)
    await page.setViewportSize({ width: 1280, height: 800 })
  }

  it('show a user their own tasks and nothing of the processes', async () => {
    const { id: foreign } = await door.fixture.logIn('somebody', 'user')
    const other = await door.fixture.service.submit(person(foreign, 'user'), {
      ...{ kind: 'echo', params: 1, title: 'of somebody' },
    })
    const { page, leave, id } = await enter('ada', 'user', '/')
    await page.waitForURL(`${door.url}/tasks`)
    const own = await door.fixture.service.submit(person(id, 'user'), {
      ...{ kind: 'echo', params: 1, title: 'of ada' },
    })
    // nothing stood in the list that could move
    await page.waitForSelector(`tr[data-id="${own.task.id}"]`)
    assert.equal(await page.locator(`tr[data-id="${other.task.id}"]`).count(), 0)
    await page.locator('.menu li:has(a[href="/tasks"]) .menu-count').getByText('1', { exact: true }).waitFor()
    const menu = await page
      .locator('.menu a')
      .evaluateAll(links => links.map(link => link.getAttribute('href')))
    assert.deepEqual(menu, [
      '/tasks',
      '/new',
      '/todo',
      '/thumbnails',
      '/parse',
      '/dead',
      '/kinds',
      '/account',
    ])
    for (const path of ['/processes', '/workers', '/settings', '/people', '/process/api']) {
      const answer = await page.goto(door.url + path)
      assert.equal(answer?.status(), 403, path)
      await page.waitForSelector('text=This page is not for your login.')
    }
    await page.goto(`${door.url}/kinds`)
    await page.waitForSelector('tr[data-id=calcpi]')
    assert.doesNotMatch((await page.textContent('thead')) ?? '', /waiting|running/)
    await page.goto(`${door.url}/task/${own.task.id}`)
    await page.waitForSelector('text=of ada')
    await assertAccessible(page, 'a task of a user')
    await page.goto(`${door.url}/task/${other.task.id}`)
    await page.waitForSelector('text=The task is no longer there.')
    // what is asked for in the background was let through
    await leave(/status of 40[34]/)
  })

  it('account: who one is, and a new password, which ends the other logins', async () => {
    const { page, leave } = await enter('brian', 'operator', '/account')
    const elsewhere = await door.fixture.access.logIn(
      { name: 'brian', password: PASSWORD },
      { address: '198.51.100.9', agent: 'an old browser <b>', via: 'dashboard' },
    )
    await page.reload()
    assert.match((await page.textContent('.facts')) ?? '', /brian.*operator.*acts on all tasks/s)
    await page.waitForSelector('tr >> text=an old browser <b>')
    await page.waitForSelector('tr >> text=198.51.100.9')
    await page.waitForSelector('tr:has-text("this one")')
    await assertFits(page, 'the account')
    const fill = async (present: string, next: string, again = next): Promise<void> => {
      await page.fill('#password-present', present)
      await page.fill('#password-next', next)
      await page.fill('#password-again', again)
      await page.click('text=Change the password')
    }
    await fill(PASSWORD, 'another one', 'something else')
    await page.waitForSelector('#password-again-help >> text=This is not the same.')
    await fill('not this one', 'another that is long')
    await page.waitForSelector('#password-present-help >> text=The present password is wrong.')
    await fill(PASSWORD, 'password')
    await page.waitForSelector('#password-next-help >> text=A password has 8 to 256 characters')
    await assertAccessible(page, 'the account with a fault')
    await fill(PASSWORD, 'another that is long')
    await page.waitForSelector('.toast >> text=The password is changed.')
    assert.equal(await page.inputValue('#password-present'), '')
    await assert.rejects(door.fixture.access.identify(elsewhere.token, 'rest'))
    await page.reload()
    await untilCount(page, '[aria-label="Logins of this account"] tbody tr', 1)
    await leave(/status of (401|422)/)
  })

  it('account: another login is ended from here', async () => {
    const { page, leave } = await enter('carol', 'user', '/account')
    const elsewhere = await door.fixture.access.logIn(
      { name: 'carol', password: PASSWORD },
      { address: '198.51.100.10', agent: 'elsewhere', via: 'dashboard' },
    )
    await page.reload()
    await page.click('tr:has-text("elsewhere") button')
    await page.waitForSelector('.toast >> text=The login has ended.')
    await untilCount(page, '[aria-label="Logins of this account"] tbody tr', 1)
    await assert.rejects(door.fixture.access.identify(elsewhere.token, 'rest'))
    await leave()
  })

  it('account: keys are made, shown once, and revoked', async () => {
    const { page, leave } = await enter('dave', 'user', '/account')
    await page.click('text=New key')
    // a user can give away no more than they have
    const offered = await page.locator('.scope code').allTextContents()
    assert.deepEqual(offered, ['read', 'submit'])
    await page.waitForSelector('text=/Known: calcpi, echo/')
    await assertFits(page, 'the form of a key')
    await page.fill('#key-name', 'nightly <b>')
    await page.check('.scope:has-text("submit") input')
    await page.fill('#key-kinds', 'calcpi, echo')
    await page.check('#key-own')
    await page.selectOption('#key-ends', 'month')
    await page.click('text=Make the key')
    await page.waitForSelector('.shown-once:focus')
    const key = (await page.textContent('.secret')) ?? ''
    assert.equal(parseToken(key)?.type, 'key')
    await assertFits(page, 'a key, shown once')
    const actor = await door.fixture.access.identify(key, 'rest')
    assert.deepEqual([actor.scopes, actor.kinds, actor.sees], [['read', 'submit'], ['calcpi', 'echo'], 'own'])
    assert.match(
      (await page.textContent('[aria-label="Keys of this account"] tbody')) ?? '',
      /nightly <b>.*read submit.*calcpi, echo · own only/s,
    )
    await page.reload()
    await page.waitForSelector('[aria-label="Keys of this account"]')
    assert.equal(await page.locator('.secret').count(), 0)
    assert.ok(!(await page.content()).includes(key))
    await page.click('[aria-label="Revoke the key nightly <b>"]')
    await page.waitForSelector('dialog >> text=Revoke the key nightly <b>?')
    await page.click('dialog .danger')
    await page.waitForSelector('.toast >> text=The key is revoked.')
    await page.waitForSelector('text=No program has a key of yours.')
    await assert.rejects(door.fixture.access.identify(key, 'rest'))
    await leave()
  })

  it('account: a built-in login is told where its password is', async () => {
    await door.makeLogins()
    const { page, leave } = await visit(browser, door.url, {
      path: '/account',
      colorScheme: 'dark',
      locale: 'ru',
    })
    await page.waitForSelector('text=DASHBOARD_PASSWORD')
    assert.equal(await page.locator('#password-present').count(), 0)
    await assertFits(page, 'the account of the operator, dark, in Russian')
    await leave()
  })

  it('people: roles, disabling, a new password and deleting, each after a question', async () => {
    const { id } = await door.fixture.logIn('erin', 'user')
    const { page, leave } = await enter('root', 'admin', '/people')
    const row = `tr[data-id="${id}"]`
    await page.waitForSelector(row)
    assert.equal(await page.locator('tr:has-text("root") button, tr:has-text("root") select').count(), 0)
    await assertFits(page, 'the people')
    await page.selectOption(`${row} select`, 'operator')
    await page.waitForSelector('dialog >> text=Give erin the role operator?')
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })
    assert.equal(await page.inputValue(`${row} select`), 'user')
    await page.selectOption(`${row} select`, 'operator')
    await page.click('dialog .primary')
    await page.waitForSelector('.toast >> text=erin is changed.')
    assert.equal(await page.inputValue(`${row} select`), 'operator')
    await page.click(`${row} >> text=Disable`)
    await page.click('dialog .danger')
    await page.waitForSelector(`${row} >> text=disabled`)
    await page.click(`${row} >> text=Enable`)
    await page.waitForSelector(`${row} >> text=active`)
    await page.click(`${row} >> text=New password`)
    await page.fill('#new-password', 'short')
    await page.click('text=Set the password')
    await page.waitForSelector('#new-password-help >> text=A password has 8 to 256 characters')
    await assertAccessible(page, 'the new password of somebody')
    await page.fill('#new-password', 'given by an admin')
    await page.click('text=Set the password')
    await page.waitForSelector('#new-password', { state: 'detached' })
    await door.fixture.access.logIn(
      { name: 'erin', password: 'given by an admin' },
      { address: '198.51.100.11', agent: null, via: 'dashboard' },
    )
    await page.click(`${row} >> text=Delete`)
    await page.waitForSelector('dialog >> text=Delete the account erin?')
    const erin = (await door.fixture.access.idOf('erin')) ?? ''
    assert.equal(await page.isChecked('dialog input'), false)
    await page.check('text=Cancel and remove its tasks, too')
    await assertAccessible(page, 'the question about an account and its tasks')
    await page.click('dialog .danger')
    await page.waitForSelector(row, { state: 'detached' })
    assert.equal(await door.fixture.access.idOf('erin'), null)
    const left = await door.fixture.store.documents.get('accounts', erin)
    assert.notEqual(left?.data.tasksLeftAt, undefined, 'workers are to remove its tasks')
    await leave(/status of 422/)
  })

  it('lead from an invitation to an account, to a login and to its first page', async () => {
    const { page, leave } = await enter('chief', 'admin', '/people')
    await page.click('text=Invite somebody')
    await assertFits(page, 'the form of an invitation')
    await page.selectOption('#invitation-role', 'user')
    await page.fill('#invitation-note', 'for frank')
    await page.fill('#invitation-days', '2')
    await page.click('text=Make the invitation')
    const link = (await page.textContent('.secret')) ?? ''
    assert.ok(link.startsWith(`${door.url}/register?invitation=mdi_`))
    await assertFits(page, 'an invitation, shown once')
    await page.waitForSelector('tr >> text=for frank')
    await page.click('text=Invite somebody')
    await page.fill('#invitation-note', 'for nobody')
    await page.click('text=Make the invitation')
    await page.click('[aria-label="Withdraw the invitation for nobody"]')
    await page.waitForSelector('.toast >> text=The invitation is withdrawn.')
    await untilCount(page, '[aria-label="Invitations that can still be used"] tbody tr', 1)

    for (const [colorScheme, width] of [
      ['light', 1280],
      ['dark', 390],
    ] as const) {
      const guest = await visit(browser, door.url, {
        ...{ name: null, javaScriptEnabled: true, colorScheme, viewport: { width, height: 800 } },
      })
      await guest.page.goto(link)
      await assertAccessible(guest.page, `the registration, ${colorScheme} ${width}`)
      if (width === 390) {
        await guest.page.fill('#name', 'frank')
        await guest.page.fill('#password', 'password')
        await guest.page.click('button')
        await guest.page.waitForSelector('#password-help >> text=among the first that anybody would try')
        await assertAccessible(guest.page, 'the registration with a fault')
        await guest.page.fill('#password', 'the dog eats homework')
        await guest.page.click('button')
        await guest.page.waitForURL(/\/login\?made=frank$/)
        await guest.page.waitForSelector('text=The account is made. Log in.')
        await assertAccessible(guest.page, 'the login after it')
        assert.equal(await guest.page.inputValue('#name'), 'frank')
        await guest.page.fill('#password', 'the dog eats homework')
        await guest.page.click('button')
        await guest.page.waitForURL(`${door.url}/tasks`)
        await guest.page.waitForSelector('.live-dot.live', { state: 'attached' })
      }
      await guest.leave(/status of 422/)
    }
    assert.equal((await door.fixture.access.invitations(ADMIN)).length, 0)
    await leave()
  })

  it('leave a page whose reader may do something else now', async () => {
    const { page, leave, id } = await enter('grace', 'operator', '/processes')
    await page.waitForSelector('table')
    await door.fixture.access.changeAccount(ADMIN, id, { role: 'user' })
    await page.waitForSelector('text=This page is not for your login.')
    await door.fixture.access.changeAccount(ADMIN, id, { disabled: true })
    await page.waitForURL(/\/login\?next=%2Fprocesses$/)
    await leave(/status of 40[13]/)
  })
})
