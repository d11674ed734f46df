// The pages of the processes and their logs in a real Chromium: what is wrong in words, orders that ask first and never
// say more than is true, and logs live, searched, paused and around a moment.
import assert from 'node:assert/strict'
import { appendFile, writeFile } from 'node:fs/promises'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { type DashboardDoor, openDashboardDoor } from '../support/dashboard-door.ts'
import { assertAccessible, untilCount, visit } from '../support/dashboard-page.ts'
import { requireService } from '../support/services.ts'

const HOSTILE = '<img src=x onerror=alert(1)><script>alert(2)</script>\u202e "&'
const START = Date.UTC(2030, 0, 1)
const jsonLine = (second: number, level: string, message: string, more: object = {}): string =>
  `${JSON.stringify({ level, time: new Date(START + second * 1000).toISOString(), message, ...more })}\n`
/** Ids of tasks begin alike, as those of one minute do. */
const taskOf = (number: number): string => `01a227d4-0000-7000-8000-${String(number).padStart(12, '0')}`

describe('the pages of processes', { skip: requireService('chromium'), timeout: 600_000 }, () => {
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
  const change = (name: string, more: object): void => {
    const row = door.rows.find(each => each.name === name)
    assert.ok(row)
    Object.assign(row, more)
  }
  const row = (name: string): string => `tr:has(th:has-text("${name}"))`

  it('says in words what is wrong, why a process ended, and draws what it uses', async () => {
    change('api', { ready: true, running: [], troubles: { queue: `refused ${HOSTILE}` } })
    change('rpc', {
      ready: false,
      crashLoop: true,
      restarts: 7,
      restartCause: {
        how: 'exit',
        code: 78,
        signal: null,
        by: null,
        at: new Date().toISOString(),
        words: `the port is taken ${HOSTILE}`,
      },
    })
    const newest = Math.floor(Date.now() / 10_000) * 10_000
    door.addSample({ at: newest - 20_000, apiCpu: 12, apiMemory: 80_000_000 })
    door.addSample({ at: newest - 10_000, apiCpu: 64, apiMemory: 90_000_000 })
    const { page, leave } = await visit(browser, door.url, { path: '/processes' })
    await page.waitForSelector(`${row('rpc')} .badge.tone-bad >> text=crash loop`)
    const said = (await page.textContent(`${row('rpc')} .condition`)) ?? ''
    assert.match(said, /It ends again and again\..*exit code 78.*It said: the port is taken <img/)
    assert.match((await page.textContent(`${row('api')} .condition`)) ?? '', /^Queue: refused <img/)
    assert.equal(await page.locator('td img, td script').count(), 0)
    // kept by the dashboard, so that it is there at once, and goes on with each sample
    const chart = page.locator(`${row('api')} .spark`).first()
    await page.waitForSelector(`${row('api')} .spark polyline`, { state: 'attached' })
    assert.match((await chart.getAttribute('aria-label')) ?? '', /highest in the last hour 64\s%$/)
    door.addSample({ at: newest, apiCpu: 80, apiMemory: 95_000_000 })
    await page.waitForSelector(`${row('api')} .spark[aria-label*="last hour 80"]`)
    assert.equal(await page.locator(`${row('rpc')} .spark polyline`).count(), 0)
    change('rpc', { crashLoop: false, ready: true, uptimeMs: 400_000, restartCause: null })
    await page.waitForSelector(`${row('rpc')} .badge.tone-good >> text=ready`)
    await leave()
  })

  it('asks with the number of tasks that run, and says what became of the order', async () => {
    change('worker', { state: 'online', pid: 7, uptimeMs: 90_000, ready: true, running: ['a', 'b', 'c'] })
    const { page, leave } = await visit(browser, door.url, { path: '/processes' })
    await page.click('[aria-label="Stop worker"]')
    await page.waitForSelector('dialog >> text=Stop worker?')
    assert.match((await page.textContent('dialog p')) ?? '', /^3 tasks run there\..*given back/)
    assert.equal(await page.evaluate('document.activeElement.textContent'), 'Cancel')
    await page.keyboard.press('Escape')
    await page.waitForSelector('dialog', { state: 'detached' })
    await page.click('text=Stop all')
    await page.waitForSelector('dialog >> text=Stop all processes but the dashboard?')
    assert.match((await page.textContent('dialog p')) ?? '', /3 tasks run there\..*The dashboard stays/)
    await page.keyboard.press('Escape')
    assert.deepEqual(door.orders, [])
    assert.equal(await page.locator('[aria-label="Stop dashboard"]').count(), 0)
    // by keys, with the question: from the row of the button that was pressed, up and down again
    for (const key of ['k', 'j', 'x']) await page.keyboard.press(key)
    await page.waitForSelector('dialog >> text=Stop worker?')
    door.onOrder(() => change('worker', { state: 'stopped', pid: null, uptimeMs: null, running: [] }))
    // every word of its badge from here on
    await page.evaluate(`{
      window.words = []
      new MutationObserver(() => {
        const word = [...document.querySelectorAll('tbody tr')]
          .find(row => row.querySelector('th').textContent.startsWith('worker'))
          ?.querySelector('.badge').textContent
        if (words.at(-1) !== word) words.push(word)
      }).observe(document.body, { subtree: true, childList: true, characterData: true })
    }`)
    await page.click('dialog .danger')
    await page.waitForSelector('.toast.good >> text=worker has stopped. 3 tasks ran there')
    await page.waitForSelector(`${row('worker')} .badge >> text=stopped`)
    assert.deepEqual(door.orders, ['stop worker'])
    const words = (await page.evaluate('words')) as string[]
    assert.deepEqual(words.slice(words.findIndex(word => word.startsWith('stopping'))).slice(1), ['stopped'])
    await page.keyboard.press('?')
    await page.waitForSelector('dialog dd >> text=Restart')
    await leave()
  })

  it('never calls a process restarted that ends again and again', async () => {
    change('worker', { state: 'online', pid: 7, uptimeMs: 90_000, ready: true, running: [] })
    const cause = { how: 'signal', code: null, signal: 'SIGSEGV', by: null, words: 'no good' }
    const { page, leave } = await visit(browser, door.url, { path: '/processes' })
    door.onOrder(() =>
      change('worker', {
        pid: 8,
        ready: false,
        crashLoop: true,
        restarts: 4,
        state: 'waiting restart',
        restartCause: { ...cause, at: new Date(Date.now() + 1_000).toISOString() },
      }),
    )
    await page.click('[aria-label="Restart worker"]')
    await page.click('dialog .primary')
    await page.waitForSelector('.toast.bad')
    const told = (await page.textContent('.toast')) ?? ''
    assert.match(told, /^worker did not come up again\. Last end: signal SIGSEGV\. It said: no good/)
    // it is up at the moment of the answer, and yet in its loop
    door.onOrder(() => change('worker', { pid: 9, ready: true, state: 'online', restartCause: null }))
    await page.click('[aria-label="Restart worker"]')
    await page.click('dialog .primary')
    await page.waitForSelector('.toast.bad >> text=it has ended again and again')
    assert.equal(await page.locator('.toast.good').count(), 0)
    await leave(/status of 502/)
  })

  it('shows a viewer everything and lets them order nothing', async () => {
    await writeFile(door.logPath('api', 'out'), jsonLine(0, 'info', 'hello'))
    const { page, leave } = await visit(browser, door.url, { path: '/processes', name: 'viewer' })
    await page.waitForSelector('tbody tr')
    assert.equal(await page.locator('main .button:not([disabled])').count(), 0)
    for (const key of ['j', 'x', 'r', 's']) await page.keyboard.press(key)
    assert.equal(await page.locator('dialog').count(), 0)
    await page.keyboard.press('Enter')
    await page.waitForURL(`${door.url}/process/api`)
    await page.waitForSelector('.log-line >> text=hello')
    assert.equal(await page.isDisabled('[aria-label="Restart api"]'), true)
    assert.deepEqual(door.orders, [])
    await leave()
  })

  it('follows a log, holds it while paused and says how many wait, and misses no line over a restart', async () => {
    const file = door.logPath('api', 'out')
    await writeFile(file, jsonLine(0, 'info', 'the first', { big: 0 }).replace('0}', '12345678901234567890}'))
    const { page, leave } = await visit(browser, door.url, { path: '/process/api' })
    await untilCount(page, '.log-line', 1)
    await page.click('.log-more')
    assert.match((await page.textContent('.log-fields')) ?? '', /"big": 12345678901234567890/)
    await appendFile(file, `${jsonLine(1, 'warn', 'slow')}plain \u001b[31mred\u001b[0m\n`)
    await untilCount(page, '.log-line', 3)
    assert.equal(await page.textContent('.ink-red'), 'red')
    await page.keyboard.press('p')
    await page.waitForSelector('button[aria-pressed=true] >> text=Go on')
    for (let line = 0; line < 12; line += 1) await appendFile(file, jsonLine(2, 'info', `waits ${line}`))
    await page.waitForSelector('text=12 new lines wait')
    assert.equal(await page.locator('.log-line').count(), 3)
    await page.keyboard.press('p')
    await untilCount(page, '.log-line', 15)
    await door.shut()
    for (let line = 0; line < 5; line += 1) await appendFile(file, jsonLine(3, 'info', `meanwhile ${line}`))
    await door.open()
    await untilCount(page, '.log-line', 20)
    assert.equal(await page.locator('text=meanwhile').count(), 5)
    await leave(/ERR_|status of/)
  })

  it('searches, filters by level, goes back on demand, and leads to a moment', async () => {
    const file = door.logPath('worker', 'out')
    const lines = Array.from({ length: 900 }, (_, at) =>
      jsonLine(at, at % 100 === 0 ? 'error' : 'info', `line ${at}`, { id: taskOf(at % 100) }),
    )
    await writeFile(file, lines.join(''))
    change('worker', { ...{ state: 'online', pid: 7, ready: true }, running: [taskOf(1), taskOf(2)] })
    const { page, leave } = await visit(browser, door.url, { path: '/process/worker' })
    await untilCount(page, '.log-line', 300)
    assert.match((await page.textContent('.log-line >> nth=-1')) ?? '', /line 899/)
    await page.click('text=Older lines')
    await untilCount(page, '.log-line', 600)
    await page.click('text=Older lines')
    await untilCount(page, '.log-line', 900)
    await page.waitForSelector('text=The log begins here.', { state: 'attached' })
    await page.selectOption('select[aria-label=Level]', 'error')
    await untilCount(page, '.log-line', 9)
    await page.keyboard.press('/')
    await page.focus('#log-search')
    await page.keyboard.type('LINE 80')
    await untilCount(page, '.log-line', 1)
    assert.match(page.url(), /level=error&search=LINE\+80$/)
    await page.keyboard.press('Escape')
    await untilCount(page, '.log-line', 9)
    assert.deepEqual([await page.inputValue('#log-search'), page.url().includes('search')], ['', false])
    await page.keyboard.press('Escape')
    assert.equal(await page.locator('#log-search:focus').count(), 0)
    await page.goto(`${door.url}/process/worker?at=${new Date(START + 400_000).toISOString()}`)
    await page.waitForSelector('.log-line.target >> text=line 400')
    const box = await page.locator('.log-box').boundingBox()
    const target = await page.locator('.log-line.target').boundingBox()
    assert.ok(box && target && target.y > box.y && target.y < box.y + box.height, 'it is in sight')
    await untilCount(page, '.log-line', 300)
    await page.click('text=Later lines')
    await untilCount(page, '.log-line', 600)
    // the line of the task that is meant was written some time before, and those of others since
    const meant = new URLSearchParams({
      at: new Date(START + 405_400).toISOString(),
      task: taskOf(3),
    })
    await page.goto(`${door.url}/process/worker?${meant}`)
    await page.waitForSelector('.log-line.target >> text=line 403')
    // by the end of the id, since all of them begin alike
    await page.waitForSelector('.log-line.target .log-task >> text=…00000003')
    await page.waitForSelector('.process-tasks a >> text=…00000001')
    await page.waitForSelector('.process-tasks a >> text=…00000002')
    meant.set('task', taskOf(9_999))
    await page.goto(`${door.url}/process/worker?${meant}`)
    await page.waitForSelector('.log-line.target >> text=line 405')
    await page.click('text=Follow live')
    await page.waitForURL(`${door.url}/process/worker`)
    await page.waitForSelector('.log-line >> text=line 899')
    await page.keyboard.press('k')
    await page.keyboard.press('k')
    await page.waitForSelector('.log-line.active >> text=line 898')
    await page.keyboard.press('j')
    await page.waitForSelector('.log-line.active >> text=line 899')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.log-line.active .log-fields')
    const [lower, fields] = [
      await page.locator('.log-box').boundingBox(),
      await page.locator('.log-fields').boundingBox(),
    ]
    assert.ok(
      lower && fields && fields.y + fields.height <= lower.y + lower.height,
      'what was unfolded is in sight',
    )
    assert.equal(await page.getAttribute('text=Download: Output', 'href'), '/logs/worker/out.log')
    await leave()
  })

  it('has the errors of both logs in one view, old and new', async () => {
    const failures = Array.from({ length: 300 }, (_, at) =>
      jsonLine(at, 'error', 'an attempt failed', { reason: `connect ECONNREFUSED ${at}` }),
    )
    await writeFile(door.logPath('worker', 'out'), `${jsonLine(0, 'info', 'quiet')}${failures.join('')}`)
    await writeFile(door.logPath('worker', 'err'), 'Error: boom\n    at somewhere\n')
    const { page, leave } = await visit(browser, door.url, { path: '/processes' })
    await page.click('[aria-label="Errors of worker"]')
    await untilCount(page, '.log-line', 302)
    await page.waitForSelector('.log-reason >> text=connect ECONNREFUSED 299')
    await appendFile(door.logPath('worker', 'err'), 'late words\n')
    await untilCount(page, '.log-line', 303)
    await appendFile(
      door.logPath('worker', 'out'),
      jsonLine(400, 'info', 'no error') + jsonLine(401, 'fatal', 'over'),
    )
    await untilCount(page, '.log-line', 304)
    await leave()
  })

  it('keeps a thousand hostile lines text, and has nothing that axe objects to', async () => {
    const lines = Array.from({ length: 1_000 }, (_, at) =>
      at % 3 === 0
        ? jsonLine(at, 'error', `${HOSTILE} ${at}`, { [HOSTILE]: HOSTILE, error: { message: HOSTILE } })
        : `\u001b[4${at % 8};3${(at + 3) % 8}m${HOSTILE}\u001b[0m\u001b[38;5;${at % 256}m ${at}\u001b[0m\n`,
    )
    for (const stream of ['out', 'err'] as const) await writeFile(door.logPath('api', stream), lines.join(''))
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, leave } = await visit(browser, door.url, { colorScheme })
      for (const view of ['out', 'errors']) {
        await page.goto(`${door.url}/process/api?stream=${view}`)
        await page.waitForSelector('.log-line')
        for (;;) {
          const older = page.locator('button:has-text("Older lines")')
          if ((await older.count()) === 0) break
          await older.click()
          await page.waitForSelector('button:text("Older lines"):disabled', { state: 'detached' })
        }
        assert.equal(await page.locator('.log-box img, .log-box script, .log-box [style]').count(), 0)
        await page.click('.log-more >> nth=0')
        assert.match((await page.textContent('.log-fields')) ?? '', /<img src=x/)
        // a few of them, of every colour: axe looks at each for half a second
        await page.goto(`${door.url}/process/api?stream=${view}&search=%2098`)
        await page.waitForSelector('.log-line')
        await assertAccessible(page, `${view} ${colorScheme}`)
      }
      await page.goto(`${door.url}/processes`)
      await page.waitForSelector('tbody tr')
      await assertAccessible(page, `processes ${colorScheme}`)
      await leave()
    }
  })

  it('speaks Russian, causes too', async () => {
    change('worker', {
      restartCause: {
        how: 'memory',
        code: null,
        signal: 'SIGABRT',
        by: null,
        at: new Date().toISOString(),
        words: null,
      },
    })
    const { page, leave } = await visit(browser, door.url, { path: '/processes', locale: 'ru-RU' })
    await page.waitForSelector(`${row('worker')} >> text=не хватило памяти`)
    await page.click('[aria-label="Остановить api"]')
    await page.waitForSelector('dialog >> text=программам недоступен REST API')
    await page.keyboard.press('Escape')
    await page.goto(`${door.url}/process/api`)
    await page.waitForSelector('text=Ещё ничего не записано.')
    await leave()
  })
})
