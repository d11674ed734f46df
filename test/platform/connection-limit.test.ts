// The places of a door, and the bytes that those who have one may hold.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createByteBudget } from '../../src/platform/byte-budget.ts'
import { createConnectionLimit } from '../../src/platform/connection-limit.ts'

interface Connection {
  name: string
  idleSince: number | null
}
const world = (total: number, perOwner: number) => {
  const ended: string[] = []
  const clock = { now: 0 }
  const connections = createConnectionLimit<Connection>({
    total,
    perOwner,
    idleSince: ({ idleSince }) => idleSince,
    end: ({ name }) => ended.push(name),
    now: () => clock.now,
  })
  const busy = (name: string): Connection => ({ name, idleSince: null })
  const idle = (name: string, idleSince: number): Connection => ({ name, idleSince })
  return { connections, ended, clock, busy, idle }
}

describe('the places of a door', () => {
  it('leave half for others, whatever one address does', () => {
    const { connections, busy } = world(8, 4)
    const taken = Array.from({ length: 20 }, (_, n) => connections.take(busy(`a${n}`), 'a')).filter(Boolean)
    assert.equal(taken.length, 4)
    for (const name of ['b', 'c', 'd', 'e']) assert.ok(connections.take(busy(name), name))
    assert.equal(connections.take(busy('f'), 'f'), false)
  })

  it('are not shared out behind a proxy, where everybody has one address', () => {
    const { connections, busy } = world(8, 4)
    for (let n = 0; n < 8; n += 1) assert.ok(connections.take(busy(`p${n}`), null))
    assert.equal(connections.take(busy('p8'), null), false)
  })

  it('go from the longest idle of an address to its next, and from the greedy to others', () => {
    const { connections, ended, busy, idle } = world(6, 4)
    for (const holder of [busy('a1'), idle('a2', 5), idle('a3', 3), busy('a4')]) connections.take(holder, 'a')
    assert.ok(connections.take(busy('a5'), 'a'))
    assert.deepEqual(ended, ['a3'])
    assert.ok(connections.take(idle('b1', 0), 'b') && connections.take(busy('b2'), 'b'))
    // full: the one of the address with most goes, though another is idle for longer
    assert.ok(connections.take(busy('c1'), 'c'))
    assert.deepEqual(ended, ['a3', 'a2'])
    assert.ok(connections.take(busy('d1'), 'd'))
    assert.deepEqual(ended, ['a3', 'a2', 'b1'])
    assert.equal(connections.take(busy('e1'), 'e'), false)
    assert.equal(connections.count(), 6)
  })

  it('say why a client finds none free, while that is recent', () => {
    const { connections, clock, busy } = world(4, 2)
    assert.equal(connections.trouble(), null)
    for (let n = 0; n < 3; n += 1) connections.take(busy(`a${n}`), 'a')
    assert.match(String(connections.trouble()), /one address has all 2 connections/)
    clock.now = 60_000
    assert.equal(connections.trouble(), null)
    const last = busy('c')
    for (const holder of [busy('b'), last]) connections.take(holder, holder.name)
    assert.match(String(connections.trouble()), /all 4 connections are taken/)
    connections.leave(last)
    connections.leave(last)
    assert.equal(connections.trouble(), null)
  })
})

describe('the bytes that all hold together', () => {
  it('are never more than there are, nor more than one may have, and come back whole', () => {
    const step = fc.record({ by: fc.nat(9), owner: fc.constantFrom('a', 'b', null), bytes: fc.nat(40) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const budget = createByteBudget({ total: 100, perOwner: 60 })
        const holds = new Map<
          string,
          { owner: string | null; hold: ReturnType<typeof budget.open>; bytes: number }
        >()
        for (const { by, owner, bytes } of steps) {
          const key = `${owner}${by}`
          const mine = holds.get(key) ?? { owner, hold: budget.open(owner), bytes: 0 }
          holds.set(key, mine)
          const before = [...holds.values()]
          const sum = (list: typeof before) => list.reduce((all, one) => all + one.bytes, 0)
          const own = owner === null ? 0 : sum(before.filter(one => one.owner === owner))
          const fits = sum(before) + bytes <= 100 && own + bytes <= 60
          assert.equal(mine.hold.grow(bytes), fits)
          if (fits) mine.bytes += bytes
          if (by === 0) {
            mine.hold.close()
            mine.hold.close()
            holds.delete(key)
          }
          assert.equal(budget.held(), sum([...holds.values()]))
        }
      }),
    )
  })
})
