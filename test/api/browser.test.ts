// The REST door as a real browser meets it: the reference page, and pages of other origins that try to do harm.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { silentLog } from '../../src/platform/log.ts'
import { type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { launchBrowser } from '../support/browser.ts'
import { requireService } from '../support/services.ts'
import { createFixture, type Fixture } from './fixture.ts'

const FRIEND = 'friend.example'
const STRANGER = 'stranger.example'
/** A name of the server's own, where it speaks plain HTTP: browsers send no Sec-Fetch-Site there. */
const NAMED = 'tasks.example'
const MS = 60_000
const SCRIPT = readFileSync(new URL('foreign-page.mjs', import.meta.url), 'utf8')
const PAGE = '<!doctype html><title>elsewhere</title><body><script src="/foreign-page.mjs"></script>'

describe('the REST door in Chromium', { skip: requireService('chromium'), timeout: 300_000 }, () => {
  let browser: Browser
  let fixture: Fixture
  let door: HttpServer
  let elsewhere: http.Server
  let api: string
  let friend: string
  let elsewherePort: number

  before(async () => {
    // a site of its own, whatever name it is asked by
    elsewhere = http.createServer(({ url }, response) => {
      const [type, text] = url === '/' ? ['text/html', PAGE] : ['text/javascript', SCRIPT]
      response.writeHead(200, { 'content-type': type }).end(text)
    })
    await new Promise<void>(resolve => elsewhere.listen(0, '127.0.0.1', resolve))
    elsewherePort = (elsewhere.address() as AddressInfo).port
    friend = `http://${FRIEND}:${elsewherePort}`
    fixture = createFixture({ corsOrigins: [friend], allowedHosts: [NAMED] })
    door = await serveHttp({
      fetch: (request, env) => fixture.app.fetch(request, env as object),
      host: '127.0.0.1',
      port: 0,
      setting: 'API_PORT',
      log: silentLog(),
    })
    api = `http://127.0.0.1:${door.address.port}`
    browser = await launchBrowser([FRIEND, STRANGER, NAMED])
  })
  after(async () => {
    await browser?.close()
    await door?.close()
    elsewhere?.closeAllConnections()
    elsewhere?.close()
    await fixture?.close()
  })

  const open = async (url: string): Promise<{ page: Page; complaints: string[] }> => {
    const page = await browser.newPage({ viewport: { width: 1100, height: 900 } })
    page.setDefaultTimeout(MS)
    const complaints: string[] = []
    page.on('pageerror', error => complaints.push(error.message))
    page.on('console', message => {
      if (message.type() === 'error') complaints.push(message.text())
    })
    await page.goto(url)
    return { page, complaints }
  }
  const total = async () => (await fixture.store.counts()).total

  it('GET /docs shows every operation, tries calls, and asks nobody but this server', async () => {
    const { page, complaints } = await open('about:blank')
    const hosts = new Set<string>()
    page.on('request', request => hosts.add(new URL(request.url()).host))
    await page.goto(`${api}/docs`)
    await page.waitForSelector('details.operation')
    const { paths } = (await (await fetch(`${api}/openapi.json`)).json()) as { paths: Record<string, object> }
    const count = Object.values(paths).reduce((sum, item) => sum + Object.keys(item).length, 0)
    assert.equal(await page.locator('details.operation').count(), count)

    const before = await total()
    const tried = async (id: string) => {
      await page.click(`#${id} button.primary`)
      await page.waitForSelector(`#${id} .answer-head.good, #${id} .answer-head.bad`)
      return {
        head: (await page.textContent(`#${id} .answer-head`)) ?? '',
        text: (await page.textContent(`#${id} .answer-text`)) ?? '',
      }
    }
    await page.click('#submitTask > summary')
    const submitted = await tried('submitTask')
    assert.match(submitted.head, /^202 /)
    await page.waitForFunction(
      'document.querySelector("#submitTask .answer-text").textContent.startsWith("{\\n  \\"id\\"")',
    )
    assert.equal(await total(), before + 1)

    await page.fill('#submitTask textarea', '{"kind":')
    await page.click('#submitTask button.primary')
    await page.waitForSelector('#submitTask .answer-head.bad')
    assert.match((await page.textContent('#submitTask .answer-head')) ?? '', /^400 /)

    await page.click('#getTask > summary')
    const { tasks } = await fixture.store.list({}, { limit: 1, cursor: null })
    await page.fill('#getTask input >> nth=0', tasks[0]?.id ?? '')
    assert.match((await page.textContent('#getTask .curl')) ?? '', new RegExp(`/task/${tasks[0]?.id}'$`))
    assert.match((await tried('getTask')).head, /^200 /)
    assert.deepEqual([...hosts], [new URL(api).host])
    // the refusal that was asked for is all that the console complains of
    assert.deepEqual(
      complaints.filter(text => !/status of 400/.test(text)),
      [],
    )
    await page.close()
  })

  it('a page of a foreign origin reads nothing and gets nothing done, nor by a name that was rebound', async () => {
    const { id } = await fixture.submit('echo', 'secret')
    const [tasks, record] = [await total(), await fixture.store.get(id)]
    const { port } = door.address
    for (const [from, to] of [
      // another site; another port of this machine, which is the same site; a name that now leads here; a name of ours
      [STRANGER, api],
      ['127.0.0.1', api],
      ['localhost', `http://localhost:${port}`],
      [STRANGER, `http://${STRANGER}:${port}`],
      [STRANGER, `http://${NAMED}:${port}`],
    ] as const) {
      const { page } = await open(`http://${from}:${elsewherePort}/`)
      assert.deepEqual(await page.evaluate(`attack('${to}', '${id}')`), [], `${from} to ${to}`)
      // a link that is followed, or a page that leads elsewhere
      const led = page.waitForURL(`${to}/**`)
      await page.evaluate(`location.href = '${to}/calcpi/13'`)
      await led
      assert.match((await page.textContent('body')) ?? '', /"status":403/)
      await page.close()
      assert.equal(await total(), tasks)
      assert.deepEqual(await fixture.store.get(id), record)
    }
  })

  it('an address that a person types is no attack', async () => {
    const before = await total()
    const { page } = await open(`${api}/calcpi/11`)
    assert.match((await page.textContent('body')) ?? '', /"digits":11/)
    await page.close()
    assert.equal(await total(), before + 1)
  })

  it('over plain HTTP under a name, where a browser does not say who asked, the page /docs still starts a task', async () => {
    const named = `http://${NAMED}:${door.address.port}`
    const before = await total()
    const { page } = await open(`${named}/calcpi/11`)
    assert.match((await page.textContent('body')) ?? '', /use HTTPS/)
    assert.equal(await total(), before)
    await page.goto(`${named}/docs`)
    await page.click('#startCalcPi > summary')
    await page.fill('#startCalcPi input >> nth=0', '11')
    await page.click('#startCalcPi button.primary')
    await page.waitForSelector('#startCalcPi .answer-head.good')
    assert.equal(await total(), before + 1)
    // and a program there needs nothing
    assert.equal((await fetch(`${api}/calcpi/11`)).status, 202)
    await page.close()
  })

  it('a rebound name is refused even when the browser takes the page for the same origin', async () => {
    const origin = `http://${STRANGER}:${door.address.port}`
    const page = await browser.newPage()
    // the page came while the name still led elsewhere
    await page.route(`${origin}/page`, route => route.fulfill({ contentType: 'text/html', body: PAGE }))
    await page.goto(`${origin}/page`)
    const before = await total()
    const post = `fetch('/tasks', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"kind":"echo"}' })`
    assert.equal(await page.evaluate(`${post}.then(answer => answer.status)`), 403)
    assert.match(
      (await page.evaluate(`fetch('/tasks').then(answer => answer.text())`)) as string,
      /HOST_NOT_ALLOWED/,
    )
    assert.equal(await total(), before)
    await page.close()
  })

  it('a page of an origin that CORS_ORIGINS names submits and reads, with the headers that matter', async () => {
    const before = await total()
    const { page } = await open(`${friend}/`)
    const seen = (await page.evaluate(`use('${api}')`)) as Record<string, string | number>
    assert.deepEqual([seen.location, seen.known, seen.ended], [`/task/${seen.id}`, 304, 200])
    assert.match(String(seen.etag), /^"\d+-\d+"$/)
    // an image says no Origin, so that of a friend is a stranger's like any other
    assert.equal(await page.evaluate(`image('${api}')`), '')
    await page.close()
    assert.equal(await total(), before + 1)
  })
})
