// The check of a data folder: what it tells, what it mends, and that a folder in use is left in peace.
import assert from 'node:assert/strict'
import { promises as fs, readdirSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { artifactFile, listArtifact } from '../../../src/core/artifacts.ts'
import { report, retryByHand, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { newTaskId } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { lockFolder } from '../../../src/stores/files/folder-lock.ts'
import { checkFolder, type ToldFinding } from '../../../src/stores/files/tools/fsck.ts'
import { FINDINGS } from '../../../src/stores/files/tools/fsck-findings.ts'
import { add, addEnded, at, details, keyed, read, refused, take } from '../../suites/store/world.ts'
import { entryOf } from '../../support/audit-entries.ts'
import { accountOf, fillDocuments } from '../../support/sample-documents.ts'
import { openPlace } from '../../support/store-place.ts'
import { runTool } from '../../support/tool.ts'
import { addUpload, openUpload, USE, useOf } from '../../support/upload-sample.ts'

const LOOKS = process.env.STORE_LONG === '1' ? 20 : 2
const clock = () => new Date()
const ID = '0190f3a1-7c5e-4b3a-9d2f-1a2b3c4d5eaa'

interface World {
  dir: string
  store: TaskStore
  /** A place inside the folder. */
  at(...parts: string[]): string
  fileOf(id: string): string
  check(options?: { repair?: boolean; settleMs?: number }): Promise<{
    told: ToldFinding[]
    codes: string[]
    findings: number
    mended: number
  }>
}

const promise = (title: string, body: (world: World) => Promise<void>) =>
  it(title, { timeout: 300_000 }, async () => {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'madhava-fsck-'))
    const store = await openPlace({ adapter: 'files', dir })
    try {
      await body({
        dir,
        store,
        at: (...parts) => path.join(dir, ...parts),
        fileOf: id => path.join(dir, 'tasks', id.slice(-2), `${id}.json`),
        async check({ repair = false, settleMs = 10 } = {}) {
          const told: ToldFinding[] = []
          const onFinding = (finding: ToldFinding) => told.push(finding)
          const { findings, mended } = await checkFolder({ dir, clock, repair, settleMs, onFinding })
          assert.equal(findings, told.length)
          assert.equal(mended, told.filter(finding => finding.mended !== null).length)
          return { told, codes: told.map(({ code }) => code).sort(), findings, mended }
        },
      })
    } finally {
      await store.close()
      await fs.rm(dir, { recursive: true, force: true })
    }
  })

/** A task in SUCCESS with an artifact. */
const addArtifact = async (store: TaskStore): Promise<{ id: string; claim: number; file: string }> => {
  const { id } = await add(store)
  const { claim } = await take(store, id)
  const file = artifactFile(claim, 1)
  await store.putBlob(id, file, Buffer.from('0123456789'))
  const artifact = { name: 'a.txt', bytes: 10, type: 'text/plain', sha256: 'a'.repeat(64), file }
  await store.move(id, claim, listArtifact(artifact, at(2)))
  await store.move(id, claim, succeed(null, null, at(2)))
  return { id, claim, file }
}

/** A task in SUCCESS whose result is a blob. */
const addLarge = async (store: TaskStore): Promise<string> => {
  const { id } = await add(store)
  const { claim } = await take(store, id)
  await store.putBlob(id, 'result.txt', Buffer.from('0123456789'))
  await store.move(id, claim, succeed(null, 10, at(2)))
  return id
}

const put = async (place: string, text: string): Promise<void> => {
  await fs.mkdir(path.dirname(place), { recursive: true })
  await fs.writeFile(place, text)
}

