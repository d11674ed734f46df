// Uploads through the service, on the memory store: what comes in, who gets it back, when it goes.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { z } from 'zod'
import { defineKind, loadKind } from '../../../src/core/kind.ts'
import { createKinds } from '../../../src/core/kinds.ts'
import { strangerOf } from '../../../src/core/policy.ts'
import { createService } from '../../../src/core/service.ts'
import { uploadSchema } from '../../../src/core/upload-ref.ts'
import { NO_UPLOAD_LIMITS, type UploadLimits } from '../../../src/core/upload-room.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { typeOfBytes } from '../../../src/platform/type-of-bytes.ts'
import { createEmbeddedQueue } from '../../../src/queues/embedded/open.ts'
import { createMemory } from '../../../src/stores/memory/open.ts'
import { createUploadSweep } from '../../../src/worker/upload-sweep.ts'
import { person as someone } from '../../support/actors.ts'
import { undo } from '../../support/undo.ts'

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489', 'hex')
const log = silentLog()
const TTL_MS = 3_600_000

const ada = someone('ada')
const bob = someone('bob')

const kinds = createKinds([
  loadKind(
    'look',
    defineKind({
      summary: 'Looks at a picture',
      params: z.object({
        image: uploadSchema({ types: ['image/*'], maxBytes: 1_000 }),
        note: z.string().optional(),
      }),
      result: z.number(),
      example: { image: { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' } },
      run: () => 1,
    }),
    'look.ts',
  ),
  loadKind(
    'any',
    defineKind({
      summary: 'Takes anything',
      params: z.record(z.string(), z.json()),
      result: z.null(),
      example: {},
      run: () => null,
    }),
    'any.ts',
  ),
])

const setUp = (t: TestContext, limits: Partial<UploadLimits> = {}) => {
  let now = Date.parse('2026-11-30T12:00:00.000Z')
  const clock = () => new Date(now)
  const memory = createMemory()
  const store = memory.open({ clock })
  undo(t, () => store.close())
  const queue = createEmbeddedQueue({ store, log, clock })
  undo(t, () => queue.close())
  const troubles: unknown[] = []
  const service = createService({
    store,
    queue,
    kinds,
    clock,
    uploads: { limits: { ...NO_UPLOAD_LIMITS, ...limits }, ttlMs: TTL_MS, typeOf: typeOfBytes },
    onUploadTrouble: error => troubles.push(error),
  })
  const sweep = createUploadSweep({ store, clock, ttlMs: TTL_MS })
  return {
    ...{ store, memory, service, sweep, troubles, clock },
    uploads: service.uploads,
    pass: (ms: number) => {
      now += ms
    },
    /** What stands: documents, bytes, uses. */
    async standing() {
      const names = async (collection: 'uploads' | 'upload-uses') =>
        (await store.documents.list(collection, { limit: 1_000, cursor: null })).documents.map(
          ({ name }) => name,
        )
      const bytes = (await store.uploads.list({ limit: 1_000, cursor: null })).uploads.map(({ id }) => id)
      return { documents: await names('uploads'), bytes, uses: await names('upload-uses') }
    },
  }
}
const NOTHING = { documents: [], bytes: [], uses: [] }

async function* pieces(bytes: Uint8Array, size = 7): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
async function* brokenOff(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
  throw new Error('the client went away')
}
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const textOf = async (stream: AsyncIterable<unknown>): Promise<Buffer> => {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(Buffer.from(part as Uint8Array))
  return Buffer.concat(parts)
}
const codeIs = (code: string) => (error: unknown) => {
  assert.equal((error as { code?: string }).code, code)
  return true
}

describe('uploads', () => {
  it('are told with their size, digest and type, and come back as they were', async t => {
    const { uploads } = setUp(t)
    const info = await uploads.take(ada, { name: '../a\u0000/\u202ephoto\u2066.png' }, pieces(PNG))
    assert.deepEqual(
      { ...info, id: '', createdAt: '', expiresAt: '' },
      {
        id: '',
        name: '../a/photo.png',
        bytes: PNG.length,
        type: 'image/png',
        sha256: sha(PNG),
        state: 'whole',
        length: null,
        owner: 'ada',
        createdAt: '',
        expiresAt: '',
      },
    )
    assert.equal(Date.parse(info.expiresAt ?? '') - Date.parse(info.createdAt), TTL_MS)
    const content = await uploads.content(ada, info.id)
    assert.deepEqual(await textOf(await content.open()), PNG)
    assert.deepEqual(await textOf(await content.open({ start: 1, end: 4 })), Buffer.from('PNG'))
  })

  it('leave nothing behind when the client goes away, sends too much, or other bytes than it said', async t => {
    const { uploads, standing } = setUp(t, { maxBytes: 100, types: ['image/png'] })
    await assert.rejects(uploads.take(ada, {}, brokenOff(PNG)), /went away/)
    await assert.rejects(uploads.take(ada, {}, pieces(Buffer.alloc(101))), codeIs('UPLOAD_TOO_LARGE'))
    await assert.rejects(uploads.take(ada, { length: 101 }, pieces(PNG)), codeIs('UPLOAD_TOO_LARGE'))
    await assert.rejects(
      uploads.take(ada, { sha256: sha(Buffer.from('x')) }, pieces(PNG)),
      codeIs('UPLOAD_DIGEST_WRONG'),
    )
    await assert.rejects(uploads.take(ada, {}, pieces(Buffer.from('text'))), codeIs('UPLOAD_TYPE_REFUSED'))
    await assert.rejects(uploads.take(ada, { length: 99 }, pieces(PNG)), codeIs('UPLOAD_OPEN'))
    assert.deepEqual(await standing(), NOTHING)
  })

  it('are refused before a byte is read where there is no room, for one account and for all', async t => {
    const { uploads } = setUp(t, { maxBytesPerOwner: 50, maxBytesInAll: 80 })
    let read = 0
    const counted = async function* (size: number) {
      read += 1
      yield Buffer.alloc(size)
    }
    await uploads.take(ada, {}, counted(40))
    await assert.rejects(uploads.take(ada, { length: 20 }, counted(20)), codeIs('UPLOADS_FULL'))
    assert.equal(read, 1)
    // of unknown length: it is found while they come
    await assert.rejects(uploads.take(ada, {}, counted(20)), codeIs('UPLOADS_FULL'))
    await uploads.take(bob, {}, counted(40))
    await assert.rejects(uploads.take(bob, { length: 1 }, counted(1)), codeIs('UPLOADS_FULL'))
    assert.equal((await uploads.list(ada, { limit: 10, cursor: null })).uploads.length, 1)
  })

  it('belong to who made them: others neither see, read, name nor remove them', async t => {
    const { uploads, service } = setUp(t)
    const { id } = await uploads.take(ada, {}, pieces(PNG))
    for (const look of [uploads.get, uploads.content, uploads.remove])
      await assert.rejects(look(bob, id), codeIs('UPLOAD_NOT_FOUND'))
    await assert.rejects(uploads.append(bob, id, 0, pieces(PNG)), codeIs('UPLOAD_NOT_FOUND'))
    await assert.rejects(uploads.finish(bob, id), codeIs('UPLOAD_NOT_FOUND'))
    assert.deepEqual(await uploads.list(bob, { limit: 10, cursor: null }), { uploads: [], next: null })
    const refused = { kind: 'look', params: { image: { $upload: id } } }
    await assert.rejects(service.submit(bob, refused), codeIs('PARAMS_INVALID'))
    await assert.rejects(service.submit(someone('root', 'operator'), refused), codeIs('PARAMS_INVALID'))
    // who sees all tasks sees all uploads, and a viewer changes none
    assert.equal((await uploads.get(someone('eve', 'viewer'), id)).id, id)
    await assert.rejects(uploads.remove(someone('eve', 'viewer'), id), codeIs('SCOPE_MISSING'))
    await assert.rejects(uploads.take(strangerOf('none', 'rest'), {}, pieces(PNG)), codeIs('UNAUTHORIZED'))
  })

  it('are listed in few readings for who sees few of them, page by page', async t => {
    const { uploads, store } = setUp(t)
    const made: string[] = []
    for (let n = 0; n < 600; n += 1) await uploads.begin(bob, {})
    for (let n = 0; n < 3; n += 1) made.push((await uploads.begin(ada, {})).id)
    let readings = 0
    const { list } = store.documents
    t.mock.method(store.documents, 'list', (...asked: Parameters<typeof list>) => {
      readings += 1
      return list(...asked)
    })
    const found: string[] = []
    let cursor: string | null = null
    do {
      const page = await uploads.list(ada, { limit: 1, cursor })
      found.push(...page.uploads.map(({ id }) => id))
      cursor = page.next
    } while (cursor !== null)
    assert.deepEqual(found, made)
    assert.ok(readings <= 8, `${readings} readings`)
  })

  it('are checked at the submit, each at its place in the params', async t => {
    const { uploads, service, standing } = setUp(t)
    const text = await uploads.take(ada, {}, pieces(Buffer.from('words')))
    const large = await uploads.take(ada, {}, pieces(Buffer.concat([PNG, Buffer.alloc(1_000)]), 500))
    const open = await uploads.begin(ada, {})
    const problemOf = async (id: string): Promise<unknown> => {
      const error = await service
        .submit(ada, { kind: 'look', params: { image: { $upload: id } } })
        .catch(e => e)
      return (error.detail as { problems: unknown[] }).problems
    }
    const at = (problem: string) => [{ path: 'params.image', problem }]
    assert.deepEqual(await problemOf(text.id), at('the upload is text/plain, and must be image/*'))
    assert.deepEqual(
      await problemOf(large.id),
      at(`the upload has ${PNG.length + 1_000} bytes, and may have 1000`),
    )
    assert.deepEqual(await problemOf(open.id), at(`the bytes of the upload ${open.id} have not all come`))
    const unknown = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
    assert.deepEqual(await problemOf(unknown), at(`there is no upload ${unknown} of yours`))
    // a place that the schema says nothing of is checked all the same
    const hidden = { kind: 'any', params: { deep: [{ $upload: unknown }] } }
    await assert.rejects(service.submit(ada, hidden), codeIs('PARAMS_INVALID'))
    assert.deepEqual((await standing()).uses, [])
  })

  it('stay while a task names them, and go with the last such task', async t => {
    const { uploads, service, store, sweep, standing, pass } = setUp(t)
    const { id } = await uploads.take(ada, {}, pieces(PNG))
    const submission = { kind: 'look', params: { image: { $upload: id.toUpperCase() } } }
    const [one, two] = await service.submitMany(ada, [submission, submission])
    assert.equal((await uploads.get(ada, id)).expiresAt, null)
    await assert.rejects(uploads.remove(ada, id), codeIs('UPLOAD_IN_USE'))
    pass(100 * TTL_MS)
    await sweep.step(true)
    await service.cancel(ada, one?.task.id ?? '')
    await service.purge(ada, one?.task.id ?? '')
    await sweep.step(true)
    assert.deepEqual((await standing()).bytes, [id])
    await service.cancel(ada, two?.task.id ?? '')
    // as retention does: nobody is told
    await store.remove(two?.task.id ?? '')
    await sweep.step(false)
    assert.deepEqual(await standing(), NOTHING)
  })

  it('go at their time if no task ever named them, unless the clock cannot be trusted', async t => {
    const { uploads, sweep, standing, pass } = setUp(t)
    await uploads.take(ada, {}, pieces(PNG))
    const begun = await uploads.begin(ada, {})
    await uploads.append(ada, begun.id, 0, pieces(PNG))
    pass(TTL_MS - 1)
    await sweep.step(true)
    assert.equal((await standing()).bytes.length, 2)
    pass(2)
    await sweep.step(false)
    assert.equal((await standing()).bytes.length, 2)
    await sweep.step(true)
    assert.deepEqual(await standing(), NOTHING)
  })

  it('are not used up by a submit that is refused or answered from before', async t => {
    const { uploads, service, standing } = setUp(t)
    const { id } = await uploads.take(ada, {}, pieces(PNG))
    const submission = { kind: 'look', params: { image: { $upload: id } } }
    const first = await service.submit(ada, submission, 'key')
    const again = await service.submit(ada, submission, 'key')
    assert.deepEqual([again.created, again.task.id], [false, first.task.id])
    await assert.rejects(
      service.submit(ada, { ...submission, title: 'other' }, 'key'),
      codeIs('IDEMPOTENCY_MISMATCH'),
    )
    assert.deepEqual((await standing()).uses, [`${id}.${first.task.id}`])
  })

  it('come in several requests, go on where they end, and are whole when they say so', async t => {
    const { uploads } = setUp(t)
    const { id } = await uploads.begin(ada, { name: 'p.png', length: PNG.length })
    assert.equal((await uploads.append(ada, id, 0, pieces(PNG.subarray(0, 10)))).bytes, 10)
    await assert.rejects(uploads.append(ada, id, 10, brokenOff(PNG.subarray(10, 15))), /went away/)
    assert.equal((await uploads.get(ada, id)).bytes, 15)
    const wrong = await uploads.append(ada, id, 14, pieces(PNG)).catch(error => error)
    assert.deepEqual([wrong.code, wrong.detail], ['UPLOAD_OFFSET', { offset: 15 }])
    await assert.rejects(uploads.finish(ada, id), codeIs('UPLOAD_OPEN'))
    await assert.rejects(uploads.content(ada, id), codeIs('UPLOAD_OPEN'))
    await uploads.append(ada, id, 15, pieces(PNG.subarray(15)))
    await assert.rejects(uploads.finish(ada, id, sha(Buffer.from('x'))), codeIs('UPLOAD_DIGEST_WRONG'))
    const info = await uploads.finish(ada, id, sha(PNG).toUpperCase())
    assert.deepEqual(
      [info.state, info.type, info.bytes, info.sha256],
      ['whole', 'image/png', PNG.length, sha(PNG)],
    )
    assert.deepEqual(await uploads.finish(ada, id), info)
    await assert.rejects(uploads.append(ada, id, PNG.length, pieces(PNG)), codeIs('UPLOAD_OFFSET'))
    assert.deepEqual((await uploads.get(ada, id)).state, 'whole')
  })

  it('let a later request go on when an earlier one hangs', async t => {
    const { uploads } = setUp(t)
    const { id } = await uploads.begin(ada, {})
    let isAsked = () => {}
    const asked = new Promise<void>(resolve => {
      isAsked = resolve
    })
    const hanging = async function* () {
      yield PNG.subarray(0, 8)
      isAsked()
      await new Promise(() => {})
    }
    const first = uploads.append(ada, id, 0, hanging())
    const refused = assert.rejects(first, codeIs('UPLOAD_BUSY'))
    await asked
    const { bytes } = await uploads.append(ada, id, 8, pieces(PNG.subarray(8)))
    await refused
    assert.equal(bytes, PNG.length)
  })

  it('of a process that died go, with their bytes; those in several requests stay', async t => {
    const { memory, uploads, sweep, standing, clock } = setUp(t)
    const other = memory.open({ clock })
    const queue = createEmbeddedQueue({ store: other, log, clock })
    undo(t, () => queue.close())
    await other.announce({
      role: 'api',
      details: () => ({
        address: null,
        slots: 0,
        running: [],
        counters: {},
        rssBytes: 0,
        cpu: 0,
        troubles: {},
      }),
    })
    const dying = createService({ store: other, queue, kinds, clock }).uploads
    let isAsked = () => {}
    const asked = new Promise<void>(resolve => {
      isAsked = resolve
    })
    const hanging = async function* () {
      yield PNG
      isAsked()
      await new Promise(() => {})
    }
    void dying.take(ada, {}, hanging()).catch(() => {})
    await asked
    await sweep.step(true)
    assert.equal((await standing()).documents.length, 1)
    const resumable = await uploads.begin(ada, {})
    other.die()
    await sweep.step(true)
    assert.deepEqual((await standing()).documents, [resumable.id])
  })

  it('whose bytes have no document are removed, and so are uses of what is gone', async t => {
    const { store, sweep, standing, clock } = setUp(t)
    const id = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
    const { Readable } = await import('node:stream')
    await store.uploads.write(id, 0, Readable.from([PNG]))
    const data = { createdAt: clock().toISOString(), holder: 'nobody', made: false }
    await store.documents.put('upload-uses', `${id}.${id}`, { version: 1, expiresAt: null, data }, null)
    await sweep.step(true)
    assert.deepEqual(await standing(), NOTHING)
  })
})
