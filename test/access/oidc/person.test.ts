// What claims say of a person: names that accounts may have, groups wherever they stand, and the highest role.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parseName } from '../../../src/access/name-rules.ts'
import { roleOfGroups } from '../../../src/access/oidc/options.ts'
import {
  claimAt,
  groupsOf,
  identityNameOf,
  mergedClaims,
  namesToTry,
  personOf,
  wantedNameOf,
} from '../../../src/access/oidc/person.ts'
import { isMadhavaError } from '../../../src/core/errors.ts'

describe('the name of a new account', () => {
  it('is that of the login, else of the mail, else of the person', () => {
    for (const [claims, name] of [
      [{ preferred_username: 'ada', email: 'b@example.org', name: 'C' }, 'ada'],
      [{ preferred_username: '', email: 'b.c@example.org', name: 'C' }, 'b.c'],
      [{ preferred_username: 7, name: 'Ada  Lovelace' }, 'Ada-Lovelace'],
      [{ preferred_username: 'EXAMPLE\\ada' }, 'EXAMPLE-ada'],
      [{ preferred_username: '../../<b>' }, 'b'],
      [{ email: '@example.org' }, 'user'],
      [{ preferred_username: '💥', email: null }, 'user'],
      [{}, 'user'],
    ] as const)
      assert.equal(wantedNameOf(claims), name)
  })

  it('can be had in the end, whatever the claims are', () => {
    const isValid = (text: string): boolean => {
      try {
        return parseName(text) === text
      } catch (error) {
        if (isMadhavaError(error, 'NAME_INVALID')) return false
        throw error
      }
    }
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary', maxLength: 300 }),
          fc.constantFrom('operator', 'ME', 'x'.repeat(500)),
        ),
        text => {
          const names = namesToTry(wantedNameOf({ preferred_username: text }), 'abc123')
          // the first may be one of the server's own
          assert.ok(names.slice(1).every(isValid), JSON.stringify(text))
          assert.equal(new Set(names).size, names.length)
        },
      ),
    )
    assert.equal(isValid(namesToTry('operator', 'abc123')[0] ?? ''), false)
  })
})

describe('a person', () => {
  it('is issuer and subject, and nothing that merely looks alike', () => {
    const named = (issuer: string, subject: string) => identityNameOf({ issuer, subject })
    const all = [named('a', 'b'), named('ab', ''), named('a","', 'b'), named('b', 'a'), named('a', 'B')]
    assert.equal(new Set(all).size, all.length)
    assert.deepEqual(personOf({ iss: 'i', sub: 's', name: 'n' }), { issuer: 'i', subject: 's' })
    for (const claims of [
      {},
      { iss: 'i' },
      { iss: 'i', sub: '' },
      { iss: 'i', sub: 7 },
      { iss: 'i', sub: 's'.repeat(256) },
    ])
      assert.equal(personOf(claims), null)
  })
})

describe('the groups', () => {
  it('are found by a name, by a path, as a list and alone', () => {
    const claims = {
      groups: ['a', 7, null, 'b'],
      'https://example.org/groups': ['c'],
      realm_access: { roles: ['d'] },
      one: 'e',
      'x.y': 'f',
    }
    for (const [claim, groups] of [
      ['groups', ['a', 'b']],
      ['https://example.org/groups', ['c']],
      ['realm_access.roles', ['d']],
      ['one', ['e']],
      ['x.y', ['f']],
      ['realm_access', []],
      ['realm_access.none.deeper', []],
      ['groups.length', []],
      ['constructor', []],
      ['__proto__.x', []],
    ] as const)
      assert.deepEqual(groupsOf(claims, claim), groups, claim)
    assert.equal(claimAt({}, 'toString'), undefined)
  })

  it('are found where an ID token has one half of a claim, and userinfo the other', () => {
    const claims = { sub: 'ada', realm_access: { verify: true, roles: null }, other: null, list: ['a'] }
    const more = {
      sub: 'eve',
      realm_access: { verify: false, roles: ['d'] },
      other: 1,
      list: ['b'],
      __proto__: {},
    }
    assert.deepEqual(mergedClaims(claims, more), {
      sub: 'ada',
      realm_access: { verify: true, roles: ['d'] },
      other: 1,
      list: ['a'],
    })
    const hostile = JSON.parse('{"__proto__":{"groups":["admins"]}}') as Record<string, unknown>
    assert.deepEqual(groupsOf(mergedClaims({ __proto__: null, x: {} }, hostile), 'groups'), [])
  })

  it('give the highest role of all, and none to whom no line names', () => {
    const roles = [
      { group: 'staff', role: 'user' },
      { group: 'admins', role: 'admin' },
      { group: 'admins', role: 'viewer' },
      { group: 'watch', role: 'viewer' },
    ] as const
    assert.equal(roleOfGroups(roles, ['watch', 'staff']), 'user')
    assert.equal(roleOfGroups(roles, ['watch', 'admins', 'staff']), 'admin')
    assert.equal(roleOfGroups(roles, ['watch']), 'viewer')
    for (const groups of [[], ['Staff'], ['*'], ['staff '], ['constructor']])
      assert.equal(roleOfGroups(roles, groups), null)
    const open = [...roles, { group: '*', role: 'user' }] as const
    assert.equal(roleOfGroups(open, []), 'user')
    assert.equal(roleOfGroups(open, ['watch']), 'user')
    assert.equal(roleOfGroups(open, ['admins']), 'admin')
  })
})
