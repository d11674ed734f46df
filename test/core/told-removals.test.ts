// Which removals a stream may tell: never one of somebody else's task.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Actor } from '../../src/core/actor.ts'
import { visibleTo } from '../../src/core/policy.ts'
import { createToldRemovals } from '../../src/core/told-removals.ts'
import { anybody, keyOf, person } from '../support/actors.ts'

const of = (actor: Actor, remembered?: number) => createToldRemovals(actor, visibleTo({}, actor), remembered)
const OWNERS = ['ann', 'bob', null, undefined]
const told = (actor: Actor, kind?: string) => OWNERS.filter(owner => of(actor).mayTell('x', { owner, kind }))

describe('the removals that a stream tells', () => {
  it('are all for those who see all', () => {
    for (const actor of [anybody(), person('v', 'viewer'), person('o', 'operator'), person('a', 'admin')])
      assert.deepEqual(told(actor), OWNERS)
  })

  it("are those of a user's own tasks and of nobody's, where the owner is known", () => {
    assert.deepEqual(told(person('ann')), ['ann', null])
    assert.deepEqual(told(keyOf('ann', 'user', { own: true })), ['ann'])
    assert.deepEqual(told(keyOf('ann', 'admin', { own: true })), ['ann'])
  })

  it('are those of its kinds for a key of some kinds, and none where the kind is not known', () => {
    for (const [actor, owners] of [
      [keyOf('ann', 'user', { kinds: ['sleep'] }), ['ann', null]],
      [keyOf('o', 'operator', { kinds: ['sleep'] }), ['ann', 'bob', null]],
    ] as const) {
      assert.deepEqual(told(actor, 'sleep'), owners)
      assert.deepEqual(told(actor, 'echo'), [])
      assert.deepEqual(told(actor), [])
    }
  })

  it('are those of tasks that the same stream has told of, of the last ones', () => {
    for (const actor of [person('ann'), keyOf('o', 'operator', { kinds: ['sleep'] })]) {
      const removals = of(actor, 3)
      for (const id of ['1', '2', '3', '2', '1', '4']) removals.told(id)
      const known = ['1', '2', '3', '4', '5'].filter(id => removals.mayTell(id))
      assert.deepEqual(known, ['1', '2', '4'])
    }
  })
})
