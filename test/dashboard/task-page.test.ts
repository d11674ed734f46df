// The page of a task in a real Chromium: why it failed or waits, its log live, and what can be done with it.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { BLOBS } from '../../src/core/content.ts'
import { fail, report, start, succeed } from '../../src/core/moves.ts'
import type { Json } from '../../src/core/task.ts'
import { encodeLog, type LogLine } from '../../src/core/task-log.ts'
import { anybody } from '../support/actors.ts'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, type VisitOptions, visit } from '../support/dashboard-page.ts'
import { newTaskOf } from '../support/new-task.ts'
import { requireService } from '../support/services.ts'

const HOSTILE = '<img src=x onerror=alert(1)>\u202e "&'
const ACTOR = anybody()
const now = (): string => new Date().toISOString()

const line = (n: number, attempt: number, text: string, level: LogLine['level'] = 'info'): LogLine => ({
  n,
  at: new Date(Date.UTC(2030, 0, 1, 3, 8, 48, n)).toISOString(),
  attempt,
  level,
  text,
})

const ERROR = {
  code: 'KIND_FAILED',
  message: `could not load order 20417: connect ECONNREFUSED 10.0.0.7:5432 ${HOSTILE}`,
  detail: {
    names: ['TypeError', 'ECONNREFUSED'],
    causes: [{ names: ['ECONNREFUSED'], message: `connect ECONNREFUSED ${HOSTILE}` }],
    stack: ['at loadOrder (render-report.ts:31:11)', 'at run (render-report.ts:12:23)'],
  } as Json,
}

