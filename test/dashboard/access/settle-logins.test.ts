// What starts do to the logins: alone, several at once, with and without passwords in their settings.
import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { isMadhavaError, MadhavaError } from '../../../src/core/errors.ts'
import { type KeepOptions, keepSettings } from '../../../src/dashboard/access/keep-settings.ts'
import { removeViewer, resetLogin } from '../../../src/dashboard/access/reset-login.ts'
import { ensureSessionKey } from '../../../src/dashboard/access/session-key.ts'
import { settleLogins } from '../../../src/dashboard/access/settle-logins.ts'
import { takeOverLogins } from '../../../src/dashboard/access/take-over-logins.ts'
import { createMemoryStore } from '../../../src/stores/memory/open.ts'
import { undo } from '../../support/undo.ts'
import { until } from '../../support/until.ts'
import { createLoginWorld, type LoginWorld, PASSWORD, UNSEEN_MS } from './logins.ts'

const refusedFor = (setting: string) => (error: unknown) =>
  isMadhavaError(error, 'CONFIG_INVALID') && error.message.includes(`another ${setting}:`)

let world: LoginWorld
beforeEach(() => {
  world = createLoginWorld()
})

describe('the start of a bundle', { timeout: 300_000 }, () => {
  it('makes an operator once, and no viewer', async () => {
    const { created } = await world.start()
    assert.match(created ?? '', PASSWORD)
    assert.deepEqual(await world.start(), { created: null })
    assert.equal(await world.opens(created ?? ''), true)
    assert.equal(await world.documents.get('accounts', 'viewer'), null)
  })

  it('makes one operator among eight that race, and that one shows the password that counts', async () => {
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) => world.start({ bundle: `bundle${index}` })),
    )
    const made = results.flatMap(({ created }) => created ?? [])
    assert.equal(made.length, 1)
    assert.equal(await world.opens(made[0] ?? ''), true)
  })

  it('shows the password also when the answer to its write was lost', async () => {
    world.store.loseNextAnswer = true
    const { created } = await world.start()
    assert.equal(await world.opens(created ?? ''), true)
  })

  it('fails when the store is away, and makes nothing', async () => {
    world.store.away = true
    await assert.rejects(world.start(), error => isMadhavaError(error, 'STORE_UNAVAILABLE'))
    world.store.away = false
    assert.equal(await world.documents.get('accounts', 'operator'), null)
  })

  it('of a dashboard alone makes no operator, and puts its settings in place', async () => {
    assert.deepEqual(await world.start({ makeOperator: false }), { created: null })
    assert.equal(await world.documents.get('accounts', 'operator'), null)
    await world.start({ makeOperator: false, operator: 'correct horse' })
    assert.equal(await world.opens('correct horse'), true)
  })
})

describe('a password of the settings', { timeout: 300_000 }, () => {
  it('is the only valid one while it is set, and none is made beside it', async () => {
    const first = await world.start({ operator: 'correct horse', viewer: 'battery staple' })
    assert.deepEqual(first, { created: null })
    assert.equal(await world.opens('correct horse'), true)
    assert.equal(await world.opens('battery staple', 'viewer'), true)
    const { created } = await world.start()
    assert.match(created ?? '', PASSWORD)
    assert.equal(await world.opens('correct horse'), false)
    assert.equal(await world.login('viewer').credential(), null)
    await world.start({ operator: 'correct horse' })
    assert.equal(await world.opens(created ?? ''), false)
    assert.deepEqual(await world.start(), { created: null })
    assert.equal(await world.opens(created ?? ''), true)
  })

  it('keeps its credential over starts while it is the same', async () => {
    await world.start({ operator: 'correct horse', viewer: 'battery staple' })
    const credentials = () => Promise.all([world.login().credential(), world.login('viewer').credential()])
    const before = await credentials()
    for (let count = 0; count < 3; count += 1) {
      world.pass(86_400_000)
      await world.start({ operator: 'correct horse', viewer: 'battery staple', makeOperator: false })
      assert.deepEqual(await credentials(), before)
    }
  })

  it('that was another one meanwhile has another credential when it comes back, however it left', async () => {
    const { created } = await world.start()
    const seen = [await world.login().credential()]
    for (const operator of ['one', 'two', 'one', null, 'one', null]) {
      await world.start({ operator })
      seen.push(await world.login().credential())
    }
    assert.equal(await world.opens(created ?? ''), true)
    assert.equal(new Set(seen).size, seen.length)
    assert.ok(!seen.includes(null))
  })

  it('is settled by one of several processes of a bundle at once, in one way', async () => {
    await Promise.all(
      Array.from({ length: 4 }, () => world.start({ operator: 'correct horse', viewer: 'battery staple' })),
    )
    assert.equal(await world.opens('correct horse'), true)
    const { configured } = (await world.dataOf('operator')) as { configured: { bundles: object } }
    assert.deepEqual(Object.keys(configured.bundles), ['one'])
  })

  it('of a store of one bundle alone is no concern of what the bundle was called before', async () => {
    await world.start({ bundle: 'before', operator: 'one', isAlive: null })
    await world.start({ operator: 'two', isAlive: null })
    assert.equal(await world.opens('two'), true)
    const { created } = await world.start({ bundle: 'after', isAlive: null })
    assert.equal(await world.opens(created ?? ''), true)
  })
})