/** Each damage, by the finding that tells of it; answers the place that the finding must name. */
const DAMAGES: Record<(typeof FINDINGS)[number], (world: World) => Promise<string>> = {
  async 'broken-record'({ store, fileOf, dir }) {
    const { id } = await add(store)
    await fs.truncate(fileOf(id), 40)
    return path.relative(dir, fileOf(id))
  },
  async 'broken-document'({ store, at }) {
    await fillDocuments(store.documents)
    await fs.truncate(at('accounts', 'viewer.json'), 40)
    return 'accounts/viewer.json'
  },
  async 'later-version'({ store, fileOf, dir }) {
    const { id } = await add(store)
    const text = await fs.readFile(fileOf(id), 'utf8')
    await fs.writeFile(fileOf(id), text.replace('"version": 1', '"version": 2'))
    return path.relative(dir, fileOf(id))
  },
  async foreign({ at }) {
    await put(at('tasks', 'ab', 'notes.txt'), 'mine')
    return 'tasks/ab/notes.txt'
  },
  async leftover({ at }) {
    const name = `.${ID}.json.0123456789ab.tmp`
    await put(at('tasks', 'aa', name), '{')
    await fs.utimes(at('tasks', 'aa', name), new Date(0), new Date(0))
    return `tasks/aa/${name}`
  },
  async 'orphan-blobs'({ at }) {
    await put(at('blobs', 'aa', ID, 'result.txt'), 'of value')
    return `blobs/aa/${ID}`
  },
  async 'result-missing'({ store }) {
    const id = await addLarge(store)
    await store.removeBlob(id, 'result.txt')
    return `blobs/${id.slice(-2)}/${id}`
  },
  async 'result-size'({ store, at }) {
    const id = await addLarge(store)
    await fs.truncate(at('blobs', id.slice(-2), id, 'result.txt'), 3)
    return `blobs/${id.slice(-2)}/${id}`
  },
  async 'artifact-missing'({ store }) {
    const { id, file } = await addArtifact(store)
    await store.removeBlob(id, file)
    return `blobs/${id.slice(-2)}/${id}`
  },
  async 'artifact-size'({ store, at }) {
    const { id, file } = await addArtifact(store)
    await fs.truncate(at('blobs', id.slice(-2), id, file), 3)
    return `blobs/${id.slice(-2)}/${id}`
  },
  async 'stray-artifact'({ store }) {
    const { id, claim } = await addArtifact(store)
    await store.putBlob(id, artifactFile(claim, 2), Buffer.from('left'))
    // a later holder writes it at this moment
    await store.putBlob(id, artifactFile(claim + 1, 1), Buffer.from('new'))
    return `blobs/${id.slice(-2)}/${id}/${artifactFile(claim, 2)}`
  },
  async 'orphan-upload'({ store }) {
    await store.uploads.write(ID, 0, Readable.from([Buffer.from('nobody knows')]))
    return `upload-bytes/aa/${ID}`
  },
  async 'upload-missing'({ store }) {
    const id = await addUpload(store, Buffer.from('bytes'))
    await store.uploads.remove(id)
    return `uploads/${id}.json`
  },
  async 'upload-size'({ store, at }) {
    const id = await addUpload(store, Buffer.from('bytes'))
    await fs.truncate(at('upload-bytes', id.slice(-2), id), 3)
    return `uploads/${id}.json`
  },
  async 'dead-upload'({ store }) {
    await store.uploads.write(ID, 0, Readable.from([Buffer.from('half')]))
    await store.documents.put('uploads', ID, openUpload({ holder: '0123456789ab' }), null)
    return `uploads/${ID}.json`
  },
  async 'stray-use'({ store }) {
    const upload = await addUpload(store, Buffer.from('bytes'))
    await store.documents.put('upload-uses', useOf(upload, ID), USE, null)
    return `upload-uses/${useOf(upload, ID)}.json`
  },
  async 'stray-claim'({ store, at }) {
    const { id, claim } = await addEnded(store)
    await fs.symlink('0123456789ab', at('claims', `${id}.${claim}`))
    return `claims/${id}.${claim}`
  },
  async 'dead-key'({ at }) {
    await fs.symlink(`${ID}.f`, at('keys', 'a'.repeat(64)))
    return `keys/${'a'.repeat(64)}`
  },
  async 'wrong-key'({ store, at }) {
    const { id } = await add(store)
    await fs.symlink(`${id}.f`, at('keys', 'b'.repeat(64)))
    return `keys/${'b'.repeat(64)}`
  },
  async 'missing-key'({ store, at }) {
    const before = new Set(readdirSync(at('keys')))
    await store.create(...keyed('the key', 'f'))
    const name = readdirSync(at('keys')).find(key => !before.has(key)) ?? ''
    await fs.unlink(at('keys', name))
    return `keys/${name}`
  },
  async 'shared-key'({ store, at, fileOf }) {
    const before = new Set(readdirSync(at('keys')))
    const { task } = await store.create(...keyed('twice', 'f'))
    const name = readdirSync(at('keys')).find(key => !before.has(key)) ?? ''
    const id = newTaskId()
    await put(fileOf(id), JSON.stringify({ ...task, id }))
    return `keys/${name}`
  },
  async 'stray-revoke'({ store, at: inDir }) {
    const { id } = await addEnded(store)
    await put(inDir('revoke', id), `${at(1)}\n`)
    return `revoke/${id}`
  },
  async 'broken-revoke'({ store, at: inDir }) {
    const { id } = await add(store)
    await put(inDir('revoke', id), '')
    return `revoke/${id}`
  },
  async 'bad-lines'({ at }) {
    await put(at('journal', '00000000000f.1.ndjson'), '{"type":"revoke"}\n{"ty\n{"type":"torn en')
    return 'journal/00000000000f.1.ndjson'
  },
}

