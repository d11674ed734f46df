// The page of tasks among others: a second operator, a viewer, a connection that comes and goes, texts of strangers.

import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { fail, start } from '../../src/core/moves.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { anybody } from '../support/actors.ts'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../support/dashboard-page.ts'
import { newTaskOf } from '../support/new-task.ts'
import { requireService } from '../support/services.ts'

const ACTOR = anybody()
const now = (): string => new Date().toISOString()

const HOSTILE: readonly string[] = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '"><iframe src="https://example.com"></iframe>',
  "javascript:alert('1')",
  '\u202egpj.exe\u202c \u2066isolated\u2069 \u200bzero\ufeffwidth',
  '\u0000\u0007\u001b[31mred\u001b[0m\u007f\u0085\u2028new line',
  'W'.repeat(200),
  'no\u00a0break\u00a0'.repeat(18),
  'مرحبا بالعالم '.repeat(12),
  'שלום 123 עולם (abc)',
  '👩‍👩‍👧‍👦🏳️‍🌈'.repeat(10),
  'Z̸̡̛͍͎̘̞̮͉̠͖͈̘̲̥͛̒̀̐a̷l̴g̵o̶'.repeat(4),
  '{{constructor.constructor("alert(1)")()}} %00 %n',
  '&lt;b&gt; &#x3c;b&#x3e; \\u003cb\\u003e',
  ' ',
]
/** Each with each, no longer than a title may be. */
const hostile = (n: number): string => {
  const [first, second] = [
    HOSTILE[n % HOSTILE.length],
    HOSTILE[Math.floor(n / HOSTILE.length) % HOSTILE.length],
  ]
  return `${first}${second}`.slice(0, 200).toWellFormed()
}

