// From files into Redis and back, by the commands: the same ids, the same records, the same bytes; and an import that
// was cut off goes on.

import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, afterEach, before, describe, it } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { createKinds } from '../../../src/core/kinds.ts'
import { start } from '../../../src/core/moves.ts'
import { createService } from '../../../src/core/service.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { auditOf } from '../../suites/audit.ts'
import { at, keyed, newTask, refused } from '../../suites/store/world.ts'
import { anybody } from '../../support/actors.ts'
import { entryOf } from '../../support/audit-entries.ts'
import { createNotingQueue } from '../../support/noting-queue.ts'
import { type PrivateRedis, startRedis } from '../../support/redis.ts'
import { fillDocuments } from '../../support/sample-documents.ts'
import { requireService } from '../../support/services.ts'
import { openPlace, type StorePlace } from '../../support/store-place.ts'
import { runTool } from '../../support/tool.ts'
import { bytesOf, fill, LARGE } from '../../support/transfer-sample.ts'
import { fillUploads, uploadBytesOf } from '../../support/upload-sample.ts'

const skip = requireService('redis')
/** STORE_LONG=1: what part of an import came before it was cut off. */
const SHARES = process.env.STORE_LONG === '1' ? [0.1, 0.3, 0.5, 0.8, 0.99] : [0.5]

