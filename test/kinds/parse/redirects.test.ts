// A server that redirects: into the private network, in a circle, to what is no page. Whatever it names, nothing is
// connected to that may not be.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { connect } from '../../../src/kinds/lib/parse/connect.ts'
import { createGuard } from '../../../src/kinds/lib/parse/guard.ts'
import type { Resolve } from '../../../src/kinds/lib/parse/resolve.ts'
import { fetchFrom, type RudeServer, serve, serveRaw } from './rude-server.ts'

const LONG = { timeout: 300_000 }
const HOME = { address: '127.0.0.1', family: 4 }

describe('redirects', () => {
  let rude: RudeServer
  let secret: RudeServer
  let allow: string[]
  before(async () => {
    secret = await serve((_request, response) => response.end('<title>secret</title>'))
    rude = await serve((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '', 'http://x')
      const to = searchParams.get('to')
      const status = Number(searchParams.get('status') ?? 302)
      if (pathname === '/count') {
        const n = Number(searchParams.get('n'))
        response.writeHead(302, { location: n > 0 ? `/count?n=${n - 1}` : '/page' })
      } else if (pathname === '/none') response.writeHead(302, { 'content-type': 'text/html' })
      else if (to !== null) response.writeHead(status, { location: Buffer.from(to).toString('latin1') })
      else response.writeHead(200, { 'content-type': 'text/html' })
      response.end(`<title>${pathname}</title><a href=next>n</a>`)
    })
    allow = [`127.0.0.1:${rude.port}`, `name.test:${rude.port}`]
  })
  after(() => Promise.all([rude.close(), secret.close()]))
  const to = (target: string, status = 302): string =>
    `${rude.url}/r?status=${status}&to=${encodeURIComponent(target)}`

  it('never lead into the private network, in any spelling of it', LONG, async () => {
    const { port } = secret
    const refused = async (target: string, code: string) =>
      assert.rejects(fetchFrom(to(target), allow), { code }, target)
    for (const host of [
      '127.0.0.1',
      'localhost',
      'LOCALHOST',
      '127.1',
      '2130706433',
      '0x7f000001',
      '0x7f.1',
      '0177.0.0.1',
      '017700000001',
      '127.0.0.1.',
      '0.0.0.0',
      '0',
      '127.255.255.254',
      '１２７.０.０.１',
      '①②⑦.0.0.1',
      '127。0。0。1',
      '%31%32%37.0.0.1',
      '[::1]',
      '[::]',
      '[::ffff:127.0.0.1]',
      '[::ffff:7f00:1]',
      '[0:0:0:0:0:ffff:127.0.0.1]',
      '[64:ff9b::7f00:1]',
      '169.254.169.254',
      '[fd00:ec2::254]',
      '10.0.0.1',
      '192.168.1.1',
    ])
      await refused(`http://${host}:${port}/`, 'PARSE_REFUSED')
    for (const status of [301, 302, 303, 307, 308])
      await assert.rejects(fetchFrom(to(secret.url, status), allow), { code: 'PARSE_REFUSED' })
    await refused(`//127.0.0.1:${port}/`, 'PARSE_REFUSED')
    await refused(`\\\\127.0.0.1:${port}\\`, 'PARSE_REFUSED')
    await refused(`https://127.0.0.1:${port}/`, 'PARSE_REFUSED')
    await refused(`http://name.test@127.0.0.1:${port}/`, 'PARSE_URL')
    await refused(`http://[fe80::1%25lo]:${port}/`, 'PARSE_URL')
    await refused(`http://0x100000000:${port}/`, 'PARSE_URL')
    // two hops further on
    await refused(to(to(secret.url)), 'PARSE_REFUSED')
    assert.equal(secret.connections(), 0)
    const found = await fetchFrom(to(secret.url), [...allow, `127.0.0.1:${port}`])
    assert.equal(found.isHtml, true)
    assert.equal(secret.connections(), 1)
  })

  it('lead to http and https alone, without a user, and to no port of another service', LONG, async () => {
    for (const target of [
      'javascript:alert(1)',
      'file:///etc/passwd',
      'data:text/html,<title>x</title>',
      'ftp://name.test/',
      'about:blank',
      'http://user:password@name.test/',
      'http://name.test:25/',
      'http://',
      'http://[::1',
      'http://name.test:99999/',
      `http://name.test/${'x'.repeat(3_000)}`,
    ])
      await assert.rejects(fetchFrom(to(target), allow), { code: 'PARSE_URL' }, target)
  })

  it('are followed ten times, and not in a circle', LONG, async () => {
    const { redirects, title, finalUrl } = await fetchFrom(`${rude.url}/count?n=9`, allow)
    assert.equal(redirects.length, 10)
    assert.deepEqual(redirects[0], { url: `${rude.url}/count?n=9`, status: 302 })
    assert.equal(title, '/page')
    assert.equal(finalUrl, `${rude.url}/page`)
    await assert.rejects(fetchFrom(`${rude.url}/count?n=10`, allow), { code: 'PARSE_REDIRECTS' })
    const circle = await circleServer()
    await assert.rejects(fetchFrom(circle.url, [`127.0.0.1:${circle.port}`]), {
      code: 'PARSE_REDIRECTS',
      message: /circle/,
    })
    assert.equal(circle.connections(), 2)
    await circle.close()
  })

  it('are resolved against the page, keep its part, and may be written in UTF-8', async () => {
    const { finalUrl } = await fetchFrom(`${to('/ü?é=1')}#part`, allow)
    assert.equal(finalUrl, `${rude.url}/%C3%BC?%C3%A9=1#part`)
    assert.equal((await fetchFrom(to('?x'), allow)).finalUrl, `${rude.url}/r?x`)
    assert.equal((await fetchFrom(to('page#other'), allow)).finalUrl, `${rude.url}/page#other`)
  })

  it('without a target, or with a status that is none, are the page', async () => {
    const { status, title, redirects } = await fetchFrom(`${rude.url}/none`, allow)
    assert.deepEqual([status, title, redirects], [302, '/none', []])
    assert.equal((await fetchFrom(to('/page', 300), allow)).status, 300)
    assert.equal((await fetchFrom(to('/page', 201), allow)).status, 201)
  })

  it(
    'ask the resolver anew, and a name that has moved into the private network is refused',
    LONG,
    async () => {
      const asked: string[] = []
      // first the machine that may be reached, then the one that may not
      const resolve: Resolve = async host => {
        asked.push(host)
        return asked.length === 1 ? [HOME] : [{ address: '127.0.0.2', family: 4 }]
      }
      const url = `http://moving.test:${rude.port}/r?to=%2Fpage`
      await assert.rejects(fetchFrom(url, allow, { resolve }), { code: 'PARSE_REFUSED' })
      assert.deepEqual(asked, ['moving.test', 'moving.test'])
    },
  )

  it('do not resolve a name twice for one hop, so it cannot change between check and connection', async () => {
    let times = 0
    const resolve: Resolve = async () => {
      times += 1
      return times === 1 ? [HOME] : [{ address: '127.0.0.2', family: 4 }]
    }
    const { status } = await fetchFrom(`http://rebinding.test:${rude.port}/page`, allow, { resolve })
    assert.deepEqual([status, times], [200, 1])
  })

  it('send no cookie, no login and no referrer', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/b', 'set-cookie': 'a=b; Path=/' })
      response.end()
    })
    try {
      await fetchFrom(server.url, [`127.0.0.1:${server.port}`])
      assert.match(server.heard(), /^GET \/b HTTP\/1\.1\r$/m)
      assert.match(server.heard(), /^user-agent: Madhava\/\d+\r$/im)
      assert.match(server.heard(), new RegExp(`^host: 127\\.0\\.0\\.1:${server.port}\\r$`, 'im'))
      assert.doesNotMatch(server.heard(), /^(?:cookie|authorization|referer|x-forwarded-\w+):/im)
    } finally {
      await server.close()
    }
  })

  it('go past a proxy that the environment names', async () => {
    const proxy = await serve((_request, response) => response.end())
    const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'ALL_PROXY', 'NODE_USE_ENV_PROXY']
    const kept = names.map(name => process.env[name])
    for (const name of names) process.env[name] = name === 'NODE_USE_ENV_PROXY' ? '1' : proxy.url
    try {
      assert.equal((await fetchFrom(`${rude.url}/page`, allow)).title, '/page')
      assert.equal(proxy.connections(), 0)
    } finally {
      for (const [n, name] of names.entries())
        if (kept[n] === undefined) delete process.env[name]
        else process.env[name] = kept[n]
      await proxy.close()
    }
  })

  it('are checked once more where the connection has arrived', async () => {
    const url = new URL(`http://name.test:${secret.port}/`)
    const before = secret.heard()
    await assert.rejects(
      connect(url, { addresses: [HOME], guard: createGuard([]), signal: new AbortController().signal }),
      { code: 'PARSE_REFUSED' },
    )
    assert.equal(secret.heard(), before)
  })

  it('try the next address of a host if the first takes no connection', async () => {
    const resolve: Resolve = async () => [{ address: '127.0.0.3', family: 4 }, HOME]
    const { title } = await fetchFrom(`http://name.test:${rude.port}/page`, allow, { resolve })
    assert.equal(title, '/page')
  })
})

/** Two pages that redirect to each other, with another part of the page each time. */
const circleServer = (): Promise<RudeServer> => {
  let times = 0
  return serveRaw(socket => {
    times += 1
    socket.end(
      `HTTP/1.1 302 Found\r\nlocation: ${times % 2 ? '/a' : '/'}#${times}\r\ncontent-length: 0\r\n\r\n`,
    )
  })
}
