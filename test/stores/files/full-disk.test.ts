// A disk that is full, has no inodes left, may only be read, or fails to sync.
import assert from 'node:assert/strict'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { describe, it } from 'node:test'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { report, start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { add, newTask, refused } from '../../suites/store/world.ts'
import { makeDisk, requireDisk } from '../../support/small-disk.ts'
import { until } from '../../support/until.ts'
import { codeOf, isSound, NOW, open } from './disk-fixture.ts'

const KIB = 1024

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
        // and counts for no quota
        await refused(() => store.create(newTask(), null, () => assert.fail('it was counted')), 'STORE_FULL')
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

describe('an ext4 that the kernel made read-only', { skip: requireDisk('ext4') }, () => {
  it('answers reads, refuses every write with the reason, and has all of it after the next mount', async () => {
    const disk = makeDisk('ext4')
    const dir = path.join(disk.dir, 'data')
    const failures: unknown[] = []
    const store = await open(dir, { onFailure: error => failures.push(error) })
    try {
      const there = new Map<string, string>()
      for (let n = 0; n < 20; n += 1) there.set((await add(store)).id, 'PENDING')
      const [running = '', waiting = ''] = there.keys()
      const claimed = await store.claim(running, start('w', NOW))
      assert.ok(claimed)
      there.set(running, 'STARTED')

      // as after an error of the device: no file need be closed for that, unlike with `remount,ro`
      disk.remount('abort')
      for (const [id, status] of there) assert.equal((await store.get(id))?.status, status)
      assert.equal((await store.list({}, { limit: 50, cursor: null })).tasks.length, there.size)
      for (const write of [
        () => add(store),
        () => store.claim(waiting, start('w', NOW)),
        () => store.move(running, claimed.claim, succeed(1, null, NOW)),
        () => store.revoke(waiting, NOW),
        () => store.putBlob(running, 'log', Buffer.from('x')),
        () => store.check(),
      ]) {
        const error = await write().then(
          () => null,
          (thrown: unknown) => thrown,
        )
        assert.ok(isMadhavaError(error, 'STORE_UNAVAILABLE'), String(error))
        assert.match(error.message, /read-only|cannot be synced/)
      }
      await store.close().catch(() => {})

      disk.mountAnew()
      const again = await open(dir)
      // its holder is gone
      const { orphaned } = await again.agenda(NOW, 10)
      assert.deepEqual(orphaned, [running])
      await isSound(dir, again, there)
      assert.ok(await again.claim(waiting, start('w', NOW)))
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
