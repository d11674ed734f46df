// Sign-in by OpenID Connect on whole bundles: two of them on one Redis behind one address, a real provider, a kill
// between the two ends, and no secret of it anywhere that the bundles have written.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { LOGIN_COOKIE } from '../../src/api/identify.ts'
import { createClient } from '../../src/client/client.ts'
import { createRpcClient } from '../../src/client/rpc.ts'
import { type Bundle, makeDataDir, processesOf, startBundle } from '../support/bundle.ts'
import { freePort } from '../support/free-port.ts'
import { CLIENT_ID, CLIENT_SECRET, type RealProvider, startProvider } from '../support/oidc-provider.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { createTinyBrowser, passProvider, type TinyBrowser } from '../support/tiny-browser.ts'
import { until } from '../support/until.ts'

/** Where the balancer is, which stands in front of both bundles. */
const [API, BOARD] = ['http://localhost:18000', 'http://localhost:19001']

describe('sign-in by OpenID Connect, with whole bundles', {
  skip: requireService('redis'),
  timeout: 900_000,
}, () => {
  let provider: RealProvider
  let redis: PrivateRedis
  const folders = [makeDataDir(), makeDataDir()]
  const bundles: Bundle[] = []
  before(async () => {
    provider = await startProvider({
      redirectUris: [`${API}/sessions/oidc/callback`, `${BOARD}/login/oidc/callback`],
    })
    provider.people.set('ada', { preferred_username: 'ada', groups: ['staff'] })
    redis = await startRedis()
    for (const { dataDir } of folders)
      bundles.push(
        await startBundle(dataDir, {
          ...{ ANONYMOUS: 'read', LOG_LEVEL: 'trace', STORE_URL: redis.url },
          ...{ OIDC_ISSUER: provider.issuer, OIDC_CLIENT_ID: CLIENT_ID, OIDC_CLIENT_SECRET: CLIENT_SECRET },
          // a process that runs again has the same
          ...{ API_PORT: String(await freePort()), DASHBOARD_PORT: String(await freePort()) },
          ...{ OIDC_API_URL: API, OIDC_DASHBOARD_URL: BOARD, OIDC_ROLES: 'staff=user' },
        }),
      )
  })
  after(async () => {
    await Promise.all(bundles.map(bundle => bundle.kill()))
    await redis?.remove()
    for (const { remove } of folders) remove()
    await provider?.close()
  })

  /** A browser whose next requests this bundle gets. */
  const browserAt = (): TinyBrowser & { turnTo(n: number): void } => {
    let at = 0
    const pass =
      (door: 'api' | 'dashboard') =>
      (url: URL, init: RequestInit): Promise<Response> => {
        const base = bundles[at]?.[door] ?? assert.fail()
        return fetch(base + url.pathname + url.search, init)
      }
    return {
      ...createTinyBrowser({ [API]: pass('api'), [BOARD]: pass('dashboard') }),
      turnTo(n) {
        at = n
      },
    }
  }

  it('begins at one bundle and ends at the other, also after a kill -9 between the two, at both doors', async () => {
    const secrets: string[] = [CLIENT_SECRET]
    const one: Bundle = bundles[0] ?? assert.fail()
    const two: Bundle = bundles[1] ?? assert.fail()
    for (const [role, origin, begin] of [
      ['api', API, '/sessions/oidc'],
      ['dashboard', BOARD, '/login/oidc?next=/tasks'],
    ] as const) {
      const browser = browserAt()
      const page = await browser.visit(origin + begin)
      secrets.push(...Object.values(browser.cookies(origin)))
      const before = await one.pidOf(role)
      process.kill(before, 'SIGKILL')
      browser.turnTo(1)
      const stopAt = `${origin}${begin.replace(/\?.*/, '')}/callback`
      const back = await passProvider(browser, page, 'ada', { stopAt })
      for (const name of ['code', 'state']) secrets.push(back.url.searchParams.get(name) ?? assert.fail())
      const end = await browser.visit(back.url.href)
      assert.equal(end.status, 200, end.text)
      const token = browser.cookies(origin)[LOGIN_COOKIE] ?? ''
      secrets.push(token)
      await until(`${role} runs again`, async () => {
        const isUp = await fetch(`${one[role]}/livez`).then(
          ({ ok }) => ok,
          () => false,
        )
        return isUp && (await one.pidOf(role)) !== before
      })
      // one account and one session, at every door of both
      for (const bundle of [one, two]) {
        const { account } = await createClient({ baseUrl: bundle.api, key: token }).me()
        assert.deepEqual([account?.name, account?.role, account?.signIn], ['ada', 'user', ['oidc']])
        const [host = '', port] = bundle.rpc.split(':')
        const rpc = createRpcClient({ host, port: Number(port), key: token })
        assert.deepEqual((await rpc.me()).account, account)
        rpc.close()
        const asked = await fetch(`${bundle.dashboard}/me.json`, {
          headers: { cookie: `${LOGIN_COOKIE}=${token}` },
        })
        assert.equal(((await asked.json()) as { name: string }).name, 'ada')
      }
      // again, with the cookie that the browser had
      const again = await browser.visit(back.url.href)
      assert.equal(again.status, 400)
    }

    const places = new Map<string, string>()
    for (const bundle of bundles) {
      places.set(`output of ${bundle.pid}`, bundle.output())
      for (const pid of processesOf(bundle.dataDir))
        places.set(`command line of ${pid}`, readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
      for (const entry of readdirSync(bundle.dataDir, { recursive: true, withFileTypes: true })) {
        const file = path.join(entry.parentPath, entry.name)
        if (entry.isFile() && existsSync(file)) places.set(file, readFileSync(file, 'latin1'))
      }
      // kinds run there, and need no secret of the doors
      for (const role of ['worker', 'rpc'])
        assert.ok(
          !readFileSync(`/proc/${await bundle.pidOf(role)}/environ`, 'latin1').includes(CLIENT_SECRET),
          role,
        )
    }
    for (const key of (await redis.cli('--scan')).split('\n'))
      if ((await redis.cli('TYPE', key)) === 'hash') places.set(key, await redis.cli('HGETALL', key))
    assert.ok([...places.values()].some(text => text.includes('"subject":"ada"')))
    assert.ok(places.size > 50)
    const found = [...places].flatMap(([place, text]) =>
      secrets.flatMap((secret, n) => (text.includes(secret) ? [`${place} has secret ${n}`] : [])),
    )
    assert.deepEqual(found, [])
  })
})
