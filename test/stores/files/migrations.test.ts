// The format of a data folder: one of version 0.1 is taken over by whoever opens it first, one of a later version is
// refused by name, and the command says what would change before it does.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import fsPromises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ACCOUNTS } from '../../../src/core/account-forms.ts'
import { upgradeDocument } from '../../../src/core/collection.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { VERSION } from '../../../src/platform/version.ts'
import { filesAdapter } from '../../../src/stores/files/adapter.ts'
import { lockFolder } from '../../../src/stores/files/folder-lock.ts'
import { FORMAT } from '../../../src/stores/files/format.ts'
import { createLayout } from '../../../src/stores/files/layout.ts'
import { pendingChanges } from '../../../src/stores/files/migrations/migrate.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { add, refused } from '../../suites/store/world.ts'
import { type EarlyFolder, makeEarlyFolder } from '../../support/early-folder.ts'
import { accountOf } from '../../support/sample-documents.ts'
import { runTool } from '../../support/tool.ts'
import { undo } from '../../support/undo.ts'

const ENDS_AT = Date.UTC(2099, 0, 1)
const DAY = 24 * 3_600_000

let dir: string
beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'madhava-format-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** For what must not be called. */
const unexpected = (): never => assert.fail('it was called')

const inDir = (...names: string[]): string => path.join(dir, ...names)
/** Every file below the folder with its content. */
const treeOf = (folder: string): Record<string, string> =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => path.join(entry.parentPath, entry.name))
      .sort()
      .map(file => [path.relative(folder, file), readFileSync(file, 'latin1')]),
  )
/** As the owner of the folder opens it. */
const openOwned = (folder: string, isOwner = true): Promise<TaskStore> =>
  openFilesStore({ dir: folder, clock: () => new Date(), log: silentLog(), isOwner })
const opened = async <T>(work: (store: TaskStore) => Promise<T>): Promise<T> => {
  const store = await openOwned(dir)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}
const formatIn = (): unknown => JSON.parse(readFileSync(inDir('format.json'), 'utf8'))

/** Everything is a document, with the same passwords, key and ended session. */
const assertTakenOver = async (old: Record<string, string>, early: EarlyFolder): Promise<void> => {
  await opened(async ({ documents }) => {
    for (const role of ['operator', 'viewer'] as const) {
      const { scrypt, salt, hash } = JSON.parse(old[`accounts/${role}.json`] ?? '')
      const there = await documents.get('accounts', role)
      assert.deepEqual(there && upgradeDocument('accounts', ACCOUNTS, there).data, {
        ...accountOf(role).data,
        password: { scrypt, salt, hash },
      })
      assert.equal(there?.version, ACCOUNTS.version)
      assert.equal(statSync(inDir('accounts', `${role}.json`)).mode & 0o777, 0o600)
    }
    const key = await documents.get('secrets', 'session-key')
    assert.deepEqual(key?.data, { key: early.key.toString('base64url') })
    const hash = createHash('sha256').update(early.ended).digest('hex')
    const ended = await documents.get('ended-sessions', hash)
    assert.equal(ended?.expiresAt, new Date(ENDS_AT + DAY).toISOString())
  })
  assert.deepEqual(readdirSync(inDir('accounts')).sort(), ['operator.json', 'viewer.json'])
  assert.deepEqual(formatIn(), { format: FORMAT, writtenBy: VERSION })
}

