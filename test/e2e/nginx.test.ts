// The example docs/nginx.conf under a real nginx: only its ports and the paths of the certificate are other ones.
import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { request } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { makeDataDir, startBundle } from '../support/bundle.ts'
import { freePort } from '../support/free-port.ts'
import { requireService } from '../support/services.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const skip = requireService('nginx')
const LONG = { skip, timeout: 600_000 }
/** Of one request: one that hangs says which it is. */
const LIMIT_MS = 120_000
const EXAMPLE = fileURLToPath(new URL('../../docs/nginx.conf', import.meta.url))
const TASKS = 'tasks.example.org'
const DASHBOARD = 'dashboard.example.org'

const answers = (port: number): Promise<boolean> =>
  new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

interface Proxy {
  http: number
  https: number
  /** Its certificate, which clients trust. */
  ca: string
}

/** nginx with the example in front of these two ports, until the test ends. */
const startNginx = async (t: TestContext, upstream: { api: number; dashboard: number }): Promise<Proxy> => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'madhava-nginx-'))
  const key = path.join(dir, 'privkey.pem')
  const chain = path.join(dir, 'fullchain.pem')
  const names = `subjectAltName=DNS:${TASKS},DNS:${DASHBOARD}`
  const certificate = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  execFileSync(
    'openssl',
    [...certificate, '-keyout', key, '-out', chain, '-subj', `/CN=${TASKS}`, '-addext', names],
    { stdio: 'ignore' },
  )
  const [http, https] = [await freePort(), await freePort()]
  const changes: [string, string, number][] = [
    ['listen 80;', `listen 127.0.0.1:${http};`, 1],
    ['listen 443 ssl', `listen 127.0.0.1:${https} ssl`, 2],
    ['server 127.0.0.1:8000;', `server 127.0.0.1:${upstream.api};`, 1],
    ['server 127.0.0.1:9001;', `server 127.0.0.1:${upstream.dashboard};`, 1],
    ['/etc/nginx/tls/', `${dir}/`, 4],
  ]
  let example = readFileSync(EXAMPLE, 'utf8')
  for (const [from, to, times] of changes) {
    assert.equal(example.split(from).length - 1, times, from)
    example = example.replaceAll(from, to)
  }
  writeFileSync(path.join(dir, 'madhava.conf'), example)
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    name => `${name}_temp_path ${dir}/${name};`,
  )
  const main = path.join(dir, 'nginx.conf')
  writeFileSync(
    main,
    `daemon off; pid ${dir}/pid; error_log stderr; events { }
http { access_log off; ${temporary.join(' ')} include ${dir}/madhava.conf; }\n`,
  )
  let words = ''
  const nginx: ChildProcess = spawn('/usr/sbin/nginx', ['-p', dir, '-c', main], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  nginx.stderr?.on('data', data => {
    words += String(data)
  })
  const closed = once(nginx, 'close')
  undo(t, async () => {
    nginx.kill('SIGTERM')
    await closed
    rmSync(dir, { recursive: true, force: true })
  })
  await until('nginx listens', async () => {
    assert.equal(nginx.exitCode, null, words)
    return (await answers(http)) && (await answers(https))
  })
  return { http, https, ca: readFileSync(chain, 'utf8') }
}

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
}

const ask = (
  { https, ca }: Proxy,
  name: string,
  where: string,
  {
    method = 'GET',
    headers = {},
    body,
  }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: https,
        servername: name,
        ca,
        path: where,
        method,
        headers: { host: name, ...headers },
      },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', data => {
          text += data
        })
        // a connection that breaks in the middle of an answer is neither an end nor an error of the request
        response.on('error', () => undefined)
        response.on('close', () => {
          const status = response.statusCode ?? 0
          // nginx may end it while the rest of what is too large is still being sent
          if (!response.complete && status !== 413) reject(new Error(`the answer of ${where} broke off`))
          else resolve({ status, headers: response.headers, body: text })
        })
      },
    )
    sent.setTimeout(LIMIT_MS, () => sent.destroy(new Error(`${method} ${where} has no answer`)))
    sent.on('error', reject)
    sent.end(body)
  })

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1))

