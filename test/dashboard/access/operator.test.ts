// A login: its password is checked, replaced and taken away, and what counts while the store is away.
import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { createCheckQueue } from '../../../src/access/check-queue.ts'
import { isMadhavaError, MadhavaError } from '../../../src/core/errors.ts'
import { openOperator } from '../../../src/dashboard/access/operator.ts'
import { removeViewer, resetLogin } from '../../../src/dashboard/access/reset-login.ts'
import { ensureSessionKey } from '../../../src/dashboard/access/session-key.ts'
import { createLoginWorld, type LoginWorld, PASSWORD } from './logins.ts'

const unavailable = (error: unknown) => isMadhavaError(error, 'STORE_UNAVAILABLE')
/** Documents that are none of a login. */
const SPOILT = [
  {},
  { role: 'operator', password: null },
  { role: 'viewer', password: null, configured: null },
  { role: 'king', password: null, configured: null },
  { role: 'operator', password: { scrypt: { N: 1e9, r: 8, p: 1 }, salt: '', hash: '' }, configured: null },
]

describe('a login', { timeout: 300_000 }, () => {
  let world: LoginWorld
  beforeEach(() => {
    world = createLoginWorld()
  })

  it('opens by its name and its password together, and by nothing else', async () => {
    const { created } = await world.start()
    assert.match(created ?? '', PASSWORD)
    const operator = world.login()
    assert.equal(await operator.verify('operator', created ?? ''), true)
    assert.equal(await operator.verify('operator', `${created}x`), false)
    assert.equal(await operator.verify('root', created ?? ''), false)
    assert.equal(await operator.verify('viewer', created ?? ''), false)
    assert.equal(await operator.verify('operator', ''), false)
    assert.equal(await operator.verify('operator', 'x'.repeat(100_000)), false)
  })

  it('keeps its password only as a hash', async () => {
    const { created } = await world.start({ viewer: 'battery staple' })
    for (const name of ['operator', 'viewer']) {
      const text = JSON.stringify(await world.dataOf(name))
      for (const password of [created ?? '', 'battery staple']) assert.ok(!text.includes(password))
      assert.match(text, /"hash":"[A-Za-z0-9_-]{43}"/)
    }
  })

  it('does not exist, and nobody gets in, before it is made', async () => {
    const operator = world.login()
    assert.equal(await operator.credential(), null)
    assert.equal(await operator.verify('operator', ''), false)
    // nor where it is there and has no password
    await world.spoil('operator', { role: 'operator', password: null, configured: null, changes: 3 })
    assert.equal(await operator.credential(), null)
    assert.equal(await operator.verify('operator', ''), false)
  })

  it('is checked one at a time, and a wrong pair is refused only after a hash', async () => {
    const { created } = await world.start()
    const inTurn = createCheckQueue()
    let [running, most, checks] = [0, 0, 0]
    const counted: typeof inTurn = (work, rank) =>
      inTurn(async () => {
        running += 1
        checks += 1
        most = Math.max(most, running)
        return work().finally(() => {
          running -= 1
        })
      }, rank)
    const operator = openOperator(world.documents, 'operator', counted)
    const viewer = openOperator(world.documents, 'viewer', counted)
    const took = async (work: Promise<boolean>): Promise<[boolean, number]> => {
      const before = process.cpuUsage()
      const right = await work
      const { user, system } = process.cpuUsage(before)
      return [right, user + system]
    }
    const [, full] = await took(operator.verify('operator', created ?? ''))
    for (const wrong of [
      () => operator.verify('operator', 'wrong'),
      () => operator.verify('root', created ?? ''),
      // there is no viewer at all
      () => viewer.verify('viewer', 'wrong'),
    ]) {
      const [right, cpu] = await took(wrong())
      assert.equal(right, false)
      assert.ok(cpu > full / 4, `${cpu} of ${full} microseconds`)
    }
    await Promise.all([operator, viewer, operator].map(login => login.verify('operator', 'wrong')))
    assert.deepEqual([most, checks], [1, 7])
  })

  it('refuses checks beyond those that may wait', async () => {
    const operator = world.login()
    const asked = Array.from({ length: 60 }, () => operator.verify('operator', 'wrong'))
    const ends = await Promise.allSettled(asked)
    const refused = ends.flatMap(end => (end.status === 'rejected' ? [end.reason as unknown] : []))
    assert.equal(refused.length, 9)
    assert.ok(refused.every(error => isMadhavaError(error, 'TOO_MANY_REQUESTS')))
  })

  it('says what to do about a document that cannot be used, and does not overwrite it', async () => {
    for (const data of SPOILT) {
      const { rev } = await world.spoil('operator', data)
      for (const attempt of [() => world.start(), () => world.login().credential(), () => world.opens('x')])
        await assert.rejects(
          attempt(),
          error => isMadhavaError(error, 'CONFIG_INVALID') && /bin.reset-password/.test(error.message),
        )
      assert.equal((await world.documents.get('accounts', 'operator'))?.rev, rev)
    }
    await world.spoil('viewer')
    await assert.rejects(world.login('viewer').credential(), /bin.reset-password\.mjs --viewer`/)
  })

  it('keeps what a later program has written beside what this one knows', async () => {
    const { created } = await world.start()
    const data = await world.dataOf('operator')
    const password = { ...(data.password as object), madeBy: 'a later one' }
    await world.spoil('operator', { ...data, password, email: 'someone@example.org' }, 2)
    assert.equal(await world.opens(created ?? ''), true)
    await world.start({ operator: 'correct horse' })
    const after = await world.dataOf('operator')
    assert.deepEqual([after.email, after.password], ['someone@example.org', password])
  })

  describe('while the store is away', () => {
    it('counts as it was when this process read it last', async () => {
      const { created } = await world.start()
      const operator = world.login()
      const before = await operator.credential()
      world.store.away = true
      assert.equal(await operator.credential(), before)
      assert.equal(await operator.verify('operator', created ?? ''), true)
      assert.equal(await operator.verify('operator', 'wrong'), false)
      world.store.away = false
      const password = await resetLogin(world.documents, { ...world.tool })
      assert.equal(await operator.verify('operator', password), true)
      world.store.away = true
      assert.equal(await operator.verify('operator', password), true)
      assert.equal(await operator.verify('operator', created ?? ''), false)
    })

    it('is refused as such when this process has never read it, also while another login is known', async () => {
      await world.start({ viewer: 'battery staple' })
      const [operator, viewer] = [world.login(), world.login('viewer')]
      await viewer.credential()
      world.store.away = true
      await assert.rejects(operator.verify('operator', 'x'), unavailable)
      await assert.rejects(operator.credential(), unavailable)
      assert.equal(await viewer.verify('viewer', 'battery staple'), true)
      world.store.away = false
      assert.ok(await operator.credential())
    })

    it('stays one that does not exist, when that was seen', async () => {
      const viewer = world.login('viewer')
      assert.equal(await viewer.credential(), null)
      world.store.away = true
      assert.equal(await viewer.verify('viewer', ''), false)
    })
  })
})

describe('the reset of a password', { timeout: 300_000 }, () => {
  let world: LoginWorld
  beforeEach(() => {
    world = createLoginWorld()
  })

  it('gives a new one that counts at once, and what hung on the old one ends', async () => {
    const { created } = await world.start()
    const operator = world.login()
    const before = await operator.credential()
    const password = await resetLogin(world.documents, { ...world.tool })
    assert.match(password, PASSWORD)
    assert.equal(await operator.verify('operator', password), true)
    assert.equal(await operator.verify('operator', created ?? ''), false)
    assert.notEqual(await operator.credential(), before)
    assert.deepEqual(await world.start(), { created: null })
    assert.equal(await world.opens(password), true)
  })

  it('mends what cannot be used: the login, and the key of the sessions', async () => {
    for (const data of SPOILT) {
      await world.spoil('operator', data)
      const password = await resetLogin(world.documents, { ...world.tool })
      assert.equal(await world.opens(password), true)
    }
    await world.spoil('operator', {}, 99)
    assert.equal(await world.opens(await resetLogin(world.documents, { ...world.tool })), true)
    const broken = { version: 1, expiresAt: null, data: { key: 'short' } }
    await world.documents.put('secrets', 'session-key', broken, 'any')
    await assert.rejects(ensureSessionKey(world.documents), error => isMadhavaError(error, 'CONFIG_INVALID'))
    await resetLogin(world.documents, { ...world.tool })
    const key = await ensureSessionKey(world.documents)
    // and leaves a good one alone
    await resetLogin(world.documents, { ...world.tool })
    assert.deepEqual(await ensureSessionKey(world.documents), key)
  })

  it('is refused where the password is that of a setting, of this bundle or of any other', async () => {
    await world.start()
    await assert.rejects(
      resetLogin(world.documents, { ...world.tool, configured: 'correct horse' }),
      error => isMadhavaError(error, 'CONFIG_INVALID') && /DASHBOARD_PASSWORD/.test(error.message),
    )
    await world.start({ bundle: 'other', operator: 'correct horse', viewer: 'battery staple' })
    await assert.rejects(resetLogin(world.documents, { ...world.tool }), /DASHBOARD_PASSWORD/)
    for (const change of [resetLogin, removeViewer])
      await assert.rejects(
        change(world.documents, { ...world.tool, role: 'viewer' }),
        /DASHBOARD_VIEWER_PASSWORD/,
      )
    assert.equal(await world.opens('correct horse'), true)
  })

  it('takes a password of a setting away that no running bundle has any more', async () => {
    const { created } = await world.start()
    await world.start({ bundle: 'other', operator: 'correct horse', viewer: 'battery staple' })
    world.living.add('other')
    world.pass(86_400_000)
    await assert.rejects(
      resetLogin(world.documents, { ...world.tool }),
      error => isMadhavaError(error, 'CONFIG_INVALID') && /a bundle that runs here/.test(error.message),
    )
    world.living.delete('other')
    const before = await world.login().credential()
    const password = await resetLogin(world.documents, { ...world.tool })
    assert.equal(await world.opens(password), true)
    assert.equal(await world.opens('correct horse'), false)
    assert.notEqual(await world.login().credential(), before)
    assert.equal(await world.opens(created ?? ''), false)
    // a viewer that is only there by a setting is one to remove
    await removeViewer(world.documents, { ...world.tool })
    assert.equal(await world.login('viewer').credential(), null)
  })

  it('mends the key of the sessions first, also where it is refused, and says so', async () => {
    const spoilKey = () =>
      world.documents.put('secrets', 'session-key', { version: 1, expiresAt: null, data: {} }, 'any')
    await world.start({ operator: 'correct horse' })
    await spoilKey()
    await assert.rejects(
      resetLogin(world.documents, { ...world.tool, configured: 'correct horse' }),
      error => isMadhavaError(error, 'CONFIG_INVALID') && /there is a new one now/.test(error.message),
    )
    assert.equal((await ensureSessionKey(world.documents)).length, 32)
    // where it cannot be mended, the password stays
    await spoilKey()
    world.pass(86_400_000)
    const before = await world.dataOf('operator')
    const put: typeof world.documents.put = async (collection, ...rest) => {
      if (collection === 'secrets') throw new MadhavaError('STORE_FULL')
      return world.documents.put(collection, ...rest)
    }
    await assert.rejects(resetLogin({ ...world.documents, put }, { ...world.tool }), error =>
      isMadhavaError(error, 'STORE_FULL'),
    )
    assert.deepEqual(await world.dataOf('operator'), before)
  })

  it('is refused where no bundle has ever started, and makes nothing there', async () => {
    for (const role of ['operator', 'viewer'] as const)
      await assert.rejects(
        resetLogin(world.documents, { ...world.tool, role }),
        error => isMadhavaError(error, 'CONFIG_INVALID') && error.message.includes(world.tool.place),
      )
    assert.deepEqual(await world.dataOf('operator'), {})
    // a dashboard without the start script counts as one
    await ensureSessionKey(world.documents)
    assert.equal(await world.opens(await resetLogin(world.documents, { ...world.tool })), true)
  })

  it('gives one of several at once the password that counts', async () => {
    await world.start()
    const made = await Promise.all(
      Array.from({ length: 4 }, () => resetLogin(world.documents, { ...world.tool })),
    )
    const right = []
    for (const password of made) if (await world.opens(password)) right.push(password)
    assert.equal(right.length, 1)
  })

  it('gives a viewer a first one, which the operator does not share, and takes it away', async () => {
    const { created } = await world.start()
    const viewer = world.login('viewer')
    const first = await resetLogin(world.documents, { ...world.tool, role: 'viewer' })
    assert.equal(await viewer.verify('viewer', first), true)
    assert.equal(await viewer.verify('operator', first), false)
    assert.equal(await world.login().verify('viewer', first), false)
    await removeViewer(world.documents, { ...world.tool })
    assert.equal(await viewer.credential(), null)
    assert.equal(await viewer.verify('viewer', first), false)
    await assert.rejects(removeViewer(world.documents, { ...world.tool }), /no viewer/)
    assert.equal(await world.opens(created ?? ''), true)
    // also one that cannot be used
    await world.spoil('viewer')
    await removeViewer(world.documents, { ...world.tool })
    assert.equal(await viewer.credential(), null)
  })
})
