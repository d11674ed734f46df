// A data folder that somebody has prepared, such as one out of an archive: links, pipes and devices in the places of
// files and folders. It neither holds the store up, nor leads it elsewhere, nor keeps it from working.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { promises as fs } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import pino from 'pino'
import { start, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { seeInstances } from '../../../src/stores/files/claims/instances.ts'
import { lockFolder } from '../../../src/stores/files/folder-lock.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { exportFolder } from '../../../src/stores/files/tools/export.ts'
import { checkFolder } from '../../../src/stores/files/tools/fsck.ts'
import { add, addEnded, at } from '../../suites/store/world.ts'

const SECRET = 'TOPSECRET-DATA'
const NOW = at(9)
const clock = () => new Date(NOW)
const idIn = (shard: string) => `aaaaaaaa-0000-4000-8000-0000000000${shard}`
const CLAIMED = idIn('01')

describe('a hostile data folder', { timeout: 600_000 }, () => {
  let dir: string
  let elsewhere: string
  let ended: TaskRecord
  let other: TaskRecord
  const lines: string[] = []
  const place = (...parts: string[]) => path.join(dir, ...parts)
  const blobs = (id: string, ...rest: string[]) => place('blobs', id.slice(-2), id, ...rest)
  const pipe = (...parts: string[]) => execFileSync('mkfifo', [place(...parts)])
  const open = (): Promise<TaskStore> =>
    openFilesStore({ dir, clock, log: pino({ level: 'info' }, { write: line => lines.push(line) }) })

  before(async () => {
    dir = await fs.mkdtemp(path.join(os.tmpdir(), 'hostile-'))
    elsewhere = await fs.mkdtemp(path.join(os.tmpdir(), 'elsewhere-'))
    const secret = path.join(elsewhere, 'secret')
    await fs.writeFile(secret, SECRET)
    const store = await open()
    // in folders that are left as they are
    ended = await addEnded(store, { id: idIn('10') })
    other = await addEnded(store, { id: idIn('11') })
    await store.putBlob(ended.id, 'good.txt', Buffer.from('good'))
    await store.close()

    pipe('tasks', '01', `${idIn('01')}.json`)
    await fs.symlink(secret, place('tasks', '02', `${idIn('02')}.json`))
    await fs.symlink('/dev/zero', place('tasks', '03', `${idIn('03')}.json`))
    await fs.mkdir(place('tasks', '04', `${idIn('04')}.json`))
    await fs.link(secret, place('tasks', '05', `${idIn('05')}.json`))
    await fs.writeFile(place('tasks', '06', `${idIn('06')}.json`), '['.repeat(5_000_000))
    await fs.writeFile(place('tasks', '07', `${idIn('07')}.json`), '')
    await fs.truncate(place('tasks', '07', `${idIn('07')}.json`), 5 * 1024 ** 3)
    for (const shard of ['tasks/0a', 'blobs/0b']) {
      await fs.rm(place(shard), { recursive: true, force: true })
      await fs.symlink(elsewhere, place(shard))
    }

    await fs.symlink(secret, blobs(ended.id, 'result.txt'))
    await fs.link(secret, blobs(ended.id, 'log.txt'))
    await fs.symlink('/dev/zero', blobs(ended.id, 'zero.bin'))
    execFileSync('mkfifo', [blobs(ended.id, 'pipe.bin')])
    // the folder of a whole task
    await fs.mkdir(path.dirname(blobs(other.id)), { recursive: true })
    await fs.symlink(elsewhere, blobs(other.id))

    pipe('journal', 'aaaaaaaaaaaa.1.ndjson')
    await fs.symlink('/dev/zero', place('journal', 'bbbbbbbbbbbb.1.ndjson'))
    await fs.symlink(secret, place('journal', 'cccccccccccc.1.ndjson'))
    pipe('wal', 'aaaaaaaaaaaa.1.ndjson')
    await fs.symlink('/dev/zero', place('wal', 'bbbbbbbbbbbb.1.ndjson'))
    for (const shard of ['01', '02']) await fs.rm(place('index', `${shard}.json`), { force: true })
    pipe('index', '01.json')
    await fs.symlink('/dev/zero', place('index', '02.json'))
    await fs.symlink('../../../../etc/passwd', place('claims', `${CLAIMED}.1`))
    pipe('claims', `${ended.id}.9`)
    await fs.writeFile(place('claims', `${'z'.repeat(36)}.1`), '')
    pipe('revoke', CLAIMED)
    await fs.symlink('/dev/zero', place('revoke', other.id))
    pipe('keys', 'a'.repeat(64))
    pipe('run', 'aaaaaaaaaaaa.json')
    await fs.symlink('/dev/zero', place('run', 'bbbbbbbbbbbb.json'))
    await fs.writeFile(place('run', 'cccccccccccc.json'), '{"instance":"x","role":"api","details":null}')
    pipe('run', 'dddddddddddd.sock')
    await fs.writeFile(place('run', 'lock.99'), '')
    await fs.writeFile(place('run', 'recovery.99'), '')
  })
  after(async () => {
    await fs.rm(dir, { recursive: true, force: true })
    await fs.rm(elsewhere, { recursive: true, force: true })
  })

  it('is checked, exported and looked at without being led elsewhere', async () => {
    const found: string[] = []
    await checkFolder({
      dir,
      clock,
      repair: false,
      settleMs: 10,
      onFinding: ({ code, place: where }) => found.push(`${code} ${where}`),
    })
    for (const expected of [
      ...['01', '02', '03', '04', '05', '06', '07'].map(
        shard => `broken-record tasks/${shard}/${idIn(shard)}.json`,
      ),
      'foreign tasks/0a',
      'foreign blobs/0b',
      ...['log.txt', 'result.txt', 'zero.bin', 'pipe.bin'].map(
        name => `foreign ${path.relative(dir, blobs(ended.id, name))}`,
      ),
      `foreign ${path.relative(dir, blobs(other.id))}`,
      'foreign journal/aaaaaaaaaaaa.1.ndjson',
      'foreign journal/bbbbbbbbbbbb.1.ndjson',
      'foreign wal/aaaaaaaaaaaa.1.ndjson',
    ])
      assert.ok(found.includes(expected), `${expected} in\n${found.join('\n')}`)
    let exported = ''
    for await (const line of exportFolder({ dir, clock, onLeftOut: () => {} })) exported += line
    assert.ok(exported.includes(Buffer.from('good').toString('base64')))
    for (const form of [SECRET, Buffer.from(SECRET).toString('base64')]) assert.ok(!exported.includes(form))
    assert.deepEqual(await seeInstances(place('run')), [])
  })

  it('is opened, and works, and gives out nothing from elsewhere', async () => {
    const lock = await lockFolder({ dir, clock, log: silentLog(), patienceMs: 1_000 })
    const store = await open()
    try {
      assert.equal((await store.counts()).total, 2)
      for (const name of ['result.txt', 'log.txt', 'zero.bin', 'pipe.bin'])
        assert.equal(await store.getBlob(ended.id, name), null, name)
      const good = await store.getBlob(ended.id, 'good.txt')
      assert.equal(good && (await text(good.stream)), 'good')
      assert.deepEqual(await store.listBlobs(ended.id), [{ name: 'good.txt', bytes: 4 }])
      assert.equal(await store.getBlob(other.id, 'secret'), null)
      assert.deepEqual(await store.listBlobs(other.id), [])
      await assert.rejects(store.putBlob(other.id, 'new.txt', Buffer.from('x')))
      assert.deepEqual(await fs.readdir(elsewhere), ['secret'])
      // a blob of ours takes the place of what is none
      await store.putBlob(ended.id, 'log.txt', Buffer.from('ours'))
      const log = await store.getBlob(ended.id, 'log.txt')
      assert.equal(log && (await text(log.stream)), 'ours')
      assert.equal(await fs.readFile(path.join(elsewhere, 'secret'), 'utf8'), SECRET)

      const { id } = await add(store)
      // its shard led elsewhere before
      await add(store, { id: idIn('0a') })
      const begun = await store.claimNext({ kinds: ['adding'], now: NOW }, start(store.instance, NOW))
      assert.ok(begun)
      assert.ok(await store.move(begun.id, begun.claim, succeed(2, null, NOW)))
      assert.equal((await store.get(begun.id))?.status, 'SUCCESS')
      await store.agenda(NOW, 10)
      await store.retain({ finishedBefore: at(0), maxCount: 100, maxBytes: null })
      assert.ok((await store.presences()).every(({ role }) => role === 'supervisor'))
      assert.ok(await store.get(id))
      assert.ok(lines.every(line => !line.includes(SECRET)))
      assert.deepEqual(await fs.readdir(elsewhere), ['secret'])
    } finally {
      await store.close()
      await lock.release()
    }
  })

  it('is refused, with advice, if one of its folders is a link; the data folder itself may be one', async () => {
    const link = path.join(elsewhere, 'link')
    await fs.symlink(dir, link)
    const store = await openFilesStore({ dir: link, clock, log: silentLog() })
    assert.ok(await store.get(ended.id))
    await store.close()
    await fs.rename(place('blobs'), path.join(elsewhere, 'blobs'))
    await fs.symlink(path.join(elsewhere, 'blobs'), place('blobs'))
    await assert.rejects(open(), { code: 'STORE_UNAVAILABLE', message: /blobs is a link .* set DATA_DIR/ })
  })
})
