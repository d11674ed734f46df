// A disk that is full, has no inodes left, may only be read, or fails to sync.
import assert from 'node:assert/strict'
import { closeSync, promises as fs, openSync, rmSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, describe, it, type TestContext } from 'node:test'
import { isMadhavaError } from '../../src/core/errors.ts'
import { report, start, succeed } from '../../src/core/moves.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createDisk, type Disk } from '../../src/stores/files/disk.ts'
import { checkFolder } from '../../src/stores/files/fsck.ts'
import { openFilesStore } from '../../src/stores/files/open.ts'
import { add, at } from '../suites/store/world.ts'
import { makeDisk, requireDisk } from '../support/small-disk.ts'
import { until } from '../support/until.ts'

const NOW = at(9)
const KIB = 1024
const open = (
  dir: string,
  more: { disk?: Disk; onFailure?: (error: unknown) => void } = {},
): Promise<TaskStore> =>
  openFilesStore({ dir, clock: () => new Date(NOW), log: silentLog(), checkpointEveryMs: 200, ...more })

const codeOf = async (work: Promise<unknown>): Promise<string | null> =>
  work.then(
    () => null,
    (error: unknown) => (isMadhavaError(error) ? error.code : String(error)),
  )

/** Fills a disk to its last byte, by somebody else's file. */
const fill = (file: string): void => {
  const fd = openSync(file, 'a')
  try {
    for (let size = 256 * KIB; size >= 1; size = size > 1 ? Math.floor(size / 2) : 0)
      try {
        for (;;) writeSync(fd, Buffer.alloc(size, 1))
      } catch {
        // smaller pieces may still fit
      }
  } finally {
    closeSync(fd)
  }
}

/** Nothing is wrong in the folder, and every one of these is there in this status. */
const isSound = async (dir: string, store: TaskStore, expected: Map<string, string>): Promise<void> => {
  for (const [id, status] of expected) assert.equal((await store.get(id))?.status, status)
  assert.equal((await store.counts()).total, expected.size)
  const findings: string[] = []
  await checkFolder({
    dir,
    clock: () => new Date(NOW),
    repair: false,
    settleMs: 300,
    onFinding: ({ code, place }) => findings.push(`${code} ${place}`),
  })
  assert.deepEqual(findings, [])
}

const submitUntilRefused = async (store: TaskStore, there: Map<string, string>): Promise<string> => {
  for (let n = 0; n < 20_000; n += 1)
    try {
      there.set((await add(store, { params: { text: 'x'.repeat(4 * KIB) } })).id, 'PENDING')
    } catch (error) {
      assert.ok(isMadhavaError(error, 'STORE_FULL'), String(error))
      return error.message
    }
  throw new Error('the disk took everything')
}

for (const kind of ['tmpfs', 'ext4'] as const)
  describe(`a full ${kind}`, { skip: requireDisk(kind) }, () => {
    it('refuses submits while there is room for those that run, loses nothing when there is none, and goes on', async () => {
      const disk = makeDisk(kind)
      const dir = path.join(disk.dir, 'data')
      const store = await open(dir)
      try {
        const there = new Map<string, string>()
        const running = []
        for (let n = 0; n < 8; n += 1) {
          const { id } = await add(store)
          const claimed = await store.claim(id, start('w', NOW))
          assert.ok(claimed)
          running.push(claimed)
          there.set(id, 'STARTED')
        }
        const message = await submitUntilRefused(store, there)
        assert.match(message, /free, and .* kept for running tasks\. Make room/)
        // the reserve is for these
        for (const { id, claim } of running.slice(0, 4)) {
          await store.putBlob(id, 'result.txt', Buffer.alloc(20 * KIB, 65))
          await store.move(id, claim, succeed(null, 20 * KIB, NOW))
          there.set(id, 'SUCCESS')
        }
        await isSound(dir, store, there)

        fill(path.join(disk.dir, 'filler'))
        const [first] = running.slice(4)
        assert.ok(first)
        const progress = report({ percent: 1, note: 'x'.repeat(8 * KIB), etaSeconds: null }, null, NOW)
        assert.ok(await codeOf(store.move(first.id, first.claim, progress)))
        assert.ok(await codeOf(store.putBlob(first.id, 'checkpoint', Buffer.alloc(64 * KIB))))
        assert.equal(await codeOf(add(store)), 'STORE_FULL')
        await isSound(dir, store, there)

        rmSync(path.join(disk.dir, 'filler'))
        for (const { id, claim } of running.slice(4)) {
          await store.move(id, claim, succeed(1, null, NOW))
          there.set(id, 'SUCCESS')
        }
        const ended = [...there].filter(([, status]) => status === 'SUCCESS')
        for (const [id] of ended) {
          await store.remove(id)
          there.delete(id)
        }
        const pending = [...there.keys()]
        for (const id of pending.slice(0, pending.length >> 1)) {
          assert.equal((await store.revoke(id, NOW)).outcome, 'revoked')
          await store.remove(id)
          there.delete(id)
        }
        await until('there is room again', async () => {
          const code = await codeOf(add(store).then(({ id }) => there.set(id, 'PENDING')))
          return code === null
        })
        await isSound(dir, store, there)
        await store.close()
        const again = await open(dir)
        await isSound(dir, again, there)
        await again.close()
      } finally {
        await store.close().catch(() => {})
        disk.close()
      }
    })
  })

describe('a disk without inodes', { skip: requireDisk('tmpfs') }, () => {
  it('refuses submits before the last inode is gone, and goes on', async () => {
    const disk = makeDisk('tmpfs', 'size=64m,nr_inodes=3000')
    const dir = path.join(disk.dir, 'data')
    const store = await open(dir)
    try {
      const there = new Map<string, string>()
      const { id } = await add(store)
      const claimed = await store.claim(id, start('w', NOW))
      assert.ok(claimed)
      assert.match(await submitUntilRefused(store, there), /free inodes/)
      await store.move(id, claimed.claim, succeed(1, null, NOW))
      there.set(id, 'SUCCESS')
      await isSound(dir, store, there)
      for (const one of [...there.keys()].slice(0, 200)) {
        if (there.get(one) === 'PENDING') await store.revoke(one, NOW)
        await store.remove(one)
        there.delete(one)
      }
      await until('there is room again', async () => {
        const code = await codeOf(add(store).then(made => there.set(made.id, 'PENDING')))
        return code === null
      })
      await isSound(dir, store, there)
    } finally {
      await store.close().catch(() => {})
      disk.close()
    }
  })
})

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
