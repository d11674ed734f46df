// A disk whose calls fail, by injection: a sync, the log, everything that writes.
import assert from 'node:assert/strict'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { retryByHand as retry, start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { type Appender, createDisk, type Disk } from '../../../src/stores/files/disk.ts'
import { add } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'
import { until } from '../../support/until.ts'
import { codeOf, isSound, NOW, open } from './disk-fixture.ts'

describe('a disk that fails', () => {
  const setUp = async (test: TestContext) => {
    const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'failing-'))
    undo(test, () => fs.rm(dir, { recursive: true, force: true }))
    return dir
  }
  const failing = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code })

  /** A disk whose logs do as usual what is not given here. */
  const withLogs = (more: (log: Appender) => Partial<Appender>): Disk => {
    const real = createDisk()
    return {
      ...real,
      append(file, ahead) {
        const log = real.append(file, ahead)
        const own: Appender = {
          get size() {
            return log.size
          },
          append: bytes => log.append(bytes),
          close: () => log.close(),
          sync: () => log.sync(),
        }
        return Object.defineProperties(own, Object.getOwnPropertyDescriptors(more(log)))
      },
    }
  }
  const withLogsThatFillUp = (isFull: () => boolean): Disk =>
    withLogs(log => ({
      append(bytes) {
        if (isFull()) throw failing('ENOSPC')
        log.append(bytes)
      },
    }))
  const withSyncsThatFail = (isBroken: () => boolean): Disk =>
    withLogs(log => ({
      async sync() {
        if (isBroken()) throw failing('EIO')
        await log.sync()
      },
    }))
  const ended = async (store: TaskStore): Promise<string> => {
    const { id } = await add(store)
    const claimed = await store.claim(id, start('w', NOW))
    await store.move(id, claimed?.claim ?? 0, succeed(1, null, NOW))
    return id
  }

  it('ends the process at the first sync that fails, and never tries it again', async test => {
    const dir = await setUp(test)
    let broken = false
    let syncs = 0
    const failures: unknown[] = []
    const disk = withSyncsThatFail(() => {
      syncs += 1
      return broken
    })
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

  it('lets nobody write under the claim number of a change that was refused and may be in its log', async test => {
    const dir = await setUp(test)
    let broken = false
    const disk = withSyncsThatFail(() => broken)
    const sick = await open(dir, { disk, onFailure: () => {} })
    const well = await open(dir)
    const id = await ended(well)
    broken = true
    assert.equal(await codeOf(sick.remove(id)), 'STORE_UNAVAILABLE')
    assert.equal(await well.claim(id, retry(NOW)), null)
    await sick.close().catch(() => {})
    const waiting = await well.claim(id, retry(NOW))
    assert.deepEqual([waiting?.status, waiting?.claim], ['PENDING', 3])
    await well.close()
    const later = await open(dir)
    assert.equal((await later.get(id))?.status, 'PENDING')
    await later.close()
  })

  it('keeps the log of a dead process that cannot be read, and goes on with the rest', async test => {
    const dir = await setUp(test)
    const store = await open(dir)
    const { id } = await add(store)
    const unreadable = path.join(dir, 'wal', 'aaaaaaaaaaaa.1.ndjson')
    await fs.mkdir(unreadable)
    await fs.writeFile(path.join(dir, 'run', 'aaaaaaaaaaaa.json'), '{}')
    await store.agenda(NOW, 10)
    assert.ok((await fs.stat(unreadable)).isDirectory())
    assert.equal((await store.get(id))?.status, 'PENDING')
    await fs.rmdir(unreadable)
    await store.close()
  })

  it('stops one part of the retention alone', async test => {
    const dir = await setUp(test)
    let full = false
    const disk = withLogsThatFillUp(() => full)
    const store = await open(dir, { disk })
    const id = await ended(store)
    await fs.writeFile(path.join(dir, 'blobs', 'note'), 'left by somebody')
    const aside = path.join(dir, 'tasks', id.slice(-2), `.${id}.0123456789ab1.tmp`)
    await fs.writeFile(aside, '{')
    await fs.utimes(aside, 0, 0)
    full = true
    const all = { finishedBefore: null, maxCount: 0, maxBytes: null }
    await assert.rejects(store.retain(all))
    await assert.rejects(fs.stat(aside), 'the sweep has not come so far')
    full = false
    assert.equal(await store.retain(all), 1)
    await store.close()
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
    let full = false
    const disk = withLogsThatFillUp(() => full)
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
