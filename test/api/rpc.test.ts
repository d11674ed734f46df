// POST /rpc: Thrift over HTTP, with the guards of the REST door around it.
import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { openApi } from '../../src/api/server.ts'
import { silentLog } from '../../src/platform/log.ts'
import { encode } from '../rpc/messages.ts'
import { NO_AUDIT } from '../support/audit-entries.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { createFixture, type Fixture, jsonOf } from './fixture.ts'

const TYPE = 'application/x-thrift'
const call = (protocol: 'binary' | 'compact', name: string, text?: string): Buffer =>
  encode(protocol, {
    name,
    seqid: 7,
    fields: text === undefined ? [] : [{ id: 1, value: { type: 11, text } }],
  })

describe('the documentation of the Thrift service', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture()
  })
  afterEach(() => door.close())

  it('has a page whose links all lead somewhere, and needs nothing from elsewhere', async () => {
    const seen = new Set<string>()
    const look = async (path: string): Promise<void> => {
      if (seen.has(path)) return
      seen.add(path)
      const response = await door.app.request(path)
      assert.equal(response.status, 200, path)
      assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/)
      const text = await response.text()
      if (!(response.headers.get('content-type') ?? '').startsWith('text/html')) return
      for (const [, link = ''] of text.matchAll(/(?:href|src)="([^"#]+)/g))
        await look(new URL(link, `http://localhost${path}`).pathname)
    }
    await look('/docs/rpc')
    await look('/docs/rpc/index.html')
    assert.deepEqual([...seen].map(path => path.split('/').at(-1)).sort(), [
      'index.html',
      'rpc',
      'rpcinterface.html',
      'rpcinterface.svg',
      'rpcinterface.thrift',
      'style.css',
    ])
  })

  it('serves its own files and no other', async () => {
    for (const name of ['package.json', '..%2fpackage.json', 'js', '__proto__', 'constructor'])
      assert.equal((await door.app.request(`/docs/rpc/${name}`)).status, 404, name)
  })
})

