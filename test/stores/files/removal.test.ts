// What a removed task leaves in the folder of the files store: nothing.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { silentLog } from '../../../src/platform/log.ts'
import { createDisk, type Disk } from '../../../src/stores/files/disk.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { addEnded, at, keyed, take } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'
import { DEAD } from './parts.ts'

const setUp = async (test: TestContext, disk: Disk = createDisk()) => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'madhava-removal-'))
  const store = await openFilesStore({ dir, clock: () => new Date(at(9)), log: silentLog(), disk })
  undo(test, async () => {
    await store.close()
    rmSync(dir, { recursive: true, force: true })
  })
  const names = (folder: string): string[] => readdirSync(path.join(dir, folder))
  return { dir, store, names }
}
const everything = { finishedBefore: null, maxCount: 0, maxBytes: null }

describe('a removed task of the files store', () => {
  it('leaves no cancel request, claim, key, blob or state file, by hand and by a rule', async test => {
    const { dir, store, names } = await setUp(test)
    for (const remove of [(id: string) => store.remove(id), () => store.retain(everything)]) {
      const { id } = await addEnded(store, keyed('k')[0])
      await store.putBlob(id, 'some.bin', Buffer.from('x'))
      // as processes leave them that were killed
      writeFileSync(path.join(dir, 'revoke', id), `${at(3)} 1\n`)
      symlinkSync(DEAD, path.join(dir, 'claims', `${id}.1`))
      await remove(id)
      assert.deepEqual([names('revoke'), names('claims'), names('keys')], [[], [], []])
      assert.ok(!existsSync(path.join(dir, 'blobs', id.slice(-2), id)))
      assert.deepEqual(names(path.join('tasks', id.slice(-2))), [])
    }
  })

  it('gives its key back before it goes, and never that of another', async test => {
    const real = createDisk()
    const order: string[] = []
    const disk: Disk = {
      ...real,
      unlink(file) {
        order.push(path.basename(path.dirname(file)))
        real.unlink(file)
      },
    }
    const { store, names } = await setUp(test, disk)
    const { task } = await store.create(...keyed('k'))
    await take(store, task.id)
    await store.move(task.id, 1, record => ({ ...record, status: 'SUCCESS', finishedAt: at(2) }))
    order.splice(0)
    await store.remove(task.id)
    const shard = task.id.slice(-2)
    assert.ok(order.indexOf('keys') >= 0 && order.indexOf('keys') < order.indexOf(shard))
    const { task: next } = await store.create(...keyed('k', 'another body'))
    assert.notEqual(next.id, task.id)
    assert.equal(names('keys').length, 1)
  })

  it('is removed again where only a part of it had gone', async test => {
    const { dir, store, names } = await setUp(test)
    const { id } = await addEnded(store)
    await store.putBlob(id, 'some.bin', Buffer.from('x'))
    rmSync(path.join(dir, 'tasks', id.slice(-2), `${id}.json`))
    symlinkSync(DEAD, path.join(dir, 'claims', `${id}.2`))
    await store.retain({ ...everything, maxCount: null })
    assert.deepEqual(names('claims'), [])
    assert.ok(!existsSync(path.join(dir, 'blobs', id.slice(-2), id)))
    assert.equal((await store.counts()).total, 0)
  })
})

describe('a blob of the files store', () => {
  it('is acknowledged when every folder above it is durable, the first of its shard included', async test => {
    const real = createDisk()
    const synced: string[] = []
    let renamed = false
    const disk: Disk = {
      ...real,
      rename(from, to) {
        real.rename(from, to)
        if (to.endsWith('some.bin')) renamed = true
      },
      async sync(paths) {
        if (renamed) synced.push(...paths)
        await real.sync(paths)
      },
    }
    const { dir, store } = await setUp(test, disk)
    const { id } = await addEnded(store)
    await store.putBlob(id, 'some.bin', Buffer.from('x'))
    const root = path.join(dir, 'blobs')
    for (const folder of [root, path.join(root, id.slice(-2)), path.join(root, id.slice(-2), id)])
      assert.ok(synced.includes(folder), folder)
  })
})
