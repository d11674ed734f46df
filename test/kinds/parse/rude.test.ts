// A server that misbehaves: it is slow, endless, broken, or packs a bomb. Each ends in a result or in an error with a
// code, within bounds.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { undo } from '../../support/undo.ts'
import { until } from '../../support/until.ts'
import { fetchFrom, plain, serve, serveRaw, serveTls } from './rude-server.ts'

const LONG = { timeout: 300_000 }
type Options = Parameters<typeof fetchFrom>[2]

/** What comes of one page from a server that speaks so. */
const fetchRaw = async (speak: (socket: Socket) => void, options: Options = {}) => {
  const server = await serveRaw(speak)
  try {
    return await fetchFrom(`${server.url}/`, [`127.0.0.1:${server.port}`], options)
  } finally {
    await server.close()
  }
}
const say =
  (text: string | Buffer) =>
  (socket: Socket): void =>
    void socket.end(text)
const fails = async (speak: (socket: Socket) => void, code: string, what: string, options?: Options) =>
  assert.rejects(fetchRaw(speak, options), { name: 'ParseError', code }, what)

/** Writes the same again and again, as fast as it is read. */
const forever =
  (head: string, piece: string | Buffer) =>
  (socket: Socket): void => {
    socket.write(head)
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
    }
    socket.on('drain', more)
    more()
  }
/** Writes a little now and then: never enough, and never long silent. */
const drip =
  (head: string, piece: string) =>
  (socket: Socket): void => {
    socket.write(head)
    const timer = setInterval(() => socket.write(piece), 20)
    socket.on('close', () => clearInterval(timer))
  }
const HTML = 'HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n'

describe('a server that does not answer as it should', () => {
  it('is told from one that does: what is not HTTP has the code PARSE_RESPONSE', LONG, async () => {
    for (const [what, text] of [
      ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
      ['HTTP 0.9', '<title>x</title>'],
      ['a status that is none', 'HTTP/1.1 abc OK\r\n\r\n'],
      ['headers that are none', 'HTTP/1.1 200 OK\r\nno colon\r\n\r\n'],
      ['two lengths', `${HTML}content-length: 1\r\ncontent-length: 2\r\n\r\nab`],
      ['a length that is no number', `${HTML}content-length: x\r\n\r\nab`],
      [
        'a length and chunks',
        `${HTML}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`,
      ],
      ['chunks that are none', `${HTML}transfer-encoding: chunked\r\n\r\nzz\r\nab\r\n`],
      ['a chunk without its end', `${HTML}transfer-encoding: chunked\r\n\r\n1\r\nabcd\r\n0\r\n\r\n`],
      ['a header of 100 kB', `${HTML}x: ${'y'.repeat(100_000)}\r\n\r\n`],
      ['sixty thousand headers', `${HTML}${'x: y\r\n'.repeat(60_000)}\r\n`],
      [
        'another protocol after the request',
        'HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
      ],
      ['too many answers before the answer', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(50)],
      ['bytes', Buffer.from([0, 255, 1, 254])],
    ] as const)
      await fails(say(text), 'PARSE_RESPONSE', what)
    await fails(forever('', 'HTTP/1.1 100 Continue\r\n\r\n'), 'PARSE_RESPONSE', 'endless 100')
    await fails(forever(HTML, 'x: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n'), 'PARSE_RESPONSE', 'endless headers')
    await fails(
      forever(`${HTML}transfer-encoding: chunked\r\n\r\n1;`, 'x'.repeat(1_000)),
      'PARSE_RESPONSE',
      'an endless extension of a chunk',
    )
  })

  it('and ends too early has the code PARSE_CUT, which may be tried again', LONG, async () => {
    for (const [what, text] of [
      ['nothing', ''],
      ['half of a status', 'HTTP/1.1 20'],
      ['half of the headers', `${HTML}x: y\r\n`],
      ['less than its length', `${HTML}content-length: 100\r\n\r\n<title>x`],
      ['a chunk that is missing', `${HTML}transfer-encoding: chunked\r\n\r\n9\r\nabc`],
      ['the end of the chunks missing', `${HTML}transfer-encoding: chunked\r\n\r\n1\r\na\r\n`],
    ] as const)
      await fails(say(text), 'PARSE_CUT', what)
    await fails(socket => socket.resetAndDestroy(), 'PARSE_CUT', 'a reset')
    await fails(
      socket => socket.write(`${HTML}content-length: 9\r\n\r\nab`, () => socket.resetAndDestroy()),
      'PARSE_CUT',
      'a reset in the body',
    )
  })

  it('and sends more than its length, or goes on after its end, is read to its end', async () => {
    const { title, bytes } = await fetchRaw(say(`${plain('<title>x</title>')}${'y'.repeat(1_000)}`))
    assert.deepEqual([title, bytes], ['x', 16])
    const open = await fetchRaw(socket => socket.end(`${HTML}\r\n<title>until the end</title>`))
    assert.equal(open.title, 'until the end')
  })

  it('is PARSE_UNREACHABLE if nobody listens, and PARSE_NO_HOST if there is no such name', async () => {
    const server = await serve(() => undefined)
    await server.close()
    await assert.rejects(fetchFrom(server.url, ['127.0.0.1']), {
      code: 'PARSE_UNREACHABLE',
      message: /ECONNREFUSED/,
    })
    const failing = (code: string) => ({
      resolve: () => Promise.reject(Object.assign(new Error(code), { code })),
    })
    await assert.rejects(fetchFrom('http://a.test/', [], failing('ENOTFOUND')), { code: 'PARSE_NO_HOST' })
    await assert.rejects(fetchFrom('http://a.test/', [], failing('EAI_AGAIN')), { code: 'PARSE_UNREACHABLE' })
  })
})

