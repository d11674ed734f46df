// The kind thumbnails in the threads of a worker: from an upload in the store to artifacts there.
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { openCollection } from '../../src/core/collection.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { UPLOADS } from '../../src/core/upload-forms.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createScratch } from '../../src/worker/scratch.ts'
import { blackPng, inFormat, kind, noSharp, photo } from '../kinds/thumbnails/around.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import { openPool, setUp } from './runner-fixture.ts'

const FILE = fileURLToPath(new URL('../../src/kinds/thumbnails.ts', import.meta.url))
const AT_ONCE = kind.maxConcurrency ?? assert.fail('nothing bounds how many run at once')
const threads = openPool(AT_ONCE)
after(() => threads.close())

const start = async (t: TestContext) => {
  const dir = await mkdtemp(path.join(tmpdir(), 'madhava-scratch-'))
  undo(t, () => rm(dir, { recursive: true }))
  const store = { instance: 'me', presences: async () => [] }
  const scratch = createScratch({ dir, store, storeId: 's', clock: () => new Date(), log: silentLog() })
  undo(t, () => scratch.close())
  const kinds = createKinds([kind])
  const world = setUp(t, threads, { kinds, files: { thumbnails: FILE }, scratch })
  const { runner } = world.openRunner('w1')
  const notes = openCollection(world.client.documents, 'uploads', UPLOADS)
  return {
    dir,
    async run(bytes: Buffer, type: string) {
      const upload = randomUUID()
      await world.client.uploads.write(upload, 0, Readable.from([bytes]))
      const now = new Date().toISOString()
      const data = {
        ...{ owner: null, name: 'photo.jpg', state: 'whole' as const, resumable: false, holder: null },
        ...{ bytes: bytes.length, length: bytes.length, type },
        sha256: createHash('sha256').update(bytes).digest('hex'),
        ...{ createdAt: now, touchedAt: now, usedAt: null },
      }
      await notes.put(upload, { data }, null)
      const params = { image: { $upload: upload }, sizes: [[64, 64]], fit: 'inside' }
      const id = await world.submit('', null, { kind: 'thumbnails', params })
      await (await runner.take())?.ended
      return world.get(id)
    },
  }
}

describe('thumbnails in a worker', { skip: noSharp(), timeout: 600_000 }, () => {
  it('are artifacts of their task, with the zip, and leave nothing in the folder of the attempt', async t => {
    const world = await start(t)
    const task = await world.run(await inFormat(photo(400, 300), 'jpeg'), 'image/jpeg')
    assert.deepEqual([task.status, task.error], ['SUCCESS', null])
    assert.deepEqual(
      task.artifacts?.map(({ name, type }) => [name, type]),
      [
        ['64x64.jpg', 'image/jpeg'],
        ['thumbnails.zip', 'application/zip'],
      ],
    )
    await until('the folder is empty', async () => {
      // the folder of the attempt may go while it is read, which is what is waited for
      const left = await readdir(world.dir, { recursive: true }).catch(error => {
        if (error.code === 'ENOENT') return null
        throw error
      })
      return left?.every(name => !name.includes('copies')) ?? false
    })
  })

  it('end their task alone when the image is a bomb, and say why', async t => {
    const world = await start(t)
    const task = await world.run(blackPng(30_000, 30_000), 'image/png')
    assert.deepEqual([task.status, task.error?.code], ['FAILURE', 'KIND_FAILED'])
    assert.match(task.error?.message ?? '', /^The image has 30000 x 30000 pixels/)
    const detail = task.error?.detail as { names: string[] } | undefined
    assert.deepEqual(detail?.names, ['ThumbnailError', 'IMAGE_TOO_LARGE'])
    assert.doesNotMatch(JSON.stringify(task), /madhava-scratch/)
  })

  it('leave the memory of the worker as it was, sixteen of them, as many at once as the kind allows', async t => {
    const world = await start(t)
    // few bytes, since this store keeps uploads and artifacts in the memory that is measured
    const large = blackPng(8_000, 6_000)
    const small = blackPng(80, 60)
    await Promise.all(Array.from({ length: AT_ONCE }, () => world.run(small, 'image/png')))
    const status = /^VmRSS:\s+(\d+) kB$/m
    const resident = async (): Promise<number> =>
      Number(status.exec(await readFile('/proc/self/status', 'utf8'))?.[1] ?? Number.NaN) / 1024
    const before = await resident()
    let most = before
    const timer = setInterval(async () => {
      most = Math.max(most, await resident())
    }, 20)
    undo(t, () => clearInterval(timer))
    const ends: string[] = []
    const lane = async (): Promise<void> => {
      for (let n = 0; n < 16 / AT_ONCE; n++) ends.push((await world.run(large, 'image/png')).status)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, lane))
    assert.deepEqual(ends, Array(16).fill('SUCCESS'))
    assert.ok(most - before < 150, `${before} MiB became ${most}`)
  })
})
