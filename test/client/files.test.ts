// Files through the client, against the REST door on a real port, over a network that can fail.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createReadStream, openAsBlob } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import {
  ApiError,
  type ClientOptions,
  ConnectionError,
  createClient,
  type FileSource,
  type UploadProgress,
} from '../../src/client/client.ts'
import { artifactFile, listArtifact } from '../../src/core/artifacts.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { start } from '../../src/core/moves.ts'
import { createService } from '../../src/core/service.ts'
import { NO_UPLOAD_LIMITS } from '../../src/core/upload-room.ts'
import type { UploadInfo } from '../../src/core/uploads.ts'
import { silentLog } from '../../src/platform/log.ts'
import { serveHttp } from '../../src/platform/serve.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { createFixture, type FixtureOptions } from '../api/fixture.ts'
import { createNotingQueue } from '../support/noting-queue.ts'
import { soon } from '../support/soon.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const BYTES = new Uint8Array(Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * i) >> 7)))
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const PIECE = 400_000

const setUp = async (t: TestContext, options: FixtureOptions = {}) => {
  const door = createFixture(options)
  const http = await serveHttp({
    fetch: (request, env) => door.app.fetch(request, env as never),
    ...{ host: '127.0.0.1', port: 0, setting: 'API_PORT', log: silentLog() },
    limits: { keepAliveTimeout: 2_000 },
  })
  const network = await startTcpProxy({ port: http.address.port })
  undo(t, async () => {
    await network.close()
    await door.close()
    await http.close()
  })
  const clientOf = (more: Partial<ClientOptions> = {}) =>
    createClient({ baseUrl: `http://127.0.0.1:${network.port}`, patienceMs: 60_000, ...more })
  return { door, network, client: clientOf(), clientOf }
}
const listed = async (client: ReturnType<typeof createClient>): Promise<string[]> =>
  (await client.uploads.list()).uploads.map(({ id }) => id)
const read = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> =>
  new Uint8Array(await new Response(stream).arrayBuffer())
async function* inParts(bytes: Uint8Array, size = 70_001): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
/** A door whose uploads are small. */
const limited = (maxBytes: number): FixtureOptions => {
  const clock = () => new Date()
  const store = createMemoryStore({ clock })
  const uploads = {
    limits: { ...NO_UPLOAD_LIMITS, maxBytes },
    ttlMs: 3_600_000,
    typeOf: async () => 'application/octet-stream',
  }
  const { queue } = createNotingQueue()
  const service = createService({ store, queue, kinds: createKinds([]), clock, uploads })
  return { store, service: { uploads: service.uploads } }
}

