// The files store against the contract of its port, and what people find in the folder.
import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { report, succeed, takeOver } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { newTaskId, taskSchema } from '../../../src/core/task.ts'
import { auditProcessesSuite, auditSuite } from '../../suites/audit.ts'
import { documentsSuite } from '../../suites/documents.ts'
import { documentsProcessesSuite } from '../../suites/documents-processes.ts'
import { add, addEnded, at, follow, read, take } from '../../suites/store/world.ts'
import { storeSuite } from '../../suites/store.ts'
import { loseAt, type ProcessWorld, storeProcessesSuite } from '../../suites/store-processes.ts'
import { uploadsProcessesSuite, uploadsSuite } from '../../suites/upload-bytes.ts'
import { openPlace, type StorePlace } from '../../support/store-place.ts'
import { until } from '../../support/until.ts'

/** STORE_LONG=1: both suites in both ways. */
const LONG = process.env.STORE_LONG === '1'

interface FilesWorld extends ProcessWorld {
  readonly dir: string
}

const openWorld = async (writerThread = false): Promise<FilesWorld> => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'madhava-store-'))
  const place: StorePlace = { adapter: 'files', dir, writerThread }
  const stores: TaskStore[] = []
  return {
    place,
    dir,
    async open() {
      const store = await openPlace(place)
      stores.push(store)
      return store
    },
    lose: ids => loseAt(place, ids),
    async end() {
      await Promise.all(stores.map(store => store.close()))
      await fs.rm(dir, { recursive: true, force: true })
    },
  }
}

storeSuite('files', openWorld)
documentsSuite('files', openWorld)
documentsProcessesSuite('files', openWorld)
auditSuite('files', openWorld)
auditProcessesSuite('files', openWorld)
uploadsSuite('files', openWorld)
uploadsProcessesSuite('files', openWorld)
// as workers do it. To start a thread from the sources takes its time, the whole contract with it twice as long
storeProcessesSuite('files, written in a thread', () => openWorld(true))
if (LONG) {
  storeSuite('files, written in a thread', () => openWorld(true))
  storeProcessesSuite('files', openWorld)
}