describe('a server that is slow', () => {
  it('is left after timeoutSeconds, wherever it dallies', LONG, async () => {
    const params = { timeoutSeconds: 1 }
    const silent = (): void => undefined
    for (const [what, speak] of [
      ['silence', silent],
      ['headers in drops', drip(HTML, 'x: y\r\n')],
      ['a body in drops', drip(`${HTML}\r\n`, '<p>x')],
      ['chunks in drops', drip(`${HTML}transfer-encoding: chunked\r\n\r\n`, '1\r\nx\r\n')],
      ['a body that stops', (socket: Socket) => void socket.write(`${HTML}content-length: 9\r\n\r\nabc`)],
      ['compressed drops', drip(`${HTML}content-encoding: gzip\r\n\r\n`, '')],
    ] as const)
      await fails(speak, 'PARSE_TIMEOUT', what, { params })
    await assert.rejects(
      fetchFrom('http://a.test/', [], { params, resolve: () => new Promise(() => undefined) }),
      { code: 'PARSE_TIMEOUT' },
    )
    let hops = 0
    const server = await serve((_request, response) => {
      hops += 1
      setTimeout(() => response.writeHead(302, { location: `/${hops}` }).end(), 300)
    })
    await assert.rejects(fetchFrom(server.url, [`127.0.0.1:${server.port}`], { params }), {
      code: 'PARSE_TIMEOUT',
    })
    assert.ok(hops >= 1 && hops < 10, `${hops}`)
    await server.close()
  })

  it('is left at a cancel at once, and its connection is closed', LONG, async () => {
    for (const speak of [
      () => undefined,
      drip(`${HTML}\r\n`, '<p>x'),
      (socket: Socket) => void socket.write(`${HTML}content-encoding: gzip\r\n\r\n`),
    ]) {
      const controller = new AbortController()
      let closed = false
      const reason = new Error('enough')
      const fetched = fetchRaw(
        socket => {
          socket.on('close', () => {
            closed = true
          })
          speak(socket)
          setTimeout(() => controller.abort(reason), 50)
        },
        { signal: controller.signal },
      )
      await assert.rejects(fetched, reason)
      await until('the connection is closed', () => closed)
    }
    await assert.rejects(
      fetchFrom('http://a.test/', [], { signal: AbortSignal.abort(new Error('before')) }),
      /before/,
    )
  })
})