describe('an upload in one request', { timeout: 300_000 }, () => {
  it('may come from anything that has bytes', async t => {
    const { client } = await setUp(t)
    const folder = await mkdtemp(path.join(tmpdir(), 'client-files-'))
    undo(t, () => rm(folder, { recursive: true, force: true }))
    const file = path.join(folder, 'file.bin')
    await writeFile(file, BYTES)
    const sources: FileSource[] = [
      BYTES,
      new Blob([BYTES], { type: 'multipart/form-data; boundary=x' }),
      await openAsBlob(file),
      new Blob([BYTES]).stream(),
      inParts(BYTES),
      createReadStream(file),
    ]
    for (const source of sources) {
      const upload = await client.upload(source)
      const { state, bytes, sha256, name } = upload
      assert.deepEqual([state, bytes, sha256, name], ['whole', BYTES.length, sha(BYTES), null])
    }
    for (const text of ['', 'тексты']) {
      const upload = await client.upload(text, { name: 'слова.txt', sha256: sha(Buffer.from(text)) })
      assert.deepEqual([upload.bytes, upload.name], [Buffer.byteLength(text), 'слова.txt'])
    }
    assert.equal((await client.upload(new File(['abc'], 'of the page.txt'))).name, 'of the page.txt')
  })

  it('tells how far it is', async t => {
    const { client } = await setUp(t)
    for (const [source, total] of [
      [new Blob([BYTES]), BYTES.length],
      [inParts(BYTES), null],
    ] as const) {
      const seen: UploadProgress[] = []
      await client.upload(source, { onProgress: progress => seen.push(progress) })
      assert.ok(seen.length > 5)
      assert.equal(seen.at(-1)?.bytes, BYTES.length)
      for (const [place, { bytes, total: said }] of seen.entries()) {
        assert.equal(said, total)
        assert.ok(bytes > (seen[place - 1]?.bytes ?? 0))
      }
    }
  })

  it('leaves nothing when other bytes come, the source breaks, the signal fires, or the network is cut', async t => {
    const { client, network } = await setUp(t)
    const refusal = (code: string) => (error: unknown) => error instanceof ApiError && error.code === code
    await assert.rejects(client.upload('abc', { sha256: '0'.repeat(64) }), refusal('UPLOAD_DIGEST_WRONG'))
    const broken = async function* (): AsyncGenerator<Uint8Array> {
      yield* inParts(BYTES)
      throw new RangeError('the disk is broken')
    }
    await assert.rejects(client.upload(broken()), { name: 'RangeError', message: 'the disk is broken' })
    const controller = new AbortController()
    let ended = false
    const endless = async function* (): AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield BYTES
          await new Promise(resolve => setImmediate(resolve))
        }
      } finally {
        ended = true
      }
    }
    const stopped = client.upload(endless(), {
      signal: controller.signal,
      onProgress: ({ bytes }) => bytes > 2_000_000 && controller.abort(new Error('enough')),
    })
    await assert.rejects(soon(stopped, 'the end'), /enough/)
    await until('the source is left', () => ended)
    const pattern = Buffer.from(`content-length: ${BYTES.length}`)
    const cut = network.cutAt({ direction: 'up', pattern, after: 1_000_000 })
    await assert.rejects(soon(client.upload(BYTES), 'the end'), ConnectionError)
    await cut
    await until('nothing is left', async () => (await listed(client)).length === 0)
  })

  it('is refused as too large with the answer of the server, announced or not', async t => {
    const { client } = await setUp(t, limited(1_000_000))
    for (const source of [BYTES, new Blob([BYTES]), inParts(BYTES), new Blob([BYTES]).stream()])
      await assert.rejects(soon(client.upload(source), 'the refusal'), (error: unknown) => {
        assert.ok(error instanceof ApiError, String(error))
        assert.deepEqual([error.status, error.code], [413, 'UPLOAD_TOO_LARGE'])
        return true
      })
    await until('nothing is left', async () => (await listed(client)).length === 0)
  })

  it('may take as long as its bytes come, and ends when they no longer do', async t => {
    let stall = (): void => {}
    const stalled = new Promise<void>(resolve => {
      stall = resolve
    })
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const client = createClient({
      ...{ baseUrl: '', patienceMs: 0, timeoutMs: 30_000 },
      fetch: async (_url, init) => {
        const { body } = init as { body: ReadableStream<Uint8Array> }
        const reader = body.getReader()
        for (let n = 0; n < 10; n += 1) {
          await reader.read()
          t.mock.timers.tick(100_000)
          assert.equal(init?.signal?.aborted, false)
        }
        stall()
        return new Promise((_, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason))
        })
      },
    })
    const upload = client.upload(inParts(BYTES, 256 * 1024 + 1))
    const over = assert.rejects(upload, ConnectionError)
    await stalled
    t.mock.timers.tick(600_000)
    await over
  })
})

