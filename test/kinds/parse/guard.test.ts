// What may be fetched: no address that is not public, in no spelling; what PARSE_ALLOW names, and nothing beside it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isPublic, parseAddress } from '../../../src/kinds/lib/parse/addresses.ts'
import { createAllowList } from '../../../src/kinds/lib/parse/allow-list.ts'
import { createGuard, type Guard, hostOf } from '../../../src/kinds/lib/parse/guard.ts'
import { addressesOf } from '../../../src/kinds/lib/parse/resolve.ts'
import { privatePlace } from '../../../src/setting-values.ts'

const NEVER = new AbortController().signal
const guard = createGuard([], [])
const known = (text: string): boolean => {
  const address = parseAddress(text)
  return address !== null && isPublic(address)
}

/** First address and bits, out of IANA's registries of special addresses. */
const PRIVATE_4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const
const numberOf = (text: string): number => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const dotted = (value: number): string => [24, 16, 8, 0].map(bits => (value >>> bits) & 255).join('.')

/** The number of an address that is not public. */
const privateNumber = fc
  .constantFrom(...PRIVATE_4)
  .chain(([base, bits]) =>
    fc.integer({ min: 0, max: 2 ** (32 - bits) - 1 }).map(offset => numberOf(base) + offset),
  )
/** How a URL may spell it. */
const SPELLINGS: ((value: number) => string)[] = [
  dotted,
  value => `${dotted(value)}.`,
  value => `${value}`,
  value => `0x${value.toString(16)}`,
  value => `0${value.toString(8)}`,
  value => `${value >>> 24}.${value & 0xffffff}`,
  value => `${value >>> 24}.${(value >>> 16) & 255}.${value & 0xffff}`,
  value => [24, 16, 8, 0].map(bits => `0x${((value >>> bits) & 255).toString(16).toUpperCase()}`).join('.'),
  value => [24, 16, 8, 0].map(bits => `000${((value >>> bits) & 255).toString(8)}`).join('.'),
  value =>
    [...dotted(value)].map(c => (c === '.' ? '。' : String.fromCodePoint(0xff10 + Number(c)))).join(''),
  value => dotted(value).replaceAll('.', '%2E'),
  value => `[::ffff:${dotted(value)}]`,
  value => `[::ffff:${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}]`,
  value => `[0:0:0:0:0:FFFF:${dotted(value)}]`,
  value => `[::${dotted(value)}]`,
  value => `[::ffff:0:${dotted(value)}]`,
  value => `[64:ff9b::${dotted(value)}]`,
  value => `[64:ff9b:1::${dotted(value)}]`,
  value => `[2002:${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}::1]`,
  value => `[2001:0:${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}::1]`,
  value => `[2a00:1::200:5efe:${dotted(value)}]`,
]

