import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createProcessNames, type NamedProcess } from '../../src/api/process-names.ts'

describe('names of processes', () => {
  const member = (instance: string, more: Partial<NamedProcess> = {}): NamedProcess => ({
    instance,
    role: 'worker',
    host: 'here',
    startedAt: instance,
    up: true,
    ...more,
  })
  const named = (names: Map<string, string>) => Object.fromEntries(names)

  it('stay with a process, and go to its successor, so that a hundred restarts make no new name', () => {
    const processNames = createProcessNames()
    const seen = new Set<string>()
    let [first, second] = [member('100'), member('101')]
    assert.deepEqual(named(processNames.assign([second, first])), { 100: 'worker-0', 101: 'worker-1' })
    for (let n = 200; n < 300; n += 1) {
      const [old, fresh] = [{ ...first, up: false }, member(String(n))]
      // the dead one has not been swept yet
      const names = processNames.assign([old, second, fresh])
      assert.equal(names.has(old.instance), false)
      for (const name of names.values()) seen.add(name)
      ;[first, second] = [second, fresh]
    }
    assert.deepEqual([...seen].sort(), ['worker-0', 'worker-1'])
  })

  it('of one that died and has no successor stays its own', () => {
    const processNames = createProcessNames()
    processNames.assign([member('1')])
    assert.deepEqual(named(processNames.assign([member('1', { up: false })])), { 1: 'worker-0' })
    assert.deepEqual(named(createProcessNames().assign([member('1', { up: false })])), { 1: 'worker-0' })
  })

  it('are unique within role and host, and everybody who is up has one, whatever comes and goes', () => {
    const world = fc.array(
      fc.array(
        fc.record({
          instance: fc.constantFrom(...'abcdefgh'),
          role: fc.constantFrom('worker', 'api'),
          host: fc.constantFrom('here', 'there'),
          startedAt: fc.constantFrom('1', '2', '3'),
          up: fc.boolean(),
        }),
        { maxLength: 6 },
      ),
      { maxLength: 10 },
    )
    fc.assert(
      fc.property(world, moments => {
        const processNames = createProcessNames()
        for (const moment of moments) {
          const present = [...new Map(moment.map(each => [each.instance, each])).values()]
          const names = processNames.assign(present)
          const full = present.flatMap(({ instance, host }) => {
            const name = names.get(instance)
            return name === undefined ? [] : [`${host} ${name}`]
          })
          assert.equal(new Set(full).size, full.length, full.join())
          for (const { instance, up, role } of present) {
            if (up) assert.match(names.get(instance) ?? '', new RegExp(`^${role}-[0-5]$`))
          }
        }
      }),
    )
  })
})
