import assert from 'node:assert/strict'
import { isIP } from 'node:net'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  createHostGuard,
  isCrossSite,
  isLookingAhead,
  isUnproven,
  parseHost,
} from '../../src/platform/http-guards.ts'

describe('the host guard', () => {
  const allowed = createHostGuard(['Tasks.Example.org', 'bundle:8000'])

  it('lets localhost, IP literals and the allowed names pass, with any port and in any case', () => {
    for (const host of [
      'localhost',
      'LOCALHOST:8000',
      'localhost.',
      '127.0.0.1',
      '127.9.9.9:1',
      '192.168.1.5:8000',
      '[::1]',
      '[::1]:8000',
      '[fe80::1]:65535',
      '[::ffff:127.0.0.1]',
      'tasks.example.org',
      'TASKS.EXAMPLE.ORG.:443',
      'bundle',
      'bundle:9001',
    ])
      assert.equal(allowed(host), true, host)
  })

  it('lets a request without a Host header pass, which no browser sends', () => {
    assert.equal(allowed(null), true)
  })

  it('refuses every other name, and what only looks like a good one', () => {
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      'evil-tasks.example.org',
      'example.org',
      '2130706433',
      '0x7f.1',
      '127.1',
      '127.0.0.1:99999',
      '127.0.0.1:80:80',
      '::1',
      '[::1',
      '[::1]x',
      '[::1%eth0]',
      '[127.0.0.1]',
      'user@localhost',
      'localhost/x',
      'localhost:80 ',
      ' localhost',
      'local\u0000host',
      '',
      '.',
      ':80',
    ])
      assert.equal(allowed(host), false, JSON.stringify(host))
  })

  it('lets nothing pass but localhost and addresses when no name is allowed, whatever is sent', () => {
    const strict = createHostGuard([])
    const host = fc.oneof(
      fc.domain(),
      fc.string(),
      fc.webAuthority(),
      fc.ipV4(),
      fc.ipV6().map(ip => `[${ip}]`),
    )
    fc.assert(
      fc.property(host, header => {
        const name = parseHost(header)?.name
        assert.equal(strict(header), name !== undefined && (isIP(name) !== 0 || name === 'localhost'))
        if (name !== undefined && isIP(name) === 6) assert.ok(header.startsWith('['))
      }),
    )
  })

  it('lets every address pass, with every port', () => {
    const strict = createHostGuard([])
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6().map(ip => `[${ip}]`),
    )
    fc.assert(
      fc.property(address, fc.integer({ min: 0, max: 65_535 }), (ip, port) => {
        assert.equal(strict(ip), true, ip)
        assert.equal(strict(`${ip}:${port}`), true)
      }),
    )
  })
})

describe('the cross-site guard', () => {
  const from = (origin: string | null, site: string | null, host: string | null = 'localhost:8000') =>
    isCrossSite({ host, origin, site })

  it('takes programs, typed addresses and pages of the same origin for our own', () => {
    assert.equal(from(null, null), false)
    assert.equal(from(null, 'none'), false)
    assert.equal(from(null, 'same-origin'), false)
    assert.equal(from('http://localhost:8000', null), false)
    assert.equal(from('http://LOCALHOST:8000', 'same-origin'), false)
    assert.equal(from('https://tasks.example.org', 'same-origin', 'tasks.example.org'), false)
    assert.equal(from('https://tasks.example.org', null, 'tasks.example.org:443'), false)
    assert.equal(from('http://[::1]:8000', null, '[::1]:8000'), false)
    assert.equal(from('null', 'same-origin'), false)
  })

  it('takes other sites, other ports of this machine, and opaque origins for foreign', () => {
    assert.equal(from(null, 'cross-site'), true)
    assert.equal(from(null, 'same-site'), true)
    assert.equal(from('http://localhost:8000', 'cross-site'), true)
    assert.equal(from(null, 'something-new'), true)
    assert.equal(from('http://localhost:3000', null), true)
    assert.equal(from('http://localhost', null), true)
    assert.equal(from('http://evil.example', null), true)
    assert.equal(from('http://evil.example', 'same-origin'), true)
    assert.equal(from('http://localhost:8000.evil.example', null), true)
    assert.equal(from('http://localhost:8000@evil.example', null), true)
    assert.equal(from('null', null), true)
    assert.equal(from('null', 'none'), true)
    assert.equal(from('', null), true)
    assert.equal(from('file://', null), true)
    assert.equal(from('http://localhost:8000', null, null), true)
  })

  it('takes an origin for our own only when it names the very host that was asked', () => {
    const name = fc.domain().map(domain => domain.toLowerCase())
    const port = fc.integer({ min: 1, max: 65_535 })
    fc.assert(
      fc.property(name, port, name, port, (ours, ourPort, theirs, theirPort) => {
        const host = `${ours}:${ourPort}`
        assert.equal(from(`http://${host}`, null, host), false)
        assert.equal(
          from(`http://${theirs}:${theirPort}`, null, host),
          !(ours === theirs && ourPort === theirPort),
        )
      }),
    )
    fc.assert(fc.property(fc.string(), text => assert.equal(from(text, 'cross-site'), true)))
  })
})

