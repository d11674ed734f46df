// The sets of kinds of a process: which is in use, and when one is given up.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { defineKind, loadKind } from '../../src/core/kind.ts'
import { codeOfSet, createKindSets, type KindSet } from '../../src/core/kind-sets.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { kindSetOf } from '../support/kind-sets.ts'

const setOf = (name: string, code = 'c'): KindSet => {
  const kind = loadKind(
    name,
    ({ z }: { z: typeof import('zod') }) =>
      defineKind({ summary: 'x', params: z.object({}), result: z.null(), example: {}, run: () => null }),
    `${name}.ts`,
  )
  return kindSetOf(
    createKinds([kind], [], new Map([[name, code]])),
    { [name]: `${name}.ts` },
    { [name]: code },
  )
}

const open = () => {
  const [first, second] = [setOf('one'), setOf('two')]
  const released: KindSet[] = []
  const sets = createKindSets(first, {
    read: async () => second,
    release: async set => void released.push(set),
  })
  return { first, second, released, sets }
}

describe('the sets of kinds of a process', () => {
  it('are asked for the one in use, and tell of a change', () => {
    const { first, second, sets } = open()
    const told: unknown[] = []
    const end = sets.onUse((set, before) => told.push(set, before, sets.kinds.names()))
    assert.deepEqual(
      [sets.kinds.names(), sets.kinds.codeOf('one'), sets.kinds.codeOf('two')],
      [['one'], 'c', null],
    )
    sets.use(second)
    sets.use(second)
    assert.deepEqual(told, [second, first, ['two']])
    assert.deepEqual([sets.current(), sets.kinds.codeOf('two')], [second, 'c'])
    end()
    sets.use(setOf('three'))
    assert.equal(told.length, 3)
  })

  it('give one up when it is out of use and nothing holds it', () => {
    const { first, second, released, sets } = open()
    const [one, other] = [sets.hold(first), sets.hold(first)]
    sets.use(second)
    one()
    one()
    assert.deepEqual(released, [])
    other()
    assert.deepEqual(released, [first])
    // what is in use is kept, however often it was held
    sets.hold(second)()
    const dropped = setOf('three')
    sets.drop(dropped)
    assert.deepEqual(released, [first, dropped])
  })

  it('have a short hash, equal for equal code', () => {
    assert.equal(codeOfSet(setOf('one')), codeOfSet(setOf('one')))
    assert.equal(new Set([setOf('one'), setOf('two'), setOf('one', 'd')].map(codeOfSet)).size, 3)
  })
})
