// The operator's password and the key of the sessions, on a temp folder.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { type EndedSessions, openEndedSessions } from '../../../src/dashboard/access/ended-sessions.ts'
import { ensureOperator, openOperator, resetOperator } from '../../../src/dashboard/access/operator.ts'
import { createSessions, SESSION_LIFETIME_MS, type Sessions } from '../../../src/dashboard/access/session.ts'
import { ensureSessionKey, sessionKeyFor } from '../../../src/dashboard/access/session-key.ts'

let dataDir: string
beforeEach(async () => {
  dataDir = await mkdtemp(path.join(tmpdir(), 'madhava-operator-'))
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const accounts = (name = ''): string => path.join(dataDir, 'accounts', name)
const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777

describe('the operator', { timeout: 300_000 }, () => {
  it('gets a password at the first start, which is told once and kept only as a hash', async () => {
    const { created } = await ensureOperator({ dataDir, configured: null })
    assert.match(created ?? '', /^([2-9a-hjkmnp-z]{5}-){3}[2-9a-hjkmnp-z]{5}$/)
    assert.deepEqual(await ensureOperator({ dataDir, configured: null }), { created: null })
    assert.ok(!(await readFile(accounts('operator.json'), 'utf8')).includes(created ?? ''))
    assert.deepEqual(await readdir(accounts()), ['operator.json'])
    const operator = openOperator({ dataDir, configured: null })
    assert.equal(await operator.verify('operator', created ?? ''), true)
    assert.equal(await operator.verify('operator', `${created}x`), false)
    assert.equal(await operator.verify('root', created ?? ''), false)
    assert.equal(await operator.verify('operator', ''), false)
  })

  it('is kept where only our own user can look, also in a folder that was open before', async () => {
    await mkdir(accounts(), { mode: 0o755 })
    await chmod(accounts(), 0o755)
    await ensureOperator({ dataDir, configured: null })
    await ensureSessionKey(dataDir)
    assert.equal(await modeOf(accounts()), 0o700)
    assert.equal(await modeOf(accounts('operator.json')), 0o600)
    assert.equal(await modeOf(accounts('session.key')), 0o600)
  })

  it('is made by one of eight that race, and that one has the password that counts', async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, () => ensureOperator({ dataDir, configured: null })),
    )
    const made = results.flatMap(result => result.created ?? [])
    assert.equal(made.length, 1)
    assert.equal(await openOperator({ dataDir, configured: null }).verify('operator', made[0] ?? ''), true)
    assert.deepEqual(await readdir(accounts()), ['operator.json'])
  })

  it('has the configured password when there is one, and no file is made for it', async () => {
    const { created } = await ensureOperator({ dataDir, configured: null })
    const configured = 'correct horse'
    const operator = openOperator({ dataDir, configured })
    assert.equal(await operator.verify('operator', configured), true)
    assert.equal(await operator.verify('operator', created ?? ''), false)
    await rm(accounts(), { recursive: true })
    assert.deepEqual(await ensureOperator({ dataDir, configured }), { created: null })
    await assert.rejects(stat(accounts('operator.json')))
  })

  it('gets a new password when the old one is lost: it counts at once, and what hung on the old one ends', async () => {
    const { created } = await ensureOperator({ dataDir, configured: null })
    const operator = openOperator({ dataDir, configured: null })
    const before = await operator.credential()
    const password = await resetOperator({ dataDir, configured: null })
    assert.match(password, /^([2-9a-hjkmnp-z]{5}-){3}[2-9a-hjkmnp-z]{5}$/)
    assert.equal(await operator.verify('operator', password), true)
    assert.equal(await operator.verify('operator', created ?? ''), false)
    assert.notEqual(await operator.credential(), before)
    assert.equal(await modeOf(accounts('operator.json')), 0o600)
    assert.deepEqual(await readdir(accounts()), ['operator.json'])
    // also in the place of a file that cannot be used
    await writeFile(accounts('operator.json'), 'spoilt')
    await assert.rejects(operator.verify('operator', password), /bin\/reset-password\.mjs/)
    const another = await resetOperator({ dataDir, configured: null })
    assert.equal(await operator.verify('operator', another), true)
  })

  it('gets none where the password comes from the settings, or where no bundle has ever started', async () => {
    await assert.rejects(resetOperator({ dataDir, configured: 'correct horse' }), /DASHBOARD_PASSWORD/)
    await assert.rejects(resetOperator({ dataDir, configured: null }), (error: Error) =>
      error.message.includes(dataDir),
    )
    assert.deepEqual(await readdir(dataDir), [])
  })

  it('does not exist, and nobody gets in, before it is made', async () => {
    const operator = openOperator({ dataDir, configured: null })
    assert.equal(await operator.credential(), null)
    assert.equal(await operator.verify('operator', ''), false)
  })

  it('says what to do about a file that cannot be used, and does not overwrite it', async () => {
    for (const text of [
      '',
      '{}',
      '{"version":1,"name":"operator","scrypt":{"N":1e9,"r":8,"p":1},"salt":"","hash":""}',
    ]) {
      await mkdir(accounts(), { recursive: true })
      await writeFile(accounts('operator.json'), text)
      await assert.rejects(
        ensureOperator({ dataDir, configured: null }),
        error => isMadhavaError(error, 'CONFIG_INVALID') && /bin.reset-password/.test(error.message),
      )
      assert.equal(await readFile(accounts('operator.json'), 'utf8'), text)
    }
  })
})