/** Those that a machine cannot decide. */
const FOR_PEOPLE = [
  'later-version',
  'result-missing',
  'result-size',
  'artifact-missing',
  'artifact-size',
  'upload-missing',
  'upload-size',
  'shared-key',
  'bad-lines',
]

describe('fsck', () => {
  promise('a folder with every kind of task is clean, in use and not', async ({ store, check, dir }) => {
    await add(store)
    await addEnded(store)
    await addLarge(store)
    await addArtifact(store)
    const upload = await addUpload(store, Buffer.from('bytes'))
    await store.documents.put('upload-uses', useOf(upload, (await add(store)).id), USE, null)
    await store.create(...keyed('a key'))
    const { id } = await add(store)
    await take(store, id)
    await store.revoke(id, at(3))
    await fillDocuments(store.documents)
    await store.audit.add([entryOf()])
    await store.audit.begin(entryOf())
    assert.deepEqual((await check()).told, [])
    await store.close()
    assert.deepEqual((await check()).told, [])
    assert.deepEqual((await check({ repair: true })).told, [])
    await assert.rejects(fs.access(path.join(dir, 'broken')))
  })

  for (const code of FINDINGS)
    promise(`tells of ${code} and mends it where it may`, async world => {
      const { store, check } = world
      const whole = await addEnded(store)
      const place = await DAMAGES[code](world)
      const seen = await check()
      assert.deepEqual(seen.codes, [code])
      assert.equal(seen.told[0]?.place, place)
      await store.close()
      const mending = await check({ repair: true })
      assert.deepEqual(mending.codes, [code])
      assert.equal(mending.mended, FOR_PEOPLE.includes(code) ? 0 : 1)
      assert.deepEqual((await check()).codes, FOR_PEOPLE.includes(code) ? [code] : [])
      const again = await openPlace({ adapter: 'files', dir: world.dir })
      assert.deepEqual(await again.get(whole.id), whole)
      await again.close()
    })

  promise(
    'mending moves a broken record and its blobs aside, whole',
    async ({ store, check, at, fileOf }) => {
      const id = await addLarge(store)
      await fs.writeFile(fileOf(id), 'half of')
      await store.close()
      const { codes, mended } = await check({ repair: true })
      assert.deepEqual([codes, mended], [['broken-record', 'orphan-blobs'], 2])
      assert.equal(await fs.readFile(at('broken', `${id}.json`), 'utf8'), 'half of')
      assert.equal(await fs.readFile(at('broken', `${id}.blobs`, 'result.txt'), 'utf8'), '0123456789')
      // the same again does not overwrite what lies there
      await put(fileOf(id), 'another half')
      await check({ repair: true })
      assert.equal(await fs.readFile(at('broken', `${id}.json`), 'utf8'), 'half of')
      assert.equal(await fs.readFile(at('broken', `${id}.json.1`), 'utf8'), 'another half')
    },
  )

  const DOCUMENTS: Record<string, [place: string, text: string, code: string, mended: number]> = {
    'a file that is no document': ['accounts/notes.txt', 'mine', 'foreign', 1],
    'a document under another name': [
      'accounts/other.json',
      '{"name":"viewer","version":1,"rev":1,"expiresAt":null,"data":{}}',
      'broken-document',
      1,
    ],
    "a document that is not of its collection's form": [
      'secrets/session-key.json',
      '{"name":"session-key","version":1,"rev":1,"expiresAt":null,"data":{"key":"short"}}',
      'broken-document',
      1,
    ],
    'a document of a later version': [
      'accounts/operator.json',
      '{"name":"operator","version":9,"rev":1,"expiresAt":null,"data":{}}',
      'later-version',
      0,
    ],
  }
  for (const [what, [place, text, code, mended]] of Object.entries(DOCUMENTS))
    promise(`tells of ${what}`, async ({ store, check, at }) => {
      await fillDocuments(store.documents)
      await store.close()
      await put(at(...place.split('/')), text)
      const seen = await check()
      assert.deepEqual([seen.codes, seen.told[0]?.place], [[code], place])
      const mending = await check({ repair: true })
      assert.deepEqual([mending.codes, mending.mended], [[code], mended])
      assert.equal((await check()).codes.length, 1 - mended)
      const kept = mended === 1 ? at('broken', path.basename(place)) : at(...place.split('/'))
      assert.equal(await fs.readFile(kept, 'utf8'), text)
    })

  promise(
    'an upload that a living process takes, or that comes in several requests, is left alone',
    async world => {
      const { store, check } = world
      const held = newTaskId()
      await store.uploads.write(held, 0, Readable.from([Buffer.from('half')]))
      await store.documents.put('uploads', held, openUpload({ holder: store.instance }), null)
      const resumable = newTaskId()
      await store.uploads.write(resumable, 0, Readable.from([Buffer.from('half')]))
      await store.documents.put('uploads', resumable, openUpload({ resumable: true, bytes: 4 }), null)
      assert.deepEqual((await check()).codes, [])
      await store.close()
      assert.deepEqual((await check()).codes, ['dead-upload'])
      assert.equal((await check({ repair: true })).mended, 1)
      const again = await openPlace({ adapter: 'files', dir: world.dir })
      assert.deepEqual([await again.uploads.size(held), await again.uploads.size(resumable)], [null, 4])
      await again.close()
    },
  )

  promise('the bytes of an upload whose document was damaged are moved with it, and kept', async world => {
    const { store, check, at } = world
    const id = await addUpload(store, Buffer.from('of value'))
    await store.close()
    await fs.truncate(at('uploads', `${id}.json`), 10)
    assert.deepEqual((await check()).codes, ['broken-document'])
    const { codes, mended } = await check({ repair: true })
    assert.deepEqual([codes, mended], [['broken-document', 'orphan-upload'], 2])
    assert.equal(await fs.readFile(at('broken', `${id}.upload`), 'utf8'), 'of value')
  })

  promise('what stands among uploads and is none is moved aside', async world => {
    const { store, check, at } = world
    const id = await addUpload(store, Buffer.from('bytes'))
    await store.close()
    await put(at('upload-bytes', 'aa', 'notes.txt'), 'mine')
    await put(at('upload-bytes', 'notes'), 'mine')
    await fs.link(at('upload-bytes', 'notes'), at('upload-bytes', 'aa', ID))
    const { codes, told } = await check()
    assert.deepEqual(codes, ['foreign', 'foreign', 'foreign'])
    assert.ok(told.every(({ place }) => place.startsWith('upload-bytes/') && !place.includes(id)))
    assert.equal((await check({ repair: true })).mended, 3)
  })

  promise(
    'a line of the audit that is none is told, a torn last one and what was begun are not',
    async world => {
      const { store, check, dir } = world
      await store.audit.add([entryOf(), entryOf()])
      const folder = path.join(dir, 'audit')
      const [name = ''] = readdirSync(folder).filter(one => one.endsWith('.ndjson'))
      await fs.appendFile(path.join(folder, name), '{"id":"no entry"}\n{"id":"01a2')
      await fs.writeFile(path.join(folder, 'begun', 'notes'), 'x')
      const { told } = await check()
      assert.deepEqual(
        told.map(({ code, place }) => [code, place]),
        [
          ['bad-lines', `audit/${name}`],
          ['foreign', 'audit/begun/notes'],
        ],
      )
      // readers pass over both
      assert.equal((await store.audit.page({}, { limit: 9, cursor: null })).entries.length, 2)
    },
  )

  promise('a cancel request from before the task was started again is removed', async world => {
    const { store, check, at: inDir } = world
    const { id } = await addEnded(store)
    const task = await store.claim(id, retryByHand(at(9)))
    assert.ok(task)
    await store.close()
    await put(inDir('revoke', id), `${at(1)} ${task.claim - 1}\n`)
    assert.deepEqual((await check()).codes, ['stray-revoke'])
    await put(inDir('revoke', id), `${at(1)} ${task.claim}\n`)
    assert.deepEqual((await check()).codes, [])
  })

  promise('a folder in place of a state file is reported and moved, with all that is in it', async world => {
    const { store, check, at, fileOf } = world
    await put(path.join(fileOf(ID), 'inside'), 'kept')
    await store.close()
    assert.deepEqual((await check()).codes, ['broken-record'])
    assert.equal((await check({ repair: true })).mended, 1)
    assert.equal(await fs.readFile(at('broken', `${ID}.json`, 'inside'), 'utf8'), 'kept')
  })

  promise('a key that was repaired leads to the first task and never makes a second one', async world => {
    const { store, check } = world
    await DAMAGES['missing-key'](world)
    await store.close()
    await check({ repair: true })
    const again = await openPlace({ adapter: 'files', dir: world.dir })
    const [first] = (await again.list({}, { limit: 2, cursor: null })).tasks
    const answer = await again.create(...keyed('the key', 'f'))
    assert.deepEqual([answer.created, answer.task.id], [false, first?.id])
    assert.equal((await again.counts()).total, 1)
    await again.close()
  })

  promise('a repair is refused while a process owns or uses the folder, and changes nothing', async world => {
    const { dir, store, check } = world
    await DAMAGES.foreign(world)
    const lock = await lockFolder({ dir, clock, log: silentLog(), patienceMs: 0 })
    await refused(() => check({ repair: true }), 'DATA_DIR_IN_USE')
    await lock.release()
    await store.announce({ role: 'worker', details })
    await refused(() => check({ repair: true }), 'DATA_DIR_IN_USE')
    assert.deepEqual((await check()).codes, ['foreign'])
    await store.close()
    assert.equal((await check({ repair: true })).mended, 1)
  })

  promise(
    'finds nothing in a sound folder while a store writes as fast as it can',
    async ({ store, check }) => {
      let writing = true
      let rounds = 0
      const write = async (lane: number): Promise<void> => {
        while (writing) {
          rounds += 1
          const { task } = await store.create(...keyed(`${lane}-${rounds}`))
          const { claim } = await take(store, task.id)
          await store.revoke(task.id, at(2))
          await store.move(task.id, claim, report({ percent: 1, note: null, etaSeconds: null }, null, at(2)))
          await store.putBlob(task.id, 'result.txt', Buffer.from('0123456789'))
          await store.move(task.id, claim, succeed(null, 10, at(3)))
          if (rounds % 2 === 0) await store.remove(task.id)
          await store.documents.put('accounts', 'viewer', accountOf('viewer'), 'any')
          await store.documents.remove('accounts', 'viewer', 'any')
        }
      }
      const lanes = [1, 2, 3, 4].map(write)
      try {
        for (let n = 0; n < LOOKS || rounds <= 20; n += 1)
          assert.deepEqual((await check({ settleMs: 3_000 })).told, [])
      } finally {
        writing = false
        await Promise.all(lanes)
      }
    },
  )

  promise('the command prints findings and a summary, and its exit code tells how it went', async world => {
    const { dir, store } = world
    const run = (...args: string[]) => runTool('fsck', args)
    await add(store)
    await store.close()
    const clean = run('--data-dir', dir)
    assert.deepEqual(
      [clean.status, clean.stdout],
      [0, '1 tasks, 0 blobs, 0 documents: clean\n'],
      clean.stderr,
    )
    await DAMAGES.foreign(world)
    const found = run('--data-dir', dir, '--json')
    assert.equal(found.status, 1)
    const lines = found.stdout.trim().split('\n')
    assert.deepEqual(
      lines.map(line => JSON.parse(line).type),
      ['finding', 'summary'],
    )
    assert.match(
      run('--data-dir', dir, '--repair').stdout,
      /^foreign tasks\/ab\/notes.txt: .* -> moved to broken\/\n/,
    )
    assert.equal(run('--data-dir', dir).status, 0)
    const none = run('--data-dir', path.join(dir, 'none'), '--repair')
    assert.equal(none.status, 2)
    assert.match(none.stderr, /not a data folder/)
    await assert.rejects(fs.access(path.join(dir, 'none')))
    assert.equal(run('--repiar').status, 2)
  })

  promise(
    'no finding, however strange the folder, ends the check',
    async ({ dir, store, check, at: inDir }) => {
      const task = await read(store, (await addEnded(store)).id)
      await store.close()
      const names = ['x', '.x.tmp', `${ID}.json`, ID, `${ID}.1`, 'c'.repeat(64), '\u{1f4a5}', 'a b']
      for (const folder of [
        'tasks/aa',
        'tasks',
        `blobs/aa/${ID}`,
        'blobs/aa',
        'blobs',
        'claims',
        'keys',
        'revoke',
      ])
        for (const [n, name] of names.entries()) {
          await fs.mkdir(inDir(folder), { recursive: true })
          const place = inDir(folder, name)
          if (n % 3 === 0) await put(place, '[[[').catch(() => {})
          else if (n % 3 === 1) await fs.symlink('/nowhere', place).catch(() => {})
          else await fs.mkdir(place, { recursive: true }).catch(() => {})
        }
      assert.ok((await check()).findings > 30)
      await check({ repair: true })
      assert.deepEqual((await check()).told, [])
      const again = await openPlace({ adapter: 'files', dir })
      assert.deepEqual(await again.get(task.id), task)
      await again.close()
    },
  )
})
