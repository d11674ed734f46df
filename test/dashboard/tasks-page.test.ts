// The page of tasks in a real Chromium: the filter, live rows, and one action on many.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { fail } from '../../src/core/moves.ts'
import type { Json } from '../../src/core/task.ts'
import { anybody } from '../support/actors.ts'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../support/dashboard-page.ts'
import { requireService } from '../support/services.ts'

const HOSTILE = '<img src=x onerror=alert(1)>\u202e "&'

describe('the page of tasks', { skip: requireService('chromium'), timeout: 600_000 }, () => {
  let browser: Browser
  let door: DashboardDoor
  before(async () => {
    browser = await launchBrowser()
  })
  beforeEach(async () => {
    await door?.close()
    door = await openDashboardDoor()
  })
  after(async () => {
    await browser?.close()
    await door?.close()
  })

  it('changes a row in place and announces new ones, without moving any', async () => {
    const { fixture } = door
    const first = await fixture.submit('echo', 1, { title: 'the first' })
    const { page, leave } = await visit(browser, door.url, { path: '/tasks' })
    const row = `tr[data-id="${first.id}"]`
    await page.waitForSelector(`${row} >> text=PENDING`)
    assert.equal(await page.getAttribute(`${row} a`, 'href'), `/task/${first.id}`)
    assert.equal(await page.textContent(`${row} a`), 'the first')
    const place = await page.locator(row).boundingBox()
    for (let count = 0; count < 3; count += 1) await fixture.submit('echo', count, { title: HOSTILE })
    await page.waitForSelector('text=3 newer')
    await fixture.service.cancel(anybody(), first.id)
    await page.waitForSelector(`${row} >> text=REVOKED`)
    assert.deepEqual(await page.locator(row).boundingBox(), place)
    await page.click('text=3 newer')
    await untilCount(page, 'tbody tr', 4)
    assert.equal(await page.locator('tbody img').count(), 0)
    assert.match((await page.textContent('tbody')) ?? '', /<img src=x onerror=alert\(1\)>\[U\+202E\] "&/)
    await assertAccessible(page, 'the list')
    await leave()
  })

  it('keeps the filter in the address, suggests words, and follows what leaves the filter', async () => {
    const { fixture } = door
    const waiting = await fixture.submit('echo', 1, { title: 'a needle' })
    await fixture.submit('calcpi', { digits: 3, method: 'plain' })
    await fixture.ended('done')
    const { page, leave } = await visit(browser, door.url, { path: '/tasks', timezoneId: 'Europe/Moscow' })
    await untilCount(page, 'tbody tr', 3)
    await page.keyboard.press('/')
    await page.keyboard.type('status:nonsense')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.filter-bar >> text=There is no status NONSENSE.')
    assert.equal(await page.inputValue('.filter-bar input'), 'status:nonsense')
    assert.equal(new URL(page.url()).search, '')
    await page.fill('.filter-bar input', '')
    await page.keyboard.type('pend')
    await page.waitForSelector('[role=option] >> text=status:PENDING')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await untilCount(page, 'tbody tr', 2)
    await page.keyboard.type('needle')
    await page.keyboard.press('Enter')
    await untilCount(page, 'tbody tr', 1)
    const { searchParams } = new URL(page.url())
    assert.deepEqual(
      [...searchParams],
      [
        ['status', 'PENDING'],
        ['q', 'needle'],
      ],
    )
    await fixture.service.cancel(anybody(), waiting.id)
    await page.waitForSelector(`tr[data-id="${waiting.id}"] >> text=REVOKED`)
    await page.goBack()
    await untilCount(page, 'tbody tr', 1)
    await page.click('text=Clear the filter')
    await untilCount(page, 'tbody tr', 3)
    // a time as the reader's clock has it; the address keeps what the API takes
    const before = Date.now() - 3 * 86_400_000
    await page.goto(`${door.url}/tasks?finishedFrom=${new Date(before).toISOString()}`)
    const clock = new Date(before + 3 * 3_600_000).toISOString().slice(11, 16)
    const chip = page.locator('.chip')
    assert.match((await chip.textContent()) ?? '', new RegExp(`^ended from: \\d+ \\w+ ${clock}×$`))
    assert.match((await chip.getAttribute('title')) ?? '', /\+03:00$/)
    assert.match(page.url(), /finishedFrom=\d{4}-\d\d-\d\dT.*Z$/)
    await leave()
  })

  it('acts on what is chosen, and on all that match with their number in the question', async () => {
    const { fixture } = door
    for (let count = 0; count < 70; count += 1) await fixture.submit('echo', count)
    for (let count = 0; count < 3; count += 1) await fixture.submit('calcpi', { digits: 3, method: 'plain' })
    const { page, leave } = await visit(browser, door.url, { path: '/tasks?kind=echo' })
    await untilCount(page, 'tbody tr', 50)
    await page.waitForSelector('.idle-bar >> text=70 fit')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await page.waitForSelector('text=1 selected')
    await page.keyboard.press('c')
    await page.waitForSelector('dialog >> text=Cancel 1 task?')
    await page.click('dialog .danger')
    await page.waitForSelector('text=1 task cancelled.')
    await page.click('thead input')
    await page.click('text=Select all that match (70)')
    await page.click('.bulk-actions >> text=Cancel')
    await page.waitForSelector('dialog >> text=Cancel 69 tasks?')
    await page.click('dialog .danger')
    await page.waitForSelector('text=69 tasks cancelled.')
    const { byStatus } = await fixture.store.counts()
    assert.deepEqual([byStatus.REVOKED, byStatus.PENDING], [70, 3])
    await page.click('tbody input >> nth=0')
    await page.click('.bulk-actions >> text=Delete')
    await page.waitForSelector('dialog >> text=Delete 1 task?')
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })
    assert.equal((await fixture.store.counts()).total, 73)
    await page.click('text=Next page')
    await untilCount(page, 'tbody tr', 20)
    await leave()
  })

  it('retries and deletes exactly those that the number counts', async () => {
    const { fixture } = door
    const failed = async (kind: string, params: Json, message: string): Promise<string> => {
      const { id } = await fixture.submit(kind, params)
      const claim = (await fixture.run(id))?.claim ?? 0
      const error = { code: 'KIND_FAILED' as const, message, detail: null }
      await fixture.store.move(id, claim, fail(error, null, new Date().toISOString()))
      return id
    }
    for (let count = 0; count < 60; count += 1) await failed('echo', count, 'no paper')
    const others = [
      await failed('echo', 0, 'no ink'),
      await failed('calcpi', { digits: 3, method: 'plain' }, 'no paper'),
    ]
    const running = await fixture.submit('echo', 'runs')
    await fixture.run(running.id)
    const statuses = async (): Promise<(string | undefined)[]> =>
      Promise.all(others.map(async id => (await fixture.store.get(id))?.status))
    const { page, leave } = await visit(browser, door.url, { path: '/tasks?kind=echo&error=paper' })
    await untilCount(page, 'tbody tr', 50)
    await page.waitForSelector('.idle-bar >> text=60 fit')
    // so many that they are not counted to the end
    let asked = 0
    await page.route(/\/api\/tasks\?.*limit=200/, route => {
      asked += 1
      return route.fulfill({ json: { tasks: Array.from({ length: 200 }, () => ({})), next: 'more' } })
    })
    await page.goto(`${door.url}/tasks?error=paper`)
    await page.waitForSelector('.idle-bar >> text=1,000+ fit')
    assert.equal(asked, 5)
    await page.goto(`${door.url}/tasks?kind=echo&error=paper`)
    await untilCount(page, 'tbody tr', 50)
    await page.click('thead input')
    await page.click('text=Select all that match (60)')
    await page.click('.bulk-actions >> text=Retry')
    await page.waitForSelector('dialog >> text=Run 60 tasks again?')
    // it fits, and came after the question
    const late = await failed('echo', 'late', 'no paper')
    await page.click('dialog .primary')
    await page.waitForSelector('text=60 tasks will run again.')
    const { byStatus } = await fixture.store.counts()
    assert.deepEqual([byStatus.PENDING, byStatus.STARTED, byStatus.FAILURE], [60, 1, 3])
    assert.equal((await fixture.store.get(late))?.status, 'FAILURE')
    assert.deepEqual(await statuses(), ['FAILURE', 'FAILURE'])

    await page.goto(`${door.url}/tasks?kind=echo&status=PENDING`)
    await untilCount(page, 'tbody tr', 50)
    await page.click('thead input')
    await page.click('text=Select all that match (60)')
    await page.click('.bulk-actions >> text=Delete')
    await page.waitForSelector('text=None of them can be deleted: none has ended.')
    await page.click('.bulk-actions >> text=Cancel')
    await page.waitForSelector('dialog >> text=Cancel 60 tasks?')
    await page.click('dialog .danger')
    await page.waitForSelector('text=60 tasks cancelled.')
    await page.goto(`${door.url}/tasks?kind=echo&status=REVOKED`)
    await untilCount(page, 'tbody tr', 50)
    await page.click('thead input')
    await page.click('text=Select all that match (60)')
    await page.click('.bulk-actions >> text=Delete')
    await page.waitForSelector('dialog >> text=Delete 60 tasks?')
    await page.click('dialog .danger')
    await page.waitForSelector('text=60 tasks deleted.')
    assert.equal((await fixture.store.counts()).total, 4)
    assert.deepEqual(await statuses(), ['FAILURE', 'FAILURE'])
    await leave()
  })

  it('is sorted by the menu, the heads and a key, and announces what came since in each order', async () => {
    const { fixture } = door
    const made: string[] = []
    for (let count = 0; count < 60; count += 1) made.unshift((await fixture.submit('echo', count)).id)
    const cancel = (id: string) => {
      // no two ends in one moment
      fixture.pass(5)
      return fixture.service.cancel(anybody(), id)
    }
    const [newest = '', second = ''] = made
    const oldest = made.at(-1) ?? ''
    const { page, leave } = await visit(browser, door.url, { path: '/tasks?kind=echo' })
    const startsWith = (id: string) => page.waitForSelector(`tbody tr:first-child[data-id="${id}"]`)
    const sortedBy = () =>
      page
        .locator('th[aria-sort]')
        .evaluateAll(heads =>
          heads.map(head => [head.textContent, head.getAttribute('aria-sort')].join(': ')),
        )
    await startsWith(newest)
    assert.deepEqual(await sortedBy(), ['created ↓: descending'])
    await page.click('th >> text=created')
    await startsWith(oldest)
    assert.deepEqual(await sortedBy(), ['created ↑: ascending'])
    assert.equal(new URL(page.url()).searchParams.get('sort'), 'createdAt')
    // new ones come behind the last page, so the first one says nothing of them
    await page.click('text=Next page')
    await untilCount(page, 'tbody tr', 10)
    const { id: latest } = await fixture.submit('echo', 'latest')
    await page.click('text=1 more')
    await untilCount(page, 'tbody tr', 11)
    await page.waitForSelector(`tbody tr:last-child[data-id="${latest}"]`)
    assert.equal(new URL(page.url()).searchParams.has('cursor'), true)

    await cancel(newest)
    await cancel(oldest)
    await page.selectOption('.sort-menu', '-finishedAt')
    await untilCount(page, 'tbody tr', 2)
    assert.equal(new URL(page.url()).searchParams.has('cursor'), false)
    await page.waitForSelector('.idle-bar >> text=2 fit')
    await startsWith(oldest)
    assert.deepEqual(await sortedBy(), ['ended ↓: descending'])
    await cancel(second)
    await page.waitForSelector('text=1 ended since')
    await startsWith(oldest)
    await page.keyboard.press('u')
    await startsWith(second)
    await assertAccessible(page, 'the list by the ends')
    // what matches is what is listed: the 58 that wait are none of it
    await page.click('thead input')
    await page.click('.bulk-actions >> text=Delete')
    await page.waitForSelector('dialog >> text=Delete 3 tasks?')
    await page.keyboard.press('Escape')
    await page.click('text=Select none')
    await page.keyboard.press('s')
    await startsWith(newest)
    assert.equal(await page.inputValue('.sort-menu'), 'finishedAt')
    await page.reload()
    await startsWith(newest)
    await page.keyboard.press('s')
    await startsWith(latest)
    assert.equal(new URL(page.url()).searchParams.has('sort'), false)
    await leave()
  })

  it('is worked by the keyboard alone', async () => {
    const { fixture } = door
    for (const title of ['a first', 'a second', 'a third']) await fixture.submit('echo', title, { title })
    const other = await fixture.submit('calcpi', { digits: 3, method: 'plain' })
    const { page, leave } = await visit(browser, door.url)
    const press = async (...keys: string[]): Promise<void> => {
      for (const key of keys) await page.keyboard.press(key)
    }
    const focused = (): Promise<unknown> =>
      page.evaluate('[document.activeElement.localName, document.activeElement.textContent].join(" ")')
    await page.locator('.foot button', { hasText: 'Log out' }).focus()
    await press('g', 't')
    await untilCount(page, 'tbody tr', 4)
    // Enter opens the row that is marked, and does not press what had the focus before
    await press('j')
    await page.waitForSelector(`tr.active:focus[data-id="${other.id}"]`)
    await assertAccessible(page, 'the list with the focus on a row')
    await press('Enter')
    await page.waitForURL(`${door.url}/task/${other.id}`)
    await page.goBack()
    await untilCount(page, 'tbody tr', 4)
    await press('/')
    await page.keyboard.type('kind:ec')
    await page.waitForSelector('[role=option] >> text=kind:echo')
    await press('Enter')
    await page.waitForSelector('.suggestions', { state: 'hidden' })
    assert.equal(new URL(page.url()).search, '?kind=echo')
    await untilCount(page, 'tbody tr', 3)
    assert.equal(await page.locator(`tr[data-id="${other.id}"]`).count(), 0)
    await press('Escape', 'j', 'j', 'x')
    await page.waitForSelector('tr.active[aria-selected=true] >> text=a second')
    await press('j', 'x', 'k', 'x')
    await page.waitForSelector('text=1 selected')
    await page.waitForSelector('tr.active:not([aria-selected]) >> text=a second')
    await press('c')
    await page.waitForSelector('dialog >> text=Cancel 1 task?')
    assert.equal(await focused(), 'button Keep them')
    await press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })
    assert.equal((await fixture.store.counts()).byStatus.REVOKED, 0)

    const cancel = page.locator('.bulk-actions button', { hasText: 'Cancel' })
    await cancel.focus()
    for (const answer of ['Escape', 'Enter']) {
      await press('Enter')
      await page.waitForSelector('dialog[open]')
      assert.equal(await focused(), 'button Keep them')
      await press(answer)
      await page.waitForSelector('dialog', { state: 'detached' })
      assert.equal(await focused(), 'button Cancel')
      assert.equal(await page.locator('.bulk-actions button:focus').count(), 1)
    }
    assert.equal((await fixture.store.counts()).byStatus.REVOKED, 0)
    await press('Enter')
    await page.waitForSelector('dialog[open]')
    await press('Tab', 'Enter')
    await page.waitForSelector('text=1 task cancelled.')
    await page.waitForSelector('tr >> nth=3 >> text=REVOKED')
    await press('k', 'Enter')
    await page.waitForURL(/\/task\/[0-9a-f-]{36}$/)
    const opened = new URL(page.url()).pathname.slice('/task/'.length)
    await page.goBack()
    // on the row that was opened, and j goes on from there
    await page.waitForSelector(`tr.active:focus[data-id="${opened}"]`)
    await press('j')
    await page.waitForSelector('tr.active:focus >> text=a second')
    // by a click, too
    await page.click('tbody a >> nth=2')
    await page.waitForURL(/\/task\//)
    await page.goBack()
    await page.waitForSelector('tr.active:focus >> text=a first')
    // another visit is not the way back
    await press('g', 'd', 'g', 't')
    await untilCount(page, 'tbody tr', 4)
    assert.equal(await page.locator('tr.active').count(), 0)
    await leave()
  })

  it('keeps the row under the mouse where it is, whatever comes', async () => {
    const { fixture } = door
    const tasks = []
    for (let count = 0; count < 30; count += 1) tasks.push(await fixture.submit('echo', count))
    const [under, watched] = [tasks[25], tasks[29]]
    assert.ok(under && watched)
    for (const width of [1280, 390]) {
      const { page, leave } = await visit(browser, door.url, {
        path: '/tasks',
        viewport: { width, height: 800 },
      })
      await page.waitForSelector(`tr[data-id="${under.id}"]`)
      await page.hover(`tr[data-id="${under.id}"]`)
      const place = await page.locator(`tr[data-id="${under.id}"]`).boundingBox()
      const hovered = (): Promise<unknown> =>
        page.evaluate('document.querySelector("tbody tr:hover")?.dataset.id')
      assert.equal(await hovered(), under.id)
      await page.locator(`tr[data-id="${under.id}"] input`).check()
      await page.waitForSelector('text=1 selected')
      for (let count = 0; count < 12; count += 1) await fixture.submit('echo', count)
      await page.waitForSelector('text=12 newer')
      if (width === 390) await fixture.service.retry(anybody(), watched.id)
      await fixture.service.cancel(anybody(), watched.id)
      await page.waitForSelector(`tr[data-id="${watched.id}"] >> text=REVOKED`)
      assert.equal(await hovered(), under.id)
      assert.deepEqual(await page.locator(`tr[data-id="${under.id}"]`).boundingBox(), place)
      await page.click('text=12 newer')
      await page.waitForSelector('text=12 newer', { state: 'detached' })
      await leave()
    }
  })
})
