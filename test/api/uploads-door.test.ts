// Uploads over a real port: clients that are slow, send too much, or go away.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { takesLongBody } from '../../src/api/uploads.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { until } from '../support/until.ts'
import { createFixture, type Fixture } from './fixture.ts'

const REQUEST_TIMEOUT_MS = 300
const MAX_BYTES = 1_000_000

describe('uploads over a port', () => {
  let door: Fixture
  let server: HttpServer
  let port: number
  before(async () => {
    door = createFixture({ uploads: { maxBytes: MAX_BYTES } })
    server = await serveHttp({
      fetch: (request, env) => door.app.fetch(request, env as never),
      host: '127.0.0.1',
      port: 0,
      setting: 'API_PORT',
      log: silentLog(),
      takesLongBody,
      limits: { requestTimeout: REQUEST_TIMEOUT_MS },
    })
    port = server.address.port
  })
  after(async () => {
    await server.close()
    await door.close()
  })

  const ask = (path: string, headers: Record<string, string | number>) => {
    const asking = request({ port, host: '127.0.0.1', method: 'POST', path, headers })
    const answer = new Promise<{ status: number; body: string }>((resolve, reject) => {
      asking.once('error', reject)
      asking.once('response', response => {
        let body = ''
        response.setEncoding('utf8').on('data', text => {
          body += text
        })
        response.once('end', () => resolve({ status: response.statusCode ?? 0, body }))
        response.once('error', reject)
      })
    })
    answer.catch(() => {})
    return { asking, answer }
  }
  const standing = async () => [
    ...(await door.store.uploads.list({ limit: 100, cursor: null })).uploads.map(({ id }) => id),
    ...(await door.store.documents.list('uploads', { limit: 100, cursor: null })).documents.map(
      ({ name }) => name,
    ),
  ]
  const comesIn = (bytes: number) =>
    until('the bytes are there', async () => {
      const { uploads } = await door.store.uploads.list({ limit: 100, cursor: null })
      return uploads.some(upload => upload.bytes >= bytes)
    })

  it('may take longer than another body may', async () => {
    const slow = ask('/uploads', { 'content-length': 4 })
    slow.asking.write('ab')
    await comesIn(2)
    // another request that is as slow is refused meanwhile
    const other = ask('/tasks', { 'content-length': 4, 'content-type': 'application/json' })
    other.asking.write('{}')
    assert.equal((await other.answer).status, 408)
    slow.asking.end('cd')
    const { status, body } = await slow.answer
    assert.deepEqual([status, JSON.parse(body).bytes], [201, 4])
    await door.app.request(`/uploads/${JSON.parse(body).id}`, { method: 'DELETE' })
  })

  it('that become too large are told so while their bytes still come', async () => {
    const { asking, answer } = ask('/uploads', { 'transfer-encoding': 'chunked' })
    const piece = Buffer.alloc(64 * 1024)
    for (let sent = 0; sent <= 2 * MAX_BYTES; sent += piece.length) asking.write(piece)
    const { status, body } = await answer
    assert.deepEqual([status, JSON.parse(body).code], [413, 'UPLOAD_TOO_LARGE'])
    asking.destroy()
    assert.deepEqual(await standing(), [])
  })

  it('that are announced too large are refused before they come', async () => {
    const { asking, answer } = ask('/uploads', { 'content-length': MAX_BYTES + 1 })
    asking.flushHeaders()
    assert.equal((await answer).status, 413)
    asking.destroy()
  })

  for (const [what, headers, begins] of [
    ['a body', '', ''],
    [
      'a form',
      'Content-Type: multipart/form-data; boundary=x\r\n',
      '--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n',
    ],
  ] as const)
    it(`whose client goes away in the middle of ${what} leave nothing`, async () => {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(
        `POST /uploads HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Length: 100000\r\n\r\n${begins}${'y'.repeat(20_000)}`,
      )
      await comesIn(10_000)
      socket.destroy()
      await until('nothing is left', async () => (await standing()).length === 0)
    })

  it('in several requests keep what came before their client went away', async () => {
    const begun = await door.app.request('/uploads?resumable=1', { method: 'POST' })
    const { id } = (await begun.json()) as { id: string }
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(
      `PATCH /uploads/${id}?offset=0 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n${'y'.repeat(20_000)}`,
    )
    await comesIn(20_000)
    socket.destroy()
    await until('the note tells of them', async () => {
      const { bytes } = (await (await door.app.request(`/uploads/${id}`)).json()) as { bytes: number }
      return bytes === 20_000
    })
    const rest = await door.app.request(`/uploads/${id}?offset=20000`, { method: 'PATCH', body: 'z' })
    assert.equal(((await rest.json()) as { bytes: number }).bytes, 20_001)
  })
})