describe('a start in a full store', { timeout: 300_000 }, () => {
  const full = (error: unknown) => isMadhavaError(error, 'STORE_FULL')

  it('needs no room where the store is its own and the password is as before', async () => {
    const own = { isAlive: null, operator: 'correct horse', viewer: 'battery staple' }
    await world.start({ ...own, bundle: 'before' })
    const { rev } = (await world.documents.get('accounts', 'operator')) ?? {}
    world.store.full = true
    world.pass(86_400_000)
    await world.start(own)
    assert.equal((await world.documents.get('accounts', 'operator'))?.rev, rev)
    await assert.rejects(world.start({ ...own, operator: 'another' }), full)
  })

  it('goes on where only its place among the bundles cannot be written', async () => {
    await world.start({ operator: 'correct horse' })
    const before = await world.dataOf('operator')
    world.living.add('one')
    world.store.full = true
    await world.start({ bundle: 'other', operator: 'correct horse' })
    await world.start({ operator: 'correct horse' })
    assert.deepEqual(await world.dataOf('operator'), before)
    world.living.delete('one')
    world.pass(86_400_000)
    // these would change what counts
    await assert.rejects(world.start({ bundle: 'other', operator: 'another' }), full)
    await assert.rejects(world.start({ bundle: 'other' }), full)
  })
})

describe('a login that cannot be used', { timeout: 300_000 }, () => {
  it('is made anew where its password is a setting', async () => {
    await world.spoil('operator')
    await world.spoil('viewer', { role: 'operator', password: null, configured: null })
    await world.start({ operator: 'correct horse', viewer: 'battery staple' })
    assert.equal(await world.opens('correct horse'), true)
    assert.equal(await world.opens('battery staple', 'viewer'), true)
    // also what is no document at all
    const get: typeof world.documents.get = async (collection, name) => {
      if (collection === 'accounts' && name === 'operator') throw new MadhavaError('DOCUMENT_INVALID')
      return world.documents.get(collection, name)
    }
    const { documents, tool, log } = world
    await settleLogins(
      { ...documents, get },
      {
        ...tool,
        bundle: 'one',
        log,
        configured: { operator: 'another', viewer: 'battery staple' },
        makeOperator: true,
      },
    )
    assert.equal(await world.opens('another'), true)
  })

  it('stays when a later version wrote it, and the start says so', async () => {
    for (const role of ['operator', 'viewer'] as const) {
      const { rev } = await world.spoil(role, {}, 99)
      await assert.rejects(
        world.start({ [role]: 'correct horse' }),
        error => isMadhavaError(error, 'CONFIG_INVALID') && /run the later version/.test(error.message),
      )
      assert.equal((await world.documents.get('accounts', role))?.rev, rev)
      await world.documents.remove('accounts', role, 'any')
    }
  })

  it('and is a viewer without a setting is told once, and the operator is settled', async () => {
    for (const version of [1, 99]) {
      const { rev } = await world.spoil('viewer', {}, version)
      await world.start({ operator: 'correct horse' })
      assert.equal(await world.opens('correct horse'), true)
      assert.equal((await world.documents.get('accounts', 'viewer'))?.rev, rev)
    }
    assert.deepEqual(
      world.lines().map(({ level, message, login }) => [level, message, login]),
      Array(2).fill(['error', 'a login cannot be used', 'viewer']),
    )
  })
})