describe('the guard', () => {
  it('refuses every private IPv4 address, in every spelling that a URL has, and asks no resolver for it', async () => {
    await fc.assert(
      fc.asyncProperty(privateNumber, fc.constantFrom(...SPELLINGS), async (value, spell) => {
        const url = new URL(`http://${spell(value)}/`)
        await assert.rejects(
          addressesOf(url, {
            guard,
            resolve: async host => assert.fail(`asked for ${host}`),
            signal: NEVER,
          }),
          { code: 'PARSE_REFUSED' },
          `${spell(value)} ${url.hostname}`,
        )
      }),
      { numRuns: 2_000 },
    )
  })

  it('refuses an IPv6 address that the internet does not route', () => {
    for (const text of [
      '::',
      '::1',
      'fe80::1',
      'fe80::1%eth0',
      'febf::1',
      'fec0::1',
      'fc00::1',
      'fdff:ffff::1',
      'fd00:ec2::254',
      'ff02::1',
      '100::1',
      '2001:db8::1',
      '3fff::1',
      '2001:2::1',
      '2001:10::1',
      '2001:20::1',
      '2002::1',
      '2001::1',
      '5f00::1',
      '::8.8.8.8',
      '::ffff:0:8.8.8.8',
      '4000::1',
      '1::1',
    ])
      assert.equal(known(text), false, text)
    fc.assert(
      fc.property(fc.ipV6(), text => {
        const address = parseAddress(text)
        const head = Number.parseInt(new URL(`http://[${text}]/`).hostname.slice(1).split(':')[0] || '0', 16)
        // 2000::/3, and the two ways of IPv4
        if (address !== null && isPublic(address) && address.kind() === 'ipv6')
          assert.ok((head >= 0x2000 && head < 0x4000) || head === 0x64, text)
      }),
      { numRuns: 500 },
    )
  })

  it('lets public addresses pass', () => {
    for (const text of [
      '1.1.1.1',
      '8.8.8.8',
      '93.184.216.34',
      '172.15.255.255',
      '172.32.0.0',
      '100.63.255.255',
      '100.128.0.0',
      '11.0.0.0',
      '223.255.255.255',
      '2606:4700::1111',
      '2a00:1450::1',
      '64:ff9b::808:808',
      '::ffff:8.8.8.8',
    ])
      assert.equal(known(text), true, text)
  })

  it('refuses a name if one of its addresses is private, and one without an address', async () => {
    const asked = (...list: string[]) =>
      addressesOf(new URL('http://mixed.test/'), {
        guard,
        resolve: async () => list.map(address => ({ address, family: address.includes(':') ? 6 : 4 })),
        signal: NEVER,
      })
    assert.deepEqual(await asked('8.8.8.8', '2606:4700::1'), [
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700::1', family: 6 },
    ])
    for (const bad of ['10.0.0.1', '::1', '::ffff:127.0.0.1', 'fe80::1%lo', 'localhost', '', '0x7f.1'])
      for (const list of [[bad], ['8.8.8.8', bad], [bad, '8.8.8.8']])
        await assert.rejects(asked(...list), { code: 'PARSE_REFUSED' }, bad)
    await assert.rejects(asked(...Array<string>(20).fill('8.8.8.8'), '10.0.0.1'), { code: 'PARSE_REFUSED' })
    await assert.rejects(asked(), { code: 'PARSE_NO_HOST' })
  })

  it('refuses this machine by its public addresses, and neighbours on its link', () => {
    const own = [
      [parseAddress('93.184.216.34'), 32],
      [parseAddress('2a00:1450:1:2::5'), 64],
    ] as Parameters<typeof createGuard>[1]
    const mine = createGuard([], own)
    const url = new URL('http://a.test/')
    for (const [text, may] of [
      ['93.184.216.34', false],
      ['93.184.216.35', true],
      ['2a00:1450:1:2::5', false],
      ['2a00:1450:1:2:ffff::', false],
      ['2a00:1450:1:3::5', true],
    ] as const)
      assert.equal(mine.mayReach(url, text), may, text)
    assert.equal(createGuard(['93.184.216.34'], own).mayReach(url, '93.184.216.34'), true)
  })

  it('refuses schemes, users, long URLs and ports that are not of the web', () => {
    const refused = (text: string, list: Guard = guard) =>
      assert.throws(() => list.checkUrl(new URL(text)), { code: 'PARSE_URL' }, text)
    for (const text of [
      'ftp://a.test/',
      'file:///etc/passwd',
      'javascript:alert(1)',
      'data:text/html,x',
      'gopher://a.test/',
      'ws://a.test/',
      'blob:http://a.test/x',
      'view-source:http://a.test/',
      'http://user@a.test/',
      'https://user:password@a.test/',
      'http://:password@a.test/',
      'http://a.test:25/',
      'http://a.test:22/',
      'http://a.test:0/',
      'https://a.test:6667/',
      `http://a.test/${'x'.repeat(2_048)}`,
    ])
      refused(text)
    for (const text of [
      'http://a.test/',
      'https://a.test:8443/x?y#z',
      'http://a.test:6379/',
      'http://@a.test/',
    ])
      guard.checkUrl(new URL(text))
    createGuard(['a.test:25'], []).checkUrl(new URL('http://a.test:25/'))
    refused('http://a.test:25/', createGuard(['a.test'], []))
  })
})

