// Invitations: who makes them, that each is used once, and when one is good no longer.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Actor } from '../../src/core/actor.ts'
import { ACCOUNT_ROLES, type AccountRole } from '../../src/core/policy.ts'
import { allOf } from '../suites/documents.ts'
import { refused } from '../suites/store/world.ts'
import { type AccessWorld, createAccessWorld, newOrigin, PASSWORD } from './world.ts'

describe('an invitation', { timeout: 300_000 }, () => {
  let world: AccessWorld
  let admin: Actor
  beforeEach(async () => {
    world = createAccessWorld({ registration: 'invite' })
    admin = (await world.operator()).actor
  })
  afterEach(() => world.end())

  const invite = (role: AccountRole = 'user', seconds = 3_600, actor = admin) =>
    world.access.invite(actor, { role, note: 'for Ada', seconds })
  const use = (invitation: string, name = 'ada') =>
    world.access.register(world.stranger, { name, password: PASSWORD, invitation, role: null }, newOrigin())

  it('gives an account of its role, once', async () => {
    for (const role of ACCOUNT_ROLES) {
      const { invitation, id, by, note, createdAt, expiresAt } = await invite(role)
      assert.deepEqual(
        [by, note, createdAt, expiresAt],
        [
          'operator',
          'for Ada',
          world.clock().toISOString(),
          new Date(world.clock().getTime() + 3_600_000).toISOString(),
        ],
      )
      assert.deepEqual(
        (await world.access.invitations(admin)).map(one => one.id),
        [id],
      )
      assert.equal((await use(invitation, role === 'operator' ? 'oona' : `a-${role}`)).role, role)
      assert.deepEqual(await world.access.invitations(admin), [])
      await refused(() => use(invitation, 'another'), 'INVITATION_INVALID')
    }
    const kept = JSON.stringify(await allOf(world.documents, 'invitations'))
    assert.equal(kept, '[]')
  })

  it('is made, seen and withdrawn by admins alone, and by their keys that may do it', async () => {
    const { id, invitation } = await invite()
    const user =
      (await world.access.register(
        admin,
        { name: 'bob', password: PASSWORD, invitation: null, role: 'operator' },
        newOrigin(),
      )) && (await world.logIn('bob')).actor
    for (const [actor, code] of [
      [user, 'SCOPE_MISSING'],
      [world.stranger, 'UNAUTHORIZED'],
    ] as const) {
      await refused(() => invite('user', 60, actor), code)
      await refused(() => world.access.invitations(actor), code)
      await refused(() => world.access.withdrawInvitation(actor, id), code)
    }
    const keyOf = async (scopes: Actor['scopes']) => {
      const { key } = await world.access.createKey(admin, {
        name: 'k',
        scopes: [...scopes],
        kinds: null,
        own: false,
        expiresAt: null,
      })
      return world.access.identify(key, 'rest')
    }
    const narrow = await keyOf(['read', 'submit', 'operate'])
    await refused(() => invite('user', 60, narrow), 'SCOPE_MISSING')
    await world.access.withdrawInvitation(await keyOf(['admin']), id)
    await refused(() => use(invitation), 'INVITATION_INVALID')
    for (const none of [id, '../x', ''])
      await refused(() => world.access.withdrawInvitation(admin, none), 'INVITATION_NOT_FOUND')
  })

  it('ends by the clock, also where its document is still there', async () => {
    const { invitation, id } = await invite('user', 60)
    world.pass(60_000)
    await refused(() => use(invitation), 'INVITATION_INVALID')
    assert.deepEqual(await world.access.invitations(admin), [])
    await refused(() => world.access.withdrawInvitation(admin, id), 'INVITATION_NOT_FOUND')
    assert.equal((await allOf(world.documents, 'invitations')).length, 1)
    for (const seconds of [0, -1, Number.NaN, 1e12])
      await refused(() => invite('user', seconds), 'BAD_REQUEST')
  })

  it('is good while the one who made it is an admin', async () => {
    const boss = await world.access.register(
      admin,
      { name: 'boss', password: PASSWORD, invitation: null, role: 'admin' },
      newOrigin(),
    )
    const { invitation } = await invite('admin', 3_600, (await world.logIn('boss')).actor)
    await world.access.changeAccount(admin, boss.id, { role: 'user' })
    await refused(() => use(invitation), 'INVITATION_INVALID')
    await world.access.changeAccount(admin, boss.id, { role: 'admin' })
    await world.access.deleteAccount(admin, boss.id)
    await refused(() => use(invitation), 'INVITATION_INVALID')
  })

  it('that is left by a kill counts as used, and goes when somebody meets it', async () => {
    const { remove } = world.away.documents
    world.away.documents.remove = async () => {
      throw new Error('killed')
    }
    const first = await invite()
    const { id } = await use(first.invitation)
    world.away.documents.remove = remove
    assert.equal((await allOf(world.documents, 'invitations')).length, 1)
    await refused(() => use(first.invitation, 'another'), 'INVITATION_INVALID')
    assert.equal((await allOf(world.documents, 'invitations')).length, 0)
    // nor does it come back with the end of its account, whatever brought its document back
    await world.access.deleteAccount(admin, id)
    await refused(() => use(first.invitation), 'INVITATION_INVALID')
  })

  it('of somebody else, in another word or with another secret is none', async () => {
    const { invitation } = await invite()
    const other = `${invitation.slice(0, -1)}${invitation.endsWith('a') ? 'b' : 'a'}`
    for (const token of [other, '', 'x', invitation.replace('mdi', 'mdv'), ` ${invitation}`])
      await refused(() => use(token), 'INVITATION_INVALID')
    await refused(() => world.access.identify(invitation, 'rest'), 'UNAUTHORIZED')
    await refused(
      () =>
        world.access.register(
          admin,
          { name: 'ada', password: PASSWORD, invitation, role: 'user' },
          newOrigin(),
        ),
      'BAD_REQUEST',
    )
    await use(invitation)
  })
})
