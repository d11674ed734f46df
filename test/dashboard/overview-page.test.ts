// The overview in a real Chromium: troubles that come and go, groups of failures with their retry, and live charts.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { fail, start } from '../../src/core/moves.ts'
import type { FailureView } from '../../src/dashboard/overview/overview.ts'
import { TROUBLE_CODES, type Trouble } from '../../src/dashboard/overview/troubles.ts'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor, processRow } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../support/dashboard-page.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const HOSTILE = '<img src=x onerror=alert(1)>\u202e "&'
const COUNTS = { PENDING: 4312, STARTED: 0, PROGRESS: 1, RETRY: 0, SUCCESS: 7, FAILURE: 3, REVOKED: 0 }

const troubleOf = (code: Trouble['code'], params: Trouble['params'], link = '/processes'): Trouble => ({
  code,
  level: 'error',
  params,
  link,
})

const failTask = async ({ fixture }: DashboardDoor, message: string): Promise<string> => {
  const { store, submit } = fixture
  const { id } = await submit('echo', null)
  const now = (): string => new Date().toISOString()
  const claimed = await store.claim(id, start('worker', now()))
  assert.ok(claimed)
  await store.move(id, claimed.claim, fail({ code: 'KIND_FAILED', message, detail: null }, null, now()))
  return id
}

const groupOf = (id: string, count: number, firstAt: string, pattern: string): FailureView => ({
  kind: 'echo',
  error: { code: 'KIND_FAILED', pattern },
  count,
  firstAt,
  lastAt: new Date().toISOString(),
  example: { id, message: `the whole of it: ${HOSTILE}` },
  filter: { status: 'FAILURE', kind: 'echo', errorLike: pattern, finishedFrom: firstAt },
})

/** The rows, with their numbers and times, of the table that stands in the place of a chart. */
const tableOf = (page: Page, title: string): Promise<string | null> =>
  page.locator('.chart-card', { hasText: title }).locator('tbody').textContent()

