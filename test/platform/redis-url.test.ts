// The URL of a Redis: every form that is promised, and nothing that only looks like one.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { describePlace, parseRedisUrl } from '../../src/platform/redis-url.ts'

const server = (host: string, port = 6379) => ({ type: 'server', host, port })
const plain = { tls: false, username: null, password: null, db: 0 }

describe('the URL of a Redis', () => {
  it('names a server, with or without a port, a database, a login and TLS', () => {
    const cases: [string, unknown][] = [
      ['redis://one', { ...plain, at: server('one') }],
      ['redis://one/', { ...plain, at: server('one') }],
      ['redis://127.0.0.1:7000/3', { ...plain, db: 3, at: server('127.0.0.1', 7000) }],
      ['redis://[::1]:7000', { ...plain, at: server('::1', 7000) }],
      ['redis://:secret@one', { ...plain, password: 'secret', at: server('one') }],
      ['redis://ann:s%40cret@one', { ...plain, username: 'ann', password: 's@cret', at: server('one') }],
      ['rediss://one:6380', { ...plain, tls: true, at: server('one', 6380) }],
    ]
    for (const [url, expected] of cases) assert.deepEqual(parseRedisUrl(url), expected, url)
  })

  it('names a master by its Sentinels', () => {
    assert.deepEqual(parseRedisUrl('redis+sentinel://:secret@one:5000,two,[::1]:5001/mymaster/2'), {
      tls: false,
      username: null,
      password: 'secret',
      db: 2,
      at: {
        type: 'sentinels',
        name: 'mymaster',
        sentinels: [
          { host: 'one', port: 5000 },
          { host: 'two', port: 26_379 },
          { host: '::1', port: 5001 },
        ],
      },
    })
    assert.equal(parseRedisUrl('rediss+sentinel://one/mymaster')?.tls, true)
  })

  it('is nothing else', () => {
    for (const url of [
      '',
      'redis',
      'redis://',
      'http://one',
      'redis://one:0',
      'redis://one:65536',
      'redis://one/x',
      'redis://one/1/2',
      'redis://one two',
      'redis://one,two',
      'redis://a@b@c',
      'redis://:%@one',
      'redis+sentinel://one',
      'redis+sentinel://one,/mymaster',
      'redis+sentinel:///mymaster',
    ])
      assert.equal(parseRedisUrl(url), null, url)
  })

  it('takes any text without an error, and never says the password', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        parseRedisUrl(text)
        parseRedisUrl(`redis://${text}`)
      }),
    )
    for (const url of ['redis://ann:secret@one:1', 'redis+sentinel://:secret@one:1,two/mymaster']) {
      const place = parseRedisUrl(url)
      assert.ok(place)
      assert.doesNotMatch(describePlace(place), /secret/)
      assert.match(describePlace(place), /one:1/)
    }
  })
})
