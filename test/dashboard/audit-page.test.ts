// The page of the audit in a real Chromium: what it shows, its filter in the address, its pages, and what is newer.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { AuditEntry } from '../../src/core/audit.ts'
import { person } from '../support/actors.ts'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../support/dashboard-page.ts'
import { requireService } from '../support/services.ts'

const HIDDEN =
  '[document.documentElement, ...document.querySelectorAll(".table-card")].map(box => box.scrollWidth - box.clientWidth)'
const ROWS = '[aria-label^="Entries of the audit"] tbody tr'

describe('the page of the audit', { skip: requireService('chromium'), timeout: 900_000 }, () => {
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

  let count = 0
  /** An entry of the past, the later the higher the number. */
  const entry = (more: Partial<AuditEntry>): AuditEntry => {
    count += 1
    return {
      id: `01a20409-87eb-75be-8bef-${String(count).padStart(12, '0')}`,
      at: new Date(Date.UTC(2026, 0, 31, 12, 0, count)).toISOString(),
      actor: { account: 'acc-of-ada', name: 'ada' },
      via: 'rest',
      action: 'login',
      target: null,
      outcome: 'done',
      address: '192.0.2.7',
      ...more,
    }
  }
  const filled = async (page: Page, field: string, text: string): Promise<void> => {
    await page.fill(field, text)
    await page.press(field, 'Enter')
  }
  const queryOf = (page: Page): Record<string, string> => Object.fromEntries(new URL(page.url()).searchParams)

  it('says who did what to what, leads to the task, and is for admins alone', async () => {
    const user = await door.fixture.logIn('ursula', 'operator')
    const there = await visit(browser, door.url, { token: user.token, path: '/tasks' })
    assert.equal(await there.page.locator('.menu a[href="/audit"]').count(), 0)
    assert.equal((await there.page.goto(`${door.url}/audit`))?.status(), 403)
    await there.page.waitForSelector('text=This page is not for your login.')
    await there.leave(/status of 403/)

    const { id, token } = await door.fixture.logIn('alma', 'admin')
    const { task } = await door.fixture.service.submit(person(id, 'admin'), { kind: 'echo', params: 1 })
    await door.fixture.service.cancel({ ...person(id, 'admin'), name: 'alma' }, task.id)
    await door.fixture.store.audit.add([
      entry({ action: 'login.failed', actor: null, outcome: 'LOGIN_WRONG', address: null }),
      entry({ action: 'key.create', target: 'k3v9q0d2m1x8z7ab scopes=read', via: 'rpc' }),
      entry({
        action: 'tasks.cancel',
        target: '1 of 2 {"q":"<b>bold</b>"}',
        outcome: 'unknown',
        via: 'tool',
      }),
    ])
    const { page, leave } = await visit(browser, door.url, { token, path: '/audit' })
    await page.waitForSelector(ROWS)
    const row = page.locator(`${ROWS}:has-text("task.cancel")`)
    assert.match((await row.textContent()) ?? '', /cancelled a task.*alma.*done.*REST/s)
    const all = (await page.textContent('tbody')) ?? ''
    for (const words of [
      /failed to log in.*not logged in.*LOGIN_WRONG/s,
      /made a key.*ada.*k3v9q0d2m1x8z7ab.*scopes=read.*Thrift.*192\.0\.2\.7/s,
      /cancelled many tasks.*<b>bold<\/b>.*unknown.*a tool/s,
    ])
      assert.match(all, words)
    assert.match(
      (await page.locator(`${ROWS} time`).first().getAttribute('title')) ?? '',
      /^\d{4}-\d\d-\d\d /,
    )
    await row.getByText('its entries').click()
    await untilCount(page, ROWS, 2)
    await page.locator(`a[href="/task/${task.id}"]`).first().click()
    await page.waitForURL(`${door.url}/task/${task.id}`)
    await page.waitForSelector('h1')
    await leave()
  })

  it('narrows by its fields, which stand in the address, and back', async () => {
    const { token } = await door.fixture.logIn('bella', 'admin')
    await door.fixture.store.audit.add([
      entry({ actor: { account: 'acc-of-cleo', name: 'cleo' }, action: 'logout', target: 's1' }),
      entry({ actor: { account: 'acc-of-cleo', name: 'cleo' }, action: 'key.revoke', target: 'k1 x' }),
      entry({ actor: { account: 'acc-of-cleo', name: 'cleo' }, action: 'key.create', outcome: 'STORE_FULL' }),
    ])
    const { page, leave } = await visit(browser, door.url, { token, path: '/audit' })
    await page.waitForSelector(ROWS)
    await page.keyboard.press('/')
    await page.waitForSelector('#audit-actor:focus')
    await filled(page, '#audit-actor', 'cleo')
    await untilCount(page, ROWS, 3)
    await page.selectOption('#audit-action', 'key.revoke')
    await untilCount(page, ROWS, 1)
    await page.selectOption('#audit-action', 'key.create')
    await untilCount(page, ROWS, 2)
    assert.deepEqual(new URL(page.url()).searchParams.getAll('action'), ['key.revoke', 'key.create'])
    await filled(page, '#audit-outcome', 'STORE_FULL')
    await untilCount(page, ROWS, 1)
    // a view can be sent
    await page.reload()
    await untilCount(page, ROWS, 1)
    assert.equal(await page.inputValue('#audit-actor'), 'cleo')
    await page.click('[aria-label="Without made a key"]')
    await page.waitForSelector('text=Nothing fits.')
    await page.goBack()
    await untilCount(page, ROWS, 1)
    await page.click('.audit-chips >> text=Clear')
    await page.waitForSelector(`${ROWS}:has-text("logout")`)
    assert.deepEqual(queryOf(page), {})

    await page.locator(`${ROWS}:has-text("k1 x") [aria-label="Only about k1"]`).click()
    await untilCount(page, ROWS, 1)
    assert.deepEqual(queryOf(page), { target: 'k1' })
    await page.locator('[aria-label="Only of cleo"]').click()
    await untilCount(page, ROWS, 3)
    assert.deepEqual(queryOf(page), { actor: 'acc-of-cleo' })
    await page.click('.audit-chips >> text=Clear')
    await untilCount(page, '.audit-chips', 0)
    await page.fill('#audit-from', '2026-01-31T00:00:00')
    await page.fill('#audit-to', '2026-01-31T00:00:01')
    await page.press('#audit-to', 'Enter')
    await page.waitForSelector('text=Nothing fits.')
    assert.match(queryOf(page).from ?? '', /^2026-01-3\dT\d\d:00:00\.000Z$/)
    await page.goto(`${door.url}/audit?from=nonsense`)
    await page.waitForSelector('.note.bad')
    await leave(/status of 400/)
  })

  it('goes on page by page, says how many are newer, and moves nothing by itself', async () => {
    const { token } = await door.fixture.logIn('dora', 'admin')
    const who = { account: 'acc-of-many', name: 'many' }
    // of one time, as the tasks of one submit are
    const at = '2026-02-01T00:00:00.000Z'
    await door.fixture.store.audit.add(Array.from({ length: 150 }, () => entry({ actor: who, at })))
    const { page, leave } = await visit(browser, door.url, { token, path: '/audit?actor=many' })
    await untilCount(page, ROWS, 100)
    await page.click('text=Older')
    await untilCount(page, ROWS, 50)
    const last = await page.getAttribute(`${ROWS}:last-child`, 'data-id')
    assert.ok(last)
    await page.click('text=To the newest')
    await untilCount(page, ROWS, 100)
    const first = await page.getAttribute(`${ROWS}:first-child`, 'data-id')
    await door.fixture.store.audit.add([
      entry({ actor: who, at, action: 'logout' }),
      entry({ actor: who, at }),
    ])
    await page.waitForSelector('.newer-button >> text=2 newer')
    assert.equal(await page.getAttribute(`${ROWS}:first-child`, 'data-id'), first)
    await assertAccessible(page, 'the audit with something newer')
    await page.keyboard.press('u')
    await page.waitForSelector(`${ROWS}:nth-child(2):has-text("logout")`)
    await page.waitForSelector('.newer-button', { state: 'detached' })
    await page.goto(`${door.url}/audit?cursor=nonsense`)
    await page.waitForSelector('text=This place in the list is no longer known.')
    await leave(/status of 400/)
  })

  it('fits wide and narrow, light and dark, in both languages, and is reached by keys', async () => {
    for (const [colorScheme, locale, width] of [
      ['light', 'en', 1280],
      ['dark', 'ru', 1280],
      ['light', 'ru', 390],
      ['dark', 'en', 390],
    ] as const) {
      const { token } = await door.fixture.logIn(`admin-${colorScheme}-${width}`, 'admin')
      const { page, leave } = await visit(browser, door.url, {
        ...{ token, path: '/tasks', colorScheme, locale, viewport: { width, height: 800 } },
      })
      await page.keyboard.press('g')
      await page.keyboard.press('l')
      await page.waitForURL(`${door.url}/audit`)
      await page.waitForSelector('.audit tbody tr')
      await assertAccessible(page, `${colorScheme} ${locale} ${width}`)
      await page.selectOption('#audit-action', 'login')
      await page.waitForSelector('.chip')
      await page.waitForSelector('.audit tbody tr')
      await assertAccessible(page, `${colorScheme} ${locale} ${width}, narrowed`)
      const hidden = (await page.evaluate(HIDDEN)) as number[]
      assert.ok(
        hidden.every(pixels => pixels === 0),
        `${colorScheme} ${locale} ${width}: ${String(hidden)} px are cut off`,
      )
      await leave()
    }
  })
})