describe('the overview', { skip: requireService('chromium'), timeout: 600_000 }, () => {
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

  it('says that all is well, then what is wrong and what to do, then that all is well again', async () => {
    const { page, leave } = await visit(browser, door.url)
    await page.waitForSelector('text=All is well.')
    assert.match(await page.title(), /^Overview/)
    assert.equal(await page.locator('.trouble-count').count(), 0)
    const [early, late] = [Date.now() - 7_200_000, Date.now() - 60_000].map(ms => new Date(ms).toISOString())
    const failed = `status=FAILURE&finishedFrom=${new Date(Date.now() - 600_000).toISOString()}`
    door.setOverview({
      counts: COUNTS,
      // neither is surely most of the nine: one has failed for hours, of the other most were retried
      failures: [groupOf('x', 8, early ?? '', 'old …'), groupOf('y', 4, late ?? '', 'retried …')],
      failuresTotal: { count: 12, moreGroups: 0, isWhole: true },
      troubles: [
        troubleOf('NO_WORKER', { reason: HOSTILE, waiting: 4312, state: 'stopped' }),
        troubleOf('FAILURES_RISING', { count: 9, before: 0, minutes: 10 }, `/tasks?${failed}`),
      ],
    })
    await page.waitForSelector('.trouble >> text=No worker is alive: 4,312 tasks waiting.')
    await page.waitForSelector('.trouble >> text=<img src=x onerror=alert(1)>')
    await page.waitForSelector('.trouble-count >> text=2')
    await until('the title says it', async () => /^⚠ 2 Overview/.test(await page.title()))
    await page.waitForSelector('.status-tile >> text=4,312')
    const rising = page.locator('.trouble', { hasText: '9 failures in the last 10 minutes' })
    assert.doesNotMatch((await rising.textContent()) ?? '', /ostly/)
    const groups = [groupOf('x', 8, early ?? '', 'old …'), groupOf('y', 5, late ?? '', 'retried …')]
    door.setOverview({
      ...{ counts: COUNTS, failures: groups },
      troubles: [
        troubleOf('NO_WORKER', { reason: HOSTILE, waiting: 4312, state: 'stopped' }),
        troubleOf('FAILURES_RISING', { count: 9, before: 0, minutes: 10 }, `/tasks?${failed}`),
      ],
    })
    await rising.locator('text=/ostly.*retried …/').waitFor()
    await page.click('text=See those that are still failed')
    await page.waitForURL(/\/tasks\?status=FAILURE&finishedFrom=/)
    // the menu of every page shows how many there are
    await page.waitForSelector('.trouble-count >> text=2')
    door.setOverview({})
    await untilCount(page, '.trouble-count', 0)
    await page.goBack()
    await page.waitForSelector('text=All is well.')
    await leave()
  })

  it('starts a stopped process for those who may, and shows others the processes', async () => {
    door.rows[0] = processRow('api', 0, { state: 'stopped', pid: null, uptimeMs: null })
    const stopped = troubleOf('ROLE_AWAY', { role: 'api', reason: null, state: 'stopped' })
    const away = troubleOf('ROLE_AWAY', { role: 'rpc', reason: null, state: 'online' })
    door.setOverview({ troubles: [stopped, away, troubleOf('PROCESS_STOPPED', { process: 'extra' })] })
    const viewer = await visit(browser, door.url, { name: 'viewer' })
    await untilCount(viewer.page, '.trouble >> a >> text=See the processes', 3)
    assert.equal(await viewer.page.locator('.trouble button').count(), 0)
    await viewer.leave()
    const { page, leave } = await visit(browser, door.url)
    await page.waitForSelector('.trouble button >> text=Start extra')
    assert.equal(await page.getAttribute('.trouble a', 'href'), '/processes')
    assert.equal(await page.locator('.trouble a').count(), 1)
    door.onOrder(() => {
      door.rows[0] = processRow('api', 0, { ready: true })
      door.setOverview({ troubles: [away] })
    })
    await page.click('.trouble button >> text=Start api')
    await page.waitForSelector('.toast.good >> text=api')
    assert.deepEqual(door.orders, ['start api'])
    await untilCount(page, '.trouble', 1)
    await page.waitForSelector('.troubles:focus')
    await leave()
  })

  it('has words for every trouble in both languages, and is accessible with all of them', async () => {
    const params = {
      ...{ reason: 'why', waiting: 2, state: null, role: 'rpc', process: 'rpc', restarts: 3, percent: 97.4 },
      ...{
        freeBytes: 1e9,
        kind: 'parse',
        file: 'parse.mjs',
        count: 12,
        before: 1,
        minutes: 10,
        part: 'door',
      },
      ...{ id: 'x', since: new Date().toISOString() },
    }
    door.setOverview({
      counts: COUNTS,
      troubles: TROUBLE_CODES.map((code, at) => ({
        ...troubleOf(code, params),
        level: at % 2 === 0 ? ('error' as const) : ('warning' as const),
      })),
      failures: [groupOf('x', 3, new Date().toISOString(), HOSTILE)],
      failuresTotal: { count: 3, moreGroups: 0, isWhole: false },
    })
    door.addSample({ at: Math.floor(Date.now() / 10_000) * 10_000, cpu: 5 })
    for (const colorScheme of ['light', 'dark'] as const)
      for (const name of ['operator', 'viewer']) {
        const { page, leave } = await visit(browser, door.url, { colorScheme, name })
        await untilCount(page, '.trouble', TROUBLE_CODES.length)
        await untilCount(page, '.u-wrap', 8)
        await assertAccessible(page, `${colorScheme}, ${name}`)
        const english = (await page.textContent('.troubles')) ?? ''
        assert.doesNotMatch(english, /undefined|null|NaN|[A-Z]+_[A-Z]+/)
        await page.click('.preferences summary')
        await page.selectOption('.preferences select >> nth=2', 'ru')
        await page.waitForSelector('.trouble >> text=Хранилище не отвечает.')
        const russian = (await page.textContent('.troubles')) ?? ''
        assert.doesNotMatch(russian, /undefined|null|NaN|[A-Z]+_[A-Z]+|waiting/)
        await page.click('.tabs a >> nth=2')
        await untilCount(page, '.chart-card table', 8)
        await assertAccessible(page, `tables, ${colorScheme}`)
        await leave()
      }
  })

  it('leads from a number to its tasks, and retries one group after the dry run, and nothing else', async () => {
    const before = new Date().toISOString()
    const ids: string[] = []
    for (let port = 1; port <= 3; port += 1) ids.push(await failTask(door, `no route to 10.0.0.7:${port}`))
    const other = await failTask(door, 'another one')
    const [last = ''] = ids.slice(-1)
    door.setOverview({
      counts: COUNTS,
      failures: [groupOf(last, 3, before, 'no route to …'), groupOf(other, 1, before, 'another one')],
      failuresTotal: { count: 4, moreGroups: 0, isWhole: true },
    })
    const { page, leave } = await visit(browser, door.url)
    await page.waitForSelector('.failures >> text=4 tasks failed')
    assert.equal(await page.getAttribute('.status-tile >> nth=5', 'href'), '/tasks?status=FAILURE')
    assert.equal(await page.getAttribute('.failures td a >> nth=0', 'href'), `/task/${last}`)
    await page.click('.failures >> text=no route to …')
    await page.waitForURL(/\/tasks\?.*errorLike=/)
    await untilCount(page, 'tbody tr', 3)
    await page.goBack()
    await untilCount(page, '.failures tbody tr', 2)
    // back on the group whose tasks were shown; up and down by keys
    await page.waitForSelector('.failures tr.active:focus >> text=no route to …')
    await page.keyboard.press('j')
    await page.waitForSelector('.failures tr + tr.active:focus')
    await page.keyboard.press('k')
    await page.keyboard.press('r')
    await page.waitForSelector('dialog >> text=Run these 3 tasks of the kind echo again?')
    assert.equal(await page.textContent('.dialog-quote'), 'no route to …')
    await page.keyboard.press('Escape')
    await untilCount(page, 'dialog', 0)
    assert.equal((await door.fixture.store.counts()).byStatus.FAILURE, 4)
    await page.click('.failures button >> nth=0')
    await page.waitForSelector('dialog >> text=Run these 3 tasks')
    await page.keyboard.press('Escape')
    await untilCount(page, 'dialog', 0)
    await page.waitForSelector('tr:first-child button:focus')
    await page.keyboard.press('Enter')
    await page.waitForSelector('dialog >> text=Run these 3 tasks')
    await page.click('dialog .primary')
    await page.waitForSelector('text=3 tasks will run again.')
    const { byStatus } = await door.fixture.store.counts()
    assert.deepEqual([byStatus.PENDING, byStatus.FAILURE], [3, 1])
    await page.click('.failures button >> nth=0')
    await page.waitForSelector('text=None of them is in FAILURE any more.')
    door.setOverview({ failures: [], counts: COUNTS })
    await page.waitForSelector('.failures h2:focus')
    await leave()
  })

  it('shows a viewer the failures, and no way to retry them', async () => {
    door.setOverview({ failures: [groupOf('x', 3, new Date().toISOString(), 'no')], counts: COUNTS })
    const { page, leave } = await visit(browser, door.url, { name: 'viewer' })
    await page.waitForSelector('.failures tbody tr')
    await page.keyboard.press('j')
    await page.keyboard.press('r')
    assert.equal(await page.locator('.failures button').count(), 0)
    assert.equal(await page.locator('dialog').count(), 0)
    await leave()
  })

  it('goes on with new samples, keeps gaps, and tells the values under the cursor by keys', async () => {
    const newest = Math.floor(Date.now() / 10_000) * 10_000
    door.addSample({ at: newest - 60_000, cpu: 11, started: 5 })
    door.addSample({ at: newest - 50_000, cpu: 12, started: 6 })
    const { page, leave } = await visit(browser, door.url, { timezoneId: 'Europe/Moscow' })
    await untilCount(page, '.u-wrap', 8)
    const cpu = page.locator('.chart[aria-label=CPU]')
    await page.waitForSelector('.chart-card >> text=12 %')
    door.addSample({ at: newest - 10_000, cpu: 42 })
    await page.waitForSelector('.chart-card >> text=42 %')
    await cpu.focus()
    await page.keyboard.press('ArrowLeft')
    assert.match((await cpu.getAttribute('aria-valuetext')) ?? '', /: CPU unknown$/)
    await page.keyboard.press('End')
    assert.match((await cpu.getAttribute('aria-valuetext')) ?? '', /: CPU 42\s%$/)
    await page.keyboard.press('Home')
    assert.match((await cpu.getAttribute('aria-valuetext')) ?? '', /: CPU unknown$/)
    await page.keyboard.press('Escape')
    await page.click('text=Last seven days')
    await page.waitForURL(/\?span=week$/)
    await untilCount(page, '.u-wrap', 8)
    await page.keyboard.press('v')
    await page.waitForURL(/\?span=week&show=tables$/)
    await untilCount(page, '.chart-card table', 8)
    await page.keyboard.press('h')
    await page.waitForURL(/\?show=tables$/)
    await until('the table has the mean of all three', async () =>
      /22\s%/.test((await tableOf(page, 'CPU')) ?? ''),
    )
    await page.reload()
    await untilCount(page, '.chart-card table', 8)
    await leave()
  })
})
