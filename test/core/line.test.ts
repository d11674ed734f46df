// Counting along the line, for stores that walk it: as if every two tasks had been compared.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { countBefore, nextFirst } from '../../src/core/line.ts'

const task = fc.record({
  id: fc.integer({ min: 0, max: 99 }).map(number => String(number).padStart(2, '0')),
  kind: fc.constantFrom('a', 'b'),
  priority: fc.integer({ min: 0, max: 2 }),
  createdAt: fc.constantFrom('1', '2', '3'),
})
const tasks = fc.uniqueArray(task, { selector: ({ id }) => id, maxLength: 40 })

describe('countBefore', () => {
  it('counts by kind those that come first, up to a bound', () =>
    fc.assert(
      fc.asyncProperty(tasks, tasks, fc.integer({ min: 0, max: 30 }), async (line, asked, most) => {
        const counted = await countBefore(asked, line.toSorted(nextFirst), most, () => undefined)
        for (const [place, one] of asked.entries()) {
          const first = line.filter(other => nextFirst(other, one) < 0)
          const wanted = new Map<string, number>()
          for (const { kind } of first) wanted.set(kind, (wanted.get(kind) ?? 0) + 1)
          assert.deepEqual(counted[place], first.length > most ? null : wanted)
        }
      }),
    ))

  it('gives way now and then, and stops where all are counted', async () => {
    let [walked, pauses] = [0, 0]
    const line = function* () {
      for (let n = 0; n < 10_000; n += 1) {
        walked += 1
        yield { id: String(n), kind: 'a', priority: 5, createdAt: String(n).padStart(5, '0') }
      }
    }
    const asked = [{ id: '', priority: 5, createdAt: '00300' }]
    const pause = async () => {
      pauses += 1
    }
    assert.deepEqual(await countBefore(asked, line(), 1_000, pause), [new Map([['a', 300]])])
    assert.ok(walked <= 301 && pauses >= 5)
    assert.deepEqual(await countBefore(asked, line(), 100, pause), [null])
    assert.deepEqual(await countBefore([], line(), 100, pause), [])
  })
})
