// The methods about accounts, sessions, keys and invitations: what reaches Access, for whom, and what comes back to both
// the generated client and ours.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import types from '../../gen/js/rpcinterface_types.js'
import type { Access, AccountView, InvitationView, KeyView, SessionView } from '../../src/access/access.ts'
import { createRpcClient, type RpcClient } from '../../src/client/rpc.ts'
import { type ErrorCode, MadhavaError } from '../../src/core/errors.ts'
import { person } from '../support/actors.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { type Bench, openBench, openClient } from './fixture.ts'

const AT = '2026-01-31T12:00:00.000Z'
const account: AccountView = {
  id: 'a1',
  name: 'Zoë',
  role: 'user',
  createdAt: AT,
  disabledAt: null,
  signIn: ['password'],
}
const builtIn: AccountView = {
  id: 'operator',
  name: 'operator',
  role: 'admin',
  createdAt: null,
  disabledAt: AT,
  signIn: ['password', 'oidc'],
}
const session: SessionView = {
  ...{ id: 's1', createdAt: AT, expiresAt: AT, address: '10.0.0.1', agent: 'curl' },
  current: true,
}
const bare: SessionView = { ...session, id: 's2', address: null, agent: null, current: false }
const key: KeyView = {
  ...{ id: 'k1', name: 'CI', scopes: ['read', 'submit'], kinds: ['echo'], own: true },
  ...{ createdAt: AT, expiresAt: AT, lastUsedAt: AT },
}
const wide: KeyView = { ...key, id: 'k2', kinds: null, own: false, expiresAt: null, lastUsedAt: null }
const invitation: InvitationView = {
  ...{ id: 'i1', role: 'viewer' as const, note: 'for Zoë', by: 'ann', createdAt: AT, expiresAt: AT },
}
const unnoted: InvitationView = { ...invitation, id: 'i2', note: null }

