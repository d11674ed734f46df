// The page of a new task in a real Chromium: from the kind to the task, by fields and as JSON.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../support/dashboard-page.ts'
import { requireService } from '../support/services.ts'

const HOSTILE = '<img src=x onerror=alert(1)>\u202e "&'
const DIGITS = '#field-params\\.digits'

/** The submission as the page has it. */
const wholeOf = async (page: Page): Promise<string> => {
  await page.click('.form-tabs >> text=JSON')
  const text = await page.inputValue('#whole-json')
  await page.click('.form-tabs >> text=Form')
  return text
}

describe('the page of a new task', { skip: requireService('chromium'), timeout: 600_000 }, () => {
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

  it('leads from the kind over its example to the task, and a double click makes one', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/new' })
    await page.click('.kind-card >> text=calcpi')
    await page.waitForURL(`${door.url}/new?kind=calcpi`)
    assert.equal(await page.inputValue(DIGITS), '3')
    assert.equal(await page.inputValue('#field-params\\.method'), '1')
    await page.fill(DIGITS, '12')
    await page.click('summary >> text=Options')
    await page.fill('#field-title', HOSTILE)
    await page.fill('#field-priority', '7')
    await page.fill('#field-limits\\.hardSeconds', '30')
    await page.fill('#field-retry\\.factor', '3')
    await page.fill('#field-retry\\.factor', '')
    await assertAccessible(page, 'the form')
    await page.dblclick('text=Submit')
    await page.waitForURL(/\/task\/[0-9a-f-]{36}$/)
    const { tasks } = await door.fixture.store.list({}, { limit: 9, cursor: null })
    assert.equal(tasks.length, 1)
    const [task] = tasks
    assert.deepEqual(task?.params, { digits: 12, method: 'plain', pace: 0 })
    assert.deepEqual([task?.title, task?.priority, task?.limits.hardSeconds], [HOSTILE, 7, 30])
    assert.equal(task?.retry, null)
    assert.match(page.url(), new RegExp(`${task?.id}$`))
    await leave()
  })

  it("shows the server's problems at their fields and goes to the first", async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/new?kind=calcpi' })
    await page.fill(DIGITS, 'ten')
    await page.click('text=Submit')
    await page.waitForSelector(`${DIGITS}[aria-invalid]:focus`)
    await page.waitForSelector('text=This must be a whole number.')
    await page.fill(DIGITS, '10001')
    await page.fill('#field-params\\.pace', '-1')
    await page.click('summary >> text=Options')
    await page.fill('#field-priority', '11')
    await page.click('text=Submit')
    // the submission is checked before its params
    await page.waitForSelector('#field-priority[aria-invalid]:focus')
    await page.fill('#field-priority', '1')
    await untilCount(page, '[aria-invalid]', 0)
    await page.click('text=Submit')
    await page.waitForSelector(`${DIGITS}[aria-invalid]:focus`)
    await untilCount(page, '[aria-invalid]', 2)
    assert.match((await page.textContent(`${DIGITS}-help`)) ?? '', /10000/)
    await assertAccessible(page, 'the form with problems')
    assert.equal((await door.fixture.store.counts()).total, 0)
    // the refusals that were asked for
    await leave(/status of 4\d\d/)
  })

  it('keeps form and JSON in step, every digit of a number, and refuses what is no JSON', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/new?kind=echo' })
    const params = '#field-params'
    assert.equal(await page.inputValue(params), '"hello"')
    await page.fill(params, '{"n": 9007199254740993, "list": [1.0, 1e400]}')
    assert.match(await wholeOf(page), /"n": 9007199254740993,\s+"list": \[\s+1\.0,\s+1e400/)
    await page.click('.form-tabs >> text=JSON')
    assert.equal(new URL(page.url()).searchParams.get('view'), 'json')
    await page.fill('#whole-json', '{"kind": "echo", "params": {"big": 90071992547409931}, "title": "it\'s"')
    await page.waitForSelector('text=This is no JSON.')
    await page.click('text=Submit')
    await page.waitForSelector('#whole-json[aria-invalid]:focus')
    await page.fill('#whole-json', '{"kind": "echo", "params": {"big": 1}, "title": "it\'s", "priority": 3}')
    await page.click('summary >> text=As curl')
    const command = (await page.textContent('details pre')) ?? ''
    assert.match(
      command,
      /--data-raw '\{"kind":"echo","params":\{"big":1\},"title":"it'\\''s","priority":3\}'/,
    )
    await assertAccessible(page, 'the JSON')
    await page.click('.form-tabs >> text=Form')
    assert.equal(await page.inputValue('#field-priority'), '3')
    await page.click('text=Submit')
    await page.waitForURL(/\/task\//)
    const { tasks } = await door.fixture.store.list({}, { limit: 9, cursor: null })
    assert.deepEqual(tasks[0]?.params, { big: 1 })
    await leave()
  })

  it('fills in a known task, and says which kinds there are where one is not', async () => {
    const task = await door.fixture.submit('echo', { text: HOSTILE }, { title: 'the first', priority: 8 })
    const { page, leave } = await visit(browser, door.url, { path: `/new?from=${task.id}` })
    await page.waitForSelector(`a[href="/task/${task.id}"]`)
    assert.deepEqual(JSON.parse(await wholeOf(page)), {
      kind: 'echo',
      params: { text: HOSTILE },
      title: 'the first',
      priority: 8,
    })
    await page.fill('#field-title', 'the second')
    await page.click('text=Submit')
    await page.waitForURL(/\/task\//)
    assert.equal((await door.fixture.store.counts()).total, 2)
    await page.goto(`${door.url}/new?kind=gone`)
    await page.waitForSelector('text=There is no kind of task with this name.')
    await untilCount(page, '.kind-card', 2)
    await page.goto(`${door.url}/new?kind=broken`)
    await page.waitForSelector('text=no luck')
    await leave()
  })

  it('shows a viewer the form and takes nothing from them', async () => {
    const { page, leave } = await visit(browser, door.url, {
      path: '/new?kind=calcpi',
      name: 'viewer',
      colorScheme: 'dark',
    })
    await page.waitForSelector('text=You may look, and change nothing.')
    assert.equal(await page.isDisabled('text=Submit'), true)
    await page.press(DIGITS, 'Enter')
    await assertAccessible(page, 'the form of a viewer, dark')
    assert.equal((await door.fixture.store.counts()).total, 0)
    await leave()
  })
})