describe('files store', () => {
  const promise = (title: string, body: (world: FilesWorld) => Promise<void>) =>
    it(title, { timeout: 300_000 }, async () => {
      const world = await openWorld()
      try {
        await body(world)
      } finally {
        await world.end()
      }
    })
  const fileOf = (world: FilesWorld, id: string) => path.join(world.dir, 'tasks', id.slice(-2), `${id}.json`)

  promise(
    'an attempt that an earlier version had taken ahead counts when its process is dead',
    async world => {
      const store = await world.open()
      const dead = await world.open()
      const owner = dead.instance
      await dead.close()
      const { id } = await add(store, { maxAttempts: 1 })
      await fs.symlink(`${owner}.ahead`, path.join(world.dir, 'claims', `${id}.1`))
      const ended = await store.claim(id, takeOver(at(11)))
      assert.deepEqual([ended?.status, ended?.attempt, ended?.error?.code], ['FAILURE', 1, 'WORKER_LOST'])
      assert.deepEqual(await fs.readdir(path.join(world.dir, 'claims')), [])
    },
  )

  promise('a look at an empty range of a blob leaves no file open', async world => {
    const store = await world.open()
    const { id } = await add(store)
    await store.putBlob(id, 'some.bin', Buffer.from('1234'))
    await store.putBlob(id, 'empty.bin', new Uint8Array())
    const range = { start: 4, end: 10 }
    const streams = [
      ...Array.from({ length: 20 }, () => store.getBlob(id, 'some.bin', range)),
      ...Array.from({ length: 20 }, () => store.getBlob(id, 'empty.bin')),
    ]
    for (const blob of await Promise.all(streams)) assert.equal((await blob?.stream.toArray())?.length, 0)
    const open = (await fs.readdir('/proc/self/fd')).map(fd =>
      fs.readlink(`/proc/self/fd/${fd}`).catch(() => ''),
    )
    assert.deepEqual(
      (await Promise.all(open)).filter(file => file.startsWith(path.join(world.dir, 'blobs'))),
      [],
    )
  })

  promise(
    'the state file of a task is one JSON document with a final newline, at its promised place',
    async world => {
      const store = await world.open()
      const { id } = await add(store, { title: 'ü' })
      const { claim } = await take(store, id)
      const done = await store.move(id, claim, succeed({ a: 1 }, null, at(2)))
      const text = await fs.readFile(fileOf(world, id), 'utf8')
      assert.ok(text.endsWith('\n'))
      assert.deepEqual(JSON.parse(text), done)
      assert.deepEqual(await read(store, id), done)
    },
  )

  promise('a record of deep params makes no state file that is larger than what can be read', async world => {
    const store = await world.open()
    // a body of nearly 1 MiB; indented, each number would take a line of 128 bytes
    const params = JSON.parse(`${'['.repeat(63)}${'1,'.repeat(520_000)}1${']'.repeat(63)}`)
    const { id } = await add(store, { params })
    assert.ok((await fs.stat(fileOf(world, id))).size < 2 * 1024 ** 2)
    await store.close()
    const later = await world.open()
    assert.deepEqual((await read(later, id)).params, params)
  })

  promise('the state file can be read whole at any moment while moves go on', async world => {
    const store = await world.open()
    const { id } = await add(store)
    const { claim } = await take(store, id)
    let moving = true
    const moves = (async () => {
      for (let n = 0; n < 400; n += 1)
        await store.move(
          id,
          claim,
          report({ percent: 1, note: String(n), etaSeconds: null }, 'x'.repeat(n * 20), at(2)),
        )
      moving = false
    })()
    let last = -1
    let reads = 0
    while (moving) {
      const text = await fs.readFile(fileOf(world, id), 'utf8')
      assert.ok(text.endsWith('}\n'))
      const task = taskSchema.parse(JSON.parse(text))
      const n = Number(task.progress?.note ?? -1)
      assert.ok(n >= last)
      if (n >= 0) assert.equal(task.result, 'x'.repeat(n * 20))
      last = n
      reads += 1
    }
    await moves
    assert.ok(reads > 10)
  })

  promise('a broken state file breaks nothing else', async world => {
    const one = await world.open()
    const whole = [await add(one), await add(one), await add(one)]
    const broken = [await add(one), await add(one), await add(one), await add(one)]
    await one.close()
    const rubbish = ['', '{"id":', `${JSON.stringify({ id: 'x' })}\n`, '\0'.repeat(500)]
    for (const [n, { id }] of broken.entries()) await fs.writeFile(fileOf(world, id), rubbish[n] ?? '')
    await fs.writeFile(path.join(world.dir, 'tasks', 'README'), 'not a task')
    await fs.mkdir(path.join(world.dir, 'tasks', 'ab'), { recursive: true })
    await fs.writeFile(path.join(world.dir, 'tasks', 'ab', 'note.json'), '{}')
    const store = await world.open()
    await store.check()
    const listed = (await store.list({}, { limit: 50, cursor: null })).tasks
    assert.deepEqual(listed.map(task => task.id).toSorted(), whole.map(task => task.id).toSorted())
    for (const { id } of whole) assert.equal((await take(store, id)).status, 'STARTED')
    assert.equal((await store.counts()).byStatus.STARTED, 3)
    assert.equal((await store.agenda(at(5), 5)).due, 0)
    const later = await add(store)
    assert.equal((await read(store, later.id)).status, 'PENDING')
  })

  promise('a removal that was cut short by a kill is finished, for every reader', async world => {
    const [one, other] = [await world.open(), await world.open()]
    const { id } = await addEnded(one, { owner: 'ann' })
    await one.putBlob(id, 'log.txt', Buffer.from('x'))
    assert.deepEqual([(await one.counts()).total, (await other.counts()).total], [1, 1])
    const follower = follow(other, await other.cursor())
    // all that a process does before it is killed: the state file has gone, and nobody was told
    await fs.unlink(fileOf(world, id))
    assert.equal(await one.get(id), null)
    assert.equal(await one.getBlob(id, 'log.txt'), null)
    await until('the sweeper tells of it', async () => {
      await one.agenda(at(5), 10)
      await one.retain({ finishedBefore: at(0), maxCount: null, maxBytes: null })
      const counts = [(await one.counts()).total, (await other.counts()).total]
      return counts.every(total => total === 0) && follower.seen.some(change => change.type === 'removed')
    })
    await follower.stop()
    assert.deepEqual(
      follower.seen.flatMap(change => (change.type === 'removed' ? [[change.owner, change.kind]] : [])),
      [['ann', 'adding']],
    )
    assert.deepEqual(await other.listBlobs(id), [])
  })

  promise(
    'a journal of an earlier version, which does not say whose a removed task was, is read',
    async world => {
      const store = await world.open()
      const cursor = await store.cursor()
      const follower = follow(store, cursor)
      const id = newTaskId()
      const line = `${JSON.stringify({ type: 'removed', id, claim: 2 })}\n`
      await fs.writeFile(path.join(world.dir, 'journal', '0123456789ab.1.ndjson'), line)
      await until('the removal is told', () => follower.seen.length > 0)
      await follower.stop()
      const told = follower.seen.map(change => change.type === 'removed' && [change.id, change.owner])
      assert.deepEqual(told, [[id, undefined]])
      const { ids, removed } = await store.changedSince(cursor)
      assert.deepEqual([ids, [...removed]], [[id], []])
    },
  )
})
