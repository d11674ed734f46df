// The Thrift door over the real room access: the way of people and programs from an invitation to the end of an account.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createRpcClient, type RpcClient } from '../../src/client/rpc.ts'
import type { RpcError } from '../../src/client/rpc-errors.ts'
import { type AccessWorld, createAccessWorld, PASSWORD } from '../access/world.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { soon } from '../support/soon.ts'
import { type Bench, openBench } from './fixture.ts'

describe('the Thrift door', { timeout: 600_000 }, () => {
  let world: AccessWorld
  let bench: Bench
  const clients: RpcClient[] = []
  beforeEach(async () => {
    world = createAccessWorld()
    bench = await openBench({}, undefined, { ...createFakeAccess(), access: world.access })
  })
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close()
    await bench.close()
    await world.end()
  })

  const clientOf = (key?: string): RpcClient => {
    const client = createRpcClient({ port: bench.door.address.port, ...(key === undefined ? {} : { key }) })
    clients.push(client)
    return client
  }
  const refused = (call: Promise<unknown>, code: string): Promise<void> =>
    soon(assert.rejects(call, { name: 'RpcError', code }), code)
  /** Somebody with an account, logged in over Thrift. */
  const join = async (name: string): Promise<RpcClient> => {
    await clientOf().createAccount({ name, password: PASSWORD })
    return clientOf((await clientOf().logIn(name, PASSWORD)).token)
  }

  it('lets somebody in by an invitation, who has tasks of their own', async () => {
    const admin = clientOf((await world.operator()).token)
    const { invitation, id } = await admin.createInvitation({ note: 'for Ada' })
    assert.deepEqual(
      (await admin.invitations()).map(one => [one.id, one.role, one.note, one.by]),
      [[id, 'user', 'for Ada', 'operator']],
    )
    const account = await clientOf().createAccount({ name: 'Ada', password: PASSWORD, invitation })
    await refused(
      clientOf().createAccount({ name: 'Eve', password: PASSWORD, invitation }),
      'INVITATION_INVALID',
    )
    await refused(clientOf().createAccount({ name: 'ADA', password: PASSWORD }), 'NAME_TAKEN')
    await refused(clientOf().createAccount({ name: 'Eve', password: 'x' }), 'PASSWORD_INVALID')
    const login = await clientOf().logIn('ada', PASSWORD)
    assert.deepEqual(login.account, account)
    const [ada, bob] = [clientOf(login.token), await join('bob')]
    const task = await ada.submit('echo', 1)
    assert.equal(task.owner, account.id)
    await refused(bob.get(task.id), 'TASK_NOT_FOUND')
    await refused(clientOf().get(task.id), 'UNAUTHORIZED')
    assert.deepEqual((await bob.page({ owner: 'Ada' })).tasks, [])
    for (const client of [ada, admin])
      assert.deepEqual(
        (await client.page({ owner: 'Ada' })).tasks.map(one => [one.id, one.ownerName]),
        [[task.id, 'Ada']],
      )
    await refused(ada.createInvitation({}), 'SCOPE_MISSING')
  })

  it('ends a wait and every later call at once when a key is revoked', async () => {
    const ann = await join('ann')
    const made = await ann.createKey({ name: 'CI', scopes: ['read', 'submit'], kinds: ['echo'], own: true })
    const { key, ...shown } = made
    assert.deepEqual(await ann.keys(), [shown])
    const program = clientOf(key)
    assert.deepEqual((await program.me()).kinds, ['echo'])
    await refused(program.submit('calcpi', { digits: 1 }), 'KIND_NOT_ALLOWED')
    await refused(program.createKey({ name: 'more', scopes: ['read'] }), 'FORBIDDEN')
    const task = await program.submit('echo', 1)
    const wait = refused(program.waitForEnd(task.id), 'UNAUTHORIZED')
    // on a connection beside the wait
    assert.equal((await program.get(task.id)).id, task.id)
    await ann.revokeKey(made.id)
    await wait
    await refused(program.get(task.id), 'UNAUTHORIZED')
    await refused(clientOf(key).ping(), 'UNAUTHORIZED')
    await refused((await join('bob')).revokeKey(made.id), 'KEY_NOT_FOUND')
  })

  it('keeps one session over a change of the password, and none over a logout', async () => {
    const ann = await join('ann')
    const other = clientOf((await clientOf().logIn('ann', PASSWORD)).token)
    const sessions = await ann.sessions()
    assert.deepEqual(
      sessions.map(({ address, agent }) => [address, agent]),
      [
        ['127.0.0.1', null],
        ['127.0.0.1', null],
      ],
    )
    assert.equal(sessions.filter(({ current }) => current).length, 1)
    await ann.changePassword(PASSWORD, 'staple of another kind')
    await refused(other.me(), 'UNAUTHORIZED')
    assert.equal((await ann.sessions()).length, 1)
    await refused(clientOf().logIn('ann', PASSWORD), 'LOGIN_WRONG')
    await ann.logOut()
    await refused(ann.me(), 'UNAUTHORIZED')
  })

  it('shows an admin all accounts, which change and end at once', async () => {
    const admin = clientOf((await world.operator()).token)
    const [ann, bob] = [await join('ann'), await join('bob')]
    const names = async (): Promise<string[]> => {
      const seen: string[] = []
      for await (const { name } of admin.accounts()) seen.push(name)
      return seen.sort()
    }
    assert.deepEqual(await names(), ['ann', 'bob', 'operator'])
    await refused(ann.accounts().next(), 'SCOPE_MISSING')
    const { account } = await ann.me()
    assert.ok(account)
    assert.ok((await admin.changeAccount(account.id, { disabled: true })).disabledAt)
    await refused(ann.me(), 'UNAUTHORIZED')
    await bob.deleteMe()
    await refused(bob.me(), 'UNAUTHORIZED')
    await refused(admin.deleteAccount('operator'), 'ACCOUNT_BUILT_IN')
    await admin.deleteAccount(account.id)
    await refused(admin.deleteAccount(account.id), 'ACCOUNT_NOT_FOUND')
    assert.deepEqual(await names(), ['operator'])
  })

  it('lets nobody guess passwords quickly', async () => {
    await clientOf().createAccount({ name: 'ann', password: PASSWORD })
    const codes: string[] = []
    for (let tries = 0; tries < 8; tries += 1)
      codes.push(
        await clientOf()
          .logIn('ann', `wrong guess ${tries}`)
          .then(
            () => 'ok',
            error => error.code,
          ),
      )
    assert.ok(codes.includes('LOGIN_WRONG'))
    assert.equal(codes.at(-1), 'TOO_MANY_REQUESTS')
    await assert.rejects(
      clientOf().logIn('ann', PASSWORD),
      (error: RpcError) => error.code === 'TOO_MANY_REQUESTS' && (error.retryAfterMs ?? 0) > 0,
    )
  })
})
