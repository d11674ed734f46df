// The option `key` of both clients: what is shown, when, and what a refusal leaves behind.
import assert from 'node:assert/strict'
import { afterEach, describe, it } from 'node:test'
import type {
  Access,
  AccountView,
  InvitationView,
  KeyView,
  Me as ServerMe,
  SessionView,
} from '../../src/access/access.ts'
import {
  type Account,
  type ClientOptions,
  ConnectionError,
  createClient,
  type Invitation,
  type Key,
  type Login,
  type Me,
  type Scope,
  type Session,
} from '../../src/client/client.ts'
import { createRpcClient, type RpcClient, type RpcOptions } from '../../src/client/rpc.ts'
import type { Scope as ServerScope } from '../../src/core/actor.ts'
import { type Bench, openBench, until } from '../rpc/fixture.ts'
import { newTask } from '../suites/store/world.ts'
import { keyOf } from '../support/actors.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { soon } from '../support/soon.ts'

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
/** The client's types say what the server's say: this does not compile when they differ. */
const SAME: [
  Same<Account, AccountView>,
  Same<Session, SessionView>,
  Same<Key, KeyView>,
  Same<Invitation, InvitationView>,
  Me extends ServerMe ? true : false,
  Same<keyof Me, keyof ServerMe>,
  Same<Login, Awaited<ReturnType<Access['logIn']>>>,
  Same<Scope, ServerScope>,
] = [true, true, true, true, true, true, true, true]

const toClose: (() => unknown)[] = []
afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close()
})
const actors = { ann: keyOf('ann', 'user'), bob: keyOf('bob', 'user') }

describe('the key of a Thrift client', { timeout: 300_000 }, () => {
  const opened = async (): Promise<Bench> => {
    const bench = await openBench({}, undefined, createFakeAccess({ anonymous: 'none', actors }))
    toClose.push(() => bench.close())
    return bench
  }
  const clientOf = ({ door }: Bench, options: RpcOptions): RpcClient => {
    const rpc = createRpcClient({ port: door.address.port, ...options })
    toClose.push(() => rpc.close())
    return rpc
  }
  const nameOf = async (rpc: RpcClient) => (await rpc.me()).account?.name ?? null
  const unauthorized = { name: 'RpcError', code: 'UNAUTHORIZED', status: 401 }

  it('is shown on every connection before its first call', async () => {
    const bench = await opened()
    let asked = 0
    const key = async () => {
      asked += 1
      return 'ann'
    }
    const rpc = clientOf(bench, { key, connections: 3 })
    const names = await Promise.all(Array.from({ length: 20 }, () => nameOf(rpc)))
    assert.deepEqual(new Set(names), new Set(['ann']))
    assert.equal(bench.door.counters().connections, asked)
    assert.ok(asked <= 3)
    assert.equal(await nameOf(rpc), 'ann')
    assert.ok(asked <= 3, 'not for each call')
  })

  it('is shown on no connection of another client', async () => {
    const bench = await opened()
    const [ann, bob, nobody] = [
      clientOf(bench, { key: 'ann' }),
      clientOf(bench, { key: 'bob\n' }),
      clientOf(bench, {}),
    ]
    const names = await Promise.all(
      Array.from({ length: 30 }, (_, i) => nameOf([ann, bob, nobody][i % 3] ?? nobody)),
    )
    assert.deepEqual(
      names,
      names.map((_, i) => ['ann', 'bob', null][i % 3]),
    )
  })

  it('that is refused fails its call, and no later one when it is right then', async () => {
    const bench = await opened()
    let now = 'wrong'
    const rpc = clientOf(bench, { key: () => now, connections: 2 })
    await Promise.all(Array.from({ length: 6 }, () => assert.rejects(rpc.me(), unauthorized)))
    now = 'ann'
    const names = await Promise.all(Array.from({ length: 6 }, () => nameOf(rpc)))
    assert.deepEqual(new Set(names), new Set(['ann']))
    await until('refused connections are closed', () => bench.door.counters().connections <= 2)
  })

  it('that ends fails a call once, and is asked for again', async () => {
    const bench = await opened()
    let now = 'ann'
    const rpc = clientOf(bench, { key: () => now, connections: 4 })
    const task = await rpc.submit('echo', 1)
    const wait = assert.rejects(rpc.waitForChange(task), unauthorized)
    await Promise.all(Array.from({ length: 3 }, () => rpc.me()))
    await until('the wait is watched', () => bench.who.watches() === 1)
    bench.who.revoke('ann')
    await wait
    now = 'bob'
    for (let i = 0; i < 5; i += 1) assert.equal(await nameOf(rpc), 'bob')
  })

  it('that cannot be had fails the call with the reason, and does not hang', async () => {
    const bench = await opened()
    const mine = new Error('the vault is closed')
    const throwing = clientOf(bench, { key: () => Promise.reject(mine), connections: 1 })
    for (let i = 0; i < 3; i += 1) await assert.rejects(throwing.me(), mine)
    const hanging = clientOf(bench, { key: () => new Promise(() => undefined), timeoutMs: 20 })
    await assert.rejects(hanging.me(), { name: 'RpcConnectionError', sent: false, message: /no key within/ })
    for (const key of ['', ' ', 'two words', 'a\nb'])
      await assert.rejects(clientOf(bench, { key }).me(), { message: /has characters that no key has/ })
  })
})

