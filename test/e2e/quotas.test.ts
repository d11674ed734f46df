// Quotas on a running bundle: REST and Thrift count together, with files and over two bundles that share one Redis.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClient } from '../../src/client/client.ts'
import { createRpcClient, type RpcClient } from '../../src/client/rpc.ts'
import { RpcError } from '../../src/client/rpc-errors.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'

const PASSWORD = 'correct horse battery'
const WAITING = 12
const SUBMITS = 6
const SETTINGS = {
  ANONYMOUS: 'none',
  ROLES: 'api,rpc,worker',
  QUOTA_WAITING_PER_ACCOUNT: String(WAITING),
  QUOTA_SUBMITS_PER_KEY: String(SUBMITS),
}
/** It waits for good. */
const LATER = { notBefore: '2099-01-01T00:00:00Z' }

interface Door {
  /** Whether it was let in; anything but a refusal by the quota fails. */
  submit(): Promise<boolean>
}

const restDoor = ({ api }: Bundle, token: string): Door => ({
  async submit() {
    const answer = await fetch(`${api}/tasks`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'calcpi', params: { digits: 1 }, ...LATER }),
    })
    const body = (await answer.json()) as { code?: string }
    if (answer.status === 202) return true
    assert.deepEqual([answer.status, body.code], [429, 'QUOTA_EXCEEDED'], JSON.stringify(body))
    assert.ok(Number(answer.headers.get('retry-after')) > 0)
    return false
  },
})
const rpcDoor = (rpc: RpcClient): Door => ({
  submit: () =>
    rpc.submit('calcpi', { digits: 1 }, LATER).then(
      () => true,
      (error: unknown) => {
        assert.ok(error instanceof RpcError && error.code === 'QUOTA_EXCEEDED', String(error))
        assert.ok((error.retryAfterMs ?? 0) > 0)
        return false
      },
    ),
})

/** How many of so many submits are let in, one after another at each door in turn. */
const inTurn = async (doors: readonly Door[], submits: number): Promise<number> => {
  let accepted = 0
  for (let n = 0; n < submits; n += 1) if (await doors[n % doors.length]?.submit()) accepted += 1
  return accepted
}

const tryOn = async (bundles: readonly Bundle[]): Promise<void> => {
  const [first] = bundles as [Bundle]
  const admin = createClient({
    baseUrl: first.api,
    key: (await createClient({ baseUrl: first.api }).logIn('operator', PASSWORD)).token,
  })
  const clients: RpcClient[] = []
  const doorsOf = (token: string): Door[] =>
    bundles.flatMap(bundle => {
      const [host = '', port] = bundle.rpc.split(':')
      const rpc = createRpcClient({ host, port: Number(port), key: token })
      clients.push(rpc)
      return [restDoor(bundle, token), rpcDoor(rpc)]
    })
  const person = async (name: string) => {
    await admin.createAccount({ name, password: PASSWORD, role: 'user' })
    const { token } = await createClient({ baseUrl: first.api }).logIn(name, PASSWORD)
    return { client: createClient({ baseUrl: first.api, key: token }), doors: doorsOf(token) }
  }
  try {
    const [ada, bob] = [await person('ada'), await person('bob')]
    for (const { doors } of [ada, bob]) assert.equal(await inTurn(doors, WAITING + 8), WAITING)
    const { tasks } = await bob.client.list({}, { limit: 2 })
    for (const { id } of tasks) await bob.client.cancel(id)
    assert.equal(await inTurn(ada.doors, 4), 0)
    assert.equal(await inTurn(bob.doors, 4), 2)

    // by the minute, all at once over every door
    const cat = await person('cat')
    const { key } = await cat.client.createKey({ name: 'k', scopes: ['submit'] })
    const doors = doorsOf(key)
    const minute = (): number => Math.floor(Date.now() / 60_000)
    const before = minute()
    const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => doors[n % doors.length]?.submit()))
    const accepted = answers.filter(Boolean).length
    assert.ok(accepted === SUBMITS || (minute() > before && accepted <= 10), `${accepted}`)
    const record = await cat.client.list({}, { limit: 1 })
    assert.ok(record.tasks.every(task => !('submittedBy' in task)))
  } finally {
    for (const client of clients) client.close()
  }
}

describe('quotas of a bundle', { timeout: 900_000 }, () => {
  it('hold over REST and Thrift together, with files', async () => {
    const { dataDir, remove } = makeDataDir()
    const bundle = await startBundle(dataDir, { ...SETTINGS, DASHBOARD_PASSWORD: PASSWORD })
    try {
      await tryOn([bundle])
    } finally {
      await bundle.kill()
      remove()
    }
  })

  it('hold over two bundles that share a Redis', { skip: requireService('redis') }, async () => {
    const [one, two] = [makeDataDir(), makeDataDir()]
    const redis = await startRedis()
    const bundles: Bundle[] = []
    try {
      for (const { dataDir } of [one, two])
        bundles.push(
          await startBundle(dataDir, { ...SETTINGS, DASHBOARD_PASSWORD: PASSWORD, STORE_URL: redis.url }),
        )
      await tryOn(bundles)
    } finally {
      for (const bundle of bundles) await bundle.kill()
      one.remove()
      two.remove()
      await redis.remove()
    }
  })
})
