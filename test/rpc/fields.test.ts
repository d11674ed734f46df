// What the structs have of a task: every field of the record, every filter, and all that can be submitted. And every
// method of the interface, here and in the client.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { describe, it } from 'node:test'
import madhava from '../../gen/js/Madhava.js'
import celery from '../../gen/js/RPCcelery.js'
import types from '../../gen/js/rpcinterface_types.js'
import type {
  Access,
  AccountView,
  InvitationView,
  KeyView,
  Me,
  SessionView,
  ShareView,
} from '../../src/access/access.ts'
import { isFinal, type Sort } from '../../src/client/task.ts'
import type { Credential } from '../../src/core/actor.ts'
import type { AuditEntry } from '../../src/core/audit.ts'
import { askedFilters } from '../../src/core/filter.ts'
import { kindInfoSchema } from '../../src/core/kind-info.ts'
import { SORT_NAMES } from '../../src/core/sort.ts'
import { STATUSES, statusesIn } from '../../src/core/status.ts'
import { shapeOf } from '../../src/core/task-fields.ts'
import type { UploadInfo } from '../../src/core/uploads.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createHandler } from '../../src/rpc/handler.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'

/** Fields that have another name in the structs, and those that a call says apart from the options. */
const OTHERWISE: Record<string, string> = { retry: 'retryPolicy' }
const APART = ['kind', 'params']
/** What the structs say beside that. */
const BESIDE = {
  Task: ['resultTruncated', 'paramsTruncated', 'waiting', 'ownerName'],
  SubmitOptions: ['neverRetry', 'idempotencyKey'],
}

const sorted = (names: readonly string[]): string[] => names.toSorted()
const named = (names: readonly string[]): string[] => names.map(name => OTHERWISE[name] ?? name)

describe('the structs of a task', () => {
  it('show every field of the record', () => {
    // who submitted it is nobody's business
    const told = Object.keys(shapeOf('schema')).filter(name => name !== 'submittedBy')
    const shown = [...named(told), ...BESIDE.Task]
    assert.deepEqual(sorted(Object.keys(new types.Task())), sorted(shown))
  })

  it('take all that can be submitted', () => {
    const taken = named(Object.keys(shapeOf('submit')).filter(name => !APART.includes(name)))
    assert.deepEqual(
      sorted(Object.keys(new types.SubmitOptions())),
      sorted([...taken, ...BESIDE.SubmitOptions]),
    )
  })

  it('filter by all that lists can be filtered by', () =>
    assert.deepEqual(
      sorted(Object.keys(new types.TaskFilter())),
      // the order of a list travels with its filter
      sorted(['sort', ...askedFilters('rpc').map(({ name }) => name)]),
    ))

  it('are listed, for a client, in the orders that there are here', () => {
    const ofClient: Record<Sort, true> = {
      '-createdAt': true,
      createdAt: true,
      '-finishedAt': true,
      finishedAt: true,
    }
    assert.deepEqual(sorted(Object.keys(ofClient)), sorted(SORT_NAMES))
  })

  it('end, for a client, in the statuses that are ends here', () =>
    assert.deepEqual(STATUSES.filter(isFinal), statusesIn('final')))
})

describe('the struct of a kind', () => {
  it('shows all that the server tells about a kind', () => {
    const names: Record<string, string> = { params: 'paramsSchema', result: 'resultSchema', ...OTHERWISE }
    const shown = Object.keys(kindInfoSchema.shape).map(name => names[name] ?? name)
    assert.deepEqual(sorted(Object.keys(new types.Kind())), sorted(shown))
  })
})

/** Every field of a type: this does not compile when one is missing or there is no such field. */
const fieldsOf = <T>(fields: Record<keyof T, true>): string[] => Object.keys(fields)

