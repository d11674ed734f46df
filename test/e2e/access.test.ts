// Two people and two bundles that share one Redis: over REST and Thrift, neither sees, counts, guesses or touches what
// is the other's; what is ended on one host is ended on the other; kills and starts change nothing of that.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { ApiError, type Client, createClient } from '../../src/client/client.ts'
import { createRpcClient, type RpcClient } from '../../src/client/rpc.ts'
import { RpcError } from '../../src/client/rpc-errors.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const PASSWORD = 'correct horse battery'
const UNKNOWN = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'

interface Person {
  id: string
  token: string
  /** On the first host, and on the second. */
  rest: [Client, Client]
  rpc: [RpcClient, RpcClient]
}

const codeOf = async (call: () => Promise<unknown>): Promise<string> => {
  try {
    await call()
    return 'none'
  } catch (error) {
    if (error instanceof ApiError || error instanceof RpcError) return error.code
    throw error
  }
}

describe('two people on two hosts', { timeout: 900_000, skip: requireService('redis') }, () => {
  const [one, two] = [makeDataDir(), makeDataDir()]
  let redis: PrivateRedis
  let bundles: [Bundle, Bundle]
  let admin: Client
  let adminToken: string
  let [ann, bob] = [] as unknown as [Person, Person]
  const closing: RpcClient[] = []

  const settings = () => ({ STORE_URL: redis.url, ANONYMOUS: 'none', ROLES: 'api,rpc,worker' })
  const restOf = (bundle: Bundle, key: string) => createClient({ baseUrl: bundle.api, key })
  const rpcOf = (bundle: Bundle, key: string): RpcClient => {
    const [host, port] = bundle.rpc.split(':')
    const client = createRpcClient({ host: host ?? '', port: Number(port), key })
    closing.push(client)
    return client
  }
  const personOf = (id: string, token: string): Person => ({
    id,
    token,
    rest: [restOf(bundles[0], token), restOf(bundles[1], token)],
    rpc: [rpcOf(bundles[0], token), rpcOf(bundles[1], token)],
  })
  /** After its processes were killed. */
  const restarted = async (bundle: Bundle): Promise<Bundle> => {
    await bundle.kill()
    return startBundle(one.dataDir, settings())
  }
  const register = async (name: string): Promise<Person> => {
    const { invitation } = await admin.createInvitation({ role: 'user', seconds: 3_600 })
    const stranger = createClient({ baseUrl: bundles[1].api })
    const { id } = await stranger.createAccount({ name, password: PASSWORD, invitation })
    const { token } = await stranger.logIn(name, PASSWORD)
    return personOf(id, token)
  }

  before(async () => {
    redis = await startRedis()
    const first = await startBundle(one.dataDir, settings())
    const shown = /password (\S+) \(shown this once\)/.exec(first.output())?.[1] ?? ''
    bundles = [first, await startBundle(two.dataDir, settings())]
    assert.doesNotMatch(bundles[1].output(), /shown this once/)
    adminToken = (await createClient({ baseUrl: bundles[1].api }).logIn('operator', shown)).token
    admin = restOf(bundles[0], adminToken)
    ;[ann, bob] = [await register('Ann'), await register('Bob')]
  })
  after(async () => {
    for (const client of closing) client.close()
    for (const bundle of bundles ?? []) await bundle.kill()
    one.remove()
    two.remove()
    await redis?.remove()
  })

  it('register, and are who they say on both', async () => {
    for (const person of [ann, bob])
      for (const client of [...person.rest, ...person.rpc]) {
        const me = await client.me()
        assert.deepEqual([me.account?.id, me.sees], [person.id, 'own-and-unowned'])
      }
  })

  it('see no task of each other, over any call', async () => {
    const hers = await ann.rest[0].submit({ kind: 'calcpi', params: { digits: 20 } })
    const his = await bob.rpc[1].submit('calcpi', { digits: 20 })
    assert.equal((await bob.rest[0].get(his.id)).owner, bob.id)
    await ann.rest[1].wait(hers.id)
    await bob.rpc[0].waitForEnd(his.id)
    for (const rest of ann.rest)
      for (const call of [
        () => rest.get(his.id),
        () => rest.cancel(his.id),
        () => rest.retry(his.id),
        () => rest.purge(his.id),
        () => rest.result(his.id),
        () => rest.why(his.id),
        () => rest.log(his.id),
      ])
        assert.equal(await codeOf(call), 'TASK_NOT_FOUND')
    for (const rpc of ann.rpc)
      for (const call of [
        () => rpc.get(his.id),
        () => rpc.cancel(his.id),
        () => rpc.retry(his.id),
        () => rpc.purge(his.id),
        () => rpc.result(his.id),
        () => rpc.why(his.id),
        () => rpc.log(his.id),
      ])
        assert.equal(await codeOf(call), 'TASK_NOT_FOUND')
    for (const id of [his.id, UNKNOWN]) {
      const answer = await fetch(`${bundles[0].api}/task/${id}`, {
        headers: { authorization: `Bearer ${ann.token}` },
      })
      const { detail } = (await answer.json()) as { detail: string }
      assert.deepEqual([answer.status, detail.replace(id, 'X')], [404, 'There is no task X'])
    }
    assert.deepEqual(
      (await ann.rpc[0].page()).tasks.map(({ id }) => id),
      [hers.id],
    )
    assert.deepEqual((await ann.rpc[1].page({ owner: 'Bob' })).tasks, [])
  })

  it('find nothing of each other in what the server says of itself', async () => {
    const { id } = await bob.rest[1].submit({ kind: 'binomial', params: { n: 5, k: 2 } })
    await bob.rest[0].wait(id)
    for (const bundle of bundles)
      for (const path of [
        '/',
        '/metrics',
        '/tasks',
        '/alltasks',
        '/dead',
        '/tasks?q=binomial',
        `/tasks?parent=${id}`,
      ]) {
        const answer = await fetch(`${bundle.api}${path}`, {
          headers: { authorization: `Bearer ${ann.token}` },
        })
        assert.equal(answer.status, 200, path)
        const text = await answer.text()
        for (const trace of ['binomial', id, bob.id, 'Bob'])
          assert.ok(!text.includes(trace), `${path} has ${trace}`)
      }
    assert.equal(await codeOf(() => ann.rpc[0].hostStatus()), 'FORBIDDEN')
  })

  it('use the same idempotency key without meeting', async () => {
    const mine = await ann.rest[0].submit(
      { kind: 'calcpi', params: { digits: 3 } },
      { idempotencyKey: 'same' },
    )
    const his = await bob.rest[1].submit(
      { kind: 'calcpi', params: { digits: 3 } },
      { idempotencyKey: 'same' },
    )
    assert.notEqual(his.id, mine.id)
    assert.equal((await bob.rpc[0].submit('calcpi', { digits: 3 }, { idempotencyKey: 'same' })).id, his.id)
  })

  it('lose a key at once on both, also in the middle of a stream', async () => {
    const { key, id } = await ann.rest[0].createKey({ name: 'watcher', scopes: ['read', 'submit'] })
    const [rest, rpc] = [restOf(bundles[1], key), rpcOf(bundles[1], key)]
    const { id: task } = await rpc.submit('sleep', { seconds: 600 })
    const answer = await fetch(`${bundles[1].api}/task/${task}/events`, {
      headers: { authorization: `Bearer ${key}` },
    })
    assert.equal(answer.status, 200)
    const waiting = codeOf(() => rpc.waitForEnd(task))
    await ann.rest[0].revokeKey(id)
    assert.equal(await codeOf(() => rest.get(task)), 'UNAUTHORIZED')
    assert.equal(await waiting, 'UNAUTHORIZED')
    assert.match(await answer.text(), /event: end\ndata: \{"reason":"login"\}/)
    await ann.rest[1].cancel(task)
  })

  it('stay logged in over kills and starts, and stay apart', async () => {
    const addresses = [new URL(bundles[0].api).host, bundles[0].rpc]
    const pidsThere = async (): Promise<number[]> => {
      const answer = await fetch(`${bundles[1].api}/`, { headers: { authorization: `Bearer ${adminToken}` } })
      const { processes } = (await answer.json()) as {
        processes: { alive: boolean; address: string | null; pid: number }[]
      }
      return processes
        .filter(({ alive, address }) => alive && addresses.includes(address ?? ''))
        .map(({ pid }) => pid)
    }
    const before = await pidsThere()
    assert.equal(before.length, 2)
    for (const pid of before) process.kill(pid, 'SIGKILL')
    // with ports of their own choice they have other addresses then
    await until('they are gone', async () => (await pidsThere()).length === 0)
    await bundles[1].stop()
    bundles[1] = await startBundle(two.dataDir, settings())
    bundles[0] = await restarted(bundles[0])
    ann = personOf(ann.id, ann.token)
    bob = personOf(bob.id, bob.token)
    admin = restOf(bundles[0], adminToken)
    assert.equal((await ann.rest[1].me()).account?.id, ann.id)
    assert.equal(await codeOf(() => createClient({ baseUrl: bundles[1].api }).me()), 'UNAUTHORIZED')
  })

  it('lose everything at once when the account is disabled, and the tasks stay when it is deleted', async () => {
    const { id } = await bob.rest[0].submit({ kind: 'calcpi', params: { digits: 3 } })
    const events = await fetch(`${bundles[0].api}/events`, {
      headers: { authorization: `Bearer ${bob.token}` },
    })
    await admin.changeAccount(bob.id, { disabled: true })
    assert.match(await events.text(), /"reason":"login"/)
    const again = restOf(bundles[1], bob.token)
    assert.equal(await codeOf(() => again.me()), 'UNAUTHORIZED')
    await admin.deleteAccount(bob.id)
    const list = await fetch(`${bundles[0].api}/tasks?owner=${bob.id}`, {
      headers: { authorization: `Bearer ${(await newAdminKey()).key}` },
    })
    const { tasks } = (await list.json()) as { tasks: { id: string; ownerName: string | null }[] }
    assert.ok(tasks.some(task => task.id === id && task.ownerName === null))
  })

  it('have no tasks left when the account is deleted with them, on either server', async () => {
    const { id } = await admin.createAccount({ name: 'cleo', password: PASSWORD, role: 'user' })
    const { token } = await admin.logIn('cleo', PASSWORD)
    const cleo = restOf(bundles[0], token)
    const ended = await cleo.submit({ kind: 'calcpi', params: { digits: 3 } })
    await until('it has ended', async () => (await cleo.get(ended.id)).status === 'SUCCESS')
    const running = await cleo.submit({ kind: 'sleep', params: { seconds: 600 } })
    await until('it runs', async () => /STARTED|PROGRESS/.test((await cleo.get(running.id)).status))
    const notBefore = new Date(Date.now() + 3_600_000).toISOString()
    await cleo.submit({ kind: 'calcpi', params: { digits: 3 }, notBefore })
    const { key } = await newAdminKey()
    const left = async (at: number): Promise<number> => {
      const list = await fetch(`${bundles[at]?.api}/tasks?owner=${id}`, {
        headers: { authorization: `Bearer ${key}` },
      })
      return ((await list.json()) as { tasks: unknown[] }).tasks.length
    }
    assert.deepEqual([await left(0), await left(1)], [3, 3])
    await admin.deleteAccount(id, 'remove')
    await until('none is left', async () => (await left(0)) + (await left(1)) === 0)
  })

  const newAdminKey = () => admin.createKey({ name: 'looks', scopes: ['read'] })

  it('leave no secret in what a bundle has written', async () => {
    for (const bundle of bundles)
      for (const secret of [ann.token.slice(-43), bob.token.slice(-43), PASSWORD])
        assert.ok(!bundle.output().includes(secret))
  })
})
