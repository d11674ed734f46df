// Links that show one task, in a real Chromium: made, listed and withdrawn on the task's page, and opened by who has no
// login.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { fail, report, succeed } from '../../src/core/moves.ts'
import { anybody, person } from '../support/actors.ts'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../support/dashboard-page.ts'
import { requireService } from '../support/services.ts'

const WIDTH = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

describe('links that show one task', { skip: requireService('chromium'), timeout: 900_000 }, () => {
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
  const now = () => new Date().toISOString()
  const guest = (path: string, more: object = {}) =>
    visit(browser, door.url, { name: null, ...more }).then(async found => {
      const answer = await found.page.goto(door.url + path)
      return { ...found, status: answer?.status() }
    })
  const assertFits = async (page: Page, what: string): Promise<void> => {
    await assertAccessible(page, what)
    assert.equal(await page.evaluate(WIDTH), 0, `${what}: something is cut off`)
  }

  it('are made on the page of the task, shown once, listed with who made them, and withdrawn', async () => {
    const olga = await door.fixture.logIn('olga', 'operator')
    const { task } = await door.fixture.service.submit(anybody(), {
      kind: 'echo',
      params: 1,
      title: 'of nobody',
    })
    await door.fixture.access.share(olga.actor, task.id, 3_600)
    const { token } = await door.fixture.logIn('pia', 'operator')
    const { page, leave } = await visit(browser, door.url, { token, path: `/task/${task.id}` })
    await page.waitForSelector('.shares li >> text=olga')
    await page.selectOption('#share-life', 'week')
    await page.click('.share-form button')
    await page.waitForSelector('.shown-once:focus')
    const link = (await page.textContent('.secret')) ?? ''
    assert.match(link, new RegExp(`^${door.url}/shared/mdl_[a-z0-9]{16}_[A-Za-z0-9]{43}$`))
    await untilCount(page, '.shares li', 2)
    await assertFits(page, 'a link, shown once')
    await page.setViewportSize({ width: 390, height: 800 })
    await assertFits(page, 'a link, shown once, narrow')
    await page.setViewportSize({ width: 1280, height: 800 })
    const own = page.locator('.shares li', { hasText: 'pia' })
    const [made] = (await door.fixture.access.shares(olga.actor, task.id)).filter(({ by }) => by === 'pia')
    assert.equal(
      Math.round((Date.parse(made?.expiresAt ?? '') - Date.parse(made?.createdAt ?? '')) / 86_400_000),
      7,
    )
    await page.click('.shown-once >> text=Close')
    assert.ok(!(await page.content()).includes(link.slice(-43)))

    const reader = await guest(new URL(link).pathname)
    assert.equal(reader.status, 200)
    await reader.page.waitForSelector('h1 >> text=of nobody')
    await own.getByRole('button').click()
    await page.waitForSelector('.toast >> text=The link is withdrawn.')
    await untilCount(page, '.shares li', 1)
    // whoever reads it is told at once
    await reader.page.waitForSelector('h1 >> text=This link shows nothing')
    await assertFits(reader.page, 'a link that was withdrawn')
    await reader.leave(/status of 404/)
    await leave()
  })

  it('are offered to nobody who may not change the task', async () => {
    const { task } = await door.fixture.service.submit(anybody(), { kind: 'echo', params: 1 })
    const vera = await door.fixture.logIn('vera', 'viewer')
    const { page, leave } = await visit(browser, door.url, { token: vera.token, path: `/task/${task.id}` })
    await page.waitForSelector('.facts')
    assert.equal(await page.locator('.share-form').count(), 0)
    await leave()
  })

  it('lead to a page that needs no login and follows the task to its end, and asks for nothing else', async () => {
    const { actor, id } = await door.fixture.logIn('quinn', 'user')
    const { task } = await door.fixture.service.submit(person(id, 'user'), {
      ...{ kind: 'echo', params: { a: 12345678901234 }, title: '<b>mine</b>', description: 'for my friends' },
    })
    const { token } = await door.fixture.access.share(actor, task.id, 3_600)
    const { page, leave, status } = await guest('/login')
    assert.equal(status, 200)
    const asked = new Set<string>()
    page.on('request', request => {
      const { pathname } = new URL(request.url())
      if (!pathname.startsWith('/assets/')) asked.add(pathname.replace(token, 'TOKEN'))
    })
    await page.goto(`${door.url}/shared/${token}`)
    await page.waitForSelector('h1 >> text=<b>mine</b>')
    await page.waitForSelector('.badge.pending')
    assert.match((await page.textContent('main')) ?? '', /for my friends.*12345678901234/s)
    const claim = (await door.fixture.run(task.id))?.claim ?? 0
    await page.waitForSelector('.badge.started')
    await door.fixture.store.move(
      task.id,
      claim,
      report({ percent: 45, note: 'half of it', etaSeconds: 10 }, null, now()),
    )
    await page.waitForSelector('.task-progress >> text=half of it')
    await assertFits(page, 'a shared task that runs')
    await door.fixture.store.move(task.id, claim, succeed({ found: 42 }, null, now()))
    await page.waitForSelector('.badge.success')
    await page.waitForSelector('[aria-label="Result"] >> text=42')
    assert.deepEqual([...asked].sort(), ['/api/shared/TOKEN', '/api/shared/TOKEN/events', '/shared/TOKEN'])
    const links = await page.locator('a').evaluateAll(found => found.map(link => link.getAttribute('href')))
    assert.deepEqual(links, [])
    assert.equal(await page.locator('.menu, form').count(), 0)
    assert.ok(!(await page.content()).includes(id))
    assert.deepEqual(await page.context().cookies(), [])
    await leave()
  })

  it('show a failure, and say that they show nothing, in both themes, wide and narrow', async () => {
    const { actor, id } = await door.fixture.logIn('rosa', 'user')
    const { task } = await door.fixture.service.submit(person(id, 'user'), { kind: 'echo', params: 1 })
    const claim = (await door.fixture.run(task.id))?.claim ?? 0
    await door.fixture.store.move(
      task.id,
      claim,
      fail({ code: 'KIND_FAILED', message: 'it broke', detail: { stack: ['at one'] } }, null, now()),
    )
    const { token } = await door.fixture.access.share(actor, task.id, 3_600)
    for (const [colorScheme, locale, width] of [
      ['light', 'en', 390],
      ['dark', 'ru', 1280],
      ['dark', 'en', 390],
    ] as const) {
      const more = { colorScheme, locale, viewport: { width, height: 800 } }
      const { page, leave } = await guest(`/shared/${token}`, more)
      await page.waitForSelector('.error-note >> text=it broke')
      await assertFits(page, `a shared task, ${colorScheme} ${locale} ${width}`)
      const answer = await page.goto(`${door.url}/shared/${token.slice(0, -1)}`)
      assert.equal(answer?.status(), 404)
      await page.waitForSelector(locale === 'en' ? 'text=Ask whoever sent it' : 'text=Спросите того')
      await assertFits(page, `a link that is not whole, ${colorScheme} ${locale} ${width}`)
      await leave(/status of 404/)
    }
  })

  it('come back by themselves after the server was away', async () => {
    const { actor, id } = await door.fixture.logIn('sara', 'user')
    const { task } = await door.fixture.service.submit(person(id, 'user'), { kind: 'echo', params: 1 })
    const { token } = await door.fixture.access.share(actor, task.id, 3_600)
    const { page, leave } = await guest(`/shared/${token}`)
    await page.waitForSelector('.badge.pending')
    await door.shut()
    await door.fixture.run(task.id)
    await door.open()
    await page.waitForSelector('.badge.started')
    await leave(/ERR_|status of 50/)
  })
})
