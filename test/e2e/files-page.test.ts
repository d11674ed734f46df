// The page of the original on the whole of Madhava: a photograph through a real Chromium, while the processes behind it
// are killed; and a page of the web in the same way.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import {
  bytesOf,
  makeTestFiles,
  noteDownloads,
  openChooser,
  photograph,
  type TestFiles,
  tabTo,
} from '../dashboard/files/files-door.ts'
import { noSharp, sharp } from '../kinds/thumbnails/around.ts'
import { unzip } from '../kinds/thumbnails/unzip.ts'
import { launchBrowser } from '../support/browser.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { PASSWORD } from '../support/dashboard-door.ts'
import { visit } from '../support/dashboard-page.ts'
import { freePort } from '../support/free-port.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const OUTER = { skip: requireService('chromium') || noSharp(), timeout: 600_000 }
/** What a page says while the dashboard is away, or of a task that no longer waits. */
const AWAY = /ERR_|status of (?:409|5\d\d)/

describe('a file and a URL through the page', OUTER, () => {
  const { dataDir, remove } = makeDataDir()
  let bundle: Bundle
  let browser: Browser
  let files: TestFiles
  before(async () => {
    files = makeTestFiles()
    bundle = await startBundle(dataDir, {
      DASHBOARD_PASSWORD: PASSWORD,
      PARSE_ALLOW: '127.0.0.1',
      // the same ones after a restart
      API_PORT: String(await freePort()),
      DASHBOARD_PORT: String(await freePort()),
    })
    browser = await launchBrowser()
  })
  after(async () => {
    await browser?.close()
    await bundle?.kill()
    remove()
    files?.remove()
  })

  it('a photograph becomes a saved zip, though dashboard, api and worker are killed on the way', async () => {
    const bytes = await photograph()
    const { page, leave } = await visit(browser, bundle.dashboard, { path: '/thumbnails' })
    const downloads = noteDownloads(page)
    await page.waitForSelector('#image', { state: 'attached' })
    await tabTo(page, '#image')
    const chooser = await openChooser(page, '#image')
    const victims = await Promise.all(['dashboard', 'api', 'worker'].map(role => bundle.pidOf(role)))
    await chooser.setFiles(files.put('IMG_1234.jpg', bytes))
    await page.waitForSelector('.sending, .run')
    for (const pid of victims) process.kill(pid, 'SIGKILL')
    await page.waitForSelector('.run >> text=SUCCESS', { timeout: 240_000 })
    await until('the zip is saved', () => downloads.length === 1)
    const entries = await unzip(await bytesOf(downloads[0] as never))
    assert.deepEqual(
      entries.map(({ name }) => name),
      ['IMG_1234.jpg', '128x128.jpg'],
    )
    assert.ok(entries[0]?.bytes.equals(bytes), 'the original is in it, byte for byte')
    const { format, width, height } = await sharp(entries[1]?.bytes ?? Buffer.alloc(0)).metadata()
    assert.deepEqual({ format, width, height }, { format: 'jpeg', width: 96, height: 128 })
    await until('the api is back', async () => (await bundle.all().catch(() => [])).length > 0)
    assert.equal((await bundle.all()).filter(({ kind }) => kind === 'thumbnails').length, 1)
    await leave(AWAY)
  })

  it('a URL becomes a summary and its JSON', async () => {
    const site = createServer((_, answer) => {
      answer.writeHead(200, { 'content-type': 'text/html' }).end('<title>Hello there</title><h1>One</h1>')
    })
    await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`
    const { page, leave } = await visit(browser, bundle.dashboard, { path: '/parse' })
    const downloads = noteDownloads(page)
    await page.fill('#url', url)
    await page.press('#url', 'Enter')
    await page.waitForSelector('.run >> text=Hello there')
    await until('the JSON is saved', () => downloads.length === 1)
    const result = JSON.parse((await bytesOf(downloads[0] as never)).toString()) as { title: string }
    assert.equal(result.title, 'Hello there')
    await leave(AWAY)
    site.closeAllConnections()
    site.close()
  })
})
