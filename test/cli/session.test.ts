// login, logout, register: a key of its own for the console, which nobody sees and a logout revokes.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Settings } from '../../src/cli/settings/settings-file.ts'
import { PASSWORD } from '../api/fixture.ts'
import { type ConsoleFixture, type Ended, openConsole } from './console-fixture.ts'

let console_: ConsoleFixture
beforeEach(async () => {
  console_ = await openConsole({ anonymous: 'none' })
})
afterEach(() => console_.close())

const settingsFile = (): string => path.join(console_.home, '.config/madhava/console.json')
const settings = (): Settings => JSON.parse(readFileSync(settingsFile(), 'utf8')) as Settings
const logIn = (name: string): Promise<Ended> =>
  console_.madhava(['login', name, '--password-stdin'], { input: `${PASSWORD}\n` })

describe('a login of the console', () => {
  it('makes a key for this machine, keeps it in a file of its own, and ends the session that made it', async () => {
    const { actor } = await console_.door.logIn('ada', 'user')
    const { code, out, err } = await logIn('ada')
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /^Logged in at local \(http:\/\/127\.0\.0\.1:\d+\) as ada\.\n$/)
    const { servers, current } = settings()
    assert.equal(current, 'local')
    const { key = '', keyId, account } = servers.local ?? {}
    assert.match(key, /^mdv_/)
    assert.equal(account, 'ada')
    assert.equal(statSync(settingsFile()).mode & 0o777, 0o600)
    const [made, ...others] = await console_.door.access.keys(actor)
    assert.deepEqual([made?.id, others.length, made?.scopes], [keyId, 0, ['read', 'submit']])
    assert.match(made?.name ?? '', /^console of .*desk$/)
    // the session of the test is the only one
    assert.equal((await console_.door.access.sessions(actor)).length, 1)
    const who = await console_.madhava(['whoami', '--json'])
    assert.equal((JSON.parse(who.out) as { account: { name: string } }).account.name, 'ada')
    for (const { out: text } of [who, { out }]) assert.ok(!text.includes(key))
  })

  it('is over after a logout, on the server too', async () => {
    const { actor } = await console_.door.logIn('ada', 'user')
    await logIn('ada')
    const { key = '' } = settings().servers.local ?? {}
    assert.equal((await console_.madhava(['tasks'])).code, 0)
    const { code, out } = await console_.madhava(['logout'])
    assert.deepEqual([code, out], [0, 'Logged out of local; the key is revoked.\n'])
    assert.equal(settings().servers.local?.key, undefined)
    assert.equal((await console_.door.access.keys(actor)).length, 0)
    const after = await console_.madhava(['tasks'], { env: { MADHAVA_KEY: key } })
    assert.equal(after.code, 4)
    assert.ok(!after.err.includes(key))
    assert.equal((await console_.madhava(['logout'])).code, 2)
  })

  it('takes the place of the one before', async () => {
    const { actor } = await console_.door.logIn('ada', 'user')
    await logIn('ada')
    await logIn('ada')
    const keys = await console_.door.access.keys(actor)
    assert.deepEqual(
      keys.map(({ id }) => id),
      [settings().servers.local?.keyId],
    )
  })

  it('is refused with the code for it when the password is wrong, and keeps nothing', async () => {
    await console_.door.logIn('ada', 'user')
    const { code, err } = await console_.madhava(['login', 'ada', '--password-stdin'], {
      input: 'wrong password\n',
    })
    assert.equal(code, 4)
    assert.match(err, /LOGIN_WRONG/)
    assert.ok(!err.includes('wrong password'))
    assert.equal(existsSync(settingsFile()), false)
  })

  it('takes a key that somebody has made, and ends by itself where it was told to', async () => {
    const { actor } = await console_.door.logIn('ada', 'user')
    const { key } = await console_.door.access.createKey(actor, {
      name: 'by hand',
      scopes: ['read'],
      kinds: null,
      own: false,
      expiresAt: null,
    })
    const { code, out } = await console_.madhava(['login', '--key-stdin'], { input: `${key}\n` })
    assert.equal(code, 0)
    assert.ok(!out.includes(key))
    assert.equal(settings().servers.local?.key, key)
    await console_.madhava(['login', 'ada', '--password-stdin', '--days', '2'], { input: `${PASSWORD}\n` })
    const made = (await console_.door.access.keys(actor)).find(
      ({ id }) => id === settings().servers.local?.keyId,
    )
    assert.ok(Date.parse(made?.expiresAt ?? '') > Date.now())
    assert.equal((await console_.madhava(['login', '--key-stdin'], { input: 'mdv_no_key\n' })).code, 4)
  })

  it('asks nobody where there is no terminal', async () => {
    const { code, err } = await console_.madhava(['login', 'ada'])
    assert.equal(code, 2)
    assert.match(err, /no terminal/)
  })
})

describe('a registration', () => {
  it('makes an account by an invitation, and logs in', async () => {
    const { actor } = await console_.door.logIn('boss', 'admin')
    const { invitation } = await console_.door.access.invite(actor, {
      role: 'user',
      note: null,
      seconds: 600,
    })
    const register = (name: string, second: string): Promise<Ended> =>
      console_.madhava(['registr', name, '--password-stdin'], { input: `${PASSWORD}\n${second}\n` })
    assert.equal((await register('eve', '')).code, 4)
    const { code, out, err } = await register('ada', invitation)
    assert.deepEqual([code, err], [0, ''])
    assert.match(out, /as ada\.$/m)
    assert.equal(settings().servers.local?.account, 'ada')
    assert.equal((await register('bob', invitation)).code, 4)
  })
})

describe('servers by name', () => {
  it('are added, listed, chosen and removed', async () => {
    const env = { MADHAVA_URL: '' }
    const run = (...args: string[]) => console_.madhava(args, { env })
    assert.equal((await run('server', 'add', 'one', console_.url)).code, 0)
    assert.equal((await run('server', 'add', 'two', 'https://two.example/')).code, 0)
    assert.deepEqual(JSON.parse((await run('server', 'list', '--json')).out), [
      { name: 'one', url: console_.url, account: null, loggedIn: false, current: true },
      { name: 'two', url: 'https://two.example', account: null, loggedIn: false, current: false },
    ])
    assert.match((await run('server')).out, /^\* {2}one /m)
    assert.equal((await run('server', 'use', 'two')).code, 0)
    assert.equal(settings().current, 'two')
    assert.equal((await run('kinds', '--server', 'one')).code, 4)
    assert.equal((await run('server', 'remove', 'two')).code, 0)
    assert.equal(settings().current, null)
    assert.equal((await run('server', 'use', 'two')).code, 2)
    assert.equal((await run('server', 'add', '../x', 'http://x')).code, 2)
    assert.equal((await run('server', 'add', 'x', 'http://a:b@x')).code, 2)
    const warned = await run('server', 'add', 'plain', 'http://far.example')
    assert.match(warned.err, /Warning.*no https/)
  })

  it('do not take the key of another address', async () => {
    await console_.door.logIn('ada', 'user')
    await logIn('ada')
    const { code, err } = await console_.madhava(['server', 'add', 'local', 'http://elsewhere.example'])
    assert.equal(code, 2)
    assert.match(err, /logged in there/)
  })
})
