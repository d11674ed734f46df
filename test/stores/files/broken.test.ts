// State files that cannot be used, found by a store that runs: they are set aside and harm nothing else.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import pino from 'pino'
import { start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { add, at } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'
import { until } from '../../support/until.ts'

const NOW = at(9)
const NOBODY = 65_534

/** Each puts something unusable in the place of a state file. */
const BREAKS: Record<string, (file: string, task: TaskRecord) => Promise<unknown>> = {
  truncated: async file => fs.writeFile(file, (await fs.readFile(file, 'utf8')).slice(0, 200)),
  empty: file => fs.writeFile(file, ''),
  'not JSON': file => fs.writeFile(file, 'Hello'),
  'no UTF-8': file => fs.writeFile(file, Buffer.from([0xff, 0xfe, 0x00, 0x80])),
  'JSON and no record': file => fs.writeFile(file, '{"a": 1}'),
  'a number': file => fs.writeFile(file, '7'),
  'another id inside': (file, task) =>
    fs.writeFile(file, JSON.stringify({ ...task, id: '01890000-0000-7000-8000-000000000000' })),
  'a version before the first': (file, task) => fs.writeFile(file, JSON.stringify({ ...task, version: 0 })),
  'a folder in its place': async file => {
    await fs.rm(file)
    await fs.mkdir(file)
    await fs.writeFile(path.join(file, 'inside'), 'kept')
  },
  'a link that leads elsewhere': async file => {
    await fs.rename(file, `${file}.elsewhere`)
    await fs.symlink(`${file}.elsewhere`, file)
  },
  'a link that leads nowhere': async file => {
    await fs.rm(file)
    await fs.symlink('nowhere', file)
  },
  'nested too deep': file => fs.writeFile(file, `${'['.repeat(500_000)}${']'.repeat(500_000)}`),
  'far too large': async file => {
    await fs.truncate(file, 100 * 1024 * 1024)
  },
  'a pipe': async file => {
    await fs.rm(file)
    const made = spawn('mkfifo', [file])
    assert.deepEqual(await once(made, 'exit'), [0, null])
  },
}

describe('broken state files', () => {
  const setUp = async (test: TestContext) => {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'broken-'))
    const stores: TaskStore[] = []
    undo(test, async () => {
      for (const store of stores) await store.close()
      await fs.rm(dir, { recursive: true, force: true })
    })
    const lines: string[] = []
    return {
      dir,
      lines,
      fileOf: (id: string) => path.join(dir, 'tasks', id.slice(-2), `${id}.json`),
      async open(): Promise<TaskStore> {
        const log = pino({ level: 'error' }, { write: line => lines.push(line) })
        const store = await openFilesStore({ dir, clock: () => new Date(NOW), log })
        stores.push(store)
        return store
      },
    }
  }

  for (const [name, ruin] of Object.entries(BREAKS))
    it(`sets aside what is ${name}, at run time and at a start`, async test => {
      const { dir, fileOf, open, lines } = await setUp(test)
      const store = await open()
      const other = await open()
      const good = [await add(store), await add(store)]
      const [bad, coldBad] = [await add(store), await add(store)]
      await store.putBlob(bad.id, 'log.txt', Buffer.from('its log'))
      assert.equal((await other.counts()).total, 4)
      await ruin(fileOf(bad.id), bad)

      assert.equal(await store.get(bad.id), null)
      assert.equal(store.counters().quarantine, 1)
      assert.ok(lines.some(line => line.includes(bad.id) && line.includes(`broken/${bad.id}.json`)))
      await fs.lstat(path.join(dir, 'broken', `${bad.id}.json`))
      assert.equal(
        await fs.readFile(path.join(dir, 'broken', `${bad.id}.blobs`, 'log.txt'), 'utf8'),
        'its log',
      )
      for (const each of [store, other]) {
        assert.equal((await each.counts()).total, 3)
        const { tasks } = await each.list({}, { limit: 10, cursor: null })
        assert.equal(tasks.length, 3)
        assert.equal((await each.agenda(NOW, 10)).due, 3)
      }
      assert.equal(await store.retain({ finishedBefore: NOW, maxCount: 0, maxBytes: 0 }), 0)
      await fs.lstat(path.join(dir, 'broken', `${bad.id}.json`))

      await other.close()
      await store.close()
      await ruin(fileOf(coldBad.id), coldBad)
      const again = await open()
      assert.equal((await again.counts()).total, 2)
      assert.equal(again.counters().quarantine, 1)
      await fs.lstat(path.join(dir, 'broken', `${coldBad.id}.json`))
      const taken = new Set<string | undefined>()
      for (let n = 0; n < 2; n += 1)
        taken.add((await again.claimNext({ kinds: ['adding'], now: NOW }, start('w', NOW)))?.id)
      assert.deepEqual(taken, new Set(good.map(({ id }) => id)))
      assert.equal(await again.claimNext({ kinds: ['adding'], now: NOW }, start('w', NOW)), null)
    })

  it('sets aside a file it may not read, and finds it again when it is put back', async test => {
    const { dir, fileOf, open } = await setUp(test)
    const store = await open()
    const { id } = await add(store)
    await store.close()
    await fs.chmod(fileOf(id), 0)
    const asNobody = async (work: () => Promise<void>): Promise<void> => {
      if (process.getuid?.() !== 0) return work()
      // root may read everything: somebody else looks
      for (const name of ['.', ...(await fs.readdir(dir, { recursive: true }))])
        await fs.lchown(path.join(dir, name), NOBODY, NOBODY)
      await fs.chown(fileOf(id), 0, 0)
      process.setegid?.(NOBODY)
      process.seteuid?.(NOBODY)
      try {
        await work()
      } finally {
        process.seteuid?.(0)
        process.setegid?.(0)
      }
    }
    await asNobody(async () => {
      const again = await open()
      assert.equal((await again.counts()).total, 0)
      assert.deepEqual(again.counters(), { quarantine: 1, laterVersion: 0 })
      await again.close()
    })
    const aside = path.join(dir, 'broken', `${id}.json`)
    await fs.chmod(aside, 0o640)
    await fs.rename(aside, fileOf(id))
    assert.equal((await (await open()).get(id))?.id, id)
  })

  it('leaves a record of a later version where it is, blobs and all, says so once and counts it', async test => {
    const { dir, fileOf, open, lines } = await setUp(test)
    const store = await open()
    const [task, whole] = [await add(store), await add(store)]
    const later = JSON.stringify({ ...task, version: 2, novelty: true })
    await store.putBlob(task.id, 'log.txt', Buffer.from('of a later version'))
    await store.close()
    await fs.writeFile(fileOf(task.id), later)
    const again = await open()
    assert.equal((await again.counts()).total, 1)
    for (let n = 0; n < 3; n += 1) assert.equal(await again.get(task.id), null)
    assert.deepEqual(again.counters(), { quarantine: 0, laterVersion: 1 })
    assert.equal(lines.filter(line => line.includes(task.id)).length, 1)
    await assert.rejects(again.create(task, null), { code: 'TASK_EXISTS' })
    assert.equal(await again.retain({ finishedBefore: NOW, maxCount: 0, maxBytes: 0 }), 0)
    assert.equal(await fs.readFile(fileOf(task.id), 'utf8'), later)
    const blob = path.join(dir, 'blobs', task.id.slice(-2), task.id, 'log.txt')
    assert.equal(await fs.readFile(blob, 'utf8'), 'of a later version')
    assert.equal((await again.get(whole.id))?.id, whole.id)
    await assert.rejects(fs.access(path.join(dir, 'broken')))
  })

  it('creates a task again whose first record was lost, when its idempotency key is used again', async test => {
    const { fileOf, open } = await setUp(test)
    const [store, other] = [await open(), await open()]
    const task = { ...(await add(store)), id: '01890000-0000-7000-8000-0000000000ff', idempotencyKey: 'once' }
    await store.create(task, 'print')
    assert.equal((await other.counts()).total, 2)
    await fs.writeFile(fileOf(task.id), 'lost')
    assert.equal(await other.get(task.id), null)
    const { created, task: anew } = await store.create(
      { ...task, id: '01890000-0000-7000-8000-0000000000fe' },
      'print',
    )
    assert.equal(created, true)
    assert.equal(anew.id, task.id)
    for (const each of [store, other]) assert.equal((await each.counts()).total, 2)
  })

  it('keeps fields it does not know through every move', async test => {
    const { fileOf, open } = await setUp(test)
    const store = await open()
    const { id } = await add(store)
    await store.close()
    const text = await fs.readFile(fileOf(id), 'utf8')
    const more = { shade: 'blue', nested: { deep: [1, { two: null }] } }
    await fs.writeFile(fileOf(id), JSON.stringify({ ...(JSON.parse(text) as object), more }))
    const again = await open()
    const claimed = await again.claim(id, start('w', NOW))
    assert.ok(claimed)
    await again.move(id, claimed.claim, succeed(1, null, NOW))
    const written = JSON.parse(await fs.readFile(fileOf(id), 'utf8')) as { more: unknown; status: string }
    assert.deepEqual([written.status, written.more], ['SUCCESS', more])
  })

  it('gives a holder that writes a good record at that moment the last word', async test => {
    const { fileOf, open } = await setUp(test)
    const store = await open()
    const { id } = await add(store)
    const claimed = await store.claim(id, start('w', NOW))
    assert.ok(claimed)
    await fs.writeFile(fileOf(id), 'torn by a stranger')
    const done = await store.move(id, claimed.claim, succeed(1, null, NOW))
    assert.deepEqual(await store.get(id), done)
    assert.equal(store.counters().quarantine, 0)
  })

  it('brings all tasks back when everything but tasks and blobs is deleted', async test => {
    const { dir, open } = await setUp(test)
    const store = await open()
    const tasks = []
    for (let n = 0; n < 60; n += 1) tasks.push(await add(store))
    const { id, claim } = (await store.claim(tasks[0]?.id ?? '', start('w', NOW))) ?? {}
    await store.putBlob(id ?? '', 'log.txt', Buffer.from('kept'))
    await store.move(id ?? '', claim ?? 0, succeed(1, null, NOW))
    assert.equal((await store.counts()).total, 60)
    await store.close()
    for (const name of await fs.readdir(dir))
      if (!['tasks', 'blobs'].includes(name)) await fs.rm(path.join(dir, name), { recursive: true })
    const again = await open()
    const counts = await again.counts()
    assert.deepEqual([counts.total, counts.byStatus.SUCCESS, counts.byStatus.PENDING], [60, 1, 59])
    assert.equal((await again.listBlobs(id ?? ''))[0]?.bytes, 4)
    await until('a new task is taken as well', async () => (await again.agenda(NOW, 100)).due === 59)
  })

  it('does not mistake silence for a broken file', async test => {
    const { open } = await setUp(test)
    const store = await open()
    assert.equal(await store.get('01890000-0000-7000-8000-000000000000'), null)
    assert.deepEqual(store.counters(), { quarantine: 0, laterVersion: 0 })
  })
})
