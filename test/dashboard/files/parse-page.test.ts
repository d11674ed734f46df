// The page that parses a URL, in a real Chromium, against servers of this machine.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { launchBrowser } from '../../support/browser.ts'
import { assertAccessible, untilCount, visit } from '../../support/dashboard-page.ts'
import { requireService } from '../../support/services.ts'
import { until } from '../../support/until.ts'
import { bytesOf, type FilesDoor, kindsOfFiles, noteDownloads, openFilesDoor, tabTo } from './files-door.ts'

const NO_LONGER_WAITS = /status of 409/
const WIDTH = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
const HOSTILE = '<img src=x onerror=alert(1)>'
const links = Array.from({ length: 30 }, (_, at) => `<a href="/page-${at}">page ${at}</a>`)
const PAGE = `<!doctype html><html lang="de"><head><title>Über &lt;b&gt; uns ${HOSTILE.replace('<', '&lt;')}</title>
<meta name="description" content="What it is about"></head><body><h1>First</h1><h2>Second \u202e part</h2>
<p>five words stand right here</p><a href="javascript:alert(1)">run</a><a href="mailto:a@example.org">write</a>
${links.join('\n')}<img src="/a.png" alt="a picture"></body></html>`

describe('the page that parses a URL', { skip: requireService('chromium'), timeout: 600_000 }, () => {
  let browser: Browser
  let door: FilesDoor
  let site: Server
  let origin = ''
  before(async () => {
    site = createServer(({ url }, answer) => {
      if (url === '/old') answer.writeHead(301, { location: '/' }).end()
      else if (url === '/data') answer.writeHead(200, { 'content-type': 'application/json' }).end('{}')
      else answer.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(PAGE)
    })
    await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
    door = await openFilesDoor(kindsOfFiles(['127.0.0.1']))
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await door?.close()
    site?.closeAllConnections()
    site?.close()
  })

  it('shows a page in words and saves its JSON, by the keyboard alone, over a reload in the middle', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/parse' })
    const downloads = noteDownloads(page)
    await page.waitForSelector('#url')
    await assertAccessible(page, 'the field of the URL')
    await tabTo(page, '#url')
    await page.keyboard.press('Enter')
    await page.waitForSelector('text=This is no URL.')
    door.worker.hold()
    await page.keyboard.type(`${origin}/old`)
    await page.keyboard.press('Enter')
    await page.waitForSelector('.run >> text=PENDING')
    await page.reload()
    await page.waitForSelector('.run >> text=PENDING')
    door.worker.release()
    await page.waitForSelector('.run >> text=SUCCESS')
    await until('the JSON is saved', () => downloads.length === 1)
    assert.equal(downloads[0]?.suggestedFilename(), '127.0.0.1.json')
    const result = JSON.parse((await bytesOf(downloads[0] as never)).toString()) as { finalUrl: string }
    assert.equal(result.finalUrl, `${origin}/`)
    const text = (await page.textContent('.run')) ?? ''
    for (const part of [
      'Über <b> uns <img src=x onerror=alert(1)>',
      'What it is about',
      `301 ${origin}/old`,
      'First',
      'Headings: 2',
      'Images: 1',
      'a picture',
    ])
      assert.ok(text.includes(part), `${part} in ${text}`)
    await untilCount(page, '.run a[href^="javascript"]', 0)
    await untilCount(page, '.run img', 0)
    await page.click('text=/Show \\d+ more/')
    await untilCount(page, `.run a[href^="${origin}/page-"]`, 30)
    await assertAccessible(page, 'a parsed page')
    await page.setViewportSize({ width: 390, height: 800 })
    assert.equal(await page.evaluate(WIDTH), 0, 'nothing is cut off on a narrow screen')
    await page.reload()
    await page.waitForSelector('.run >> text=SUCCESS')
    await page.click('text=Another page')
    await page.waitForSelector('#url')
    assert.equal(downloads.length, 1)
    await leave(NO_LONGER_WAITS)
  })

  it('says what went wrong and what to do, and what is no HTML', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/parse', colorScheme: 'dark' })
    // this machine by a name that nobody allowed
    await page.fill('#url', `http://127.0.0.2:${new URL(origin).port}/`)
    await page.dblclick('text=Parse >> nth=-1')
    await page.waitForSelector('.run >> text=PARSE_REFUSED')
    await page.waitForSelector('text=The page is in a private network.')
    await assertAccessible(page, 'a refused page, dark')
    assert.equal(
      (await door.fixture.store.list({ statuses: ['FAILURE'] }, { limit: 9, cursor: null })).tasks.length,
      1,
    )
    await page.goto(`${door.url}/parse`)
    await page.fill('#url', `${origin}/data`)
    await page.press('#url', 'Enter')
    await page.waitForSelector('text=It is no HTML page')
    await leave(NO_LONGER_WAITS)
  })

  it('shows a viewer the field and takes nothing', async () => {
    const { page, leave } = await visit(browser, door.url, { path: '/parse', name: 'viewer' })
    await page.waitForSelector('text=You may look, and change nothing.')
    assert.equal(await page.isDisabled('#url'), true)
    await assertAccessible(page, 'the page of a viewer')
    await leave()
  })
})
