// Who may do what, as docs/access.md says it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Actor, SCOPES, type Scope } from '../../src/core/actor.ts'
import { type ErrorCode, isMadhavaError, type MadhavaError } from '../../src/core/errors.ts'
import { fits } from '../../src/core/filter.ts'
import {
  ACCOUNT_ROLES,
  ANONYMOUS,
  demand,
  demandKind,
  demandTouch,
  mayDo,
  seesAll,
  strangerOf,
  touchableBy,
  visibleTo,
} from '../../src/core/policy.ts'
import { keyOf, person } from '../support/actors.ts'
import { newTaskOf } from '../support/new-task.ts'

const codeOf = (call: () => void): ErrorCode | null => {
  try {
    call()
    return null
  } catch (error) {
    assert.ok(isMadhavaError(error))
    return error.code
  }
}

const NOW = '2026-01-01T00:00:00.000Z'
const owned = (owner: string | null, kind = 'calcpi') => newTaskOf({ owner, kind, createdAt: NOW })

describe('a role', () => {
  const MAY: Record<(typeof ACCOUNT_ROLES)[number], Scope[]> = {
    viewer: ['read'],
    user: ['read', 'submit'],
    operator: ['read', 'submit', 'operate'],
    admin: ['read', 'submit', 'operate', 'admin'],
  }
  for (const role of ACCOUNT_ROLES)
    it(`${role} may ${MAY[role].join(', ')}`, () => {
      assert.deepEqual(
        SCOPES.filter(scope => mayDo(person('ann', role), scope)),
        MAY[role],
      )
    })

  it('sees all tasks, but a user their own and those that nobody owns', () => {
    for (const role of ACCOUNT_ROLES) {
      const seen = ['ann', 'bob', null].filter(owner =>
        fits(owned(owner), visibleTo({}, person('ann', role))),
      )
      assert.deepEqual(seen, role === 'user' ? ['ann', null] : ['ann', 'bob', null], role)
    }
  })

  it('changes tasks with submit, those of others with operate', () => {
    const may = (role: (typeof ACCOUNT_ROLES)[number]) =>
      ['ann', 'bob', null].map(owner => codeOf(() => demandTouch(person('ann', role), { owner })))
    assert.deepEqual(may('viewer'), ['SCOPE_MISSING', 'SCOPE_MISSING', 'SCOPE_MISSING'])
    assert.deepEqual(may('user'), [null, 'SCOPE_MISSING', null])
    assert.deepEqual(may('operator'), [null, null, null])
  })
})

describe('a stranger', () => {
  it('may what ANONYMOUS says, and is told to log in, or which scope a login lacks', () => {
    const may = ANONYMOUS.map(anonymous =>
      SCOPES.filter(scope => mayDo(strangerOf(anonymous, 'rest'), scope)),
    )
    assert.deepEqual(may, [['read', 'submit', 'operate'], ['read'], []])
    assert.equal(
      codeOf(() => demand(strangerOf('none', 'rpc'), 'read')),
      'UNAUTHORIZED',
    )
    assert.equal(
      codeOf(() => demand(strangerOf('full', 'rpc'), 'admin')),
      'UNAUTHORIZED',
    )
    assert.throws(
      () => demand(person('ann'), 'operate'),
      (error: MadhavaError) =>
        error.code === 'SCOPE_MISSING' &&
        /operate/.test(error.message) &&
        (error.detail as { scope: string }).scope === 'operate',
    )
  })
})

describe('a key', () => {
  it('never may more than its account, nor more than its scopes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...ACCOUNT_ROLES), fc.subarray([...SCOPES]), (role, scopes) => {
        const key = keyOf('ann', role, { scopes })
        for (const scope of key.scopes)
          assert.ok(mayDo(person('ann', role), scope) && scopes.includes(scope), scope)
      }),
    )
  })

  it('for its own tasks sees and changes no others, not even those that nobody owns', () => {
    for (const role of ACCOUNT_ROLES) {
      const key = keyOf('ann', role, { own: true })
      const seen = ['ann', 'bob', null].filter(owner => fits(owned(owner), visibleTo({}, key)))
      assert.deepEqual(seen, ['ann'], role)
      assert.equal(seesAll(key), false)
    }
    assert.equal(
      codeOf(() => demandTouch(keyOf('ann', 'user', { own: true }), { owner: null })),
      'SCOPE_MISSING',
    )
  })

  it('for some kinds sees and submits no others, whatever is asked for', () => {
    const key = keyOf('ann', 'admin', { kinds: ['calcpi', 'echo'] })
    assert.equal(seesAll(key), false)
    assert.equal(
      codeOf(() => demandKind(key, 'sleep')),
      'KIND_NOT_ALLOWED',
    )
    assert.equal(
      codeOf(() => demandKind(key, 'echo')),
      null,
    )
    const listed = (kinds?: string[]) =>
      ['calcpi', 'echo', 'sleep'].filter(kind =>
        fits(owned('bob', kind), visibleTo(kinds ? { kinds } : {}, key)),
      )
    assert.deepEqual(listed(), ['calcpi', 'echo'])
    assert.deepEqual(listed(['echo', 'sleep']), ['echo'])
    assert.deepEqual(listed(['sleep']), [])
  })
})

describe('what an actor may change', () => {
  const actor = fc
    .record({
      role: fc.constantFrom(...ACCOUNT_ROLES),
      scopes: fc.subarray([...SCOPES]),
      own: fc.boolean(),
      kinds: fc.option(fc.subarray(['calcpi', 'echo'])),
      isKey: fc.boolean(),
    })
    .map(
      ({ role, isKey, kinds, ...bounds }): Actor =>
        isKey ? keyOf('ann', role, { ...bounds, ...(kinds ? { kinds } : {}) }) : person('ann', role),
    )

  it('is what it sees and may touch, in lists as one by one', () => {
    fc.assert(
      fc.property(
        actor,
        fc.constantFrom('ann', 'bob', null),
        fc.constantFrom('calcpi', 'echo', 'sleep'),
        (who, owner, kind) => {
          const task = owned(owner, kind)
          const isSeen = fits(task, visibleTo({}, who))
          const isTouched = codeOf(() => demandTouch(who, task)) === null
          const isListed = mayDo(who, 'submit') && fits(task, touchableBy({}, who))
          assert.equal(isListed, isSeen && isTouched)
        },
      ),
      { numRuns: 500 },
    )
  })
})
