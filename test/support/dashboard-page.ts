// A page of the dashboard in a browser: logged in, with what it must not do written down: errors, violations of its
// Content-Security-Policy, requests to anybody else.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { LOGIN_COOKIE } from '../../src/api/identify.ts'
import { PASSWORD } from './dashboard-door.ts'

const MS = 120_000
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface Visit {
  page: Page
  /** What went wrong in the page so far. */
  complaints: string[]
  /** Asserts that nothing did, but for what fits the pattern, and closes the browser's context. */
  leave(expected?: RegExp): Promise<void>
}

/**
 * `name`: whether to log in, and as whom; null: not. `token`: of an account's login, in place of a name. `path`: where
 * to, once logged in.
 */
export type VisitOptions = BrowserContextOptions & { name?: string | null; token?: string; path?: string }

export const visit = async (
  browser: Browser,
  url: string,
  { name = 'operator', token, path = '/', ...options }: VisitOptions = {},
): Promise<Visit> => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(MS)
  const complaints: string[] = []
  page.on('pageerror', error => complaints.push(`error: ${error.message}`))
  page.on('console', message => {
    if (message.type() === 'error') complaints.push(`console: ${message.text()}`)
  })
  page.on('request', request => {
    const to = new URL(request.url())
    if (to.protocol !== 'blob:' && to.host !== new URL(url).host) complaints.push(`asked ${to.host}`)
  })
  await page.exposeFunction('noteViolation', (text: string) => complaints.push(`policy: ${text}`))
  await page.addInitScript(
    "addEventListener('securitypolicyviolation', event => noteViolation(event.violatedDirective + ' ' + event.blockedURI))",
  )
  if (token !== undefined) {
    await context.addCookies([{ name: LOGIN_COOKIE, value: token, url }])
    await page.goto(url + path)
    await page.waitForSelector('.live-dot.live', { state: 'attached' })
  } else if (name !== null) {
    // without the form, which has a test of its own: half of a visit would be the login
    const answer = await context.request.post(`${url}/login`, {
      form: { name, password: PASSWORD },
      headers: { origin: url },
      maxRedirects: 0,
    })
    assert.equal(answer.status(), 303, await answer.text())
    await page.goto(url + path)
    await page.waitForSelector('.live-dot.live', { state: 'attached' })
  }
  return {
    page,
    complaints,
    async leave(expected = /^$/) {
      assert.deepEqual(
        complaints.filter(text => !expected.test(text)),
        [],
      )
      await context.close()
    },
  }
}

/** Asserts that axe finds nothing with its default rules. */
export const assertAccessible = async (page: Page, what: string): Promise<void> => {
  if (!(await page.evaluate('"axe" in window'))) await page.evaluate(AXE)
  const found = (await page.evaluate(
    // all default rules; of what they find, only the violations are worked out
    'axe.run({ resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => html + " " + failureSummary)]))',
  )) as unknown[]
  assert.deepEqual(found, [], what)
}

/**
 * Waits until so many elements fit. Playwright's own `waitForFunction` evaluates a text again and again, which the
 * pages' Content-Security-Policy refuses.
 */
export const untilCount = async (page: Page, selector: string, count: number): Promise<void> => {
  const end = Date.now() + MS
  let found = -1
  while (Date.now() < end) {
    found = await page.locator(selector).count()
    if (found === count) return
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  assert.equal(found, count, selector)
}