describe('two bundles on one store', { timeout: 300_000 }, () => {
  const SETTINGS = [
    ['operator', 'DASHBOARD_PASSWORD'],
    ['viewer', 'DASHBOARD_VIEWER_PASSWORD'],
  ] as const

  for (const [role, setting] of SETTINGS)
    it(`do not start with two passwords of the ${role}, and the refused one changes nothing`, async () => {
      await world.start({ [role]: 'correct horse' })
      const before = await world.dataOf(role)
      const other = () =>
        world.start({ bundle: 'other', operator: 'x', viewer: 'y', [role]: 'battery staple' })
      // it has no presence yet
      world.pass(UNSEEN_MS - 1)
      await assert.rejects(other(), refusedFor(setting))
      world.living.add('one')
      world.pass(86_400_000)
      await assert.rejects(other(), refusedFor(setting))
      assert.deepEqual(await world.dataOf(role), before)
      const unasked = role === 'operator' ? 'viewer' : 'operator'
      assert.equal((await world.dataOf(unasked)).configured ?? null, null)
      world.living.delete('one')
      await other()
      assert.equal(await world.opens('battery staple', role), true)
    })

  it('of which both put theirs at the same moment: one is refused', async () => {
    const ends = await Promise.allSettled([
      world.start({ bundle: 'one', operator: 'correct horse' }),
      world.start({ bundle: 'other', operator: 'battery staple' }),
    ])
    assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
    const first = ends[0]?.status === 'fulfilled'
    assert.equal(await world.opens('correct horse'), first)
    assert.equal(await world.opens('battery staple'), !first)
  })

  it('may have the same one, which stays while one of them has it', async () => {
    await world.start({ bundle: 'one', operator: 'correct horse' })
    const before = await world.login().credential()
    await world.start({ bundle: 'other', operator: 'correct horse' })
    assert.equal(await world.login().credential(), before)
    world.pass(UNSEEN_MS)
    for (const bundle of ['one', 'other']) world.living.add(bundle)
    // each may start anew without it, whoever set it first or last
    for (const [leaver, stayer] of [
      ['one', 'other'],
      ['other', 'one'],
    ] as const) {
      await world.start({ bundle: leaver })
      assert.equal(await world.login().credential(), before)
      await assert.rejects(
        world.start({ bundle: leaver, operator: 'battery staple' }),
        refusedFor('DASHBOARD_PASSWORD'),
      )
      await world.start({ bundle: leaver, operator: 'correct horse' })
      await assert.rejects(
        world.start({ bundle: stayer, operator: 'battery staple' }),
        refusedFor('DASHBOARD_PASSWORD'),
      )
      world.pass(UNSEEN_MS)
    }
    assert.equal(await world.login().credential(), before)
  })

  it('of which one has none: the password of the other counts for both, and none is made', async () => {
    await world.start({ bundle: 'one', operator: 'correct horse' })
    assert.deepEqual(await world.start({ bundle: 'other' }), { created: null })
    world.living.add('one')
    world.pass(86_400_000)
    assert.deepEqual(await world.start({ bundle: 'other' }), { created: null })
    assert.equal(await world.opens('correct horse'), true)
    // when that one is gone, the next start of the other makes one
    world.living.delete('one')
    const { created } = await world.start({ bundle: 'other' })
    assert.equal(await world.opens(created ?? ''), true)
    assert.equal(await world.opens('correct horse'), false)
    // which the other way round counts until a setting comes
    await world.start({ bundle: 'one', operator: 'correct horse' })
    assert.equal(await world.opens(created ?? ''), false)
  })

  it('take a time that lies ahead for no sign of life', async () => {
    await world.start({ bundle: 'one', operator: 'correct horse' })
    world.pass(-86_400_000)
    await world.start({ bundle: 'other', operator: 'battery staple' })
    assert.equal(await world.opens('battery staple'), true)
  })
})

describe('a bundle that was cut off from the store', { timeout: 300_000 }, () => {
  const keep = (everyMs?: number, more: Partial<KeepOptions> = {}) =>
    keepSettings(world.documents, {
      ...world.tool,
      bundle: 'one',
      log: world.log,
      configured: { operator: 'correct horse', viewer: null },
      ...(everyMs === undefined ? {} : { everyMs }),
      ...more,
    })
  const loseIt = async () => {
    await world.start({ operator: 'correct horse' })
    world.pass(86_400_000)
    await world.start({ bundle: 'other' })
    assert.equal(await world.opens('correct horse'), false)
  }

  it('puts the password of its settings in place again', async test => {
    const keeper = keep()
    undo(test, keeper.close)
    await world.start({ operator: 'correct horse' })
    const { rev } = (await world.documents.get('accounts', 'operator')) ?? {}
    await keeper.look()
    assert.equal((await world.documents.get('accounts', 'operator'))?.rev, rev)
    await loseIt()
    world.store.away = true
    await keeper.look()
    world.store.away = false
    await keeper.look()
    assert.equal(await world.opens('correct horse'), true)
    assert.deepEqual(await world.bundlesOf(), ['one'])
    assert.deepEqual(
      world.lines().map(({ level }) => level),
      ['info'],
    )
  })

  it('does so by itself, now and then', async test => {
    await loseIt()
    const keeper = keep(1)
    undo(test, keeper.close)
    await until('the bundle is back', async () => (await world.bundlesOf()).includes('one'))
  })

  it('tells once that another password stands in its place, and again after it was well', async test => {
    const keeper = keep()
    undo(test, keeper.close)
    const told = () => world.lines().filter(({ level }) => level === 'error').length
    await world.start({ bundle: 'other', operator: 'battery staple' })
    world.living.add('other')
    await keeper.look()
    await keeper.look()
    assert.equal(told(), 1)
    const [line] = world.lines()
    assert.equal(line?.message, 'the passwords of the settings are no longer in place')
    assert.match(JSON.stringify(line), /another DASHBOARD_PASSWORD/)
    world.living.delete('other')
    world.pass(86_400_000)
    await keeper.look()
    assert.equal(await world.opens('correct horse'), true)
    world.pass(86_400_000)
    await world.start({ bundle: 'other', operator: 'battery staple' })
    await keeper.look()
    assert.equal(told(), 2)
  })

  it('does not look after the end, without a setting, or in a store of its own', async () => {
    const get = () => assert.fail('it looked')
    const keeper = keep()
    keeper.close()
    Object.assign(world.documents, { get })
    await keeper.look()
    for (const idle of [{ isAlive: null }, { configured: { operator: null, viewer: null } }]) {
      const none = keep(1, idle)
      assert.equal(none.isActive, false)
      none.close()
    }
  })
})

