// Uploads as a running kind reads them: those that its params name, and no others.
import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { after, describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { openCollection } from '../../src/core/collection.ts'
import { loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import type { TaskStore } from '../../src/core/store.ts'
import type { Json } from '../../src/core/task.ts'
import { UPLOADS, type UploadState } from '../../src/core/upload-forms.ts'
import { findUploads, idsOf } from '../../src/core/upload-params.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createScratch } from '../../src/worker/scratch.ts'
import { undo } from '../support/undo.ts'
import filer from './filer.ts'
import { openPool, setUp } from './runner-fixture.ts'

const OUTER = { timeout: 300_000 }
const FILER = fileURLToPath(new URL('./filer.ts', import.meta.url))
const threads = openPool(1)
after(() => threads.close())
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const start = async (t: TestContext, over: { wrap?: (store: TaskStore) => TaskStore } = {}) => {
  const dir = await mkdtemp(path.join(tmpdir(), 'madhava-scratch-'))
  undo(t, () => rm(dir, { recursive: true }))
  const store = { instance: 'me', presences: async () => [] }
  const scratch = createScratch({ dir, store, storeId: 's', clock: () => new Date(), log: silentLog() })
  undo(t, () => scratch.close())
  const kinds = createKinds([loadKind('filer', filer, 'filer.ts')])
  const world = setUp(t, threads, { kinds, files: { filer: FILER }, scratch, ...over })
  const { runner } = world.openRunner('w1')
  const notes = openCollection(world.client.documents, 'uploads', UPLOADS)
  return {
    async put(bytes: Buffer, state: UploadState = 'whole'): Promise<string> {
      const id = randomUUID()
      await world.client.uploads.write(id, 0, Readable.from([bytes]))
      const at = new Date().toISOString()
      const about = { owner: null, name: '../../etc/passwd', state, resumable: false, holder: null }
      const known = { bytes: bytes.length, length: null, type: 'text/plain', sha256: sha256(bytes) }
      const times = { createdAt: at, touchedAt: at, usedAt: null }
      await notes.put(id, { data: { ...about, ...known, ...times } }, null)
      return id
    },
    async run(act: string, value: Json) {
      const id = await world.submit(act, value, { kind: 'filer' })
      await (await runner.take())?.ended
      return world.get(id)
    },
  }
}

describe('an upload', () => {
  it('is read whole, in part, or by a path of its own', OUTER, async t => {
    const world = await start(t)
    const bytes = Buffer.from('0123456789'.repeat(50_000))
    const id = await world.put(bytes)
    const { result, error } = await world.run('read an upload', { $upload: id.toUpperCase() })
    assert.equal(error, null)
    const { wrong, ...read } = result as Record<string, Json>
    assert.deepEqual(read, {
      note: { id, name: '../../etc/passwd', bytes: bytes.length, type: 'text/plain', sha256: sha256(bytes) },
      whole: sha256(bytes),
      part: '2345',
      copied: sha256(bytes),
      name: `upload-${id}`,
      same: true,
      far: 0,
    })
    assert.match(String((wrong as { message: string }).message), /whole numbers/)
  })

  it('that has not come whole, is going, is none, or is not an id, is not found', OUTER, async t => {
    const world = await start(t)
    const bytes = Buffer.from('x')
    const ids = [await world.put(bytes, 'open'), await world.put(bytes, 'going'), randomUUID()]
    const refs = [...ids, '../../secrets/x', 'x'].map($upload => ({ $upload }))
    const { result } = await world.run('read what is not there', [...refs, { $upload: 7 }, null, 'x'])
    assert.equal((result as Json[]).length, 8)
    for (const answer of result as { code: string }[])
      assert.equal(answer.code, 'UPLOAD_NOT_FOUND', JSON.stringify(result))
  })

  it('that the params do not name is not found', OUTER, async t => {
    const world = await start(t)
    const id = await world.put(Buffer.from('of another task'))
    // the text is no reference, and the kind makes one of it
    const { result } = await world.run('read what it makes up', id)
    assert.equal((result as { code: string }).code, 'UPLOAD_NOT_FOUND')
  })

  it('that ends too early fails the read', OUTER, async t => {
    const world = await start(t, {
      wrap: store => ({
        ...store,
        uploads: {
          ...store.uploads,
          read: async () => ({ bytes: 10, stream: Readable.from([Buffer.from('short')]) }),
        },
      }),
    })
    const id = await world.put(Buffer.from('0123456789'))
    const { status, error } = await world.run('hash an upload', { $upload: id })
    assert.deepEqual([status, error?.code], ['FAILURE', 'STORE_UNAVAILABLE'])
  })

  it('is named at any depth of the params, and by nothing else', () => {
    const place = fc.letrec<{ json: Json }>(tie => ({
      json: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<Json>(1, 'text', null, { $upload: 1 }, { $upload: 'x', more: 1 }),
        fc.array(tie('json'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'b'), tie('json')),
        fc.uuid().map(id => ({ $upload: id })),
      ),
    })).json
    fc.assert(
      fc.property(place, params => {
        const named = [...JSON.stringify(params).matchAll(/\{"\$upload":"([^"]{36})"\}/g)].map(
          found => found[1],
        )
        assert.deepEqual(idsOf(findUploads(params, {})).toSorted(), [...new Set(named)].toSorted())
      }),
    )
    let deep: Json = { $upload: 'deep' }
    for (let level = 0; level < 100_000; level++) deep = [deep]
    assert.deepEqual(idsOf(findUploads(deep, {})), ['deep'])
  })
})
