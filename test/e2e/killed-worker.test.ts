// A worker that is killed, seen on the page of processes of a whole bundle, and healed by itself; and the dashboard,
// restarted from its own page.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../support/browser.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { PASSWORD } from '../support/dashboard-door.ts'
import { visit } from '../support/dashboard-page.ts'
import { freePort } from '../support/free-port.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const LIMIT_MS = 120_000

describe('the page of processes of a bundle', { skip: requireService('chromium'), timeout: 600_000 }, () => {
  const place = makeDataDir()
  let bundle: Bundle
  let browser: Browser
  before(async () => {
    browser = await launchBrowser()
    bundle = await startBundle(place.dataDir, {
      DASHBOARD_PASSWORD: PASSWORD,
      // the same after a restart of its process
      DASHBOARD_PORT: String(await freePort()),
    })
  })
  after(async () => {
    await browser?.close()
    await bundle?.stop()
    place.remove()
  })
  const worker = 'tr:has(th:has-text("worker"))'

  it('shows a worker that was killed with its task, why it ended, and that it is ready again', async () => {
    const { page, leave } = await visit(browser, bundle.dashboard)
    page.setDefaultTimeout(LIMIT_MS)
    await page.goto(`${bundle.dashboard}/processes`)
    await page.waitForSelector(`${worker} .badge.tone-good >> text=ready`)
    const { id } = await bundle.submit({ kind: 'sleep', params: { seconds: 600 } })
    await page.waitForSelector(`${worker} >> text=It runs 1 task.`)
    const pid = await bundle.pidOf('worker')
    // stopped first: how quickly it comes back must not decide whether the page sees that it is away
    process.kill(pid, 'SIGSTOP')
    await page.waitForSelector(`${worker} .badge >> text=not ready`)
    process.kill(pid, 'SIGKILL')
    await page.waitForSelector(`${worker} >> text=Last end: signal SIGKILL`)
    await page.waitForSelector(`${worker} .badge.tone-good >> text=ready`)
    await page.waitForSelector(`${worker} >> text=It runs 1 task.`)
    const next = await bundle.pidOf('worker')
    assert.notEqual(next, pid)
    await page.waitForSelector(`${worker} >> text=PID ${next}`)
    await page.click('[aria-label="Stop worker"]')
    await page.waitForSelector('dialog >> text=1 task runs there.')
    await page.keyboard.press('Escape')
    // its log, live, has what the new one says
    await page.click(`${worker} a.title-link`)
    await page.waitForSelector('.log-line >> text=ready')
    await page.waitForSelector(`.log-line >> text=took over a task from a dead process`)
    await page.waitForSelector(`.log-task[href="/task/${id}"]`)
    await leave()
  })

  it('restarts the dashboard from its own page, which comes back by itself', async () => {
    const { page, leave } = await visit(browser, bundle.dashboard)
    page.setDefaultTimeout(LIMIT_MS)
    await page.goto(`${bundle.dashboard}/processes`)
    const pid = await bundle.pidOf('dashboard')
    assert.equal(await page.locator('[aria-label="Stop dashboard"]').count(), 0)
    await page.click('[aria-label="Restart dashboard"]')
    await page.waitForSelector('dialog >> text=comes back by itself')
    await page.click('dialog .primary')
    await page.waitForSelector('.toast >> text=The dashboard restarts.')
    await until(
      'another dashboard',
      async () => (await bundle.pidOf('dashboard').catch(() => pid)) !== pid,
      LIMIT_MS,
    )
    const next = await bundle.pidOf('dashboard')
    await page.waitForSelector(`tr:has(th:has-text("dashboard")) >> text=PID ${next}`)
    await page.waitForSelector('.live-dot.live', { state: 'attached' })
    // and it still may change something
    await page.click('[aria-label="Stop rpc"]')
    await page.click('dialog .danger')
    await page.waitForSelector('.toast.good >> text=rpc has stopped.')
    await page.click('[aria-label="Start rpc"]')
    await page.waitForSelector('.toast.good >> text=rpc has started and is ready.')
    await leave(/ERR_|status of/)
  })
})