describe('moving between files and Redis', { skip }, () => {
  let redis: PrivateRedis
  let root: string
  before(async () => {
    root = mkdtempSync(path.join(tmpdir(), 'madhava-move-'))
    redis = await startRedis()
  })
  after(async () => {
    await redis?.remove()
    rmSync(root, { recursive: true, force: true })
  })

  /** One that a failed test leaves open would keep this process alive. */
  const stores: TaskStore[] = []
  afterEach(async () => {
    await Promise.all(stores.splice(0).map(store => store.close()))
  })
  const opened = async (place: StorePlace): Promise<TaskStore> => {
    const store = await openPlace(place)
    stores.push(store)
    return store
  }

  let prefixes = 0
  /** A place as the settings name it, and as the suites open it. */
  const inRedis = () => {
    prefixes += 1
    const prefix = `move${prefixes}`
    const env = { STORE_URL: redis.url, STORE_PREFIX: prefix }
    return { env, open: () => opened({ adapter: 'redis', url: redis.url, prefix }) }
  }
  const inFiles = (name: string) => {
    const dir = path.join(root, name)
    return { env: { DATA_DIR: dir, STORE_URL: '' }, open: () => opened({ adapter: 'files', dir }) }
  }
  type Place = ReturnType<typeof inFiles> | ReturnType<typeof inRedis>

  const run = (
    tool: 'export' | 'import',
    { env }: Place,
    file: string,
    args: string[] = [],
  ): { status: number | null; stdout: string; stderr: string } => {
    const fd = openSync(file, tool === 'export' ? 'w' : 'r')
    const done = runTool(tool, args, {
      env: { ...process.env, ...env },
      stdio: tool === 'export' ? ['ignore', fd, 'pipe'] : [fd, 'pipe', 'pipe'],
    })
    closeSync(fd)
    return done
  }
  const all = async (store: TaskStore): Promise<TaskRecord[]> =>
    (await store.list({}, { limit: 1_000, cursor: null })).tasks

  it('goes there and back: the same through the API, verified by count and hash', async () => {
    const [from, redisPlace, to] = [inFiles('from'), inRedis(), inFiles('to')]
    const source = await from.open()
    const { resting, running, success, progress, pending } = await fill(source)
    await fillDocuments(source.documents)
    const files = await fillUploads(source, pending.id)
    const lines = [1, 2, 90_000].map(second => entryOf({ at: at(second) }))
    await source.audit.add(lines)
    await source.close()
    const [there, back] = [path.join(root, 'there.ndjson'), path.join(root, 'back.ndjson')]

    assert.equal(run('export', from, there).status, 0)
    const imported = run('import', redisPlace, there, ['--accounts'])
    assert.deepEqual([imported.status, imported.stderr], [0, ''])
    assert.equal(
      imported.stdout,
      [
        'created accounts/operator\n',
        'created accounts/viewer\n',
        '9 created, 0 replaced, 0 unchanged, 0 left, 0 refused, 3 givenBack, 4 blobs, 2 accounts, 0 accountsLeft, ',
        '0 accountsPassedOver, 3 audit, 2 uploads, 0 uploadsLeft\n',
      ].join(''),
    )
    const verified = run('import', redisPlace, there, ['--verify', '--accounts'])
    assert.deepEqual(
      [verified.status, verified.stdout],
      [0, '9 tasks, 4 blobs, 2 accounts, 3 audit, 2 uploads, 0 missing, 0 different, 9 inStore\n'],
    )

    const store = await redisPlace.open()
    const service = createService({
      store,
      queue: createNotingQueue().queue,
      kinds: createKinds([]),
      clock: () => new Date(),
    })
    for (const task of resting) assert.deepEqual(await service.get(anybody(), task.id), task)
    for (const { id } of running) assert.notEqual((await service.get(anybody(), id)).status, 'STARTED')
    assert.ok((await bytesOf(store, success.id, 'result.txt')).equals(LARGE))
    assert.equal((await bytesOf(store, progress.id, 'checkpoint.bin')).length, 500)
    assert.deepEqual(await uploadBytesOf(store, files.whole), files.large)
    // the key means the same as before, and what waited can be taken
    const [again, print] = keyed('a key', 'a print', { owner: 'me' })
    assert.equal((await store.create(again, print)).created, false)
    await refused(() => store.create(again, 'another print'), 'IDEMPOTENCY_MISMATCH')
    const before = await all(store)

    const out = run('export', redisPlace, back)
    assert.deepEqual([out.status, out.stderr], [0, ''])
    const unasked = run('import', to, back)
    assert.deepEqual(
      [unasked.status, unasked.stderr],
      [0, 'The accounts of the export were passed over: --accounts takes them in\n'],
    )
    assert.equal(run('import', to, back, ['--verify']).status, 0)
    assert.equal(run('import', to, back, ['--verify', '--accounts']).status, 1)
    assert.equal(run('import', to, back, ['--accounts']).status, 0)
    assert.equal(run('import', to, back, ['--verify', '--accounts']).status, 0)
    assert.equal(run('import', to, there, ['--verify']).status, 0, 'what came back is what left')
    const target = await to.open()
    assert.deepEqual(await all(target), before)
    assert.ok((await bytesOf(target, success.id, 'result.txt')).equals(LARGE))
    assert.equal((await target.create(again, print)).created, false)
    assert.deepEqual(await uploadBytesOf(target, files.whole), files.large)
    assert.deepEqual(await auditOf(target), lines.toReversed())
    await target.close()
    assert.equal((await store.claim(progress.id, start('w', at(900))))?.status, 'STARTED')
    await store.close()
  })

  it('an import that was cut off at any place is simply repeated', async () => {
    const from = inFiles('whole')
    const source = await from.open()
    await fill(source)
    for (let n = 0; n < 150; n += 1) await source.create(newTask({ createdAt: at(n) }), null)
    const wanted = await all(source)
    await source.close()
    const file = path.join(root, 'whole.ndjson')
    const part = path.join(root, 'part.ndjson')
    assert.equal(run('export', from, file).status, 0)
    const bytes = readFileSync(file)
    const place = inRedis()
    for (const share of SHARES) {
      writeFileSync(part, bytes.subarray(0, Math.floor(bytes.length * share)))
      const cut = run('import', place, part)
      assert.equal(cut.status, 1)
      assert.match(cut.stderr, /not whole/)
      assert.equal(run('import', place, file, ['--verify']).status, 1)
    }
    assert.equal(run('import', place, file).status, 0)
    const done = run('import', place, file, ['--verify'])
    assert.deepEqual(
      [done.status, done.stdout],
      [0, '159 tasks, 4 blobs, 0 accounts, 0 audit, 0 uploads, 0 missing, 0 different, 159 inStore\n'],
    )
    const repeated = run('import', place, file)
    assert.match(repeated.stdout, /^0 created, 0 replaced, 159 unchanged/)
    const store = await place.open()
    const ids = (tasks: TaskRecord[]) => tasks.map(({ id }) => id).sort()
    assert.ok(isDeepStrictEqual(ids(await all(store)), ids(wanted)))
    await store.close()
  })

  it('a byte that was changed on the way, and a task that was changed there, are reported', async () => {
    const from = inFiles('changed')
    const source = await from.open()
    const { success, pending } = await fill(source)
    await source.close()
    const file = path.join(root, 'changed.ndjson')
    assert.equal(run('export', from, file).status, 0)
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, text.replace('"it broke"', '"it Broke"'))
    const place = inRedis()
    const spoilt = run('import', place, file)
    assert.equal(spoilt.status, 1)
    assert.match(spoilt.stderr, /hash differs/)
    writeFileSync(file, text)
    const store = await place.open()
    await store.putBlob(success.id, 'mib', Buffer.alloc(2 * 1024 * 1024))
    await store.revoke(pending.id, at(700))
    const told = run('import', place, file, ['--verify'])
    assert.equal(told.status, 1)
    assert.match(told.stdout, /0 missing, 3 different/)
    assert.match(told.stderr, new RegExp(`differs ${success.id}: the blob mib has other bytes`))
    assert.match(told.stderr, new RegExp(`differs ${pending.id}: its record says something else`))
    await store.close()
  })
})