describe('the page of tasks among others', { skip: requireService('chromium'), timeout: 600_000 }, () => {
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

  const running = async (title: string): Promise<TaskRecord> => {
    const { id } = await door.fixture.submit('echo', 1, { title })
    const claimed = await door.fixture.run(id)
    assert.ok(claimed)
    return claimed
  }
  const failed = async (title: string, message = 'no luck'): Promise<TaskRecord> => {
    const { id, claim } = await running(title)
    return door.fixture.store.move(
      id,
      claim,
      fail({ code: 'KIND_FAILED', message, detail: null }, null, now()),
    )
  }
  const visitTasks = async (query = '', name = 'operator') => {
    const visited = await visit(browser, door.url, { name, path: `/tasks${query}` })
    await visited.page.waitForSelector('tbody tr')
    return visited
  }
  const idsIn = (page: Page): Promise<string[]> =>
    page.evaluate('[...document.querySelectorAll("tbody tr")].map(row => row.dataset.id)') as Promise<
      string[]
    >

  it('shows two operators what the other did, and tells the one who came second', async () => {
    const [lost, slow] = [await failed('lost'), await running('slow')]
    const [one, two] = [await visitTasks(), await visitTasks()]
    const rowOf = ({ id }: { id: string }): string => `tr[data-id="${id}"]`
    // both are asked, and both say yes
    for (const { page } of [one, two]) {
      await page.check(`${rowOf(lost)} input`)
      await page.click('.bulk-actions >> text=Retry')
      await page.waitForSelector('dialog >> text=Run 1 task again?')
    }
    await one.page.click('dialog .primary')
    await one.page.waitForSelector('.toast >> text=1 task will run again.')
    for (const { page } of [one, two]) await page.waitForSelector(`${rowOf(lost)} >> text=PENDING`)
    await two.page.click('dialog .primary')
    await two.page.waitForSelector('.toast >> text=1 task stayed as it was. The task has not ended yet')
    assert.equal(new URL(two.page.url()).pathname, '/tasks')
    await two.page.waitForSelector(`${rowOf(lost)} >> text=PENDING`)

    // one cancels what the other has already cancelled and retried
    await one.page.check(`${rowOf(slow)} input`)
    await one.page.click('.bulk-actions >> text=Cancel')
    await one.page.waitForSelector('dialog >> text=Cancel 1 task?')
    await door.fixture.store.move(
      slow.id,
      slow.claim,
      fail({ code: 'KIND_FAILED', message: 'x', detail: null }, null, now()),
    )
    for (const { page } of [one, two]) await page.waitForSelector(`${rowOf(slow)} >> text=FAILURE`)
    await one.page.click('dialog .danger')
    await one.page.waitForSelector('.toast >> text=1 task stayed as it was. The task has ended meanwhile.')
    assert.equal((await door.fixture.store.get(slow.id))?.status, 'FAILURE')

    // what one deletes is crossed out for the other, at its place
    await door.fixture.service.purge(ACTOR, slow.id)
    for (const { page } of [one, two]) {
      await page.waitForSelector(`${rowOf(slow)} .removed`)
      assert.deepEqual(await idsIn(page), [slow.id, lost.id])
    }
    await one.leave(/status of 409/)
    await two.leave(/status of 409/)
  })

  it('lets a viewer see everything and change nothing', async () => {
    const { id } = await failed('seen by all')
    const { page, leave } = await visitTasks('', 'viewer')
    await page.waitForSelector(`tr[data-id="${id}"] >> text=no luck`)
    await page.check('tbody input')
    await page.waitForSelector('.bulk-bar >> text=You may look, and change nothing.')
    assert.equal(await page.locator('.bulk-actions').count(), 0)
    assert.equal(await page.locator('main >> text=/^(Retry|Cancel|Delete|New task)$/').count(), 0)
    for (const key of ['r', 'c', 'Delete']) await page.keyboard.press(key)
    await untilCount(page, '.toast >> text=You may look, and change nothing.', 3)
    assert.equal(await page.locator('dialog').count(), 0)
    const forged = (await page.evaluate(`(async () => {
      const { csrf } = await (await fetch('/me.json')).json()
      const asked = [['POST', '/api/task/${id}/retry'], ['DELETE', '/api/task/${id}?purge=1'], ['POST', '/api/tasks/delete?all=1'], ['POST', '/api/tasks']]
      return Promise.all(asked.map(async ([method, where]) => {
        const answer = await fetch(where, { method, headers: { 'X-CSRF-Token': csrf } })
        return [answer.status, await answer.json()]
      }))
    })()`)) as [number, { code: string; detail: string }][]
    assert.equal(forged.length, 4)
    for (const [status, { code, detail }] of forged) {
      assert.deepEqual([status, code], [403, 'FORBIDDEN'])
      assert.match(detail, /viewer may see everything and change nothing/)
    }
    assert.equal((await door.fixture.store.get(id))?.status, 'FAILURE')
    await assertAccessible(page, 'as viewer')
    await leave(/status of 403/)
  })

  /** What happens while nobody is told. */
  const miss = async (tasks: readonly TaskRecord[]): Promise<void> => {
    const [first, second, third] = tasks
    assert.ok(first && second && third)
    await door.fixture.service.cancel(ACTOR, first.id)
    await door.fixture.service.cancel(ACTOR, second.id)
    await door.fixture.service.purge(ACTOR, second.id)
    for (let count = 0; count < 2; count += 1) await door.fixture.submit('echo', count, { title: 'missed' })
  }
  const assertCaughtUp = async (page: Page, tasks: readonly TaskRecord[]): Promise<void> => {
    await page.waitForSelector(`tr[data-id="${tasks[0]?.id}"] >> text=REVOKED`)
    await page.waitForSelector(`tr[data-id="${tasks[1]?.id}"] .removed`)
    await page.waitForSelector('text=2 newer')
    const ids = tasks.map(({ id }) => id).reverse()
    assert.deepEqual(await idsIn(page), ids)
    await page.click('text=2 newer')
    await untilCount(page, 'tbody tr', 4)
    const found = await idsIn(page)
    assert.equal(new Set(found).size, 4)
    assert.deepEqual(found.slice(2), [ids[0], ids[2]])
    assert.equal(await page.evaluate('window.isTheSamePage'), true)
  }

  for (const [how, isForgetful] of [
    ['and goes on where it was', false],
    ['also when the server cannot say what was missed', true],
  ] as const)
    it(`catches up after an outage without a reload, ${how}`, async () => {
      const tasks = [await failed('to be gone'), await failed('to be gone'), await failed('to stay')]
      for (const { id } of tasks.slice(0, 2)) await door.fixture.service.retry(ACTOR, id)
      const { page, leave } = await visitTasks()
      await page.waitForSelector('.live-dot.live', { state: 'attached' })
      await page.evaluate('window.isTheSamePage = true')
      if (isForgetful)
        await page.route('**/stream?*', route => {
          const { 'last-event-id': _, ...headers } = route.request().headers()
          return route.continue({ headers })
        })
      await door.shut()
      await page.waitForSelector('.banner >> text=The dashboard does not answer')
      await miss(tasks)
      await door.open()
      await page.waitForSelector('.banner', { state: 'detached' })
      await assertCaughtUp(page, tasks)
      await leave(/ERR_|status of/)
    })

  it('says that the browser is offline, and heals', async () => {
    const tasks = [await failed('to be gone'), await failed('to be gone'), await failed('to stay')]
    for (const { id } of tasks.slice(0, 2)) await door.fixture.service.retry(ACTOR, id)
    const { page, leave } = await visitTasks()
    await page.waitForSelector('.live-dot.live', { state: 'attached' })
    await page.evaluate('window.isTheSamePage = true')
    await page.context().setOffline(true)
    await page.waitForSelector('.banner >> text=The dashboard does not answer')
    await miss(tasks)
    await page.context().setOffline(false)
    await page.waitForSelector('.banner', { state: 'detached' })
    await assertCaughtUp(page, tasks)
    await leave(/ERR_|status of/)
  })

  it('takes a thousand texts of strangers for text, within the width of the screen', async () => {
    for (let n = 0; n < 1000; n += 1) {
      const at = new Date(Date.now() - n * 1000).toISOString()
      const { task } = await door.fixture.store.create(
        newTaskOf({ createdAt: at, title: hostile(n), owner: hostile(n * 7 + 3), kind: 'echo' }),
        null,
      )
      const claimed = await door.fixture.store.claim(task.id, start('worker', at))
      assert.ok(claimed)
      const error = { code: 'KIND_FAILED' as const, message: hostile(n * 11 + 1).repeat(3), detail: null }
      await door.fixture.store.move(task.id, claimed.claim, fail(error, null, at))
    }
    const { page, leave } = await visitTasks('?columns=status,kind,title,progress,ran,outcome,owner,created')
    const tooWide = (): Promise<unknown> =>
      page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')
    assert.equal(await tooWide(), 0)
    await page.setViewportSize({ width: 390, height: 800 })
    let seen = 0
    for (;;) {
      const shown = await page.locator('tbody tr').count()
      seen += shown
      const strange = await page.evaluate(
        '[...document.querySelectorAll("main *")].map(({ localName }) => localName).filter(name => /^(?:script|img|iframe|b)$/.test(name))',
      )
      assert.deepEqual(strange, [])
      assert.equal(await tooWide(), 0)
      if ((await page.locator('text=Next page').count()) === 0) break
      const [last] = (await idsIn(page)).slice(-1)
      await page.click('text=Next page')
      await page.waitForSelector(`tr[data-id="${last}"]`, { state: 'detached' })
      await page.waitForSelector('tbody tr')
    }
    assert.equal(seen, 1000)
    assert.match((await page.textContent('tbody')) ?? '', /<script>alert\(1\)<\/script>/)
    // in suggestions, chips and questions too
    await page.click('[role=combobox]')
    await page.keyboard.type('owner:')
    await page.waitForSelector('[role=option]')
    assert.equal(await tooWide(), 0)
    await page.goto(`${door.url}/tasks?${new URLSearchParams({ owner: 'W'.repeat(200) })}`)
    await page.waitForSelector('.chip')
    await page.waitForSelector('tbody tr')
    assert.equal(await tooWide(), 0)
    await assertAccessible(page, 'strange texts')
    await leave()
  })
})