describe('the page of a task', { skip: requireService('chromium'), timeout: 600_000 }, () => {
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

  const claim = async (id: string) => {
    const claimed = await door.fixture.store.claim(id, start('worker-1', now()))
    assert.ok(claimed)
    return claimed
  }
  const putLog = (id: string, lines: LogLine[], last = lines.at(-1)?.n ?? 0) =>
    door.fixture.store.putBlob(id, BLOBS.log, Buffer.from(encodeLog({ last, lines })))
  /** A task that failed twice, with a log of both attempts. */
  const failed = async (title = 'Report 20417') => {
    const { fixture } = door
    const { id } = await fixture.submit(
      'echo',
      { order: 20417, big: 9007199254740991 },
      { title, maxAttempts: 2 },
    )
    const first = await claim(id)
    await fixture.store.move(id, first.claim, fail(ERROR, now(), now()))
    const second = await claim(id)
    await putLog(id, [
      line(1, 1, 'loading order 20417'),
      line(2, 1, `asking ${HOSTILE}`, 'debug'),
      line(5, 1, 'it is slow', 'warn'),
      line(6, 2, 'loading again'),
      line(7, 2, 'Error: could not load', 'error'),
    ])
    await fixture.store.move(id, second.claim, fail(ERROR, null, now()))
    return id
  }
  const open = (id: string, options: VisitOptions = {}) =>
    visit(browser, door.url, { path: `/task/${id}`, ...options })
  const status = (page: Page, word: string) => page.waitForSelector(`.page-head .badge >> text=${word}`)

  it('says of a failed task what broke, by attempt, with its log, and runs it again', async () => {
    const id = await failed()
    const { page, leave } = await open(id)
    await status(page, 'FAILURE')
    assert.equal(await page.textContent('h1'), 'Report 20417')
    assert.match((await page.textContent('.error-note')) ?? '', /ECONNREFUSED 10\.0\.0\.7:5432 <img src=x/)
    await page.waitForSelector('.causes >> text=caused by')
    assert.equal(await page.locator('.error-note details[open]').count(), 0, 'the stack is folded')
    await page.click('.error-note summary')
    await page.waitForSelector('.error-note >> text=at loadOrder (render-report.ts:31:11)')
    assert.equal(
      await page.getAttribute('.alike a', 'href'),
      `/tasks?${new URLSearchParams({ status: 'FAILURE', kind: 'echo', errorCode: 'KIND_FAILED', errorLike: ERROR.message })}`,
    )
    await untilCount(page, '.timeline .moment', 3)
    assert.match(
      (await page.textContent('.timeline')) ?? '',
      /created.*attempt 1.*worker-1.*RETRY.*attempt 2.*FAILURE/s,
    )
    const link = new URL((await page.getAttribute('.moment-links a >> nth=1', 'href')) ?? '', door.url)
    assert.equal(link.pathname, '/process/worker')
    assert.ok(Date.parse(link.searchParams.get('at') ?? '') > 0)
    assert.equal(link.searchParams.get('task'), id)
    await page.waitForSelector('.task-log h3 >> text=attempt 2')
    await page.waitForSelector('.log-gap >> text=2 lines left out')
    assert.equal(await page.locator('.log-line').count(), 5)
    await page.waitForSelector('text=9007199254740991')
    assert.equal(await page.locator('main img').count(), 0)
    await assertAccessible(page, 'a failed task, light')
    await page.evaluate("document.documentElement.dataset.theme = 'dark'")
    await assertAccessible(page, 'a failed task, dark')

    await page.click('.moment-links >> nth=1 >> text=its log')
    await untilCount(page, '.log-line', 2)
    assert.equal(new URL(page.url()).searchParams.get('attempt'), '2')
    await page.selectOption('.log-block select >> nth=0', '')
    await page.keyboard.press('Escape')
    await page.click('h1')
    await page.keyboard.press('/')
    await page.keyboard.type('SLOW')
    await untilCount(page, '.log-line', 1)
    await page.click('h1')
    assert.equal(await page.textContent('.page-actions .button >> nth=0'), 'Retry')
    await page.keyboard.press('r')
    await status(page, 'PENDING')
    await page.waitForSelector('.timeline >> text=run again by hand')
    await page.waitForSelector('.waiting-note >> text=No worker is running.')
    await leave()
  })

  it('says how many others ended the same way, without itself, and leads to them', async () => {
    const id = await failed()
    const pattern = 'connect ECONNREFUSED 10.0.0.…:…'
    const day = (hour: number): string => new Date(Date.now() - hour * 3_600_000).toISOString()
    const filter = { status: 'FAILURE', kind: 'echo', errorCode: 'KIND_FAILED', errorLike: pattern }
    const group = {
      ...{ kind: 'echo', error: { code: 'KIND_FAILED', pattern }, filter },
      ...{ count: 35, firstAt: day(3), lastAt: now(), example: { id, message: ERROR.message } },
    }
    const show = (failures: readonly object[], isWhole = true) =>
      door.setOverview({
        failures: failures as never,
        failuresTotal: { count: 35, moreGroups: 0, isWhole },
      })
    show([{ ...group, kind: 'sleep', count: 99, example: { id: 'another', message: '' } }, group])
    const { page, leave } = await open(id)
    const said = async (words: string): Promise<void> => {
      await page.reload()
      await page.waitForSelector(`.alike >> text=${words}`)
    }
    await page.waitForSelector('.alike >> text=34 other tasks')
    assert.equal(await page.getAttribute('.alike a', 'href'), `/tasks?${new URLSearchParams(filter)}`)
    show([{ ...group, count: 2 }], false)
    await said('at least 1 other task')
    // the group is older than this task, which is not among its tasks then
    show([{ ...group, count: 2, lastAt: day(2) }])
    await said('2 other tasks')
    show([{ ...group, count: 1 }])
    await said('No other task of the last 24 hours ended this way.')
    await leave()
  })

  it('follows a task live: progress, partial result and log, up to its end and a retry', async () => {
    const { fixture } = door
    const { id } = await fixture.submit('echo', 1, { title: HOSTILE })
    const { page, leave } = await open(id)
    await status(page, 'PENDING')
    assert.equal(await page.textContent('.page-head code[title]'), `…${id.slice(-8)}`)
    await page.waitForSelector('.waiting-note >> text=NO_WORKER')
    await assertAccessible(page, 'a task that waits')
    const claimed = await claim(id)
    await status(page, 'STARTED')
    await page.waitForSelector('.waiting-note', { state: 'detached' })
    await fixture.store.move(
      id,
      claimed.claim,
      report({ percent: 40, note: `row ${HOSTILE}`, etaSeconds: 41 }, { rows: 40 }, now()),
    )
    await page.waitForSelector('.task-progress >> text=40 % · 41 s left')
    await page.waitForSelector('text=Partial result')
    await putLog(id, [line(1, 1, 'the first line')])
    await page.waitForSelector('.log-line >> text=the first line')
    await putLog(id, [line(1, 1, 'the first line'), line(2, 1, `and ${HOSTILE}`, 'warn')])
    await untilCount(page, '.log-line', 2)
    await door.shut()
    await putLog(
      id,
      [1, 2, 3].map(n => line(n, 1, `line ${n}`)),
    )
    await door.open()
    await untilCount(page, '.log-line', 3)
    await fixture.store.move(id, claimed.claim, succeed({ sum: 1 }, null, now()))
    await status(page, 'SUCCESS')
    await page.waitForSelector('section[aria-label=Result] >> text="sum": 1')
    await fixture.service.retry(ACTOR, id)
    const again = await claim(id)
    await putLog(id, [...[1, 2, 3].map(n => line(n, 1, `line ${n}`)), line(4, 2, 'a new attempt')])
    await page.waitForSelector('.log-line >> text=a new attempt')
    assert.equal(await page.locator('.log-line').count(), 4)
    await page.waitForSelector('section[aria-label=Timeline] .block-head >> text=attempt 2 (1 of')
    await page.waitForSelector('.facts dd >> text=since the retry')
    await fixture.store.move(id, again.claim, succeed(HOSTILE, null, now()))
    await status(page, 'SUCCESS')
    await page.waitForSelector('section[aria-label=Result] >> text=<img src=x onerror=alert(1)>')
    assert.equal(await page.locator('main img').count(), 0)
    // 409: it was asked why the task waits, which had begun to run
    await leave(/^console: .*(?:ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY|status of 409)/)
  })

  it('cancels and deletes after a question, and keeps the page when somebody was first', async () => {
    const { fixture } = door
    const { id } = await fixture.submit('echo', 1, { title: 'a nap' })
    const { page, leave } = await open(id)
    await status(page, 'PENDING')
    await page.click('h1')
    await page.keyboard.press('c')
    await page.waitForSelector('dialog >> text=Cancel this task?')
    assert.deepEqual(await page.locator('dialog button').allTextContents(), ['Keep it', 'Cancel'])
    await page.click('dialog .danger')
    await status(page, 'REVOKED')
    assert.equal(await page.getAttribute('.page-actions a', 'href'), `/new?from=${id}`)

    // somebody else retries it while the reader reads the question
    await page.keyboard.press('Delete')
    await page.waitForSelector('dialog >> text=Delete this task?')
    await fixture.service.retry(ACTOR, id)
    await page.click('dialog .danger')
    await page.waitForSelector('.conflict >> text=It was not deleted.')
    await page.waitForSelector('.conflict >> text=PENDING')
    assert.equal(new URL(page.url()).pathname, `/task/${id}`)
    await assertAccessible(page, 'a conflict')

    await fixture.service.cancel(ACTOR, id)
    await status(page, 'REVOKED')
    await fixture.service.purge(ACTOR, id)
    await page.waitForSelector('text=This task has been deleted.')
    await untilCount(page, '.page-actions .button', 0)
    await page.reload()
    await page.waitForSelector('text=The task is no longer there.')
    await leave(/^console: .*(?:409|404)/)
  })

  it('shows children and parent, and the beginning of a large result', async () => {
    const { fixture } = door
    const parent = await fixture.submit('echo', 1, { title: 'the parent' })
    const large = await fixture.ended(null, {
      name: 'result.json',
      bytes: Buffer.from(`[${'7,'.repeat(60_000)}7]`),
    })
    const { page, leave } = await open(large.id)
    await page.waitForSelector('text=the first 8 KiB of 117 KiB')
    assert.equal(
      await page.getAttribute('section[aria-label=Result] a', 'download'),
      `${large.id}.result.json`,
    )
    const childOf = newTaskOf({ kind: 'echo', title: 'the child', parentId: parent.id, createdAt: now() })
    const { task: child } = await fixture.store.create(childOf, null)
    await page.goto(`${door.url}/task/${child.id}`)
    await page.click('.facts >> text=the parent')
    await page.waitForSelector('.children >> text=the child')
    await fixture.service.cancel(ACTOR, child.id)
    await page.waitForSelector('.children >> text=REVOKED')
    await leave()
  })

  it('lets a viewer see all of it and change nothing', async () => {
    const id = await failed(HOSTILE)
    const { page, leave } = await open(id, { name: 'viewer' })
    await status(page, 'FAILURE')
    await page.waitForSelector('.page-actions >> text=You may look, and change nothing.')
    assert.equal(await page.locator('.page-actions button, .page-actions a').count(), 0)
    await page.keyboard.press('r')
    await page.keyboard.press('?')
    await page.waitForSelector('dialog >> text=To the log')
    assert.equal((await door.fixture.store.get(id))?.status, 'FAILURE')
    await leave()
  })

  it('tells in the list why rows wait', async () => {
    await door.fixture.submit('echo', 1, { title: 'it waits' })
    const { page, leave } = await visit(browser, door.url, { path: '/tasks' })
    await page.waitForSelector('tbody >> text=no worker')
    assert.match((await page.getAttribute('tbody [title]', 'title')) ?? '', /./)
    await leave()
  })
})