describe('the structs about accounts', () => {
  const ACCOUNT = fieldsOf<AccountView>({
    ...{ id: true, name: true, role: true },
    ...{ createdAt: true, disabledAt: true, signIn: true },
  })
  const SESSION = fieldsOf<SessionView>({
    ...{ id: true, createdAt: true, expiresAt: true },
    ...{ address: true, agent: true, current: true },
  })
  const KEY = fieldsOf<KeyView>({
    ...{ id: true, name: true, scopes: true, kinds: true, own: true },
    ...{ createdAt: true, expiresAt: true, lastUsedAt: true },
  })
  const INVITATION = fieldsOf<InvitationView>({
    ...{ id: true, role: true, note: true, by: true },
    ...{ createdAt: true, expiresAt: true },
  })
  const ME = fieldsOf<Me>({
    ...{ account: true, scopes: true, sees: true, kinds: true },
    ...{ credential: true, expiresAt: true },
  })
  const shown: [string, object, string[]][] = [
    ['Account', new types.Account(), ACCOUNT],
    ['Session', new types.Session(), SESSION],
    ['Key', new types.Key(), [...KEY, 'key']],
    ['Invitation', new types.Invitation(), [...INVITATION, 'invitation']],
    ['Me', new types.Me(), ME],
    [
      'AuditEntry',
      new types.AuditEntry(),
      fieldsOf<AuditEntry>({
        ...{ id: true, at: true, actor: true, via: true },
        ...{ action: true, target: true, outcome: true, address: true },
      }),
    ],
    ['Credential', new types.Credential(), fieldsOf<Credential>({ type: true, id: true })],
    [
      'Login',
      new types.Login(),
      fieldsOf<Awaited<ReturnType<Access['logIn']>>>({ token: true, expiresAt: true, account: true }),
    ],
    [
      'Share',
      new types.Share(),
      fieldsOf<ShareView & { token: string }>({
        ...{ id: true, task: true, by: true, createdAt: true, expiresAt: true, token: true },
      }),
    ],
    [
      'AccountChanges',
      new types.AccountChanges(),
      fieldsOf<Required<Parameters<Access['changeAccount']>[2]>>({
        role: true,
        disabled: true,
        password: true,
      }),
    ],
  ]
  for (const [name, struct, fields] of shown)
    it(`say in ${name} all that Access says, in its words`, () =>
      assert.deepEqual(sorted(Object.keys(struct)), sorted(fields)))

  it('take of a new account and of a key all that Access takes', () => {
    const account = fieldsOf<Parameters<Access['register']>[1]>({
      ...{ name: true, password: true, invitation: true, role: true },
    })
    assert.deepEqual(
      sorted(['name', 'password', ...Object.keys(new types.AccountOptions())]),
      sorted(account),
    )
    const key = fieldsOf<Parameters<Access['createKey']>[1]>({
      ...{ name: true, scopes: true, kinds: true, own: true, expiresAt: true },
    })
    assert.deepEqual(sorted(['name', 'scopes', ...Object.keys(new types.KeyOptions())]), sorted(key))
  })
})

describe('the struct of an upload', () => {
  it('shows all that the service tells about an upload', () => {
    const told = fieldsOf<UploadInfo>({
      ...{ id: true, name: true, bytes: true, type: true, sha256: true },
      ...{ state: true, length: true, owner: true, createdAt: true, expiresAt: true },
    })
    assert.deepEqual(sorted(Object.keys(new types.Upload())), sorted(told))
  })
})

describe('the methods of the interface', () => {
  const methodsOf = (client: { prototype: object }): string[] =>
    Object.getOwnPropertyNames(client.prototype).flatMap(name => /^send_(.+)/.exec(name)?.[1] ?? [])
  const own = methodsOf(madhava.Client)

  it('are all answered', () => {
    const deps = {
      service: {} as never,
      access: {} as never,
      machine: {} as never,
      log: silentLog(),
      clock: () => new Date(),
    }
    const { methods } = createHandler({ ...deps, version: '0', limits: RPC_LIMITS })
    assert.ok(own.length > 10)
    assert.deepEqual(sorted([...methods.keys()]), sorted([...methodsOf(celery.Client), ...own]))
  })

  it('are all called by the client', async () => {
    const files = ['rpc', 'rpc-accounts', 'rpc-files', 'rpc-pool']
    const texts = files.map(name => readFile(new URL(`../../src/client/${name}.ts`, import.meta.url), 'utf8'))
    const text = (await Promise.all(texts)).join('\n')
    assert.deepEqual(
      own.filter(name => !text.includes(`client.${name}(`)),
      [],
    )
  })
})
