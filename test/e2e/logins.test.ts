// The logins of the dashboard as people meet them: the first start, a lost password, and several bundles on one Redis.
import assert from 'node:assert/strict'
import { chownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { type Bundle, makeDataDir, startBundle, startRefused } from '../support/bundle.ts'
import { type PrivateRedis, startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { runTool } from '../support/tool.ts'
import { until } from '../support/until.ts'

const LONG = { timeout: 600_000 }
const DASHBOARD = { ROLES: 'dashboard' }
const SHOWN = /password (\S+) \(shown this once\)/
const shownIn = (text: string): string => SHOWN.exec(text)?.[1] ?? ''

/** The cookie; null when the pair is wrong. */
const logIn = async (bundle: Bundle, password: string, name = 'operator'): Promise<string | null> => {
  const answer = await fetch(`${bundle.dashboard}/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: bundle.dashboard, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ name, password }),
  })
  await answer.arrayBuffer()
  assert.ok([303, 401].includes(answer.status), String(answer.status))
  return answer.headers.get('set-cookie')?.split(';')[0] ?? null
}
const me = async (bundle: Bundle, cookie: string | null): Promise<{ status: number; csrf: string }> => {
  const answer = await fetch(`${bundle.dashboard}/me.json`, { headers: { cookie: cookie ?? '' } })
  const { csrf = '' } = (await answer.json()) as { csrf?: string }
  return { status: answer.status, csrf }
}
const reset = (args: string[], env: Record<string, string> = {}) =>
  runTool('reset-password', args, { env: { ...process.env, ...env } })

describe('the logins of a bundle on files', LONG, () => {
  const { dataDir, remove } = makeDataDir()
  let bundle: Bundle
  let first: string
  before(async () => {
    bundle = await startBundle(dataDir, DASHBOARD)
    first = shownIn(bundle.output())
  })
  after(async () => {
    await bundle.kill()
    remove()
  })

  it('get a new password while it runs, which counts at once and ends the sessions', async () => {
    const cookie = await logIn(bundle, first)
    assert.equal((await me(bundle, cookie)).status, 200)
    const { status, stdout, stderr } = reset(['--data-dir', dataDir])
    assert.equal(status, 0, stderr)
    assert.match(
      stdout,
      new RegExp(`^In ${dataDir} the login is operator, password \\S+ \\(shown this once\\)\\.\n$`),
    )
    assert.equal((await me(bundle, cookie)).status, 401)
    assert.equal(await logIn(bundle, first), null)
    first = shownIn(stdout)
    assert.equal((await me(bundle, await logIn(bundle, first))).status, 200)
  })

  it('have a viewer from the first reset to the removal', async () => {
    assert.equal(reset(['--data-dir', dataDir, '--remove']).status, 2)
    const made = reset(['--viewer'], { DATA_DIR: dataDir })
    const cookie = await logIn(bundle, shownIn(made.stdout), 'viewer')
    assert.equal((await me(bundle, cookie)).status, 200)
    assert.equal(reset(['--viewer', '--remove'], { DATA_DIR: dataDir }).status, 0)
    assert.equal((await me(bundle, cookie)).status, 401)
    const again = reset(['--viewer', '--remove'], { DATA_DIR: dataDir })
    assert.equal(again.status, 2)
    assert.match(again.stderr, /no viewer/)
  })

  it('stay over a start, with their sessions, and a password of the settings counts alone', async () => {
    const cookie = await logIn(bundle, first)
    await bundle.stop()
    bundle = await startBundle(dataDir, DASHBOARD)
    assert.doesNotMatch(bundle.output(), SHOWN)
    assert.equal((await me(bundle, cookie)).status, 200)
    await bundle.stop()
    const configured = { ...DASHBOARD, DASHBOARD_PASSWORD: 'correct horse' }
    bundle = await startBundle(dataDir, configured)
    assert.equal((await me(bundle, cookie)).status, 401)
    const own = await logIn(bundle, 'correct horse')
    assert.equal((await me(bundle, own)).status, 200)
    const refused = reset(['--data-dir', dataDir])
    assert.equal(refused.status, 2)
    assert.match(refused.stderr, /DASHBOARD_PASSWORD/)
    await bundle.stop()
    bundle = await startBundle(dataDir, configured)
    assert.equal((await me(bundle, own)).status, 200)
    // without it, the one before counts again, and no session comes back
    await bundle.stop()
    bundle = await startBundle(dataDir, DASHBOARD)
    for (const old of [cookie, own]) assert.equal((await me(bundle, old)).status, 401)
    assert.ok(await logIn(bundle, first))
  })

  it('are not reset in a folder that is none of a bundle, and nothing is made there', () => {
    const { dataDir: other, remove: removeOther } = makeDataDir()
    try {
      const empty = path.join(other, 'empty')
      mkdirSync(empty)
      for (const dir of [empty, path.join(other, 'missing')]) {
        const { status, stderr } = reset(['--data-dir', dir])
        assert.equal(status, 2)
        assert.ok(stderr.includes(dir), stderr)
      }
      assert.deepEqual(readdirSync(empty), [])
      assert.deepEqual(readdirSync(other), ['empty'])
    } finally {
      removeOther()
    }
  })

  const isRoot = process.getuid?.() === 0
  const needsRoot = { skip: isRoot ? false : 'only root can act for another user' }
  it(
    'that root resets belong to the owner of the folder, and so does all that is made',
    needsRoot,
    async () => {
      await bundle.stop()
      const owner = 65_534
      const all = () => ['.', ...readdirSync(dataDir, { recursive: true, encoding: 'utf8' })]
      for (const name of all()) {
        const file = path.join(dataDir, name)
        if (!lstatSync(file).isSymbolicLink()) chownSync(file, owner, owner)
      }
      const { status, stderr } = reset(['--data-dir', dataDir])
      assert.equal(status, 0, stderr)
      const ofOthers = all().filter(name => {
        const info = lstatSync(path.join(dataDir, name))
        return !info.isSymbolicLink() && (info.uid !== owner || info.gid !== owner)
      })
      assert.deepEqual(ofOthers, [])
    },
  )
})

describe('the logins of two bundles on one Redis', { ...LONG, skip: requireService('redis') }, () => {
  const [one, other] = [makeDataDir(), makeDataDir()]
  let redis: PrivateRedis
  let place: { STORE_URL: string }
  const bundles: Bundle[] = []
  const start = async (
    { dataDir }: { dataDir: string },
    more: Record<string, string> = {},
  ): Promise<Bundle> => {
    const bundle = await startBundle(dataDir, { ...DASHBOARD, ...place, ...more })
    bundles.push(bundle)
    return bundle
  }
  before(async () => {
    redis = await startRedis({ settings: { appendonly: 'yes', appendfsync: 'always' } })
    place = { STORE_URL: redis.url }
  })
  after(async () => {
    // the last one in a folder first
    for (const bundle of bundles.reverse()) await bundle.kill()
    await redis.stop()
    for (const { remove } of [one, other]) remove()
  })

  it('are those of a folder that comes first, the same for both, with their sessions', async () => {
    const before = await startBundle(one.dataDir, DASHBOARD)
    const password = shownIn(before.output())
    assert.ok(password)
    const cookie = await logIn(before, password)
    await before.stop()

    const [first, second] = [await start(one), await start(other)]
    for (const bundle of [first, second]) {
      assert.doesNotMatch(bundle.output(), SHOWN)
      assert.equal((await me(bundle, cookie)).status, 200)
      assert.ok(await logIn(bundle, password))
    }

    // a logout at one is one at both
    const { csrf } = await me(second, cookie)
    const out = await fetch(`${second.dashboard}/logout`, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        origin: second.dashboard,
        cookie: cookie ?? '',
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ token: csrf }),
    })
    assert.equal(out.status, 303)
    for (const bundle of [first, second]) assert.equal((await me(bundle, cookie)).status, 401)

    // a reset is one for both
    const made = reset([], { ...place, DATA_DIR: other.dataDir })
    assert.equal(made.status, 0, made.stderr)
    for (const bundle of [first, second]) {
      assert.equal(await logIn(bundle, password), null)
      assert.ok(await logIn(bundle, shownIn(made.stdout)))
    }
  })

  it('do not have two passwords of settings, and one of one bundle counts for both', async () => {
    const [first, second] = bundles
    assert.ok(first && second)
    await first.stop()
    const configured = await start(one, { DASHBOARD_PASSWORD: 'correct horse' })
    for (const bundle of [configured, second]) assert.ok(await logIn(bundle, 'correct horse'))
    await second.stop()
    const refused = await startRefused(other.dataDir, {
      ...DASHBOARD,
      ...place,
      DASHBOARD_PASSWORD: 'battery staple',
    })
    assert.equal(refused.code, 1)
    assert.match(refused.output, /Madhava cannot start\. Another bundle .* another DASHBOARD_PASSWORD/)
    assert.doesNotMatch(refused.output, /battery staple|correct horse/)
    const third = await start(other)
    assert.doesNotMatch(third.output(), SHOWN)
    const cookie = await logIn(third, 'correct horse')
    assert.equal((await me(third, cookie)).status, 200)

    // while Redis is away, who was seen is let in
    await redis.stop()
    await until('the dashboard knows', async () => (await me(configured, cookie)).status === 503)
    assert.equal((await me(third, cookie)).status, 200)
    assert.ok(await logIn(configured, 'correct horse'))
    await redis.start()
    await until('it is back', async () => (await me(configured, cookie)).status === 200)
  })
})