describe('the guard against browsers that do not say who asked', () => {
  const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36'
  const unproven = (headers: Record<string, string>, method = 'GET') =>
    isUnproven({ method, header: name => ({ host: 'tasks.lan:8000', ...headers })[name] ?? null })

  it('lets programs pass, whatever they are written in', () => {
    for (const headers of [
      {},
      { 'user-agent': 'curl/8.5.0', accept: '*/*' },
      { 'user-agent': 'Wget/1.21.4', accept: '*/*', 'accept-encoding': 'identity' },
      { 'user-agent': 'python-requests/2.32', accept: '*/*', 'accept-encoding': 'gzip, deflate' },
      { 'user-agent': 'Python-urllib/3.12', 'accept-encoding': 'identity' },
      { 'user-agent': 'node', accept: '*/*', 'accept-language': '*', 'sec-fetch-mode': 'cors' },
      { 'user-agent': 'HTTPie/3.2', accept: 'application/json, */*;q=0.5' },
      { 'user-agent': 'Go-http-client/1.1', 'accept-encoding': 'gzip' },
      { 'user-agent': 'Java/21.0.1', accept: 'text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2' },
      { 'user-agent': 'Mozilla/5.0 (Windows NT; Windows NT 10.0; de-DE) WindowsPowerShell/5.1.22621' },
      { accept: 'application/json' },
    ])
      assert.equal(unproven(headers), false, JSON.stringify(headers))
  })

  it('refuses what only a browser sends, each sign alone', () => {
    for (const headers of [
      { 'user-agent': CHROME },
      { 'user-agent': CHROME, accept: '*/*' },
      { 'user-agent': 'Opera/9.80 (X11)' },
      { accept: 'image/avif,image/webp,*/*;q=0.8' },
      { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' },
      { 'accept-language': 'de-DE,de;q=0.9' },
      { 'upgrade-insecure-requests': '1' },
      { 'sec-ch-ua': '"Chromium";v="140"' },
      { 'user-agent': 'Java/21', 'upgrade-insecure-requests': '1' },
      { referer: 'http://evil.example/' },
      { referer: 'http://tasks.lan:9001/' },
      { referer: 'http://tasks.lan:8000@evil.example/' },
      { referer: 'about:blank' },
      { referer: '' },
    ])
      assert.equal(unproven(headers), true, JSON.stringify(headers))
  })

  it('takes a page of the same host, and what Sec-Fetch-Site or Origin speak of, as proven', () => {
    assert.equal(unproven({ 'user-agent': CHROME, referer: 'http://tasks.lan:8000/docs' }), false)
    for (const name of ['sec-fetch-site', 'origin'])
      assert.equal(unproven({ 'user-agent': CHROME, [name]: 'judged elsewhere' }), false, name)
  })

  it('asks no proof where a browser would have asked the server first', () => {
    assert.equal(unproven({ 'user-agent': CHROME, 'content-type': 'application/json' }, 'POST'), false)
    assert.equal(unproven({ 'user-agent': CHROME }, 'DELETE'), false)
    for (const type of [
      'text/plain;charset=UTF-8',
      'application/x-www-form-urlencoded',
      'Multipart/Form-Data; a',
    ])
      assert.equal(unproven({ 'user-agent': CHROME, 'content-type': type }, 'POST'), true, type)
    assert.equal(unproven({ 'user-agent': CHROME }, 'POST'), true)
    // a GET has no body that its type would speak of
    assert.equal(unproven({ 'user-agent': CHROME, 'content-type': 'application/json' }), true)
  })

  it('recognises a browser that only prefetches', () => {
    const ahead = (headers: Record<string, string>) =>
      isLookingAhead({ method: 'GET', header: name => headers[name] ?? null })
    assert.equal(ahead({ 'sec-purpose': 'prefetch;prerender' }), true)
    assert.equal(ahead({ purpose: 'prefetch' }), true)
    assert.equal(ahead({ 'x-moz': 'prefetch' }), true)
    assert.equal(ahead({ accept: 'text/html' }), false)
  })
})