describe('the types of accounts', () => {
  it('are those of the server', () => assert.ok(SAME.every(same => same)))
})

describe('the key of a REST client', { timeout: 300_000 }, () => {
  const problem = (status: number, code: string) =>
    new Response(JSON.stringify({ status, code, type: 't', title: 't', detail: 'd' }), {
      status,
      headers: { 'content-type': 'application/problem+json' },
    })
  /** A client over answers that are told, and the headers that it sent. */
  const clientOf = (options: Partial<ClientOptions>, answer: (tries: number) => Response) => {
    const shown: (string | null)[] = []
    const client = createClient({
      baseUrl: 'http://server',
      patienceMs: 60_000,
      fetch: async (_url, init) => {
        shown.push(new Headers(init?.headers).get('authorization'))
        return answer(shown.length)
      },
      ...options,
    })
    return { client, shown }
  }

  it('is sent with every request, and asked for each time', async () => {
    let asked = 0
    const key = () => {
      asked += 1
      return `mdv_${asked}\n`
    }
    const { client, shown } = clientOf({ key, headers: { authorization: 'Basic x' } }, () =>
      Response.json({}),
    )
    await client.get('a')
    await client.submit({ kind: 'echo' })
    await client.me()
    assert.deepEqual(shown, ['Bearer mdv_1', 'Bearer mdv_2', 'Bearer mdv_3'])
    const without = clientOf({}, () => Response.json({}))
    await without.client.get('a')
    assert.deepEqual(without.shown, [null])
  })

  it('that has ended is a final error of a stream that reconnects, and of a wait', async () => {
    const task = newTask()
    const event = `retry: 1\nid: 0-1\nevent: task\ndata: ${JSON.stringify(task)}\n\n`
    const stream = () => new Response(event, { headers: { 'content-type': 'text/event-stream' } })
    const ended = { name: 'ApiError', code: 'UNAUTHORIZED', status: 401 }
    for (const open of ['watch', 'watchAll', 'followLog'] as const) {
      const { client, shown } = clientOf({ key: 'mdv_1' }, tries =>
        tries === 1 ? stream() : problem(401, 'UNAUTHORIZED'),
      )
      const events = open === 'watchAll' ? client.watchAll() : client[open](task.id)
      const read = async () => {
        for await (const _ of events);
      }
      // a log ends with its task
      if (open === 'followLog') await soon(read(), 'the end')
      else {
        await soon(assert.rejects(read(), ended), 'the refusal')
        assert.deepEqual(shown, ['Bearer mdv_1', 'Bearer mdv_1'])
      }
    }
    const { client, shown } = clientOf({ key: 'mdv_1' }, () => problem(401, 'UNAUTHORIZED'))
    await assert.rejects(client.wait(task.id), ended)
    assert.equal(shown.length, 1)
  })

  it('that cannot be had fails the call with the reason, at once, and is not told', async () => {
    const mine = new TypeError('the vault is closed')
    const { client, shown } = clientOf({ key: () => Promise.reject(mine) }, () => Response.json({}))
    await assert.rejects(client.get('a'), mine)
    for (const key of ['', 'two words', 'secret\nsecret']) {
      const wrong = clientOf({ key }, () => Response.json({}))
      await assert.rejects(wrong.client.get('a'), (error: Error) => {
        assert.ok(!(error instanceof ConnectionError))
        return /has characters that no key has/.test(error.message) && !error.message.includes('secret')
      })
      assert.deepEqual(wrong.shown, [])
    }
    const hanging = { key: () => new Promise<string>(() => undefined), timeoutMs: 20, patienceMs: 0 }
    await assert.rejects(clientOf(hanging, () => Response.json({})).client.get('a'), ConnectionError)
    const stop = new AbortController()
    const stopped = clientOf({ ...hanging, timeoutMs: 300_000 }, () => Response.json({}))
    const call = stopped.client.get('a', { signal: stop.signal })
    stop.abort(mine)
    await assert.rejects(call, mine)
    assert.deepEqual(shown, [])
  })

  it('asks the addresses of the API about accounts', async () => {
    const seen: string[] = []
    const client = createClient({
      baseUrl: 'http://server',
      key: 'mds_1',
      fetch: async (url, init) => {
        const { pathname, search } = new URL(String(url))
        seen.push([init?.method, `${pathname}${search}`, init?.body].filter(part => part).join(' '))
        if (init?.method === 'DELETE' || init?.method === 'PUT') return new Response(null, { status: 204 })
        return Response.json({
          sessions: [],
          keys: [],
          invitations: [],
          accounts: [{}],
          entries: [{ id: 'e1' }],
          next: search.includes('cursor') ? null : 'a b',
        })
      },
    })
    await client.me()
    await client.createAccount({ name: 'Zoë', password: 'p', invitation: 'mdi_1' })
    await client.logIn('Zoë', 'p')
    await client.logOut()
    await client.changePassword('old', 'new')
    assert.deepEqual(await client.sessions(), [])
    await client.endSession('s/1')
    await client.createKey({ name: 'CI', scopes: ['read'], expiresAt: new Date(0) })
    assert.deepEqual(await client.keys(), [])
    await client.revokeKey('k1')
    await client.createInvitation({ role: 'user', seconds: 60 })
    assert.deepEqual(await client.invitations(), [])
    await client.withdrawInvitation('i1')
    const accounts: unknown[] = []
    for await (const account of client.accounts()) accounts.push(account)
    assert.equal(accounts.length, 2)
    const from = new Date(0)
    const audit = client.audit({ actor: 'Zoë', actions: ['login', 'logout'], target: 'a1', from })
    for (let n = 0; n < 2; n += 1) assert.deepEqual((await audit.next()).value, { id: 'e1' })
    assert.equal((await audit.next()).done, true)
    await client.changeAccount('a1', { disabled: true })
    await client.deleteAccount('a1')
    await client.deleteAccount('a1', 'remove')
    await client.deleteMe()
    await client.deleteMe('keep')
    assert.deepEqual(seen, [
      'GET /me',
      'POST /accounts {"name":"Zoë","password":"p","invitation":"mdi_1"}',
      'POST /sessions {"name":"Zoë","password":"p"}',
      'DELETE /sessions/current',
      'PUT /me/password {"password":"old","newPassword":"new"}',
      'GET /sessions',
      'DELETE /sessions/s%2F1',
      'POST /keys {"name":"CI","scopes":["read"],"expiresAt":"1970-01-01T00:00:00.000Z"}',
      'GET /keys',
      'DELETE /keys/k1',
      'POST /invitations {"role":"user","seconds":60}',
      'GET /invitations',
      'DELETE /invitations/i1',
      'GET /accounts?limit=200',
      'GET /accounts?limit=200&cursor=a%20b',
      'GET /audit?limit=200&actor=Zo%C3%AB&target=a1&action=login%2Clogout&from=1970-01-01T00%3A00%3A00.000Z',
      'GET /audit?limit=200&actor=Zo%C3%AB&target=a1&action=login%2Clogout&from=1970-01-01T00%3A00%3A00.000Z&cursor=a+b',
      'PATCH /accounts/a1 {"disabled":true}',
      'DELETE /accounts/a1',
      'DELETE /accounts/a1?tasks=remove',
      'DELETE /me',
      'DELETE /me?tasks=keep',
    ])
  })
})