describe('the key of the sessions', () => {
  it('is one and the same for all who race to make it, and stays', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => ensureSessionKey(dataDir)))
    const hex = new Set(keys.map(key => key.toString('hex')))
    assert.equal(hex.size, 1)
    assert.ok(hex.has((await ensureSessionKey(dataDir)).toString('hex')))
    assert.deepEqual(await readdir(accounts()), ['session.key'])
  })

  it('is refused when the file is no key', async () => {
    await mkdir(accounts())
    await writeFile(accounts('session.key'), 'short')
    await assert.rejects(ensureSessionKey(dataDir), error => isMadhavaError(error, 'CONFIG_INVALID'))
  })

  it('is none when a link or a pipe stands in its place', async () => {
    await mkdir(accounts())
    await writeFile(path.join(dataDir, 'other'), Buffer.alloc(32))
    await symlink('../other', accounts('session.key'))
    await assert.rejects(ensureSessionKey(dataDir), error => isMadhavaError(error, 'CONFIG_INVALID'))
    await rm(accounts('session.key'))
    execFileSync('mkfifo', [accounts('session.key')])
    await assert.rejects(ensureSessionKey(dataDir), error => isMadhavaError(error, 'CONFIG_INVALID'))
    execFileSync('mkfifo', [accounts('operator.json')])
    await assert.rejects(ensureOperator({ dataDir, configured: null }), error =>
      isMadhavaError(error, 'CONFIG_INVALID'),
    )
  })

  it('changes when the dashboard starts with another password, so that one that comes back finds another key', async () => {
    const hex = async (credential: string | null) =>
      (await sessionKeyFor(dataDir, credential)).toString('hex')
    const first = await hex('configured:one')
    assert.equal(await hex('configured:one'), first)
    assert.equal(await hex(null), first)
    const second = await hex('file:x')
    assert.notEqual(second, first)
    assert.notEqual(await hex('configured:one'), first)
    await writeFile(accounts('session.password'), 'torn')
    const third = await hex('configured:one')
    assert.equal(await hex('configured:one'), third)
    assert.ok(!(await readFile(accounts('session.password'), 'utf8')).includes('one'))
    assert.equal(await modeOf(accounts('session.password')), 0o600)
  })
})

