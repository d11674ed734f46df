// The bytes of uploads on disk: where they stand, who may read them, what is put in their place, and a disk that fails.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { describe, it, type TestContext } from 'node:test'
import { newTaskId } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createDisk, type Disk } from '../../../src/stores/files/disk.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { allUploads } from '../../suites/upload-bytes.ts'
import { makeDisk, requireDisk } from '../../support/small-disk.ts'
import { undo } from '../../support/undo.ts'
import { codeOf, NOW, open } from './disk-fixture.ts'

const KIB = 1024
const MIB = 1024 * KIB
const streamOf = (...pieces: Buffer[]): Readable => Readable.from(pieces)
const some = (text = 'some'): Readable => streamOf(Buffer.from(text))
const idIn = (shard: string): string => newTaskId().slice(0, -2) + shard

const setUp = async (test: TestContext, disk?: Disk) => {
  const dir = await fs.mkdtemp(path.join(os.tmpdir(), 'madhava-uploads-'))
  const failures: unknown[] = []
  const store = await open(dir, { onFailure: error => failures.push(error), ...(disk ? { disk } : {}) })
  undo(test, async () => {
    await store.close()
    await fs.rm(dir, { recursive: true, force: true })
  })
  const fileOf = (id: string) => path.join(dir, 'upload-bytes', id.slice(-2), id)
  return { dir, store, uploads: store.uploads, fileOf, failures }
}
const textOf = async (found: { stream: Readable } | null): Promise<string | null> =>
  found && Buffer.concat(await found.stream.toArray()).toString()

describe('the bytes of uploads on disk', () => {
  it('stand in one file each, at its promised place, which only our own user may read', async t => {
    const { dir, uploads, fileOf } = await setUp(t)
    const id = newTaskId()
    await uploads.write(id, 0, some())
    assert.equal(await fs.readFile(fileOf(id), 'utf8'), 'some')
    const modes = await Promise.all(
      [path.join(dir, 'upload-bytes'), path.dirname(fileOf(id)), fileOf(id)].map(place => fs.stat(place)),
    )
    assert.deepEqual(
      modes.map(({ mode }) => mode & 0o777),
      [0o700, 0o700, 0o600],
    )
    assert.deepEqual(await fs.readdir(path.dirname(fileOf(id))), [id])
  })

  it('are never read or written behind what somebody has put in their place', async t => {
    const { dir, uploads, fileOf } = await setUp(t)
    const secret = path.join(dir, 'secret')
    const elsewhere = path.join(dir, 'elsewhere')
    await fs.writeFile(secret, 'a secret')
    await fs.mkdir(elsewhere)
    const ids = ['01', '02', '03', '04', '05'].map(idIn)
    const [linked = '', named = '', pipe = '', folder = '', behind = ''] = ids
    for (const id of [linked, named, pipe, folder]) await fs.mkdir(path.dirname(fileOf(id)))
    await fs.symlink(secret, fileOf(linked))
    await fs.link(secret, fileOf(named))
    execFileSync('mkfifo', [fileOf(pipe)])
    await fs.mkdir(fileOf(folder))
    await fs.symlink(elsewhere, path.dirname(fileOf(behind)))
    await fs.writeFile(path.join(elsewhere, behind), 'not ours')

    for (const id of ids) {
      assert.deepEqual([await uploads.size(id), await uploads.read(id)], [null, null])
      assert.equal(
        await codeOf(uploads.write(id, 1, some())),
        id === behind ? 'STORE_UNAVAILABLE' : 'BAD_REQUEST',
      )
    }
    assert.deepEqual(await allUploads(uploads), [])
    // a name is taken from what is no upload, and that stays as it is
    for (const id of [linked, named, pipe]) {
      assert.equal(await uploads.write(id, 0, some('ours')), 4)
      assert.equal(await textOf(await uploads.read(id)), 'ours')
    }
    for (const id of [folder, behind])
      assert.equal(await codeOf(uploads.write(id, 0, some())), 'STORE_UNAVAILABLE')
    await uploads.remove(behind)
    assert.equal(await fs.readFile(secret, 'utf8'), 'a secret')
    assert.equal(await fs.readFile(path.join(elsewhere, behind), 'utf8'), 'not ours')
    assert.deepEqual(await fs.readdir(elsewhere), [behind])
  })

  it('are found beside strangers, which are in no list', async t => {
    const { dir, uploads, fileOf } = await setUp(t)
    const id = idIn('aa')
    await uploads.write(id, 0, some())
    await fs.writeFile(path.join(path.dirname(fileOf(id)), 'README'), 'x')
    await fs.writeFile(path.join(path.dirname(fileOf(id)), idIn('bb')), 'in another folder')
    await fs.writeFile(path.join(path.dirname(fileOf(id)), idIn('aa').toUpperCase()), 'x')
    await fs.writeFile(path.join(dir, 'upload-bytes', 'README'), 'x')
    assert.deepEqual(await allUploads(uploads, 1), [{ id, bytes: 4 }])
  })

  it('leave no file open that nobody has read, or not to its end', async t => {
    const { dir, uploads } = await setUp(t)
    const id = newTaskId()
    await uploads.write(id, 0, streamOf(Buffer.alloc(2 * MIB)))
    for (let turn = 0; turn < 5; turn += 1) {
      const range = { start: 4 * MIB, end: 5 * MIB }
      assert.equal(await textOf(await uploads.read(id, range)), '')
      const [unread, begun] = [await uploads.read(id), await uploads.read(id)]
      for await (const _ of begun?.stream ?? []) break
      const closed = new Promise(resolve => unread?.stream.once('close', resolve))
      unread?.stream.destroy()
      await closed
      await assert.rejects(
        uploads.write(
          id,
          0,
          new Readable({
            read() {
              this.destroy(new Error('broken'))
            },
          }),
        ),
      )
      await uploads.write(id, 0, streamOf(Buffer.alloc(2 * MIB)))
      assert.equal(await codeOf(uploads.write(id, 9 * MIB, some())), 'BAD_REQUEST')
    }
    const files = (await fs.readdir('/proc/self/fd')).map(fd =>
      fs.readlink(`/proc/self/fd/${fd}`).catch(() => ''),
    )
    const left = (await Promise.all(files)).filter(file => file.startsWith(path.join(dir, 'upload-bytes')))
    assert.deepEqual(left, [])
  })

  it('that become fewer under a reader are an error, and no shorter stream', async t => {
    const { uploads, fileOf } = await setUp(t)
    const id = newTaskId()
    await uploads.write(id, 0, streamOf(Buffer.alloc(2 * MIB)))
    const found = await uploads.read(id)
    await fs.truncate(fileOf(id), 100)
    await assert.rejects(found?.stream.toArray() ?? Promise.resolve(), { code: 'STORE_UNAVAILABLE' })
  })

  it('are not told as kept when their sync fails, and can be written again', async t => {
    const real = createDisk()
    let broken = false
    const { uploads, failures } = await setUp(t, {
      ...real,
      async writeOn(file, offset) {
        const tail = await real.writeOn(file, offset, {
          sync: handle =>
            broken ? Promise.reject(Object.assign(new Error('injected'), { code: 'EIO' })) : handle.sync(),
        })
        return tail
      },
    })
    const id = newTaskId()
    await uploads.write(id, 0, some('durable'))
    broken = true
    assert.equal(await codeOf(uploads.write(id, 7, some(' and lost'))), 'STORE_UNAVAILABLE')
    // what could not be synced is not there either: nobody writes on behind it
    assert.equal(await uploads.size(id), 7)
    assert.deepEqual(failures, [])
    broken = false
    assert.equal(await uploads.write(id, 7, some(' and kept')), 16)
    assert.equal(await textOf(await uploads.read(id)), 'durable and kept')
  })
})

