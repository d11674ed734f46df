// A disk whose calls fail, by injection: a sync, the log, everything that writes.
import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { start, succeed } from '../../src/core/moves.ts'
import { createDisk, type Disk } from '../../src/stores/files/disk.ts'
import { add } from '../suites/store/world.ts'
import { until } from '../support/until.ts'
import { codeOf, isSound, NOW, open } from './disk-fixture.ts'

describe('a disk that fails', () => {
  const setUp = async (test: TestContext) => {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'failing-'))
    test.after(() => fs.rm(dir, { recursive: true, force: true }))
    return dir
  }
  const failing = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

  it('ends the process at the first sync that fails, and never tries it again', async test => {
    const dir = await setUp(test)
    const real = createDisk()
    let broken = false
    let syncs = 0
    const failures: unknown[] = []
    const disk: Disk = {
      ...real,
      append(file) {
        const appender = real.append(file)
        return {
          get size() {
            return appender.size
          },
          append: bytes => appender.append(bytes),
          close: () => appender.close(),
          async sync() {
            syncs += 1
            if (broken) throw failing('EIO')
            await appender.sync()
          },
        }
      },
    }
    const store = await open(dir, { disk, onFailure: error => failures.push(error) })
    const kept = await add(store)
    broken = true
    const before = syncs
    const codes = await Promise.all(Array.from({ length: 5 }, () => codeOf(add(store))))
    assert.deepEqual(new Set(codes), new Set(['STORE_UNAVAILABLE']))
    broken = false
    assert.equal(
      await codeOf(add(store)),
      'STORE_UNAVAILABLE',
      'also when the disk says that all is well again',
    )
    assert.equal(await codeOf(store.claim(kept.id, start('w', NOW))), 'STORE_UNAVAILABLE')
    assert.equal(syncs, before + 1)
    assert.equal(failures.length, 1)
    await store.close().catch(() => {})
    const again = await open(dir)
    after(() => again.close())
    assert.equal((await again.get(kept.id))?.status, 'PENDING')
    await again.close()
  })

  it('ends the process when a checkpoint cannot be synced, and keeps the log that says what was acknowledged', async test => {
    const dir = await setUp(test)
    const real = createDisk()
    let broken = false
    const failures: unknown[] = []
    const disk: Disk = {
      ...real,
      async sync(paths) {
        if (broken) throw failing('EIO')
        await real.sync(paths)
      },
    }
    const store = await open(dir, { disk, onFailure: error => failures.push(error) })
    const { id } = await add(store)
    broken = true
    await until('the checkpoint has failed', () => failures.length > 0)
    broken = false
    assert.equal(failures.length, 1)
    assert.equal(await codeOf(add(store)), 'STORE_UNAVAILABLE')
    await store.close().catch(() => {})
    assert.ok((await fs.readdir(path.join(dir, 'wal'))).length > 0, 'the log stays')
    // what the disk dropped is made good from the log
    await fs.rm(path.join(dir, 'tasks', id.slice(-2), `${id}.json`))
    const again = await open(dir)
    assert.equal((await again.get(id))?.status, 'PENDING')
    await again.close()
  })

  it('that became read-only answers reads and refuses writes, and goes on when it may be written', async test => {
    const dir = await setUp(test)
    const real = createDisk()
    let readOnly = false
    const unless =
      <A extends unknown[], R>(work: (...args: A) => R) =>
      (...args: A): R => {
        if (readOnly) throw failing('EROFS')
        return work(...args)
      }
    const disk: Disk = {
      ...real,
      write: unless(real.write),
      rename: unless(real.rename),
      link: unless(real.link),
      symlink: unless(real.symlink),
      unlink: unless(real.unlink),
      append: unless(real.append),
    }
    const store = await open(dir, { disk, onFailure: error => assert.fail(String(error)) })
    const { id } = await add(store)
    readOnly = true
    assert.equal((await store.get(id))?.status, 'PENDING')
    assert.equal((await store.list({}, { limit: 5, cursor: null })).tasks.length, 1)
    assert.equal(await codeOf(add(store)), 'STORE_UNAVAILABLE')
    assert.equal(await codeOf(store.claim(id, start('w', NOW))), 'STORE_UNAVAILABLE')
    readOnly = false
    const claimed = await store.claim(id, start('w', NOW))
    assert.ok(claimed)
    await store.move(id, claimed.claim, succeed(1, null, NOW))
    await isSound(dir, store, new Map([[id, 'SUCCESS']]))
    await store.close()
  })

  it('without room for the log refuses that change alone', async test => {
    const dir = await setUp(test)
    const real = createDisk()
    let full = false
    const disk: Disk = {
      ...real,
      append(file) {
        const appender = real.append(file)
        return {
          get size() {
            return appender.size
          },
          close: () => appender.close(),
          sync: () => appender.sync(),
          append(bytes) {
            if (full) throw failing('ENOSPC')
            appender.append(bytes)
          },
        }
      },
    }
    const store = await open(dir, { disk, onFailure: error => assert.fail(String(error)) })
    const kept = await add(store)
    full = true
    assert.ok(['STORE_FULL', 'STORE_UNAVAILABLE'].includes((await codeOf(add(store))) ?? ''))
    full = false
    const more = await add(store)
    assert.equal((await store.counts()).total, 2)
    await isSound(dir, store, new Map([kept, more].map(({ id }) => [id, 'PENDING'])))
    await store.close()
  })
})