describe('a body', () => {
  const params = { maxBytes: 100_000 }

  it('without an end is cut at maxBytes, and what came is parsed', LONG, async () => {
    for (const head of [`${HTML}\r\n`, `${HTML}content-length: 999999999999\r\n\r\n`]) {
      const found = await fetchRaw(forever(`${head}<title>x</title>`, '<p>word</p>'), { params })
      assert.deepEqual([found.title, found.bytes, found.truncated], ['x', 100_000, 'bytes'])
      assert.ok(found.words > 1_000)
    }
    const chunked = `${HTML}transfer-encoding: chunked\r\n\r\n`
    const found = await fetchRaw(forever(chunked, '5\r\n<p>x \r\n'), { params })
    assert.deepEqual([found.bytes, found.truncated], [100_000, 'bytes'])
  })

  it('of just maxBytes is whole', async () => {
    const page = `<title>x</title>${'y'.repeat(84)}`
    for (const body of [plain(page), gzipped(page)]) {
      const { bytes, truncated } = await fetchRaw(say(body), { params: { maxBytes: 100 } })
      assert.deepEqual([bytes, truncated], [100, null])
      assert.equal((await fetchRaw(say(body), { params: { maxBytes: 99 } })).truncated, 'bytes')
    }
  })

  it('is decompressed: gzip, deflate in both ways, brotli', async () => {
    const page = Buffer.from('<title>ü</title>')
    for (const [coding, bytes] of [
      ['gzip', gzipSync(page)],
      ['GZIP', gzipSync(page)],
      ['x-gzip', gzipSync(page)],
      ['deflate', deflateSync(page)],
      ['deflate', deflateRawSync(page)],
      ['br', brotliCompressSync(page)],
      ['identity', page],
      ['', page],
    ] as const)
      assert.equal((await fetchRaw(say(packed(coding, bytes)))).title, 'ü', coding)
    assert.equal((await fetchRaw(say(packed('gzip', Buffer.alloc(0))))).bytes, 0)
  })

  it('that is a bomb is unpacked to maxBytes and no further', LONG, async () => {
    const zeros = Buffer.alloc(50_000_000, 'x')
    for (const [coding, bytes] of [
      ['gzip', gzipSync(zeros)],
      ['deflate', deflateSync(zeros)],
      ['br', brotliCompressSync(zeros.subarray(0, 5_000_000))],
    ] as const) {
      const before = process.memoryUsage().rss
      const found = await fetchRaw(say(packed(coding, bytes)), { params })
      assert.deepEqual([found.bytes, found.truncated], [100_000, 'bytes'], coding)
      assert.ok(process.memoryUsage().rss - before < 100_000_000, coding)
    }
  })

  it('that is compressed twice, in an unknown way or badly has the code PARSE_ENCODING', LONG, async () => {
    const page = Buffer.from('<title>x</title>')
    for (const [coding, bytes] of [
      ['gzip, gzip', gzipSync(gzipSync(page))],
      ['gzip,br,gzip', page],
      ['lzma', page],
      ['../../x', page],
      ['gzip', page],
      ['br', Buffer.from([255, 255, 255, 255])],
      ['deflate', Buffer.from([255, 255, 255, 255])],
    ] as const)
      await fails(say(packed(coding, bytes)), 'PARSE_ENCODING', coding)
    const broken = gzipSync(Buffer.alloc(10_000, 'abc'))
    broken.fill(0, 15, 30)
    await fails(say(packed('gzip', broken)), 'PARSE_ENCODING', 'broken inside')
  })

  it('that is no page is not read, and the result says so', async () => {
    for (const type of [
      'application/pdf',
      'text/plain',
      'image/png',
      'application/octet-stream',
      'text/html-x',
    ]) {
      const found = await fetchRaw(
        forever(`HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n\r\n`, 'x'.repeat(1_000)),
      )
      assert.deepEqual(
        [found.isHtml, found.contentType, found.bytes, found.title, found.links],
        [false, type, 0, null, []],
      )
    }
  })

  it('without a type is a page if it looks like one', async () => {
    for (const [type, text, isHtml] of [
      ['', '\n <!DOCTYPE html><title>x</title>', true],
      ['', '\ufeff<html><title>x</title>', true],
      ['x-a: content-type', '<!-- a --><title>x</title>', true],
      ['content-type: nonsense', '<p >x', true],
      ['content-type: ', 'plain text <p>', false],
      ['', '%PDF-1.7', false],
      ['', '', false],
    ] as const) {
      const found = await fetchRaw(say(plain(text, type === '' ? 'x: y' : type)))
      assert.equal(found.isHtml, isHtml, `${type} ${text}`)
      assert.equal(found.contentType, null)
    }
  })

  it('of an error is a result', async () => {
    for (const status of [404, 500, 204, 999]) {
      const body = status === 204 ? '' : '<title>no</title>'
      const found = await fetchRaw(say(plain(body).replace('200 OK', `${status} X`)))
      assert.deepEqual([found.status, found.title], [status, status === 204 ? null : 'no'])
    }
  })
})

