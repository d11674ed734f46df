// The page of tasks in a real Chromium: the filter, live rows, and one action on many.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
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
    const { page, leave } = await visit(browser, door.url)
    await page.goto(`${door.url}/tasks`)
    const row = `tr[data-id="${first.id}"]`
    await page.waitForSelector(`${row} >> text=PENDING`)
    assert.equal(await page.getAttribute(`${row} a`, 'href'), `/task/${first.id}`)
    assert.equal(await page.textContent(`${row} a`), 'the first')
    const place = await page.locator(row).boundingBox()
    for (let count = 0; count < 3; count += 1) await fixture.submit('echo', count, { title: HOSTILE })
    await page.waitForSelector('text=3 newer')
    await fixture.service.cancel({ name: null, via: 'rest' }, first.id)
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
    const { page, leave } = await visit(browser, door.url)
    await page.goto(`${door.url}/tasks`)
    await untilCount(page, 'tbody tr', 3)
    await page.keyboard.press('/')
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
    await fixture.service.cancel({ name: null, via: 'rest' }, waiting.id)
    await page.waitForSelector(`tr[data-id="${waiting.id}"] >> text=REVOKED`)
    await page.goBack()
    await untilCount(page, 'tbody tr', 1)
    await page.click('text=Clear the filter')
    await untilCount(page, 'tbody tr', 3)
    await leave()
  })

  it('acts on what is chosen, and on all that match with their number in the question', async () => {
    const { fixture } = door
    for (let count = 0; count < 70; count += 1) await fixture.submit('echo', count)
    for (let count = 0; count < 3; count += 1) await fixture.submit('calcpi', { digits: 3, method: 'plain' })
    const { page, leave } = await visit(browser, door.url)
    await page.goto(`${door.url}/tasks?kind=echo`)
    await untilCount(page, 'tbody tr', 50)
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
    await page.click('text=Older')
    await untilCount(page, 'tbody tr', 20)
    await leave()
  })
})