describe('a data folder of version 0.1', { timeout: 300_000 }, () => {
  it('is taken over by the first opening, with the same passwords', async () => {
    const early = makeEarlyFolder(dir, ENDS_AT)
    const old = treeOf(dir)
    await assertTakenOver(old, early)
  })

  it('is taken over once by several processes that open it at the same time', async () => {
    const early = makeEarlyFolder(dir, ENDS_AT)
    const old = treeOf(dir)
    const stores = await Promise.all(Array.from({ length: 6 }, () => openOwned(dir)))
    const revs = await Promise.all(
      stores.map(async ({ documents }) => (await documents.get('accounts', 'operator'))?.rev),
    )
    assert.equal(new Set(revs).size, 1)
    await Promise.all(stores.map(store => store.close()))
    await assertTakenOver(old, early)
  })

  it('is taken over by the next opening where one was cut off, after any of its changes', async () => {
    const early = makeEarlyFolder(dir, ENDS_AT)
    await opened(async () => {})
    rmSync(dir, { recursive: true })
    mkdirSync(dir)
    const first = makeEarlyFolder(dir, ENDS_AT)
    const old = treeOf(dir)
    const { changes } = await pendingChanges(createLayout(dir))
    assert.equal(changes.length, 5)
    assert.notDeepEqual(first.key, early.key)
    for (let done = 0; done <= changes.length; done += 1) {
      rmSync(dir, { recursive: true })
      mkdirSync(dir)
      for (const [file, text] of Object.entries(old)) {
        mkdirSync(path.dirname(inDir(file)), { recursive: true })
        writeFileSync(inDir(file), text, 'latin1')
      }
      for (const folder of createLayout(dir).collections()) mkdirSync(folder, { recursive: true })
      const { changes: present } = await pendingChanges(createLayout(dir))
      for (const { apply } of present.slice(0, done)) await apply(new Date())
      await assertTakenOver(old, first)
    }
  })

  it('is not touched by who does not own it: an earlier version may be using it', async () => {
    makeEarlyFolder(dir, ENDS_AT)
    const accounts = treeOf(inDir('accounts'))
    await assert.rejects(openOwned(dir, false), /earlier format.*start this version on it first/)
    assert.deepEqual(treeOf(inDir('accounts')), accounts)
    assert.equal(existsSync(inDir('format.json')), false)
    // a new folder is anybody's
    const fresh = inDir('fresh')
    await (await openOwned(fresh, false)).close()
    assert.ok(existsSync(path.join(fresh, 'format.json')))
  })

  it('stays as it is while something in it cannot be read, and is taken over when it can', async test => {
    const early = makeEarlyFolder(dir, ENDS_AT)
    const old = treeOf(dir)
    const real = fsPromises.open
    let refusing = true
    const refusal = async (...asked: Parameters<typeof real>) => {
      if (refusing && String(asked[0]).endsWith('operator.json'))
        throw Object.assign(new Error('EACCES: injected'), { code: 'EACCES' })
      return real(...asked)
    }
    fsPromises.open = refusal as typeof real
    syncBuiltinESMExports()
    undo(test, () => {
      fsPromises.open = real
      syncBuiltinESMExports()
    })
    await assert.rejects(openOwned(dir), /operator\.json in its folder accounts cannot be read \(EACCES\)/)
    assert.equal(existsSync(inDir('format.json')), false)
    refusing = false
    await assertTakenOver(old, early)
  })

  it('keeps what it does not understand, and says so in fsck', async () => {
    makeEarlyFolder(dir, ENDS_AT)
    writeFileSync(inDir('accounts', 'viewer.json'), '{"half of')
    writeFileSync(inDir('accounts', 'session.key'), 'short')
    writeFileSync(inDir('accounts', 'ended', 'notes'), 'mine')
    mkdirSync(inDir('accounts', 'ended', `v1.abc.${'x'.repeat(22)}`))
    await opened(async ({ documents }) => {
      await refused(() => documents.get('accounts', 'viewer'), 'DOCUMENT_INVALID')
      assert.ok(await documents.get('accounts', 'operator'))
      assert.equal(await documents.get('secrets', 'session-key'), null)
    })
    const found: string[] = []
    await filesAdapter({ dir }).checkFolder({
      repair: false,
      settleMs: 0,
      onFinding: ({ code, place }) => found.push(`${code} ${place}`),
    })
    assert.deepEqual(found.sort(), [
      'broken-document accounts/viewer.json',
      'foreign accounts/ended',
      'foreign accounts/session.key',
    ])
  })

  it('is looked at by fsck and export as it is', async () => {
    makeEarlyFolder(dir, ENDS_AT)
    for (const folder of createLayout(dir).folders()) mkdirSync(folder, { recursive: true })
    const before = treeOf(dir)
    const adapter = filesAdapter({ dir })
    const summary = await adapter.checkFolder({ repair: false, settleMs: 0, onFinding: unexpected })
    assert.deepEqual([summary.documents, summary.findings], [0, 0])
    const lines: string[] = []
    for await (const line of adapter.exportTasks({ onLeftOut: unexpected })) lines.push(line)
    assert.equal(lines.length, 2)
    assert.deepEqual(treeOf(dir), before)
  })
})

