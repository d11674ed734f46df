// The page of things to do in a real Chromium: adding, editing, completing; what others do meanwhile; by keys, narrow,
// in Russian.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { TaskRecord } from '../../src/core/task.ts'
import { anybody, person } from '../support/actors.ts'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, type Visit, visit } from '../support/dashboard-page.ts'
import { manual } from '../support/manual-kind.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const bob = person('bob', 'user')
const OPEN = '.todo-list:not(.done) > li'
const DONE = '.todo-list.done > li'

describe('the page of things to do', { skip: requireService('chromium'), timeout: 900_000 }, () => {
  let browser: Browser
  let door: DashboardDoor
  before(async () => {
    door = await openDashboardDoor({ fixture: { kinds: [manual] } })
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await door?.close()
  })
  beforeEach(async () => {
    for (const { id } of (await door.fixture.store.list({}, { limit: 200, cursor: null })).tasks)
      await door.fixture.service.purge(anybody(), id)
  })

  const add = async (title: string, more: object = {}): Promise<TaskRecord> =>
    (await door.fixture.service.submit(bob, { kind: 'manual', title, ...more })).task
  const get = (id: string): Promise<TaskRecord> => door.fixture.service.get(anybody(), id)
  const edit = (id: string, change: object): Promise<TaskRecord> =>
    door.fixture.service.edit(bob, id, change, null)
  const enter = (options: Parameters<typeof visit>[2] = {}): Promise<Visit> =>
    visit(browser, door.url, { path: '/todo', ...options })
  const titles = (page: Page, list = OPEN): Promise<string[]> =>
    page.locator(`${list} .todo-title`).allTextContents()

  it('adds one item after another in one line, newest first, and counts them in the menu', async () => {
    const { page, leave } = await enter()
    await page.waitForSelector('text=Nothing is to be done.')
    await page.fill('#todo-new', 'Water the plants')
    await page.keyboard.press('Enter')
    await page.keyboard.type('Mow the lawn')
    await page.keyboard.press('Enter')
    await untilCount(page, OPEN, 2)
    await untilCount(page, '.todo-pending', 0)
    assert.equal(await page.inputValue('#todo-new'), '')
    await until('newest first', async () => (await titles(page)).join() === 'Mow the lawn,Water the plants')
    const { tasks } = await door.fixture.store.list({ kinds: ['manual'] }, { limit: 10, cursor: null })
    assert.deepEqual(tasks.map(({ title, owner }) => [title, owner]).sort(), [
      ['Mow the lawn', null],
      ['Water the plants', null],
    ])
    await page.locator('.menu li:has(a[href="/todo"]) .menu-count').getByText('2', { exact: true }).waitFor()
    // blanks add nothing
    await page.fill('#todo-new', '   ')
    await page.keyboard.press('Enter')
    await page.fill('#todo-new', 'Third')
    await page.keyboard.press('Enter')
    await untilCount(page, OPEN, 3)
    await leave()
  })

  it('keeps a line that could not be saved, with the reason, until it is', async () => {
    const { page, leave } = await enter()
    await page.waitForSelector('text=Nothing is to be done.')
    await page.route('**/api/tasks', route =>
      route.request().method() === 'POST' ? route.abort() : route.continue(),
    )
    await page.fill('#todo-new', 'Kept')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.todo-pending.note.bad >> text=Kept')
    await assertAccessible(page, 'a line that was not saved')
    await page.unroute('**/api/tasks')
    await page.click('.todo-pending >> text=Try again')
    await untilCount(page, OPEN, 1)
    await untilCount(page, '.todo-pending', 0)
    assert.deepEqual(await titles(page), ['Kept'])
    // a title that the server refuses
    await page.fill('#todo-new', 'turned \u202e around')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.todo-pending.note.bad')
    await page.click('.todo-pending >> text=Discard')
    await untilCount(page, '.todo-pending', 0)
    await leave(/ERR_FAILED|status of 400/)
  })

  it('completes by one click, with a note where one wants, and opens again', async () => {
    await add('First')
    await add('Second', { description: 'with more\nabout it', params: { assignee: 'ann' } })
    const { page, leave } = await enter()
    await untilCount(page, OPEN, 2)
    await page.waitForSelector('text=with more')
    await page.waitForSelector(`${OPEN} >> strong:has-text("ann")`)
    await page.click('[aria-label="Complete: First"]')
    await untilCount(page, DONE, 1)
    await page.waitForSelector('.toast >> text=Done: First')
    await page.click('[aria-label="Done, with a note: Second"]')
    await page.waitForSelector('.todo-note input:focus')
    await page.keyboard.type('both floors')
    await assertAccessible(page, 'a note')
    await page.keyboard.press('Enter')
    await untilCount(page, OPEN, 0)
    await untilCount(page, DONE, 2)
    await page.waitForSelector(`${DONE} >> text=both floors`)
    await page.waitForSelector(`${DONE} >> text=operator`)
    const { tasks } = await door.fixture.store.list({ kinds: ['manual'] }, { limit: 10, cursor: null })
    assert.deepEqual(tasks.map(({ title, result }) => [title, result]).sort(), [
      ['First', { by: 'operator', note: null }],
      ['Second', { by: 'operator', note: 'both floors' }],
    ])
    await page.click('[aria-label="Open again: First"]')
    await untilCount(page, OPEN, 1)
    await leave()
  })

  it('shows what others do as they do it, and a long note of theirs whole', async () => {
    const { page, leave } = await enter()
    await page.waitForSelector('text=Nothing is to be done.')
    const { id } = await add('From bob')
    await untilCount(page, OPEN, 1)
    await edit(id, { title: 'From bob, changed', assignee: 'carol' })
    await page.waitForSelector('text=From bob, changed')
    await page.waitForSelector('strong:has-text("carol")')
    const note = `${'long '.repeat(100)}end`
    await door.fixture.service.complete(bob, id, { note }, null)
    await untilCount(page, DONE, 1)
    await page.waitForSelector(`${DONE} >> text=long end`)
    await page.waitForSelector(`${DONE} >> text=bob`)
    await door.fixture.service.purge(bob, id)
    await untilCount(page, DONE, 0)
    await leave()
  })

  it('edits in place, assigns, and deletes after a question', async () => {
    const { id } = await add('Misspelt')
    const { page, leave } = await enter()
    await page.click('[aria-label="Edit: Misspelt"]')
    await page.fill(`#todo-${id}-title`, 'Spelt')
    await page.fill(`#todo-${id}-description`, 'more')
    await assertAccessible(page, 'an item that is edited')
    await page.focus(`#todo-${id}-description`)
    await page.keyboard.press('Control+Enter')
    await page.waitForSelector('.todo-title >> text=Spelt')
    const edited = await get(id)
    assert.deepEqual([edited.title, edited.description, edited.params], ['Spelt', 'more', {}])
    await page.click('[aria-label="I do it: Spelt"]')
    await page.waitForSelector(`${OPEN} >> strong:has-text("operator")`)
    // Escape leaves at once where nothing was typed, and asks where something was
    await page.click('[aria-label="Edit: Spelt"]')
    await page.keyboard.press('Escape')
    await untilCount(page, '.todo-edit', 0)
    await page.click('[aria-label="Edit: Spelt"]')
    await page.fill(`#todo-${id}-title`, 'half')
    await page.keyboard.press('Escape')
    await page.click('dialog >> text=Go on')
    assert.equal(await page.inputValue(`#todo-${id}-title`), 'half')
    await page.focus(`#todo-${id}-title`)
    await page.keyboard.press('Escape')
    await page.click('dialog >> text=Discard')
    await untilCount(page, '.todo-edit', 0)
    await page.click('[aria-label="Delete: Spelt"]')
    await page.waitForSelector('dialog >> text=Spelt')
    await page.click('dialog >> text=Cancel')
    assert.equal((await get(id)).status, 'PENDING')
    await page.click('[aria-label="Delete: Spelt"]')
    await page.click('dialog button:has-text("Delete")')
    await untilCount(page, OPEN, 0)
    assert.equal(await door.fixture.store.get(id), null)
    await leave()
  })

  it('says what somebody else changes meanwhile, and loses nothing that was typed', async () => {
    const { id } = await add('One', { description: 'old' })
    const { page, leave } = await enter()
    await page.click('[aria-label="Edit: One"]')
    await page.fill(`#todo-${id}-title`, 'Mine')
    // what only the other changed is taken over
    await edit(id, { description: 'theirs' })
    await page.waitForSelector('text=and the form has it: More about it.')
    assert.equal(await page.inputValue(`#todo-${id}-description`), 'theirs')
    assert.equal(await page.inputValue(`#todo-${id}-title`), 'Mine')
    // what both changed is for the reader to choose
    await edit(id, { title: 'Theirs' })
    await page.waitForSelector('text=Somebody else has changed this, too: What.')
    await page.waitForSelector('.todo-theirs >> text=Theirs')
    assert.ok(await page.isDisabled('.todo-edit button[type=submit]'))
    await assertAccessible(page, 'two who edit one item')
    assert.equal(await page.inputValue(`#todo-${id}-title`), 'Mine')
    await page.click('text=Keep mine')
    await page.click('.todo-edit button[type=submit]')
    await page.waitForSelector('.todo-title >> text=Mine')
    const now = await get(id)
    assert.deepEqual([now.title, now.description], ['Mine', 'theirs'])
    // the other choice
    await page.click('[aria-label="Edit: Mine"]')
    await page.fill(`#todo-${id}-title`, 'Mine again')
    await edit(id, { title: 'Theirs again' })
    await page.click('text=Take theirs')
    assert.equal(await page.inputValue(`#todo-${id}-title`), 'Theirs again')
    await page.fill(`#todo-${id}-title`, 'Both')
    await page.click('.todo-edit button[type=submit]')
    await page.waitForSelector('.todo-title >> text=Both')
    assert.equal((await get(id)).title, 'Both')
    await leave()
  })

  it('learns from the refusal what it was not told in time', async () => {
    const { id } = await add('One')
    const { page, leave } = await enter()
    await page.click('[aria-label="Edit: One"]')
    await page.fill(`#todo-${id}-title`, 'Mine')
    // the page hears nothing from now on
    await page.route('**/stream?*', route => route.abort())
    await page.evaluate('dispatchEvent(new Event("online"))')
    await edit(id, { title: 'Theirs' })
    await page.click('.todo-edit button[type=submit]')
    await page.waitForSelector('text=Somebody else has changed this, too: What.')
    assert.equal(await page.inputValue(`#todo-${id}-title`), 'Mine')
    await door.fixture.service.complete(bob, id, {}, null)
    await page.click('text=Keep mine')
    await page.click('.todo-edit button[type=submit]')
    await page.waitForSelector('text=bob has completed this meanwhile.')
    assert.equal(await page.inputValue(`#todo-${id}-title`), 'Mine')
    assert.ok(await page.isDisabled('.todo-edit button[type=submit]'))
    await page.click('.todo-edit >> text=Cancel')
    await page.click('dialog >> text=Discard')
    await untilCount(page, DONE, 1)
    await leave(/ERR_FAILED|status of (409|412)/)
  })

  it('says who was quicker', async () => {
    const { id } = await add('Race')
    const { page, leave } = await enter()
    await untilCount(page, OPEN, 1)
    await page.route('**/stream?*', route => route.abort())
    await page.evaluate('dispatchEvent(new Event("online"))')
    await door.fixture.service.complete(bob, id, {}, null)
    await page.click('[aria-label="Complete: Race"]')
    await page.waitForSelector('.toast.bad >> text=bob has completed this meanwhile.')
    await untilCount(page, DONE, 1)
    await leave(/ERR_FAILED|status of 409/)
  })

  it('works by keys alone', async () => {
    await add('Older')
    await add('Newer')
    const { page, leave } = await enter()
    await untilCount(page, OPEN, 2)
    await page.keyboard.press('g')
    await page.keyboard.press('c')
    await page.keyboard.press('j')
    await page.keyboard.press('j')
    await page.keyboard.press('x')
    await untilCount(page, DONE, 1)
    assert.deepEqual(await titles(page), ['Newer'])
    // its neighbour has the focus now
    await page.waitForSelector(`${OPEN}:focus`)
    await page.keyboard.press('e')
    await page.waitForSelector('.todo-edit input:focus')
    await page.keyboard.press('Control+a')
    await page.keyboard.type('Renamed')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.todo-title >> text=Renamed')
    await page.keyboard.press('n')
    await page.keyboard.type('Typed')
    await page.keyboard.press('Enter')
    await untilCount(page, OPEN, 2)
    await leave()
  })

  it('shows a viewer the list and nothing to change, fits a narrow screen, and speaks Russian', async () => {
    await add('Long '.repeat(30), { description: 'x'.repeat(500), params: { assignee: 'a'.repeat(100) } })
    const { id } = await add('Given up')
    await door.fixture.service.cancel(bob, id)
    const wide = await enter({ name: 'viewer' })
    await untilCount(wide.page, OPEN, 1)
    await untilCount(wide.page, DONE, 1)
    await wide.page.waitForSelector(`${DONE} >> text=cancelled`)
    await untilCount(wide.page, '.todo button', 0)
    await assertAccessible(wide.page, 'things to do, as a viewer')
    await wide.leave()
    const narrow = await enter({ viewport: { width: 360, height: 740 }, locale: 'ru-RU' })
    await untilCount(narrow.page, OPEN, 1)
    await narrow.page.waitForSelector('h1:has-text("Дела")')
    await narrow.page.click('text=Изменить')
    const hidden = await narrow.page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    )
    assert.equal(hidden, 0)
    await assertAccessible(narrow.page, 'things to do, narrow')
    await narrow.leave()
  })
})
