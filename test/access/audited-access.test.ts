// The room access with its audit: a line for every change, with no secret in it.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Access } from '../../src/access/access.ts'
import { createAuditedAccess } from '../../src/access/audited-access.ts'
import { createAuditRecorder } from '../../src/core/audit-recorder.ts'
import { auditOf } from '../suites/audit.ts'
import { refused } from '../suites/store/world.ts'
import { type AccessWorld, createAccessWorld, newOrigin, OTHER_PASSWORD, PASSWORD } from './world.ts'

describe('the room access with its audit', { timeout: 300_000 }, () => {
  let world: AccessWorld
  let access: Access
  beforeEach(() => {
    world = createAccessWorld()
    const record = createAuditRecorder({
      trail: world.store.audit,
      clock: world.clock,
      onFailed: error => assert.fail(String(error)),
    })
    access = createAuditedAccess(world.access, record)
  })
  afterEach(() => world.end())

  /** As `name action outcome target`, the oldest first. */
  const lines = async (): Promise<string[]> =>
    (await auditOf(world.store))
      .reverse()
      .map(({ actor, action, outcome, target }) => `${actor?.name ?? '-'} ${action} ${outcome} ${target}`)

  it('has a line for every change, and none of them has a secret', async () => {
    const { stranger } = world
    const { actor: admin } = await world.operator()
    const { invitation, id: invited } = await access.invite(admin, { role: 'user', note: null, seconds: 60 })
    const wanted = { name: 'ada', password: PASSWORD, invitation, role: null }
    const ada = await access.register(stranger, wanted, newOrigin())
    const { token } = await access.logIn({ name: 'ada', password: PASSWORD }, newOrigin())
    const actor = await access.identify(token, 'rest')
    const bounds = { kinds: null, own: false, expiresAt: null }
    const { key, id: keyId } = await access.createKey(actor, { name: 'k', scopes: ['read'], ...bounds })
    const other = await access.logIn({ name: 'ada', password: PASSWORD }, newOrigin())
    const session = (await access.sessions(actor)).find(({ current }) => !current)
    assert.ok(session)
    const { ticket } = await access.makeTicket(actor)
    await access.endSession(actor, session.id)
    await access.changePassword(actor, { password: PASSWORD, newPassword: OTHER_PASSWORD }, newOrigin())
    await access.revokeKey(actor, keyId)
    await access.changeAccount(admin, ada.id, { role: 'operator', disabled: false, password: PASSWORD })
    const bob = await access.register(
      admin,
      { ...wanted, name: 'bob', invitation: null, role: 'user' },
      newOrigin(),
    )
    const spare = await access.invite(admin, { role: 'viewer', note: 'x', seconds: 60 })
    await access.withdrawInvitation(admin, spare.id)
    await access.deleteAccount(admin, ada.id)
    await access.deleteAccount(admin, bob.id, 'remove')
    await access.logOut(admin)
    assert.deepEqual(await lines(), [
      `operator invitation.create done ${invited} role=user`,
      `- account.register done ${ada.id} role=user`,
      `ada login done ${ada.id}`,
      `ada key.create done ${keyId} scopes=read`,
      `ada login done ${ada.id}`,
      `ada session.end done ${session.id}`,
      `ada password.change done ${ada.id}`,
      `ada key.revoke done ${keyId}`,
      `operator account.change done ${ada.id} role=operator disabled=false password`,
      `operator account.register done ${bob.id} role=user`,
      `operator invitation.create done ${spare.id} role=viewer`,
      `operator invitation.withdraw done ${spare.id}`,
      `operator account.delete done ${ada.id}`,
      `operator account.delete done ${bob.id} tasks=remove`,
      `operator logout done ${admin.credential?.id}`,
    ])
    const text = JSON.stringify(await auditOf(world.store))
    const secrets = [PASSWORD, OTHER_PASSWORD, invitation, token, other.token, key, ticket, spare.invitation]
    for (const secret of secrets) assert.ok(!text.includes(secret), secret)
  })

  it('has wrong logins with the account that was meant, and never a name that is none', async () => {
    const { account } = await world.join('ada')
    const secret = 'typed into the wrong field'
    await refused(() => access.logIn({ name: 'ADA', password: 'no' }, newOrigin()), 'LOGIN_WRONG')
    await refused(() => access.logIn({ name: secret, password: 'no' }, newOrigin()), 'LOGIN_WRONG')
    assert.deepEqual(await lines(), [
      `- login.failed LOGIN_WRONG ${account.id}`,
      '- login.failed LOGIN_WRONG null',
    ])
  })

  it('has no line for a login that is put off, since anybody could fill it', async () => {
    const origin = newOrigin()
    for (let n = 0; n < 30; n += 1)
      await refused(
        () => access.logIn({ name: 'x', password: 'no' }, origin),
        'LOGIN_WRONG',
        'TOO_MANY_REQUESTS',
      )
    assert.ok((await lines()).length < 10)
  })

  it('has what people were refused, without what they sent in place of an id', async () => {
    const { actor, account } = await world.join('ada')
    const { actor: admin } = await world.operator()
    const secret = 'mdv_0123456789abcdef_notAnId'
    await refused(() => access.revokeKey(actor, secret), 'KEY_NOT_FOUND')
    await refused(() => access.deleteAccount(actor, 'operator'), 'SCOPE_MISSING')
    await refused(() => access.deleteAccount(admin, 'operator'), 'ACCOUNT_BUILT_IN')
    const passwords = { password: 'wrong one', newPassword: OTHER_PASSWORD }
    await refused(() => access.changePassword(actor, passwords, newOrigin()), 'LOGIN_WRONG')
    await refused(
      () =>
        access.register(
          world.stranger,
          { name: 'x', password: 'y', invitation: 'z', role: null },
          newOrigin(),
        ),
      'INVITATION_INVALID',
    )
    assert.deepEqual(await lines(), [
      'ada key.revoke KEY_NOT_FOUND null',
      'ada account.delete SCOPE_MISSING operator',
      'operator account.delete ACCOUNT_BUILT_IN operator',
      `ada password.change LOGIN_WRONG ${account.id}`,
    ])
  })

  it('knows of every call of the room whether it changes something', () => {
    const reads = [
      ...['registration', 'stranger', 'identify', 'watch', 'me', 'sessions', 'keys', 'invitations'],
      ...['accounts', 'idOf', 'namesOf', 'makeTicket', 'redeemTicket', 'close'],
      // a sign-in that begins leaves nothing
      ...['oidc', 'beginSignIn'],
      ...['shares', 'openShare'],
    ]
    const writes = [
      ...[
        'register',
        'logIn',
        'endSignIn',
        'logOut',
        'changePassword',
        'endSession',
        'createKey',
        'revokeKey',
      ],
      ...['invite', 'withdrawInvitation', 'changeAccount', 'deleteAccount', 'share', 'withdrawShare'],
    ]
    assert.deepEqual(Object.keys(access).sort(), [...reads, ...writes].sort())
  })
})
