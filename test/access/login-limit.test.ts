// How often a login may be tried.
import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import { createLoginLimit, type LoginLimit } from '../../src/access/login-limit.ts'
import { clientKeyOf } from '../../src/platform/client-address.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'

describe('the limit of logins', () => {
  let now: number
  let limit: LoginLimit
  beforeEach(() => {
    now = 1_000_000
    limit = createLoginLimit({ clock: () => now })
  })

  it('lets five tries a minute through for one address, and says how long to wait', () => {
    for (let count = 0; count < 5; count++) {
      assert.equal(limit.take('10.0.0.1'), 0)
      now += 1_000
    }
    assert.equal(limit.take('10.0.0.1'), 55)
    assert.equal(limit.take('10.0.0.2'), 0)
    now += 54_999
    assert.equal(limit.take('10.0.0.1'), 1)
    now += 1
    assert.equal(limit.take('10.0.0.1'), 0)
  })

  it('locks nobody out for the tries of other addresses, however many', () => {
    for (let count = 0; count < 20_000; count++) limit.take(`10.1.${count >> 8}.${count & 255}`)
    assert.equal(limit.tries('10.0.0.1'), 0)
    assert.equal(limit.take('10.0.0.1'), 0)
    assert.equal(limit.tries('10.0.0.1'), 1)
  })

  it('forgives the address that has logged in, and no other', () => {
    for (const address of ['10.0.0.1', '10.0.0.2'])
      for (let count = 0; count < 5; count++) assert.equal(limit.take(address), 0)
    limit.forgive('10.0.0.2')
    assert.equal(limit.tries('10.0.0.2'), 0)
    assert.equal(limit.take('10.0.0.2'), 0)
    assert.equal(limit.take('10.0.0.1'), 60)
  })

  it('counts the tries of all processes, and forgives the one that was right', async () => {
    const store = createMemoryStore({ clock: () => new Date(now) })
    const [one, other] = [0, 1].map(() => createLoginLimit({ clock: () => now, shared: store.rates })) as [
      LoginLimit,
      LoginLimit,
    ]
    const address = '10.0.0.1'
    const tryAt = async (each: LoginLimit, from = address, name?: string): Promise<number> =>
      each.take(from, name) || (await each.takeEverywhere(from, name))
    for (const each of [one, other, one]) assert.equal(await tryAt(each), 0)
    assert.equal(await tryAt(other, address, 'ann'), 0)
    other.forgive(address, 'ann')
    // once, and not for who was not counted
    other.forgive(address, 'ann')
    one.forgive(address, 'ann')
    for (const each of [one, other]) assert.equal(await tryAt(each), 0)
    now += 10_500
    for (const each of [one, other]) assert.equal(await tryAt(each), 50)
    assert.equal(await tryAt(one, '10.0.0.2'), 0)
    now += 49_500
    assert.equal(await tryAt(one), 0)
  })

  it('lets each process count for itself while the store cannot be asked', async () => {
    const store = createMemoryStore({ clock: () => new Date(now) })
    await store.close()
    const own = createLoginLimit({ clock: () => now, shared: store.rates })
    for (let count = 0; count < 7; count += 1) assert.equal(await own.takeEverywhere('10.0.0.1'), 0)
    own.forgive('10.0.0.1')
  })

  it('takes a whole IPv6 network, and IPv4 written as IPv6, for one owner', () => {
    for (const address of [
      '2001:db8:0:1::1',
      '2001:db8::1:0:0:0:2',
      '2001:0db8:0000:0001:ffff::',
      '2001:db8:0:1:a:b:c:d',
    ])
      assert.equal(clientKeyOf(address), '2001:db8:0:1')
    assert.equal(clientKeyOf('::ffff:10.0.0.1'), '10.0.0.1')
    assert.equal(clientKeyOf('fe80::1%eth0'), 'fe80:0:0:0')
    assert.equal(clientKeyOf('::1'), '0:0:0:0')
  })

  it('never lets more than five of one owner through within a minute', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20_000), { maxLength: 60 }), waits => {
        let time = 0
        const own = createLoginLimit({ clock: () => time })
        const passed: number[] = []
        for (const wait of waits) {
          time += wait
          if (own.take('10.0.0.1') === 0) passed.push(time)
        }
        for (const at of passed) assert.ok(passed.filter(one => one > at - 60_000 && one <= at).length <= 5)
      }),
    )
  })
})