for (const kind of ['tmpfs', 'ext4'] as const)
  describe(`uploads on a full ${kind}`, { skip: requireDisk(kind) }, () => {
    it('stop at the reserve, keep what had come, and go on when there is space', async () => {
      const disk = makeDisk(kind)
      const dir = path.join(disk.dir, 'data')
      const store = await openFilesStore({ dir, clock: () => new Date(NOW), log: silentLog() })
      try {
        const [id, filler] = [newTaskId(), newTaskId()]
        await store.uploads.write(filler, 0, streamOf(Buffer.alloc(4 * MIB)))
        const endless = Readable.from(
          (function* () {
            for (let n = 0; n < 1_000; n += 1) yield Buffer.alloc(64 * KIB, n)
          })(),
        )
        await assert.rejects(store.uploads.write(id, 0, endless), { code: 'STORE_FULL' })
        const { bavail, bsize } = await fs.statfs(disk.dir)
        assert.ok(bavail * bsize > MIB, 'what is kept for running tasks is still there')
        const size = (await store.uploads.size(id)) ?? 0
        assert.ok(size > MIB)
        assert.equal(await codeOf(store.uploads.write(newTaskId(), 0, some())), 'STORE_FULL')
        await store.uploads.remove(filler)
        let at = size
        // space is looked at now and then
        for (let tries = 0; at === size && tries < 10_000; tries += 1)
          try {
            at = await store.uploads.write(id, size, streamOf(Buffer.alloc(MIB, 7)))
          } catch (error) {
            assert.equal((error as { code?: string }).code, 'STORE_FULL')
            await new Promise(setImmediate)
          }
        assert.equal(at, size + MIB)
        const found = Buffer.concat((await (await store.uploads.read(id))?.stream.toArray()) ?? [])
        for (let n = 0; n * 64 * KIB < size; n += 1) assert.equal(found[n * 64 * KIB], n % 256)
        assert.equal(found.at(-1), 7)
      } finally {
        await store.close()
        disk.close()
      }
    })

    it('without a reserve lose nothing that was acknowledged when the disk is full to its last byte', async () => {
      const disk = makeDisk(kind)
      const dir = path.join(disk.dir, 'data')
      const store = await openFilesStore({
        dir,
        clock: () => new Date(NOW),
        log: silentLog(),
        reserveBytes: 0,
      })
      try {
        const id = newTaskId()
        await store.uploads.write(id, 0, some('acknowledged'))
        const endless = Readable.from(
          (function* () {
            for (let n = 0; n < 1_000; n += 1) yield Buffer.alloc(64 * KIB, 1)
          })(),
        )
        await assert.rejects(store.uploads.write(id, 12, endless), { code: 'STORE_FULL' })
        const size = (await store.uploads.size(id)) ?? 0
        const found = await store.uploads.read(id)
        const bytes = Buffer.concat((await found?.stream.toArray()) ?? [])
        assert.ok(size > MIB)
        assert.ok(Buffer.concat([Buffer.from('acknowledged'), Buffer.alloc(size - 12, 1)]).equals(bytes))
        await store.uploads.remove(id)
        assert.equal(await store.uploads.write(newTaskId(), 0, some()), 4)
      } finally {
        await store.close()
        disk.close()
      }
    })
  })