/** Stands for a door: its events come when the test says so, and it echoes what it gets after an upgrade. */
const openStub = async (
  t: TestContext,
): Promise<{ port: number; say(text: string): void; streams(): number }> => {
  const streams = new Set<import('node:http').ServerResponse>()
  const server: Server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.flushHeaders()
    streams.add(response)
    response.on('close', () => streams.delete(response))
  })
  server.on('upgrade', (_request, socket) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.pipe(socket)
    socket.on('error', () => socket.destroy())
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  undo(t, () => {
    server.closeAllConnections()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    say: text => {
      for (const stream of streams) stream.write(text)
    },
    streams: () => streams.size,
  }
}

describe('docs/nginx.conf', { skip }, () => {
  it(
    'serves both doors by TLS: names that ALLOWED_HOSTS has, own origins only, secure cookies',
    LONG,
    async t => {
      const { dataDir, remove } = makeDataDir()
      undo(t, remove)
      const password = 'of-this-test-only'
      const settings = { ALLOWED_HOSTS: `${TASKS},${DASHBOARD}`, DASHBOARD_PASSWORD: password }
      const bundle = await startBundle(dataDir, settings)
      undo(t, () => bundle.kill())
      const proxy = await startNginx(t, { api: portOf(bundle.api), dashboard: portOf(bundle.dashboard) })

      const host = await ask(proxy, TASKS, '/')
      assert.equal(host.status, 200)
      assert.equal((JSON.parse(host.body) as { name: string }).name, 'madhava')
      const submit = (origin: string) =>
        ask(proxy, TASKS, '/tasks', {
          method: 'POST',
          headers: { origin, 'content-type': 'application/json' },
          body: JSON.stringify({ kind: 'sleep', params: { seconds: 0 } }),
        })
      const mine = await submit(`https://${TASKS}`)
      assert.equal(mine.status, 202, mine.body)
      assert.equal((await submit('https://elsewhere.example')).status, 403)
      assert.equal((await ask(proxy, TASKS, '/', { headers: { host: 'elsewhere.example' } })).status, 403)

      let events = ''
      const stream = request({
        host: '127.0.0.1',
        port: proxy.https,
        servername: TASKS,
        ca: proxy.ca,
        path: '/events',
        headers: { host: TASKS },
      })
      undo(t, () => stream.destroy())
      stream.on('error', () => undefined)
      stream.on('response', response => {
        response.on('data', data => {
          events += String(data)
        })
      })
      stream.end()
      await until('the stream is open', () => events !== '')
      const { id } = JSON.parse((await submit(`https://${TASKS}`)).body) as { id: string }
      await until('its end is told', () =>
        events.split('\n').some(line => line.includes(id) && line.includes('SUCCESS')),
      )

      const login = await ask(proxy, DASHBOARD, '/login')
      assert.equal(login.status, 200)
      const cookies = (login.headers['set-cookie'] ?? []).join()
      const token = /name="([a-z_]*token)" value="([^"]+)"/i.exec(login.body)
      const form = new URLSearchParams({
        name: 'operator',
        password,
        ...(token ? { [token[1] ?? '']: token[2] ?? '' } : {}),
      })
      const entered = await ask(proxy, DASHBOARD, '/login', {
        method: 'POST',
        headers: {
          origin: `https://${DASHBOARD}`,
          'content-type': 'application/x-www-form-urlencoded',
          cookie: cookies.split(';')[0] ?? '',
        },
        body: form.toString(),
      })
      assert.equal(entered.status, 303, entered.body)
      assert.match((entered.headers['set-cookie'] ?? []).join(), /; ?secure/i)

      for (const { headers } of [host, login, await ask(proxy, TASKS, '/nothing')])
        assert.equal(headers['strict-transport-security'], 'max-age=31536000')
      // a form of a few fields, and a submit of at most 1 MiB, each with some room
      const large = (name: string, bytes: number) =>
        ask(proxy, name, '/login', { method: 'POST', body: 'x'.repeat(bytes) })
      assert.equal((await large(DASHBOARD, 70_000)).status, 413)
      assert.equal((await large(TASKS, 3_000_000)).status, 413)
      const tries = await Promise.all(Array.from({ length: 20 }, () => ask(proxy, DASHBOARD, '/login')))
      assert.ok(tries.some(({ status }) => status === 429))
      assert.equal((await ask(proxy, DASHBOARD, '/livez')).status, 200)

      const plain = await fetch(`http://127.0.0.1:${proxy.http}/tasks?limit=1`, { redirect: 'manual' })
      assert.equal(plain.status, 308)
    },
  )

  it('hands events on as they come', LONG, async t => {
    const stub = await openStub(t)
    const { https, ca } = await startNginx(t, { api: stub.port, dashboard: stub.port })
    let seen = ''
    const sent = request({
      host: '127.0.0.1',
      port: https,
      servername: TASKS,
      ca,
      path: '/events',
      headers: { host: TASKS },
    })
    undo(t, () => sent.destroy())
    sent.on('error', () => undefined)
    sent.on('response', response =>
      response.on('data', data => {
        seen += String(data)
      }),
    )
    sent.end()
    await until('the stream is open', () => stub.streams() === 1)
    for (const event of ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n']) {
      const before = seen
      stub.say(event)
      // the next one is only sent when this one has come: whoever holds it back holds up the test
      await until('it comes', () => seen === before + event)
    }
    sent.destroy()
    await until('the door learns that the client has gone', () => stub.streams() === 0)
  })

  it('lets WebSockets through, both ways', LONG, async t => {
    const stub = await openStub(t)
    const { https, ca } = await startNginx(t, { api: stub.port, dashboard: stub.port })
    for (const name of [TASKS, DASHBOARD]) {
      const socket = connectTls({ host: '127.0.0.1', port: https, servername: name, ca })
      undo(t, () => socket.destroy())
      let seen = ''
      socket.on('data', data => {
        seen += String(data)
      })
      await once(socket, 'secureConnect')
      const key = Buffer.alloc(16).toString('base64')
      socket.write(
        `GET /ws HTTP/1.1\r\nHost: ${name}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`,
      )
      await until('it is upgraded', () => /^HTTP\/1\.1 101 [\s\S]*\r\n\r\n$/.test(seen))
      seen = ''
      for (const word of ['one', 'two']) {
        socket.write(word)
        await until('the echo comes', () => seen.endsWith(word))
      }
    }
  })
})
