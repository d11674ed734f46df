// The client, as it is built, in a page in a real Chromium, from the server's own origin; and the browser's own EventSource.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Hono } from 'hono'
import type { ApiEnv } from '../../src/api/context.ts'
import { report, succeed } from '../../src/core/moves.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { createFixture, type Fixture } from '../api/fixture.ts'
import { requireService } from '../support/services.ts'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const BUILT = fileURLToPath(new URL('../../dist/client/', import.meta.url))

/** Runs in the page. It says what it sees at /report; the test does the rest. */
const PAGE = `<!doctype html><title>client</title><script type="module">
import { ApiError, createClient } from '/client/client.js'
const say = async (step, data) => {
  for (;;)
    try {
      return await fetch('/report', { method: 'POST', body: JSON.stringify({ step, data }) })
    } catch {
      // the test cuts connections, this one too
      await new Promise(resolve => setTimeout(resolve, 50))
    }
}
window.onerror = message => say('error', String(message))
window.onunhandledrejection = ({ reason }) => say('error', String(reason?.stack ?? reason))
const client = createClient({ baseUrl: '' })
const all = []
void (async () => {
  for await (const event of client.watchAll({ kind: 'echo' })) {
    all.push(event.type === 'task' ? event.task.status : event.type)
    await say('all', all)
  }
})()
await client.kinds()
const { id } = await client.submit({ kind: 'echo', params: { from: 'a page' } })
const file = new File([new Uint8Array(700_000).fill(65)], 'a.txt')
const progress = []
const whole = await client.upload(file, { onProgress: ({ bytes }) => progress.push(bytes) })
const pieces = await client.uploadResumable(file, {
  pieceBytes: 300_000,
  onProgress: ({ bytes }) => progress.push(bytes),
})
const back = await (await client.uploads.content(pieces.id)).text()
await say('files', {
  notes: [whole, pieces].map(({ name, bytes, state }) => [name, bytes, state]),
  same: whole.sha256 === pieces.sha256 && back === 'A'.repeat(700_000),
  progress,
})
const native = []
const source = new EventSource('/task/' + id + '/events')
source.addEventListener('task', event => native.push(JSON.parse(event.data).status))
source.addEventListener('error', () => {
  if (source.readyState === EventSource.CLOSED) void say('native', native)
})
const seen = []
const waiting = client.wait(id)
await say('submitted', id)
for await (const task of client.watch(id)) {
  seen.push(task.status + ' ' + task.rev)
  await say('seen', seen)
}
const ended = await waiting
const result = await (await client.result(id)).text()
const refused = await client.get('nothing').catch(error => error instanceof ApiError && error.code)
await say('done', { seen, ended: ended.status, result, refused, secure: isSecureContext })
</script>`

describe('the client in a browser', { skip: requireService('chromium'), timeout: 300_000 }, () => {
  let door: Fixture
  let http: HttpServer
  let network: TcpProxy
  let profile: string
  const reports = new Map<string, unknown>()
  before(async () => {
    profile = mkdtempSync(path.join(tmpdir(), 'madhava-chromium-'))
    door = createFixture()
    const pages = new Hono<ApiEnv>()
      .get('/page', c => c.html(PAGE))
      .get('/client/:file', c => {
        const file = c.req.param('file')
        assert.ok(readdirSync(BUILT).includes(file), file)
        return c.body(readFileSync(path.join(BUILT, file), 'utf8'), 200, {
          'Content-Type': 'text/javascript',
        })
      })
      .post('/report', async c => {
        const { step, data } = (await c.req.json()) as { step: string; data: unknown }
        reports.set(step, data)
        return c.body(null, 204)
      })
      .all('*', c => door.app.fetch(c.req.raw, c.env as never))
    http = await serveHttp({
      fetch: (request, env) => pages.fetch(request, env as never),
      host: '127.0.0.1',
      port: 0,
      setting: 'API_PORT',
      log: silentLog(),
    })
    network = await startTcpProxy({ port: http.address.port })
  })
  after(async () => {
    await network.close()
    await door.close()
    await http.close()
    // its helpers die a moment after it, and write until then
    await until('the profile is removed', () => {
      try {
        rmSync(profile, { recursive: true, force: true })
        return true
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOTEMPTY')
        return false
      }
    })
  })

  it('uploads, submits, waits, watches over a connection that breaks, and reads the result', async () => {
    const browser = spawn(
      '/usr/bin/chromium',
      [
        ...['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'],
        ...[`--user-data-dir=${profile}`, `http://127.0.0.1:${network.port}/page`],
      ],
      // a group of its own, so that all of it can be ended
      { stdio: 'ignore', detached: true },
    )
    const gone = once(browser, 'close')
    const told = async <T>(step: string, fits: (data: T) => boolean = () => true): Promise<T> => {
      await until(
        `the page says ${step}`,
        () => {
          assert.equal(reports.get('error'), undefined)
          return reports.has(step) && fits(reports.get(step) as T)
        },
        60_000,
      )
      return reports.get(step) as T
    }
    const now = () => new Date().toISOString()
    try {
      assert.deepEqual(await told('files'), {
        notes: Array.from({ length: 2 }, () => ['a.txt', 700_000, 'whole']),
        same: true,
        progress: [700_000, 0, 300_000, 600_000, 700_000],
      })
      const id = await told<string>('submitted')
      await told<string[]>('seen', seen => seen.length === 1)
      await door.run(id)
      await told<string[]>('seen', seen => seen.length === 2)
      network.cut()
      await door.store.move(id, 1, report({ percent: 5, note: null, etaSeconds: null }, null, now()))
      await told<string[]>('seen', seen => seen.length === 3)
      await door.store.move(id, 1, succeed('from the server', null, now()))
      assert.deepEqual(await told('done'), {
        seen: ['PENDING 0', 'STARTED 1', 'PROGRESS 2', 'SUCCESS 3'],
        ended: 'SUCCESS',
        result: 'from the server',
        refused: 'BAD_ID',
        secure: true,
      })
      // the browser's own: connects again after the break and after the end, and is then told to stop
      const native = await told<string[]>('native')
      assert.deepEqual([native[0], native.at(-1)], ['PENDING', 'SUCCESS'])
      const all = await told<string[]>('all', events => events.includes('SUCCESS'))
      assert.equal(all[0], 'live')
    } finally {
      if (browser.pid !== undefined) process.kill(-browser.pid, 'SIGKILL')
      await gone
    }
  })
})