describe('a certificate', () => {
  it(
    'counts if it is signed and names the host; else it is PARSE_TLS, as is a server without TLS',
    LONG,
    async t => {
      const folder = mkdtempSync(path.join(tmpdir(), 'madhava-parse-'))
      const [key, cert] = [path.join(folder, 'key.pem'), path.join(folder, 'cert.pem')]
      const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=name.test
      -addext subjectAltName=DNS:name.test,IP:127.0.0.1 -keyout ${key} -out ${cert}`
      execFileSync('openssl', words.split(/\s+/), { stdio: 'ignore' })
      let requests = 0
      const server = await serveTls(readFileSync(key, 'utf8'), readFileSync(cert, 'utf8'), () => {
        requests += 1
        return plain('<title>x</title>')
      })
      const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED
      process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
      undo(t, () => {
        if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED
        else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before
        rmSync(folder, { recursive: true })
        return server.close()
      })
      const allow = ['127.0.0.1']
      await assert.rejects(fetchFrom(server.url, allow), { code: 'PARSE_TLS', message: /SELF_SIGNED/ })
      assert.equal(requests, 0)
      const { stdout } = await promisify(execFile)(
        process.execPath,
        [
          ...['--import', 'tsx', fileURLToPath(new URL('./tls-child.ts', import.meta.url))],
          ...['127.0.0.1', 'name.test', 'NAME.test.', 'other.test'].map(
            host => `https://${host}:${server.port}/`,
          ),
        ],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: cert, NODE_NO_WARNINGS: '1' } },
      )
      assert.deepEqual(JSON.parse(stdout), { found: ['x', 'x', 'x', 'PARSE_TLS'], left: [] })
      const bare = await serveRaw(say('HTTP/1.1 400 Bad Request\r\n\r\n'))
      await assert.rejects(fetchFrom(bare.url.replace('http', 'https'), allow), { code: 'PARSE_TLS' })
      await bare.close()
      const silent = await serveRaw(() => undefined)
      await assert.rejects(
        fetchFrom(silent.url.replace('http', 'https'), allow, { params: { timeoutSeconds: 1 } }),
        { code: 'PARSE_TIMEOUT' },
      )
      await silent.close()
    },
  )
})

describe('robots.txt of a server', () => {
  const site = async (robots: string, url = '/page') => {
    const asked: string[] = []
    const server = await serveRaw(socket => socket.end(robots))
    const pages = await serve((request, response) => {
      asked.push(request.url ?? '')
      if (request.url === '/moved') response.writeHead(302, { location: '/private' }).end()
      else if (request.url === '/robots.txt') {
        response.socket?.end(robots)
      } else response.writeHead(200, { 'content-type': 'text/html' }).end('<title>x</title>')
    })
    try {
      const allow = [`127.0.0.1:${pages.port}`]
      return await fetchFrom(`${pages.url}${url}`, allow, {
        params: { robots: true, timeoutSeconds: 60 },
      }).then(
        ({ title }) => ({ end: title, asked }),
        ({ code }: { code: string }) => ({ end: code, asked }),
      )
    } finally {
      await server.close()
      await pages.close()
    }
  }
  const file = (text: string): string => plain(text, 'content-type: text/plain')

  it('is asked once, before the page, and obeyed at each hop', LONG, async () => {
    const text = 'User-agent: madhava\nDisallow: /private\n'
    assert.deepEqual(await site(file(text)), { end: 'x', asked: ['/robots.txt', '/page'] })
    assert.deepEqual(await site(file(text), '/private'), { end: 'PARSE_ROBOTS', asked: ['/robots.txt'] })
    assert.deepEqual(await site(file(text), '/moved'), {
      end: 'PARSE_ROBOTS',
      asked: ['/robots.txt', '/moved'],
    })
  })

  it('allows all if there is none, and nothing if it cannot be read', LONG, async () => {
    assert.equal((await site('HTTP/1.1 404 X\r\ncontent-length: 0\r\n\r\n')).end, 'x')
    assert.equal((await site('HTTP/1.1 403 X\r\ncontent-length: 0\r\n\r\n')).end, 'x')
    assert.equal((await site('HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n')).end, 'PARSE_ROBOTS_UNKNOWN')
    assert.equal((await site('nonsense')).end, 'PARSE_ROBOTS_UNKNOWN')
    assert.equal((await site('')).end, 'PARSE_ROBOTS_UNKNOWN')
    assert.equal(
      (await site('HTTP/1.1 302 X\r\nlocation: /robots.txt\r\ncontent-length: 0\r\n\r\n')).end,
      'PARSE_ROBOTS_UNKNOWN',
    )
    // it is a way into the private network like any other
    assert.equal(
      (await site('HTTP/1.1 302 X\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n')).end,
      'PARSE_REFUSED',
    )
  })
})

function packed(coding: string, bytes: Buffer): Buffer {
  const head = `${HTML}content-encoding: ${coding}\r\ncontent-length: ${bytes.length}\r\n\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}
function gzipped(text: string): Buffer {
  return packed('gzip', gzipSync(text))
}
