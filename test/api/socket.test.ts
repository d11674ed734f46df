import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'
import net from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { PROBLEM_TYPE, refuseRequest } from '../../src/api/problem.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type HTTP_LIMITS, type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { soon } from '../support/soon.ts'
import { createFixture, type Fixture, type FixtureOptions } from './fixture.ts'

describe('the REST door on a real port', () => {
  let fixture: Fixture
  let door: HttpServer
  const open = async (limits: Partial<typeof HTTP_LIMITS> = {}, options: FixtureOptions = {}) => {
    fixture = createFixture(options)
    door = await serveHttp({
      fetch: (request, env) => fixture.app.fetch(request, env as object),
      host: '127.0.0.1',
      port: 0,
      setting: 'API_PORT',
      log: silentLog(),
      refuse: refuseRequest,
      limits: { closeTimeout: 500, ...limits },
    })
  }
  beforeEach(() => open())
  afterEach(async () => {
    await door.close()
    await fixture.close()
  })

  const url = (path: string) => `http://127.0.0.1:${door.address.port}${path}`
  /** Sends raw bytes; resolves with all that came until the connection ended. */
  const raw = (...parts: string[]): Promise<string> =>
    soon(
      new Promise((resolve, reject) => {
        const socket = net.connect(door.address.port, '127.0.0.1')
        let text = ''
        socket.setEncoding('latin1').on('data', chunk => {
          text += chunk
        })
        socket.on('close', () => resolve(text))
        socket.on('error', (error: NodeJS.ErrnoException) => {
          if (error.code !== 'ECONNRESET' && error.code !== 'EPIPE') reject(error)
        })
        for (const part of parts) socket.write(part, 'latin1')
      }),
      'the end of the connection',
    )
  const problemIn = (answer: string): { status: number; code: string } => {
    assert.match(answer, new RegExp(PROBLEM_TYPE.replace('+', '\\+'), 'i'))
    return JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4))
  }

  it('submits and reads over HTTP', async () => {
    const submitted = await fetch(url('/calcpi/5'), { redirect: 'manual' })
    const task = (await submitted.json()) as TaskRecord
    assert.equal(submitted.status, 202)
    const read = await fetch(url(submitted.headers.get('location') ?? ''))
    assert.deepEqual(await read.json(), task)
    const posted = await fetch(url('/tasks'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"kind":"echo","params":1}',
    })
    assert.equal(posted.status, 202)
  })

  it('HEAD has the headers of GET, its length included, and no body', async () => {
    const { id } = await fixture.ended('x'.repeat(5000))
    for (const path of ['/livez', `/task/${id}`, `/task/${id}/result`]) {
      const full = await fetch(url(path))
      const { byteLength } = await full.arrayBuffer()
      const answer = await raw(`HEAD ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
      const head = answer.toLowerCase()
      assert.ok(head.startsWith('http/1.1 200'))
      assert.ok(head.includes(`content-length: ${byteLength}\r\n`), answer)
      assert.ok(head.endsWith('\r\n\r\n'))
    }
  })

  it('streams 5 MB whole and by ranges, byte for byte', async () => {
    const bytes = randomBytes(5 * 1024 * 1024)
    const { id } = await fixture.ended(null, { name: 'result.txt', bytes })
    const path = url(`/task/${id}/result`)
    const sum = (data: Uint8Array) => createHash('sha256').update(data).digest('hex')
    const whole = await fetch(path)
    assert.equal(whole.headers.get('content-length'), String(bytes.length))
    assert.equal(sum(new Uint8Array(await whole.arrayBuffer())), sum(bytes))
    const parts: Uint8Array[] = []
    for (let at = 0; at < bytes.length; at += 1_500_000) {
      const part = await fetch(path, { headers: { range: `bytes=${at}-${at + 1_499_999}` } })
      assert.equal(part.status, 206)
      parts.push(new Uint8Array(await part.arrayBuffer()))
    }
    assert.equal(sum(Buffer.concat(parts)), sum(bytes))
  })

  it('a body without an announced length is refused with 413 as soon as it is too large', async () => {
    let sent = 0
    const answer = await soon(
      new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
        const request = http.request(url('/tasks'), {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
        })
        const piece = Buffer.alloc(64 * 1024, 0x20)
        // would go on for ever
        const more = (): void => {
          while (!request.destroyed && request.write(piece)) sent += piece.length
        }
        request.on('drain', more)
        request.on('error', (error: NodeJS.ErrnoException) => {
          if (!['ECONNRESET', 'EPIPE'].includes(error.code ?? '')) reject(error)
        })
        request.on('response', response => {
          let text = ''
          response.setEncoding('utf8').on('data', chunk => {
            text += chunk
          })
          // it may be broken off: whether all of it came, its text tells
          response.on('error', () => undefined)
          response.on('close', () => {
            resolve({ status: response.statusCode, text })
            request.destroy()
          })
        })
        more()
      }),
      'the 413',
    )
    assert.equal(answer.status, 413)
    assert.equal(JSON.parse(answer.text).code, 'BODY_TOO_LARGE')
    assert.ok(sent < 70 * 1024 * 1024, `${sent} bytes were taken`)
  })

  it('a body that is announced as too large is refused before it is sent', async () => {
    const answer = await raw(
      'POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n',
    )
    assert.ok(answer.startsWith('HTTP/1.1 413'))
    assert.equal(problemIn(answer).code, 'BODY_TOO_LARGE')
    // what is left of the body would be taken for the next request
    assert.match(answer, /^connection: close\r$/im)
    const kept = await raw('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nGET /livez HTTP/1.0\r\n\r\n')
    assert.equal(kept.match(/HTTP\/1\.1 200/g)?.length, 2, 'others are kept')
  })

  it('headers over 16 KiB are 431, broken ones 400, each as a problem', async () => {
    const large = await raw(`GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ${'x'.repeat(17_000)}\r\n\r\n`)
    assert.ok(large.startsWith('HTTP/1.1 431'), large.slice(0, 100))
    assert.equal(problemIn(large).code, 'HEADERS_TOO_LARGE')
    for (const junk of [
      'hello\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000\u0001\r\n\r\n',
      'GET / HTTP/1.1\r\nHost : x\r\n\r\n',
    ]) {
      const answer = await raw(junk)
      assert.ok(answer.startsWith('HTTP/1.1 400'), answer.slice(0, 100))
      assert.equal(problemIn(answer).code, 'BAD_REQUEST')
    }
  })

  it('a Host that makes no address, a rebound name, and a missing Host are refused', async () => {
    const ask = (host: string) => raw(`GET /livez HTTP/1.1\r\n${host}Connection: close\r\n\r\n`)
    const missing = await ask('')
    assert.ok(missing.startsWith('HTTP/1.1 400'))
    assert.equal(problemIn(missing).code, 'BAD_REQUEST')
    assert.match(await raw('GET /livez HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200/)
    for (const host of ['a b', 'evil.example/x', '[::1', 'user@localhost', 'localhost:99999'])
      assert.match(await ask(`Host: ${host}\r\n`), /^HTTP\/1\.1 (400|403)/, host)
    assert.ok((await ask('Host: evil.example\r\n')).startsWith('HTTP/1.1 403'))
    assert.ok((await ask('Host: localhost\r\n')).startsWith('HTTP/1.1 200'))
    assert.ok((await ask('Host: [::1]:8000\r\n')).startsWith('HTTP/1.1 200'))
    // an address in the request line does not replace the Host header
    const absolute = await raw(
      'GET http://localhost/livez HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n',
    )
    assert.ok(absolute.startsWith('HTTP/1.1 403'), absolute.slice(0, 100))
  })

  it('a path with dots, NULs or what is no UTF-8 gets a proper answer', async () => {
    for (const path of [
      '/../../etc/passwd',
      '/task/%00',
      '/task/%ff%fe',
      '/%2e%2e/x',
      '//evil.example/',
      '/task/../kinds',
    ]) {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n`)
      assert.match(answer, /^HTTP\/1\.1 (200|400|404)/, path)
      assert.doesNotMatch(answer, /root:|node_modules|\.ts:/)
    }
  })

  it('OPTIONS * and other odd requests leave the server well', async () => {
    await raw('OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
    await raw('CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n')
    await raw('TRACE / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n')
    assert.equal((await fetch(url('/livez'))).status, 200)
  })

  it('20,000 tasks stream at the pace of a slow client, a page in memory at a time', async () => {
    const record = await fixture.submit('echo', 'p'.repeat(500))
    await fixture.close()
    let made = 0
    await door.close()
    await open(
      {},
      {
        service: {
          // a store without the records, so that what is measured is the door
          list: async (_actor, _filter, { limit, cursor }) => {
            const from = Number(cursor ?? 0)
            const tasks = Array.from({ length: Math.min(limit, 20_000 - from) }, (_, at) => ({
              ...record,
              title: String(from + at),
            }))
            made += tasks.length
            const next = from + tasks.length
            return { tasks, next: next < 20_000 ? String(next) : null }
          },
        },
      },
    )
    const response = await soon(
      new Promise<http.IncomingMessage>((resolve, reject) => {
        http.get(url('/alltasks'), resolve).on('error', reject)
      }),
      'the answer',
    )
    // the client does not read: what is made is bounded by the buffers of the connection
    let before = -1
    while (made !== before) {
      before = made
      await new Promise(resolve => setTimeout(resolve, 300))
    }
    assert.ok(made < 15_000, `${made} records were made for a client that reads nothing`)
    const parts: Buffer[] = []
    await soon(
      (async () => {
        for await (const part of response) parts.push(part as Buffer)
      })(),
      'the end of the array',
    )
    const tasks = JSON.parse(Buffer.concat(parts).toString()) as TaskRecord[]
    assert.deepEqual(
      tasks.map(task => task.title),
      Array.from({ length: 20_000 }, (_, at) => String(at)),
    )
  })

  it('a client that leaves in the middle lets go of the blob', async () => {
    await fixture.close()
    await door.close()
    const blob = new Readable({
      read() {
        this.push(Buffer.alloc(64 * 1024))
      },
    })
    const content = { contentType: 'text/plain', bytes: 2 ** 40, open: async () => blob }
    await open({}, { service: { get: async () => fixture.submit('echo', 1), result: async () => content } })
    const closed = new Promise<void>(resolve => blob.once('close', resolve))
    const socket = net.connect(door.address.port, '127.0.0.1').on('error', () => undefined)
    socket.write('GET /task/x/result HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    await soon(new Promise(resolve => socket.once('data', resolve)), 'the first bytes')
    socket.destroy()
    await soon(closed, 'the end of the blob')
    assert.equal((await fetch(url('/livez'))).status, 200)
  })

  it('a store that fails in the middle breaks the connection off: the client never takes half for the whole', async () => {
    const record = await fixture.submit('echo', 'p'.repeat(1000))
    await fixture.close()
    await door.close()
    // not before the client has the beginning: what fails earlier is a 500
    let fail = (): void => {}
    const begun = new Promise<void>(resolve => {
      fail = resolve
    })
    await open(
      {},
      {
        service: {
          list: async (_actor, _filter, { cursor }) => {
            if (cursor === 'second') {
              await begun
              throw new Error('secret of the store')
            }
            return { tasks: Array.from({ length: 200 }, () => record), next: 'second' }
          },
        },
      },
    )
    const error = console.error
    console.error = () => undefined
    try {
      const response = await fetch(url('/alltasks'))
      assert.equal(response.status, 200)
      fail()
      await assert.rejects(response.text())
      const text = await raw('GET /alltasks HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
      assert.doesNotMatch(text, /secret/)
      assert.ok(!text.endsWith('0\r\n\r\n'))
    } finally {
      console.error = error
    }
  })
})