describe('the logins of a data folder', { timeout: 300_000 }, () => {
  const takeOver = (from: LoginWorld) => takeOverLogins(world.documents, work => work(from.documents))

  it('go on in a store that has none, with the key of their sessions, and nobody shows a password', async () => {
    const folder = createLoginWorld()
    const { created } = await folder.start()
    const viewer = await resetLogin(folder.documents, { ...folder.tool, role: 'viewer' })
    const key = await ensureSessionKey(folder.documents)
    await takeOver(folder)
    assert.deepEqual(await world.start(), { created: null })
    assert.equal(await world.opens(created ?? ''), true)
    assert.equal(await world.opens(viewer, 'viewer'), true)
    assert.deepEqual(await ensureSessionKey(world.documents), key)
    assert.equal(await world.login().credential(), await folder.login().credential())
    // the folder keeps its own
    assert.equal(await folder.opens(created ?? ''), true)
  })

  it('stay where they are when the store has an operator, and the folder is not opened', async () => {
    const own = await world.start()
    await takeOverLogins(world.documents, () => assert.fail('the folder was opened'))
    assert.equal(await world.opens(own.created ?? ''), true)
    assert.equal(await world.documents.get('secrets', 'session-key'), null)
  })

  it('come whole after a start that was interrupted, and replace nothing', async () => {
    const folder = createLoginWorld()
    const { created } = await folder.start({ viewer: 'battery staple' })
    await ensureSessionKey(folder.documents)
    const key = await ensureSessionKey(world.documents)
    const untilTheLast: typeof world.documents.put = async (collection, name, ...rest) => {
      if (name === 'operator') throw new MadhavaError('STORE_UNAVAILABLE')
      return world.documents.put(collection, name, ...rest)
    }
    await assert.rejects(
      takeOverLogins({ ...world.documents, put: untilTheLast }, work => work(folder.documents)),
      error => isMadhavaError(error, 'STORE_UNAVAILABLE'),
    )
    await takeOver(folder)
    assert.equal(await world.opens(created ?? ''), true)
    assert.equal(await world.opens('battery staple', 'viewer'), true)
    assert.deepEqual(await ensureSessionKey(world.documents), key)
  })

  it('do not bring back a viewer that was taken away', async () => {
    const folder = createLoginWorld()
    await folder.start()
    await resetLogin(folder.documents, { ...folder.tool, role: 'viewer' })
    await takeOver(folder)
    await removeViewer(world.documents, { ...world.tool })
    await takeOver(folder)
    await world.start()
    assert.equal(await world.login('viewer').credential(), null)
  })

  it('are those of one of several bundles that start at once', async () => {
    const folders = [createLoginWorld(), createLoginWorld(), createLoginWorld()]
    const passwords: string[] = []
    for (const folder of folders) passwords.push((await folder.start()).created ?? '')
    const ends = await Promise.all(
      folders.map(async (folder, index) => {
        await takeOver(folder)
        return world.start({ bundle: `bundle${index}` })
      }),
    )
    assert.deepEqual(ends, [{ created: null }, { created: null }, { created: null }])
    const right = []
    for (const password of passwords) if (await world.opens(password)) right.push(password)
    assert.equal(right.length, 1)
  })

  it('pass over what is no document, in the folder and in the store', async () => {
    const folder = createLoginWorld()
    await folder.start()
    const broken = createMemoryStore({ clock: world.clock }).documents
    const unreadable = async () => {
      throw new MadhavaError('DOCUMENT_INVALID')
    }
    await takeOverLogins(world.documents, work => work({ ...broken, get: unreadable }))
    assert.equal(await world.documents.get('accounts', 'operator'), null)
    await takeOverLogins({ ...world.documents, get: unreadable }, () => assert.fail('nothing is missing'))
  })
})