describe('the methods about accounts', { timeout: 300_000 }, () => {
  /** What reached Access: the call, whose it was, and the rest. */
  let told: unknown[] = []
  let refusal: ErrorCode | null = null
  let bench: Bench
  let rpc: RpcClient
  let own: ReturnType<typeof openClient>

  const answers = <T>(name: string, answer: T) =>
    (async (...args: readonly unknown[]) => {
      const given = args.map(arg =>
        typeof arg === 'object' && arg !== null && 'via' in arg && 'name' in arg ? [arg.name, arg.via] : arg,
      )
      told = [name, ...given]
      if (refusal) throw new MadhavaError(refusal)
      return answer
    }) as never
  const calls: Partial<Access> = {
    register: answers('register', account),
    logIn: answers('logIn', { token: 'mds_1', expiresAt: AT, account }),
    logOut: answers('logOut', undefined),
    changePassword: answers('changePassword', undefined),
    sessions: answers('sessions', [session, bare]),
    endSession: answers('endSession', undefined),
    createKey: answers('createKey', { ...key, key: 'mdv_1' }),
    keys: answers('keys', [key, wide]),
    revokeKey: answers('revokeKey', undefined),
    invite: answers('invite', { ...invitation, invitation: 'mdi_1' }),
    invitations: answers('invitations', [invitation, unnoted]),
    withdrawInvitation: answers('withdrawInvitation', undefined),
    accounts: async (actor, { cursor, limit }) => {
      told = ['accounts', [actor.name, actor.via], limit]
      return cursor === null ? { items: [account], next: 'a1' } : { items: [builtIn], next: null }
    },
    changeAccount: answers('changeAccount', builtIn),
    deleteAccount: answers('deleteAccount', undefined),
  }

  before(async () => {
    const who = createFakeAccess({ anonymous: 'none', actors: { ann: person('ann', 'admin') }, calls })
    bench = await openBench({}, undefined, who)
    rpc = createRpcClient({ port: bench.door.address.port, key: 'ann' })
    own = openClient(bench.door)
  })
  after(async () => {
    own.close()
    rpc.close()
    await bench.close()
  })
  beforeEach(() => {
    refusal = null
  })

  const ANN = ['ann', 'rpc']
  const origin = { via: 'rpc', address: '127.0.0.1', agent: null }
  const collect = async <T>(items: AsyncGenerator<T>): Promise<T[]> => {
    const seen: T[] = []
    for await (const item of items) seen.push(item)
    return seen
  }

  /** A call of our client, what reaches Access, and what the client gets. */
  const TABLE: [string, (client: RpcClient) => Promise<unknown>, unknown[], unknown][] = [
    [
      'create an account for an invitation',
      client => client.createAccount({ name: 'Zoë', password: 'pässword', invitation: 'mdi_1' }),
      ['register', ANN, { name: 'Zoë', password: 'pässword', invitation: 'mdi_1', role: null }, origin],
      account,
    ],
    [
      'create an account with a role',
      client => client.createAccount({ name: 'Zoë', password: 'p', role: 'operator' }),
      ['register', ANN, { name: 'Zoë', password: 'p', invitation: null, role: 'operator' }, origin],
      account,
    ],
    [
      'log in',
      client => client.logIn('Zoë', 'p'),
      ['logIn', { name: 'Zoë', password: 'p' }, origin],
      { token: 'mds_1', expiresAt: AT, account },
    ],
    ['log out', client => client.logOut(), ['logOut', ANN], undefined],
    [
      'change a password',
      client => client.changePassword('old', 'new'),
      ['changePassword', ANN, { password: 'old', newPassword: 'new' }, origin],
      undefined,
    ],
    ['list sessions', client => client.sessions(), ['sessions', ANN], [session, bare]],
    ['end a session', client => client.endSession('s1'), ['endSession', ANN, 's1'], undefined],
    [
      'create a key with bounds',
      client =>
        client.createKey({
          ...{ name: 'CI', scopes: ['read'], kinds: ['echo'], own: true },
          expiresAt: new Date(AT),
        }),
      ['createKey', ANN, { name: 'CI', scopes: ['read'], kinds: ['echo'], own: true, expiresAt: AT }],
      { ...key, key: 'mdv_1' },
    ],
    [
      'create a key without bounds',
      client => client.createKey({ name: 'CI', scopes: ['read', 'admin'] }),
      ['createKey', ANN, { name: 'CI', scopes: ['read', 'admin'], kinds: null, own: false, expiresAt: null }],
      { ...key, key: 'mdv_1' },
    ],
    ['list keys', client => client.keys(), ['keys', ANN], [key, wide]],
    ['revoke a key', client => client.revokeKey('k1'), ['revokeKey', ANN, 'k1'], undefined],
    [
      'create an invitation',
      client => client.createInvitation({ role: 'viewer', seconds: 60, note: 'for Zoë' }),
      ['invite', ANN, { role: 'viewer', seconds: 60, note: 'for Zoë' }],
      { ...invitation, invitation: 'mdi_1' },
    ],
    [
      'create an invitation for a user, for a week',
      client => client.createInvitation({}),
      ['invite', ANN, { role: 'user', seconds: 604_800, note: null }],
      { ...invitation, invitation: 'mdi_1' },
    ],
    ['list invitations', client => client.invitations(), ['invitations', ANN], [invitation, unnoted]],
    [
      'withdraw an invitation',
      client => client.withdrawInvitation('i1'),
      ['withdrawInvitation', ANN, 'i1'],
      undefined,
    ],
    [
      'list accounts over all pages',
      client => collect(client.accounts()),
      ['accounts', ANN, 200],
      [account, builtIn],
    ],
    [
      'change nothing of an account but what it is told',
      client => client.changeAccount('a1', { disabled: false }),
      ['changeAccount', ANN, 'a1', { disabled: false }],
      builtIn,
    ],
    [
      'change all of an account',
      client => client.changeAccount('a1', { role: 'user', disabled: true, password: 'p' }),
      ['changeAccount', ANN, 'a1', { role: 'user', disabled: true, password: 'p' }],
      builtIn,
    ],
    ['delete the own account', client => client.deleteMe(), ['deleteAccount', ANN, 'ann', 'keep'], undefined],
    [
      'delete an account',
      client => client.deleteAccount('a1'),
      ['deleteAccount', ANN, 'a1', 'keep'],
      undefined,
    ],
    [
      'delete an account with its tasks',
      client => client.deleteAccount('a1', 'remove'),
      ['deleteAccount', ANN, 'a1', 'remove'],
      undefined,
    ],
  ]
  for (const [title, call, reached, answer] of TABLE)
    it(title, async () => {
      assert.deepEqual(await call(rpc), answer)
      assert.deepEqual(told, reached)
    })

  it('declare what Access refuses', async () => {
    await own.client.authenticate('ann')
    const codes: [ErrorCode, string, () => Promise<unknown>][] = [
      ['NAME_TAKEN', 'Conflict', () => own.client.createAccount('z', 'p', new types.AccountOptions())],
      [
        'REGISTRATION_CLOSED',
        'Refused',
        () => own.client.createAccount('z', 'p', new types.AccountOptions()),
      ],
      ['LOGIN_WRONG', 'Refused', () => own.client.logIn('z', 'p')],
      ['TOO_MANY_REQUESTS', 'Refused', () => own.client.logIn('z', 'p')],
      ['PASSWORD_IS_SETTING', 'Conflict', () => own.client.changePassword('z', 'p')],
      ['SESSION_NOT_FOUND', 'NotFound', () => own.client.endSession('x')],
      ['KEY_NOT_FOUND', 'NotFound', () => own.client.revokeKey('x')],
      ['INVITATION_NOT_FOUND', 'NotFound', () => own.client.withdrawInvitation('x')],
      ['ACCOUNT_NOT_FOUND', 'NotFound', () => own.client.deleteAccount('x', '')],
      ['ACCOUNT_BUILT_IN', 'Refused', () => own.client.deleteAccount('operator', '')],
      ['DOCUMENT_CHANGED', 'Conflict', () => own.client.changeAccount('a', new types.AccountChanges())],
      ['STORE_UNAVAILABLE', 'Unavailable', () => own.client.listKeys()],
      ['SCOPE_MISSING', 'Refused', () => own.client.createKey('k', ['read'], new types.KeyOptions())],
    ]
    for (const [code, name, call] of codes) {
      refusal = code
      await assert.rejects(call, { name, code }, code)
    }
  })

  it('refuse what has the wrong shape before Access sees it', async () => {
    await own.client.authenticate('ann')
    told = []
    const { client } = own
    const wrong: [() => Promise<unknown>, RegExp][] = [
      [() => client.createKey('', ['read'], new types.KeyOptions()), /argument name is empty/],
      [() => client.createKey('k', [], new types.KeyOptions()), /argument scopes is malformed/],
      [() => client.createKey('k', ['read'], new types.KeyOptions({ kinds: [] })), /kinds/],
      [() => client.logIn('n'.repeat(201), 'p'), /argument name is malformed/],
      [() => client.logIn('n', 'p'.repeat(1_001)), /argument password is malformed/],
      [() => client.changePassword('p', 'p'.repeat(1_001)), /argument newPassword is malformed/],
      [() => client.createInvitation('user', 60, 'n'.repeat(201)), /argument note is malformed/],
      [
        () => client.createAccount('z', 'p', new types.AccountOptions({ role: 'root' })),
        /argument options is malformed: role: must be one of viewer/,
      ],
      [
        () => client.createAccount(undefined as never, 'p', new types.AccountOptions()),
        /argument name is missing/,
      ],
      [() => client.createKey('k', ['read', 'all'], new types.KeyOptions()), /must be one of read, submit/],
      [
        () => client.createKey('k', ['read'], new types.KeyOptions({ expiresAt: 'soon' })),
        /expiresAt.*ISO-8601/,
      ],
      [() => client.createInvitation('root', 60, ''), /must be one of viewer/],
      [() => client.createInvitation('user', 59, ''), /argument seconds.*60/],
      [() => client.listAccounts(201, ''), /limit is 1 to 200/],
      [() => client.changeAccount('a', new types.AccountChanges({ role: '' })), /must be one of viewer/],
    ]
    for (const [call, message] of wrong)
      await assert.rejects(call, { name: 'Refused', code: 'BAD_REQUEST', message })
    assert.deepEqual(told, [])
  })

  it('show a key and an invitation only when they were just made', async () => {
    await own.client.authenticate('ann')
    assert.equal((await own.client.createKey('k', ['read'], new types.KeyOptions())).key, 'mdv_1')
    assert.ok((await own.client.listKeys()).every(({ key }) => key === null))
    assert.ok((await own.client.listInvitations()).every(({ invitation }) => invitation === null))
  })
})
