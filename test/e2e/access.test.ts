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
    const { token } = await createClient({ baseUrl: bundles[1].api }).logIn('operator', shown)
    admin = restOf(bundles[0], token)
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
    for (const role of ['api', 'rpc']) {
      const before = await bundles[0].pidOf(role)
      process.kill(before, 'SIGKILL')
      await until(`${role} is there again`, async () => {
        const now = await bundles[0].pidOf(role).catch(() => before)
        return now !== before
      })
    }
    await bundles[1].stop()
    bundles[1] = await startBundle(two.dataDir, settings())
    ann = personOf(ann.id, ann.token)
    await until('the api answers', async () => {
      const answer = await fetch(`${bundles[0].api}/livez`).catch(() => null)
      return answer?.ok === true
    })
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

  const newAdminKey = () => admin.createKey({ name: 'looks', scopes: ['read'] })

  it('leave no secret in what a bundle has written', async () => {
    for (const bundle of bundles)
      for (const secret of [ann.token.slice(-43), bob.token.slice(-43), PASSWORD])
        assert.ok(!bundle.output().includes(secret))
  })
})