describe('an upload in many requests', { timeout: 300_000 }, () => {
  it('arrives whole over a network that is cut again and again', async t => {
    const { client, network } = await setUp(t)
    for (const after of [900_000, 1_500_000, 2_700_000]) void network.cutAt({ direction: 'up', after })
    const seen: UploadProgress[] = []
    const upload = await client.uploadResumable(new Blob([BYTES]), {
      ...{ name: 'film.mkv', pieceBytes: PIECE },
      onProgress: progress => seen.push(progress),
    })
    assert.deepEqual(
      [upload.state, upload.bytes, upload.sha256, upload.name, upload.length],
      ['whole', BYTES.length, sha(BYTES), 'film.mkv', BYTES.length],
    )
    assert.ok(
      (await read((await client.uploads.content(upload.id)).stream)).every((byte, i) => byte === BYTES[i]),
    )
    assert.deepEqual([seen[0]?.bytes, seen.at(-1)?.bytes], [0, BYTES.length])
    assert.ok(seen.every(({ id, total }) => id === upload.id && total === BYTES.length))
    assert.ok(network.accepted() > 3)
    assert.deepEqual(await listed(client), [upload.id])
  })

  it('arrives once where answers are lost: of pieces, and of the end', async t => {
    const { client, network } = await setUp(t)
    const cuts = ['"bytes":800000,', '"bytes":2000000,', '"state":"whole"'].map(text =>
      network.cutAt({ direction: 'down', pattern: Buffer.from(text), after: 0 }),
    )
    const upload = await client.uploadResumable(inParts(BYTES), { pieceBytes: PIECE })
    assert.deepEqual([upload.bytes, upload.sha256, upload.length], [BYTES.length, sha(BYTES), null])
    await soon(Promise.all(cuts), 'all cuts')
  })

  it('waits for a server that is away', async t => {
    const { client, network } = await setUp(t)
    let away: Promise<void> | null = null
    const upload = client.uploadResumable(BYTES, {
      pieceBytes: PIECE,
      onProgress({ bytes }) {
        if (bytes >= 2 * PIECE) away ??= network.refuse()
      },
    })
    await until('it is away', () => away !== null)
    await away
    await network.accept()
    assert.equal((await upload).sha256, sha(BYTES))
  })

  it('goes on with an upload of an earlier run, and sends only the rest', async t => {
    const { client, network } = await setUp(t)
    const controller = new AbortController()
    let id = ''
    const first = client.uploadResumable(BYTES, {
      ...{ pieceBytes: PIECE, signal: controller.signal },
      onProgress(progress) {
        id = progress.id ?? ''
        if (progress.bytes >= 5 * PIECE) controller.abort(new Error('the page is closed'))
      },
    })
    await assert.rejects(first, /the page is closed/)
    const open = await client.uploads.get(id)
    assert.deepEqual([open.state, open.bytes], ['open', 5 * PIECE])
    const before = network.passed('up')
    const upload = await client.uploadResumable(BYTES, { id, pieceBytes: PIECE })
    assert.deepEqual([upload.id, upload.sha256], [id, sha(BYTES)])
    assert.ok(network.passed('up') - before < BYTES.length - 5 * PIECE + 10_000)
    await assert.rejects(client.uploadResumable('abc', { id: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' }), {
      code: 'UPLOAD_NOT_FOUND',
    })
  })

  it('is refused before anything is sent where it is announced too large', async t => {
    const { client, network } = await setUp(t, limited(1_000_000))
    await assert.rejects(client.uploadResumable(BYTES), { code: 'UPLOAD_TOO_LARGE' })
    assert.ok(network.passed('up') < 10_000)
    await assert.rejects(client.uploadResumable(inParts(BYTES), { pieceBytes: PIECE }), {
      code: 'UPLOAD_TOO_LARGE',
    })
  })
})

describe('the files that a client reads', { timeout: 300_000 }, () => {
  it('are uploads: their notes page by page, their bytes, a range of them; and they are removed', async t => {
    const { client } = await setUp(t)
    const made: string[] = []
    for (const text of ['one', 'two', 'three']) made.push((await client.upload(text)).id)
    const page = await client.uploads.list({ limit: 2 })
    const rest = await client.uploads.list({ limit: 2, cursor: page.next ?? '' })
    assert.deepEqual(
      [...page.uploads, ...rest.uploads].map(({ id }) => id),
      made.toSorted(),
    )
    const [, , id = ''] = made
    const note: UploadInfo = await client.uploads.get(id)
    assert.deepEqual([note.bytes, note.state], [5, 'whole'])
    const content = await client.uploads.content(id)
    assert.deepEqual([content.bytes, content.contentType], [5, 'application/octet-stream'])
    assert.equal(await content.text(), 'three')
    assert.equal(await (await client.uploads.content(id, { range: { start: 1, end: 3 } })).text(), 'hr')
    await client.uploads.remove(id)
    await assert.rejects(client.uploads.get(id), { code: 'UPLOAD_NOT_FOUND' })
  })

  it('are those that a task has made, also by a link to it', async t => {
    const { client, door } = await setUp(t)
    const { id } = await client.submit({ kind: 'echo', params: null })
    const now = new Date().toISOString()
    const { claim } = (await door.store.claim(id, start('w', now))) ?? assert.fail('not claimed')
    const file = artifactFile(claim, 1)
    await door.store.putBlob(id, file, Buffer.from('a,b\n'))
    const name = 'таблица 100%?.csv'
    const artifact = { name, type: 'text/csv', bytes: 4, sha256: sha(Buffer.from('a,b\n')), file }
    await door.store.move(id, claim, listArtifact(artifact, now))
    const { file: _, ...shown } = artifact
    assert.deepEqual(await client.artifacts(id), [shown])
    const got = await client.artifact(id, name)
    assert.deepEqual([got.contentType, got.bytes, await got.text()], ['text/csv', 4, 'a,b\n'])
    assert.equal(await (await client.artifact(id, name, { range: { start: 2 } })).text(), 'b\n')
    await assert.rejects(client.artifact(id, '../x'), { code: 'ARTIFACT_NOT_FOUND' })
    const other = await client.submit({ kind: 'echo', params: null })
    assert.deepEqual(await client.artifacts(other.id), [])
    const { token } = await client.share(id)
    assert.equal(await (await client.shared(token).artifact(name)).text(), 'a,b\n')
  })
})