describe('the format of a data folder', { timeout: 300_000 }, () => {
  it('is written into a new folder', async () => {
    await opened(store => add(store))
    assert.deepEqual(formatIn(), { format: FORMAT, writtenBy: VERSION })
  })

  it('of a later program is refused by name, at every door, and nothing is changed', async () => {
    await opened(store => add(store))
    writeFileSync(inDir('format.json'), '{"format":99,"writtenBy":"7.6.5"}\n')
    const before = treeOf(dir)
    const adapter = filesAdapter({ dir })
    const nothing = async function* () {}
    const doors: Record<string, () => Promise<unknown>> = {
      open: () => openOwned(dir),
      'the owner': () => lockFolder({ dir, clock: () => new Date(), log: silentLog(), patienceMs: 0 }),
      fsck: () => adapter.checkFolder({ repair: false, onFinding: unexpected }),
      repair: () => adapter.checkFolder({ repair: true, onFinding: unexpected }),
      export: () => adapter.exportTasks({ onLeftOut: unexpected })[Symbol.asyncIterator]().next(),
      import: () => adapter.importTasks({ input: nothing(), replace: false, onRefused: unexpected }),
      migrate: () => adapter.migrate({ apply: true, onChange: unexpected, onLeft: unexpected }),
    }
    for (const [door, come] of Object.entries(doors))
      await assert.rejects(come, error => {
        assert.ok(error instanceof Error)
        for (const word of [dir, '99', '7.6.5', VERSION])
          assert.ok(error.message.includes(word), `${door}: ${error}`)
        return true
      })
    assert.deepEqual(treeOf(dir), before)
  })

  it('that cannot be read is refused with what to write there', async () => {
    await opened(store => add(store))
    for (const text of ['', '{"format":"2"}', '[]', '{"format":0,"writtenBy":"x"}']) {
      writeFileSync(inDir('format.json'), text)
      await assert.rejects(openOwned(dir), /format\.json cannot be used.*"format":2/)
    }
  })
})

describe('bin/migrate.mjs', { timeout: 300_000 }, () => {
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = runTool('migrate', ['--data-dir', dir, ...args])
    return { status, lines: stdout.trim().split('\n'), stderr }
  }

  it('says what would change and writes nothing, then does it, then has nothing to do', async () => {
    const early = makeEarlyFolder(dir, ENDS_AT)
    for (const folder of createLayout(dir).folders()) mkdirSync(folder, { recursive: true })
    const old = treeOf(dir)
    const said = run()
    assert.deepEqual(treeOf(dir), old)
    assert.deepEqual([said.status, said.lines.at(-1)], [1, '6 to change: --apply does it'], said.stderr)
    assert.deepEqual(
      said.lines.slice(0, -1).map(line => line.split(':')[0]),
      [
        'accounts/operator.json',
        'accounts/viewer.json',
        'accounts/session.key',
        'accounts/session.password',
        'accounts/ended',
        'format.json',
      ],
    )
    const done = run('--apply')
    assert.deepEqual([done.status, done.lines.at(-1)], [0, '6 changed'], done.stderr)
    assert.deepEqual(done.lines.slice(0, -1), said.lines.slice(0, -1))
    await assertTakenOver(old, early)
    for (const args of [[], ['--apply']]) assert.deepEqual(run(...args).lines, ['nothing to change'])
  })

  it('run by root leaves everything to the owner of the folder', { skip: process.getuid?.() !== 0 }, () => {
    const owner = 65_534
    makeEarlyFolder(dir, ENDS_AT)
    for (const folder of createLayout(dir).folders()) mkdirSync(folder, { recursive: true })
    const give = (place: string): void => chownSync(place, owner, owner)
    give(dir)
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true }))
      give(path.join(entry.parentPath, entry.name))
    const done = run('--apply')
    assert.equal(done.status, 0, done.stderr)
    for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
      const place = path.join(entry.parentPath, entry.name)
      assert.equal(lstatSync(place).uid, owner, place)
    }
  })

  it('needs the folder for itself to change it', async () => {
    await opened(async store => {
      await store.documents.put('accounts', 'operator', accountOf('operator'), null)
      const lock = await lockFolder({ dir, clock: () => new Date(), log: silentLog(), patienceMs: 0 }).catch(
        () => null,
      )
      assert.ok(lock)
      const { status, stderr } = run('--apply')
      assert.equal(status, 2)
      assert.match(stderr, /belongs to another start/)
      assert.equal(run().status, 0)
      await lock.release()
    })
    const none = runTool('migrate', ['--data-dir', inDir('none')])
    assert.equal(none.status, 2)
    assert.match(none.stderr, /not a data folder/)
    assert.equal(runTool('migrate', ['--aply']).status, 2)
  })
})