describe('a session', () => {
  let now: number
  let bound: string | null
  let ended: EndedSessions
  const key = Buffer.alloc(32, 7)
  const open = (own = key): Sessions =>
    createSessions({ key: own, credential: async () => bound, ended, clock: () => now })
  const begin = async (): Promise<string> => {
    const cookie = await open().begin()
    assert.ok(cookie)
    return cookie
  }
  beforeEach(async () => {
    now = Date.UTC(2030, 0, 1)
    bound = 'first'
    ended = await openEndedSessions(dataDir, () => now)
  })

  it('is good for twelve hours, in every process with the key', async () => {
    const cookie = await begin()
    assert.equal((await open().check(cookie))?.expiresAt, now + SESSION_LIFETIME_MS)
    now += SESSION_LIFETIME_MS - 1
    assert.ok(await open().check(cookie))
    now += 1
    assert.equal(await open().check(cookie), null)
  })

  it('does not outlive its twelve hours because the clock was ahead when it began', async () => {
    now += 30 * SESSION_LIFETIME_MS
    const cookie = await begin()
    now -= 30_000
    assert.ok(await open().check(cookie))
    now -= 30 * SESSION_LIFETIME_MS
    assert.equal(await open().check(cookie), null)
  })

  it('ends with a new password, another key, and when it is ended', async () => {
    const cookie = await begin()
    const sessions = open()
    assert.equal(await open(Buffer.alloc(32, 8)).check(cookie), null)
    bound = 'second'
    assert.equal(await sessions.check(cookie), null)
    bound = null
    assert.equal(await sessions.check(cookie), null)
    assert.equal(await sessions.begin(), null)
    bound = 'first'
    assert.ok(await sessions.check(cookie))
    await sessions.end(cookie)
    assert.equal(await sessions.check(cookie), null)
  })

  it('that was ended stays so in every process, after a restart, and however many end after it', async () => {
    const sessions = open()
    const cookies = await Promise.all(Array.from({ length: 1_100 }, begin))
    await Promise.all(cookies.slice(0, 1_099).map(cookie => sessions.end(cookie)))
    ended = await openEndedSessions(dataDir, () => now)
    for (const cookie of [cookies[0], cookies[1], cookies[1_098]]) {
      assert.equal(await sessions.check(cookie), null)
      assert.equal(await open().check(cookie), null)
    }
    assert.ok(await open().check(cookies[1_099]))
    // what is kept is no cookie, and goes when the cookies are of no use, and a day
    const [name = ''] = await readdir(accounts('ended'))
    assert.equal(await sessions.check(name), null)
    now += SESSION_LIFETIME_MS + 25 * 3_600_000
    ended = await openEndedSessions(dataDir, () => now)
    assert.deepEqual(await readdir(accounts('ended')), [])
  })

  it('ends for this process also where that cannot be written, and says so', async () => {
    const [cookie, other] = [await begin(), await begin()]
    await rm(accounts('ended'), { recursive: true })
    await writeFile(accounts('ended'), '')
    const sessions = open()
    await assert.rejects(sessions.end(cookie))
    assert.equal(await sessions.check(cookie), null)
    // nobody can say whether this one was ended: that is no yes
    await assert.rejects(sessions.check(other))
  })

  it('is refused with any character of its cookie changed, added or left out', async () => {
    const cookie = await begin()
    const sessions = open()
    // every other character, also those that stand for the same bytes at the end of a signature
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.'
    const forged = [...cookie].flatMap((character, index) => {
      const before = cookie.slice(0, index)
      const rest = cookie.slice(index + 1)
      const changed = [...alphabet].filter(other => other !== character).map(other => before + other + rest)
      return [...changed, before + rest, `${before}${character}A${rest}`]
    })
    for (const value of [...forged, '', 'v1...', 'x'.repeat(10_000), `${cookie} `, `${cookie}\n`, undefined])
      assert.equal(await sessions.check(value), null, value)
  })

  it('has form tokens of its own, that no other session accepts', async () => {
    const sessions = open()
    const [one, other] = [await sessions.check(await begin()), await sessions.check(await begin())]
    assert.ok(one && other)
    assert.ok(sessions.isFormToken(one, one.formToken))
    const twin = one.formToken.replace(/.$/, last => String.fromCharCode(last.charCodeAt(0) + 1))
    for (const token of [other.formToken, '', 'x', `${one.formToken}A`, twin])
      assert.equal(sessions.isFormToken(one, token), false)
  })
})
