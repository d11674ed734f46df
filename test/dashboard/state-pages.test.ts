// The pages Kinds, Dead, Workers and Settings in a real Chromium, as operator and as viewer.

import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import type { DeadMessage, DeadMessages } from '../../src/core/dead-messages.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import { fail, start } from '../../src/core/moves.ts'
import { details } from '../suites/store/world.ts'
import { anybody } from '../support/actors.ts'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../support/dashboard-page.ts'
import { newTaskOf } from '../support/new-task.ts'
import { requireService } from '../support/services.ts'

const HOSTILE = '<img src=x onerror=alert(1)>\u202e "&'
const SHOWN = /<img src=x onerror=alert\(1\)>\[U\+202E\] "&/

const messagesOf = (kept: Map<string, DeadMessage>): DeadMessages => ({
  list: async limit => ({ messages: [...kept.values()].slice(0, limit), total: kept.size }),
  replay: async id => kept.delete(id),
  discard: async id => kept.delete(id),
  count: async () => kept.size,
})
const message = (): DeadMessage => ({
  ...{ id: randomUUID(), reason: 'It is not JSON', deadAt: new Date().toISOString(), bytes: 9 },
  ...{ contentType: null, preview: HOSTILE },
})

describe('the pages of the state', { skip: requireService('chromium'), timeout: 600_000 }, () => {
  let browser: Browser
  let door: DashboardDoor
  let messages: Map<string, DeadMessage>
  before(async () => {
    browser = await launchBrowser()
  })
  beforeEach(async () => {
    await door?.close()
    messages = new Map()
    door = await openDashboardDoor({ fixture: { dead: messagesOf(messages) } })
  })
  after(async () => {
    await browser?.close()
    await door?.close()
  })

  const failWith = async (code: string, title: string): Promise<string> => {
    const { store, submit } = door.fixture
    const { id } = await submit('echo', 1, { title })
    const at = new Date().toISOString()
    const claimed = await store.claim(id, start('worker', at))
    const error = { code, message: `because of ${HOSTILE}`, detail: null }
    await store.move(id, claimed?.claim ?? 0, fail(error, null, at))
    return id
  }

  it('kinds: what each takes, how it does, the way to its failures, and what cannot be used', async () => {
    await failWith('KIND_FAILED', 'a')
    await door.fixture.submit('calcpi', { digits: 3 })
    await door.fixture.store.create(newTaskOf({ kind: 'gone', createdAt: new Date().toISOString() }), null)
    const { page, leave } = await visit(browser, door.url, { path: '/kinds' })
    await page.waitForSelector('tr[data-id=echo] >> .failed-link')
    const href = (await page.getAttribute('tr[data-id=echo] .failed-link', 'href')) ?? ''
    assert.match(href, /^\/tasks\?status=FAILURE&kind=echo&finishedFrom=/)
    assert.match((await page.textContent('tr[data-id="broken broken.mjs"]')) ?? '', /broken\.mjs.*no luck/)
    assert.match((await page.textContent('tr[data-id=calcpi]')) ?? '', /Pi.*1.*0/)
    assert.match((await page.textContent('tr[data-id=gone] th')) ?? '', /gone.*no worker/)
    assert.equal(
      await page.getAttribute('tr[data-id=gone] td a', 'href'),
      '/tasks?status=PENDING&status=RETRY&kind=gone',
    )
    await assertAccessible(page, 'the kinds')
    assert.equal(await page.locator('tr[data-id=calcpi] .badge, tr[data-id=broken] .badge').count(), 0)
    for (const id of ['gone', 'calcpi']) {
      await page.keyboard.press('j')
      await page.waitForSelector(`tr.active:focus[data-id=${id}]`)
    }
    await page.keyboard.press('Enter')
    await page.waitForURL(`${door.url}/kinds?kind=calcpi`)
    const digits = (await page.textContent('tr[data-id=digits]')) ?? ''
    assert.match(digits, /integer 0 – 10000.*needed/)
    assert.match(
      (await page.textContent('tr[data-id=method]')) ?? '',
      /wijngaarden, plain.*default wijngaarden/,
    )
    await page.waitForSelector('text=1 waiting, 0 running')
    await assertAccessible(page, 'a kind')
    await page.click('text=New task of this kind')
    await page.waitForURL(`${door.url}/new?kind=calcpi`)
    await leave()
  })

  it('kinds: reads the files again after a question, and says what has changed or what is wrong', async () => {
    const { service } = door.fixture
    const outcomes: (() => Promise<never>)[] = [
      async () => {
        throw new MadhavaError('KINDS_NOT_LOADED', undefined, {
          detail: { problems: [{ path: 'bad.ts', problem: `no luck with ${HOSTILE}` }] },
        })
      },
      async () =>
        ({ id: 'x', added: ['n'], changed: ['c', 'd'], removed: [], unchanged: 0, processes: [] }) as never,
    ]
    const before = service.reloadKinds
    service.reloadKinds = () => (outcomes.shift() ?? before)(anybody()) as never
    const { page, leave } = await visit(browser, door.url, { path: '/kinds' })
    const order = async () => {
      await page.click('.page-actions >> text=Read the kinds again')
      await page.waitForSelector('dialog[open] >> text=if each can read all of it')
      await page.click('dialog[open] button:has-text("Read the kinds again")')
    }
    await order()
    assert.match((await page.textContent('.note.bad li')) ?? '', /bad\.ts.*no luck/)
    await assertAccessible(page, 'the kinds that could not be read')
    await order()
    await page.waitForSelector('.toast.good >> text=New: n; Changed: c, d')
    assert.equal(await page.locator('.note.bad').count(), 0)
    service.reloadKinds = before
    await leave(/status of 422/)
  })

  it('dead: the reasons in words, replay and discard after a question, and the number in the menu', async () => {
    const lost = await failWith('WORKER_LOST', HOSTILE)
    const invalid = await failWith('PARAMS_INVALID', 'to discard')
    await failWith('KIND_FAILED', 'not dead')
    const kept = message()
    messages.set(kept.id, kept)
    const { page, leave } = await visit(browser, door.url, { path: '/dead' })
    await untilCount(page, 'tbody tr', 3)
    await page.waitForSelector('.menu li:has(a[href="/dead"]) .menu-count >> text=3')
    // all tasks are told here too, and stay current
    const taskCount = page.locator('.menu li:has(a[href="/tasks"]) .menu-count')
    const { total } = await door.fixture.store.counts()
    await taskCount.getByText(String(total), { exact: true }).waitFor()
    await door.fixture.submit('echo', null)
    await taskCount.getByText(String(total + 1), { exact: true }).waitFor()
    const row = (await page.textContent(`tr[data-id="${lost}"]`)) ?? ''
    assert.match(row, SHOWN)
    assert.match(row, /The processes that ran it died/)
    assert.match((await page.textContent(`tr[data-id="${kept.id}"]`)) ?? '', SHOWN)
    assert.equal(await page.locator('tbody img').count(), 0)
    await page.keyboard.press('j')
    await page.waitForSelector('tr.active:focus')
    await assertAccessible(page, 'the dead')
    await page.click(`tr[data-id="${lost}"] >> text=Replay`)
    await page.waitForSelector('dialog >> text=It is PENDING again')
    await page.click('dialog .primary')
    await untilCount(page, 'tbody tr', 2)
    await page.waitForSelector('.menu li:has(a[href="/dead"]) .menu-count >> text=2')
    // one's own change is no news
    assert.equal(await page.locator('text=The list has changed').count(), 0)
    assert.equal((await door.fixture.store.get(lost))?.status, 'PENDING')
    await page.click(`tr[data-id="${invalid}"] .danger`)
    await page.waitForSelector('dialog >> text=Discard to discard?')
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })
    assert.notEqual(await door.fixture.store.get(invalid), null)
    // somebody else is quicker
    await door.fixture.service.discardDead(anybody(), invalid)
    await page.waitForSelector('text=The list has changed')
    await page.click(`tr[data-id="${invalid}"] .danger`)
    await page.click('dialog .danger')
    await page.waitForSelector('text=It was no longer there.')
    await untilCount(page, 'tbody tr', 1)
    await page.click(`tr[data-id="${kept.id}"] .danger`)
    await page.click('dialog .danger')
    await page.waitForSelector('text=Here would stand tasks')
    await page.waitForSelector('.menu li:has(a[href="/dead"]) .menu-count', { state: 'detached' })
    await assertAccessible(page, 'no dead')
    await leave(/status of 404/)
  })

  it('workers: slots, what each runs as links, and why it takes none, live', async () => {
    const { store, submit, run } = door.fixture
    const task = await submit('echo', 1, { title: HOSTILE })
    await run(task.id)
    let takesNone: string | undefined
    const now = () =>
      details({
        ...{ slots: 4, running: [task.id], kinds: ['echo'], counters: { taken: 1 } },
        ...(takesNone === undefined ? {} : { takesNone }),
      })
    const { page, leave } = await visit(browser, door.url, { path: '/workers' })
    await page.waitForSelector('text=No worker is alive')
    await assertAccessible(page, 'no worker')
    await store.announce({ role: 'worker', details: now })
    await page.waitForSelector('text=1 of 4 busy')
    await page.waitForSelector(`.worker a[href="/task/${task.id}"] >> text=onerror`)
    assert.match((await page.textContent('.worker tbody')) ?? '', SHOWN)
    await page.waitForSelector('.worker >> text=taken 1')
    takesNone = 'The disk is full'
    await store.announce({ role: 'worker', details: now })
    await page.waitForSelector('.worker >> text=The disk is full')
    await assertAccessible(page, 'the workers')
    await leave()
  })

  it('settings: those that were changed first, and a filter that stands in the address', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/settings' })
    await page.waitForSelector('tr[data-id=HOST]')
    await page.fill('input[type=search]', 'nothing of this kind')
    await page.waitForSelector('text=No setting fits.')
    await page.fill('input[type=search]', 'WHERE')
    await untilCount(page, 'tbody tr', 1)
    assert.equal(new URL(page.url()).searchParams.get('q'), 'WHERE')
    await assertAccessible(page, 'the settings')
    await leave()
  })

  it('show a viewer all and change nothing, in the dark, in Russian and on a narrow screen', async () => {
    const id = await failWith('WORKER_LOST', 'lost')
    const { page, leave } = await visit(browser, door.url, {
      name: 'viewer',
      colorScheme: 'dark',
      locale: 'ru',
    })
    await page.goto(`${door.url}/dead`)
    await page.waitForSelector(`tr[data-id="${id}"]`)
    await untilCount(page, '.row-actions button:disabled', 2)
    await door.fixture.store.create(newTaskOf({ kind: 'gone', createdAt: new Date().toISOString() }), null)
    for (const where of ['/dead', '/kinds', '/kinds?kind=calcpi', '/workers', '/settings', '/new']) {
      await page.goto(door.url + where)
      await page.waitForSelector('h1')
      await page.waitForSelector('.live-dot.live', { state: 'attached' })
      await assertAccessible(page, `${where} in the dark`)
      await page.setViewportSize({ width: 390, height: 800 })
      const hidden = await page.evaluate(
        '[document.documentElement, ...document.querySelectorAll(".table-card")].map(box => box.scrollWidth - box.clientWidth)',
      )
      assert.ok(
        (hidden as number[]).every(width => width === 0),
        `${where}: ${String(hidden)} px are cut off`,
      )
      await page.setViewportSize({ width: 1280, height: 800 })
    }
    await leave()
  })
})
