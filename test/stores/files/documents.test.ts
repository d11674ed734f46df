// Documents as files: what people find in the folder, what is broken there, and a disk that is full or fails.
import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { DOCUMENT_BYTES_MAX, DOCUMENT_DEPTH_MAX } from '../../../src/core/documents.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { createDisk, type Disk } from '../../../src/stores/files/disk.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { allOf, content } from '../../suites/documents.ts'
import { add, follow, refused } from '../../suites/store/world.ts'
import { keepingLog } from '../../support/keeping-log.ts'
import { accountOf } from '../../support/sample-documents.ts'
import { undo } from '../../support/undo.ts'
import { until } from '../../support/until.ts'
import { codeOf } from './disk-fixture.ts'
import { DEAD } from './parts.ts'

const failed = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

const setUp = async (test: TestContext) => {
  const dir = await fs.mkdtemp(path.join(tmpdir(), 'madhava-documents-'))
  const stores: TaskStore[] = []
  const { log, lines } = keepingLog()
  undo(test, async () => {
    await Promise.all(stores.map(store => store.close()))
    await fs.rm(dir, { recursive: true, force: true })
  })
  return {
    lines,
    at: (...names: string[]) => path.join(dir, ...names),
    async open(more: { disk?: Disk; onFailure?: (error: unknown) => void } = {}) {
      const store = await openFilesStore({ dir, clock: () => new Date(), log, ...more })
      stores.push(store)
      return store
    },
  }
}