describe('PARSE_ALLOW', () => {
  const may = (allow: string[], url: string, address: string): boolean =>
    createGuard(allow, []).mayReach(new URL(url), address)

  it('allows what it names: a host, one of its ports, an address, a range', () => {
    for (const [allow, url, address, expected] of [
      ['intranet', 'http://intranet/', '10.0.0.1', true],
      ['intranet', 'http://INTRANET.:8080/', '10.0.0.1', true],
      ['intranet', 'http://intranet.evil.test/', '10.0.0.1', false],
      ['intranet', 'http://xintranet/', '10.0.0.1', false],
      ['intranet:8080', 'http://intranet:8080/', '10.0.0.1', true],
      ['intranet:8080', 'http://intranet/', '10.0.0.1', false],
      ['intranet:80', 'http://intranet/', '10.0.0.1', true],
      ['bücher.test', 'http://xn--bcher-kva.test/', '10.0.0.1', true],
      ['10.1.2.3', 'http://any.test/', '10.1.2.3', true],
      ['10.1.2.3', 'http://any.test/', '10.1.2.4', false],
      ['10.1.2.3', 'http://any.test/', '::ffff:10.1.2.3', true],
      ['10.1.2.3:81', 'http://any.test:81/', '10.1.2.3', true],
      ['10.1.2.3:81', 'http://any.test/', '10.1.2.3', false],
      ['10.0.0.0/8', 'http://any.test/', '10.255.0.1', true],
      ['10.0.0.0/8', 'http://any.test/', '11.0.0.1', true],
      ['10.0.0.0/8', 'http://any.test/', '192.168.0.1', false],
      ['::ffff:10.0.0.0/104', 'http://any.test/', '10.255.0.1', true],
      ['fd00::/8', 'http://any.test/', 'fd12::1', true],
      ['fd00::/8', 'http://any.test/', 'fe80::1', false],
      ['::1', 'http://localhost/', '::1', true],
      ['::1', 'http://localhost/', '127.0.0.1', false],
      ['[::1]:8080', 'http://localhost:8080/', '::1', true],
      ['[::1]:8080', 'http://localhost/', '::1', false],
    ] as const)
      assert.equal(may([allow], url, address), expected, `${allow} ${url} ${address}`)
  })

  it('is not deceived by a name that looks like an address', () => {
    assert.equal(may(['127.0.0.1'], 'http://127.0.0.1.nip.test/', '10.0.0.1'), false)
    assert.equal(may(['localhost'], 'http://127.0.0.1/', '127.0.0.1'), false)
    assert.equal(hostOf(new URL('http://127.1/')), '127.0.0.1')
  })

  it('takes the same entries as a setting and in the kind', () => {
    const parts = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.domain(),
      fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 40 })).map(([a, n]) => `${a}/${n}`),
      fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 140 })).map(([a, n]) => `${a}/${n}`),
      fc.tuple(fc.domain(), fc.integer({ min: 0, max: 70_000 })).map(([a, n]) => `${a}:${n}`),
      fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 70_000 })).map(([a, n]) => `[${a}]:${n}`),
      fc.string(),
      fc.string({ unit: fc.constantFrom(...'0123456789abf.:/[]%@* x') }),
    )
    fc.assert(
      fc.property(parts, text => {
        const isSetting = privatePlace.safeParse(text).success
        let isRead = true
        try {
          createAllowList([text])
        } catch {
          isRead = false
        }
        assert.equal(isRead, isSetting, JSON.stringify(text))
      }),
      { numRuns: 3_000 },
    )
    for (const text of [
      'http://a.test',
      'a/b',
      'a.test:99999',
      '10.0.0.0/33',
      '',
      '*',
      '*.a.test',
      'user@a',
      'fe80::1%lo',
    ]) {
      assert.equal(privatePlace.safeParse(text).success, false, text)
      assert.throws(() => createAllowList([text]), /PARSE_ALLOW/, text)
    }
  })
})