describe('Thrift over HTTP', () => {
  let door: Fixture
  beforeEach(() => {
    door = createFixture()
  })
  afterEach(() => door.close())
  const post = (body: Uint8Array, headers: Record<string, string> = { 'content-type': TYPE }) =>
    door.app.request('/rpc', { method: 'POST', body: new Uint8Array(body), headers })

  it('answers a call in the protocol that it came in', async () => {
    for (const protocol of ['binary', 'compact'] as const) {
      const response = await post(call(protocol, 'version'))
      assert.equal(response.status, 200)
      assert.equal(response.headers.get('content-type'), TYPE)
      const bytes = Buffer.from(await response.arrayBuffer())
      assert.equal(response.headers.get('content-length'), String(bytes.length))
      assert.equal(bytes[0], protocol === 'binary' ? 0x80 : 0x82)
      assert.match(bytes.toString('latin1'), /version.*1\.2\.3/s)
    }
  })

  it('takes only a body that is one whole call and nothing else', async () => {
    for (const protocol of ['binary', 'compact'] as const) {
      const one = call(protocol, 'version')
      for (const [what, body] of Object.entries({
        'two calls': Buffer.concat([one, one]),
        'a call and the begin of another': Buffer.concat([one, one.subarray(0, 6)]),
        'a call and a byte': Buffer.concat([one, one.subarray(0, 1)]),
        'half a call': one.subarray(0, -1),
        nothing: Buffer.alloc(0),
      })) {
        const response = await post(body)
        const text = Buffer.from(await response.arrayBuffer()).toString('latin1')
        assert.doesNotMatch(text, /1\.2\.3/, `${what} was answered`)
        assert.match(text, /whole and nothing else/, what)
      }
    }
  })

  it('is served at the port of the whole door, which loads Thrift at the first call', async () => {
    const { service, store } = door
    const opened = await openApi(
      { host: '127.0.0.1', port: 0, dataDir: tmpdir(), roles: [], allowedHosts: [], version: '1.2.3' },
      {
        service,
        access: createFakeAccess().access,
        audit: NO_AUDIT,
        store,
        queue: createNotingQueue().queue,
        clock: () => new Date(),
        isOwn: () => true,
      },
      silentLog(),
    )
    try {
      for (let i = 0; i < 2; i += 1) {
        const response = await fetch(`http://${opened.address}/rpc`, {
          method: 'POST',
          body: new Uint8Array(call('compact', 'version')),
          headers: { 'content-type': TYPE },
        })
        assert.match(Buffer.from(await response.arrayBuffer()).toString('latin1'), /version.*1\.2\.3/s)
      }
    } finally {
      await opened.close()
    }
  })

  it('a call that waits is answered when the door closes', async () => {
    const task = await door.submit('echo', 1)
    let begun = (): void => undefined
    const waits = new Promise<void>(resolve => {
      begun = resolve
    })
    const own = createFixture({
      service: {
        wait: (_actor, _id, _known, _ms, signal) =>
          new Promise(resolve => {
            signal?.addEventListener('abort', () => resolve({ task, changed: false }))
            begun()
          }),
      },
    })
    try {
      const body = encode('binary', {
        name: 'waitTask',
        seqid: 1,
        fields: [
          { id: 1, value: { type: 11, text: task.id } },
          { id: 3, value: { type: 8, int: 30_000 } },
        ],
      })
      const answer = own.app.request('/rpc', {
        method: 'POST',
        body: new Uint8Array(body),
        headers: { 'content-type': TYPE },
      })
      await waits
      own.endStreams()
      assert.match(Buffer.from(await (await answer).arrayBuffer()).toString('latin1'), /waitTask/)
    } finally {
      await own.close()
    }
  })

  it('takes the content types that name the protocol', async () => {
    for (const type of [
      'application/vnd.apache.thrift.binary',
      'application/vnd.apache.thrift.compact; charset=binary',
      'Application/X-Thrift',
    ])
      assert.equal((await post(call('binary', 'ping'), { 'content-type': type })).status, 200, type)
  })

  it('answers what a call does wrong as an exception in a reply', async () => {
    for (const [bytes, expected] of [
      [call('binary', 'getTask', 'x'), /BAD_ID/],
      [call('binary', 'getTaskStatus', 'x'), /getTaskStatus/],
      [call('compact', 'noMethod'), /NOT_FOUND: There is no method "noMethod"/],
      [Buffer.concat([call('binary', 'getTask', 'x').subarray(0, -1), Buffer.from([99])]), /BAD_REQUEST/],
      [call('binary', 'getTask', 'x').subarray(0, -1), /BAD_REQUEST: The body must be one call/],
    ] as const) {
      const response = await post(bytes)
      assert.equal(response.status, 200)
      assert.match(Buffer.from(await response.arrayBuffer()).toString('latin1'), expected)
    }
  })

  it('answers what is no call as a problem', async () => {
    const bodies: [Uint8Array, number, string][] = [
      [Buffer.from('{}'), 400, 'BAD_REQUEST'],
      [Buffer.alloc(0), 400, 'BAD_REQUEST'],
      [Buffer.from([0x80]), 400, 'BAD_REQUEST'],
      [Buffer.concat([call('binary', 'ping'), call('binary', 'ping')]), 400, 'BAD_REQUEST'],
      [Buffer.alloc(1024 * 1024 + 1, 0x80), 413, 'BODY_TOO_LARGE'],
    ]
    for (const [body, status, code] of bodies) {
      const response = await post(body)
      assert.equal(response.status, status)
      assert.equal((await jsonOf(response)).code, code)
    }
  })

  it('takes no other content type, which a page of another site could send, and no encoding', async () => {
    const refused = [
      { 'content-type': 'text/plain' },
      { 'content-type': 'application/json' },
      { 'content-type': TYPE, 'content-encoding': 'gzip' },
    ]
    for (const headers of refused)
      assert.equal((await post(call('binary', 'ping'), headers as never)).status, 415)
    const foreign = await post(call('binary', 'ping'), {
      'content-type': TYPE,
      origin: 'https://evil.example',
    })
    assert.equal(foreign.status, 403)
    assert.equal((await door.app.request('/rpc')).status, 405)
  })
})
