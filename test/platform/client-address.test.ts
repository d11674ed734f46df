// Who is at the other end, also behind proxies.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clientKeyOf, createTrust, parseRange } from '../../src/platform/client-address.ts'

describe('one client', () => {
  it('is an address, in whichever way it is written, and of IPv6 its /64', () => {
    assert.equal(clientKeyOf('::ffff:10.0.0.1'), clientKeyOf('10.0.0.1'))
    assert.equal(clientKeyOf('2001:DB8::1'), clientKeyOf('2001:db8:0:0:9::2'))
    assert.notEqual(clientKeyOf('2001:db8:0:1::1'), clientKeyOf('2001:db8:0:2::1'))
    assert.notEqual(clientKeyOf('10.0.0.1'), clientKeyOf('10.0.0.2'))
  })

  it('is the peer, whatever it says, unless the peer is a trusted proxy', () => {
    const trust = createTrust(['10.0.0.2', '172.16.0.0/12', 'fd00::/8'])
    assert.equal(trust.clientOf('1.2.3.4', '9.9.9.9'), '1.2.3.4')
    assert.equal(createTrust([]).clientOf('10.0.0.2', '9.9.9.9'), '10.0.0.2')
    assert.equal(trust.clientOf('10.0.0.2', '9.9.9.9'), '9.9.9.9')
    assert.equal(trust.clientOf('::ffff:10.0.0.2', '9.9.9.9'), '9.9.9.9')
    assert.equal(trust.clientOf('fd00::1', '2001:db8::1'), '2001:db8::1')
  })

  it('is read from the right: what a client wrote itself counts for nothing', () => {
    const trust = createTrust(['10.0.0.2', '172.16.0.0/12'])
    assert.equal(trust.clientOf('10.0.0.2', '6.6.6.6, 5.5.5.5, 172.17.0.1'), '5.5.5.5')
    assert.equal(trust.clientOf('10.0.0.2', '6.6.6.6, nonsense'), '10.0.0.2')
    assert.equal(trust.clientOf('10.0.0.2', undefined), '10.0.0.2')
    assert.equal(trust.clientOf('10.0.0.2', '172.17.0.1'), '172.17.0.1')
    assert.equal(trust.clientOf('10.0.0.2', `${'6.6.6.6, '.repeat(100_000)}7.7.7.7:1234`), '7.7.7.7')
    assert.equal(trust.clientOf('10.0.0.2', '"[2001:db8::1]:80"'), '2001:db8::1')
  })

  it('is known behind addresses and ranges that are such', () => {
    for (const text of ['10.0.0.2', '10.0.0.0/8', '::1', 'fd00::/8', '::ffff:10.0.0.0/104'])
      assert.ok(parseRange(text), text)
    for (const text of ['', 'proxy', '10.0.0.256', '10.0.0.0/33', '::1/129', '*', '10.0.0.0/'])
      assert.equal(parseRange(text), null, text)
    assert.ok(createTrust(['::ffff:10.0.0.0/104']).isProxy('10.1.2.3'))
  })
})