describe('documents as files', { timeout: 300_000 }, () => {
  it('can be read by people, and by nobody but the user of the bundle', async test => {
    const { at, open } = await setUp(test)
    const { documents } = await open()
    const { rev } = await documents.put('accounts', 'operator', accountOf('operator'), null)
    const text = await fs.readFile(at('accounts', 'operator.json'), 'utf8')
    assert.equal(
      text,
      `${JSON.stringify({ name: 'operator', version: 2, rev, expiresAt: null, data: accountOf('operator').data }, null, 2)}\n`,
    )
    const modeOf = async (place: string) => (await fs.stat(place)).mode & 0o777
    assert.equal(await modeOf(at('accounts', 'operator.json')), 0o600)
    assert.equal(await modeOf(at('accounts')), 0o700)
    assert.deepEqual(await fs.readdir(at('accounts')), ['operator.json'])
  })

  it('are kept private in a folder that was open to others before', async test => {
    const { at, open } = await setUp(test)
    await fs.mkdir(at('secrets'))
    await fs.chmod(at('secrets'), 0o755)
    await open()
    assert.equal((await fs.stat(at('secrets'))).mode & 0o777, 0o700)
  })

  it('take in what nests as deep as it may, within the bounds of the file', async test => {
    const { documents } = await (await setUp(test)).open()
    const depth = DOCUMENT_DEPTH_MAX - 1
    const data = { deep: JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`), many: Array(20_000).fill(1) }
    assert.ok(JSON.stringify(data).length < DOCUMENT_BYTES_MAX)
    await documents.put('accounts', 'a', content(data), null)
    assert.deepEqual((await documents.get('accounts', 'a'))?.data, data)
  })

  it('that are none are named, left out of lists, told once, and replaced by any write', async test => {
    const { at, open, lines } = await setUp(test)
    const { documents } = await open()
    await documents.put('accounts', 'good', content(), null)
    const broken: Record<string, string> = {
      empty: '',
      torn: '{"name":"torn","ver',
      other: '{"name":"good","version":1,"rev":1,"expiresAt":null,"data":{}}',
      early: '{"name":"early","version":1,"salt":"x"}',
      deep: '['.repeat(100_000),
    }
    for (const [name, text] of Object.entries(broken))
      await fs.writeFile(at('accounts', `${name}.json`), text)
    await fs.symlink('/etc/passwd', at('accounts', 'link.json'))
    await fs.writeFile(at('accounts', 'notes.txt'), 'mine')
    const names = [...Object.keys(broken), 'link']
    for (const name of names) {
      await assert.rejects(
        documents.get('accounts', name),
        new RegExp(`accounts/${name} cannot be used: .*(it|expiresAt)`),
      )
      for (const rev of [null, 1])
        await refused(() => documents.put('accounts', name, content(), rev), 'DOCUMENT_INVALID')
      await refused(() => documents.remove('accounts', name, 1), 'DOCUMENT_INVALID')
    }
    const page = await documents.list('accounts', { limit: 100, cursor: null })
    assert.deepEqual(page.leftOut.map(({ name }) => name).toSorted(), names.toSorted())
    for (let n = 0; n < 3; n += 1)
      assert.deepEqual(
        (await allOf(documents, 'accounts', 2)).map(({ name }) => name),
        ['good'],
      )
    const told = lines().filter(({ message }) => message === 'a document cannot be used; it is left out')
    assert.deepEqual(told.map(({ name }) => name).toSorted(), names.toSorted())
    await fs.mkdir(at('accounts', 'folder.json'))
    await fs.writeFile(at('accounts', 'folder.json', 'inside'), 'kept')
    for (const name of ['torn', 'folder']) {
      await documents.put('accounts', name, content({ n: 1 }), 'any')
      assert.deepEqual((await documents.get('accounts', name))?.data, { n: 1 })
    }
    for (const name of [...names, 'folder']) await documents.remove('accounts', name, 'any')
    assert.deepEqual((await fs.readdir(at('accounts'))).sort(), ['good.json', 'notes.txt'])
    assert.ok(await fs.stat('/etc/passwd'))
    // nothing of it is lost
    assert.equal(await fs.readFile(at('broken', 'accounts.torn.json'), 'utf8'), broken.torn)
    assert.equal(await fs.readFile(at('broken', 'accounts.folder.json', 'inside'), 'utf8'), 'kept')
    assert.equal((await fs.readdir(at('broken'))).length, names.length + 1)
  })

  it('that this user may not read are named, and expire none of the others', async test => {
    const { at, open } = await setUp(test)
    const { documents } = await open()
    const ended = content({}, { expiresAt: '2020-01-01T00:00:00.000Z' })
    for (const name of ['a', 'b', 'c']) await documents.put('ended-sessions', name, ended, null)
    await documents.put('accounts', 'a', content(), null)
    // root may read all, so for root a link stands there
    const isRoot = process.getuid?.() === 0
    for (const place of [at('ended-sessions', 'b.json'), at('accounts', 'a.json')])
      if (isRoot) {
        await fs.rm(place)
        await fs.symlink('/proc/self/mem', place)
      } else await fs.chmod(place, 0)
    await assert.rejects(
      documents.get('accounts', 'a'),
      /accounts\/a cannot be used: it (cannot be read|is not a regular)/,
    )
    assert.equal(await documents.removeExpired(new Date().toISOString()), 2)
    await documents.put('accounts', 'a', content({ n: 1 }), 'any')
    assert.deepEqual((await documents.get('accounts', 'a'))?.data, { n: 1 })
  })

  it('tell the feed of a write in which a process died, and its half of a file goes', async test => {
    const { at, open } = await setUp(test)
    const first = await open()
    await first.documents.put('accounts', 'a', content(), null)
    const follower = follow(first, await first.cursor())
    await fs.symlink(`${DEAD}/accounts/a`, at('run', 'documents.1000'))
    await fs.writeFile(at('accounts', '.a.json.0123456789ab.tmp'), '{"half')
    await open()
    await until('it is told', () => follower.seen.length > 0)
    await follower.stop()
    const [change] = follower.seen
    assert.ok(change?.type === 'document' && change.name === 'a')
    assert.deepEqual(await fs.readdir(at('accounts')), ['a.json'])
  })

  it('stay as they were on a full disk, for this process and for others', async test => {
    const { at, open } = await setUp(test)
    const real = createDisk()
    let isFull = false
    let fillsUp = false
    /** As a disk without a block or a name left: only what frees works. */
    const filling = <Args extends unknown[], T>(call: (...args: Args) => T) => {
      return (...args: Args): T => {
        if (isFull) throw failed('ENOSPC')
        return call(...args)
      }
    }
    const disk: Disk = {
      ...real,
      async writeThrough(...asked) {
        isFull ||= fillsUp
        return filling(real.writeThrough)(...asked)
      },
      symlink: filling(real.symlink),
    }
    const [store, other] = [await open({ disk }), await open()]
    const { rev } = await store.documents.put('accounts', 'a', content({ n: 1 }), null)
    isFull = true
    assert.equal(await codeOf(store.documents.put('accounts', 'a', content({ n: 2 }), rev)), 'STORE_FULL')
    isFull = false
    // full in the middle of a turn, when the turn cannot be given back in the usual way
    fillsUp = true
    assert.equal(await codeOf(store.documents.put('accounts', 'a', content({ n: 3 }), rev)), 'STORE_FULL')
    assert.equal(isFull, true)
    fillsUp = false
    isFull = false
    assert.deepEqual((await other.documents.get('accounts', 'a'))?.data, { n: 1 })
    const next = await other.documents.put('accounts', 'a', content({ n: 4 }), rev)
    await store.documents.remove('accounts', 'a', next.rev)
    assert.deepEqual(await fs.readdir(at('accounts')), [])
  })

  it('end the process when a name could not be synced: nobody knows what is on the disk', async test => {
    const { at, open } = await setUp(test)
    const failures: unknown[] = []
    const real = createDisk()
    const disk: Disk = {
      ...real,
      async sync(paths) {
        if (paths.includes(at('accounts'))) throw failed('EIO')
        await real.sync(paths)
      },
    }
    const store = await open({ disk, onFailure: error => failures.push(error) })
    assert.equal(await codeOf(store.documents.put('accounts', 'a', content(), null)), 'STORE_UNAVAILABLE')
    assert.equal(failures.length, 1)
    await add(store)
  })

  it('are refused below a link: what is written there must stay in the folder', async test => {
    const { at, open } = await setUp(test)
    const elsewhere = await fs.mkdtemp(path.join(tmpdir(), 'madhava-elsewhere-'))
    undo(test, () => fs.rm(elsewhere, { recursive: true, force: true }))
    await fs.symlink(elsewhere, at('accounts'))
    await assert.rejects(open(), /accounts is a link or a file where a folder must be/)
    assert.deepEqual(await fs.readdir(elsewhere), [])
  })
})
