// Files over Thrift: uploads in pieces, what is refused, and the files of tasks.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import thrift from 'thrift'
import madhava from '../../gen/js/Madhava.js'
import types from '../../gen/js/rpcinterface_types.js'
import { artifactFile, listArtifact } from '../../src/core/artifacts.ts'
import { createAuditRecorder } from '../../src/core/audit-recorder.ts'
import { createAuditedService } from '../../src/core/audited-service.ts'
import { start } from '../../src/core/moves.ts'
import { NO_UPLOAD_LIMITS } from '../../src/core/upload-room.ts'
import { PIECE_LIMIT } from '../../src/rpc/arguments.ts'
import type { Dialect } from '../../src/rpc/dialect.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { anybody, person } from '../support/actors.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { undo } from '../support/undo.ts'
import { type Bench, openBench, openClient, openRaw, STRING, until, wire } from './fixture.ts'
import { openHttp } from './http.ts'

type Client = ReturnType<typeof openClient>['client']

/** Bytes that do not repeat, and are no UTF-8. */
const BYTES = Buffer.from(Array.from({ length: 1_300_000 }, (_, i) => (i * i) >> 7))
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const i64 = (value: number) => new thrift.Int64(value)
/** Any 64 bits. */
const bits = (value: bigint): never => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return new thrift.Int64(bytes) as never
}
const UNKNOWN = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'

const setUp = async (t: TestContext, ...args: Parameters<typeof openBench>) => {
  const bench = await openBench(...args)
  undo(t, () => bench.close())
  const clientOf = (dialect?: Dialect): Client => {
    const { client, close } = openClient(bench.door, dialect)
    undo(t, close)
    return client
  }
  return { bench, clientOf, client: clientOf() }
}
const overHttp = async (t: TestContext, bench: Bench): Promise<Client> => {
  const http = await openHttp(bench)
  undo(t, () => http.close())
  const connection = thrift.createHttpConnection('127.0.0.1', http.address.port, {
    path: '/rpc',
    transport: thrift.TBufferedTransport,
    protocol: thrift.TBinaryProtocol,
    headers: { 'Content-Type': 'application/x-thrift' },
  })
  return thrift.createHttpClient(madhava, connection)
}
const plainOf = (upload: types.Upload) => ({ ...upload, bytes: Number(upload.bytes) })

/** Reads to the end, by the largest pieces that there are. */
const readAll = async (read: (offset: number) => Promise<types.FilePiece>): Promise<Buffer> => {
  const pieces: Buffer[] = []
  for (let at = 0; ; ) {
    const bytes = (await read(at)).bytes as unknown as Buffer
    if (bytes.length === 0) return Buffer.concat(pieces)
    assert.ok(bytes.length <= PIECE_LIMIT)
    pieces.push(bytes)
    at += bytes.length
  }
}

const DIALECTS: Dialect[] = (['binary', 'compact'] as const).flatMap(protocol => [
  { protocol, framed: false },
  { protocol, framed: true },
])

describe('an upload over Thrift', { timeout: 300_000 }, () => {
  const roundTrip = async (client: Client): Promise<void> => {
    const begun = await client.beginUpload('фото.bin', i64(BYTES.length))
    assert.deepEqual(
      [begun.name, begun.state, Number(begun.bytes), Number(begun.length)],
      ['фото.bin', 'open', 0, BYTES.length],
    )
    assert.deepEqual([begun.type, begun.sha256, begun.owner], [null, null, null])
    const { id } = begun
    for (let at = 0; at < BYTES.length; at += PIECE_LIMIT) {
      const piece = BYTES.subarray(at, at + PIECE_LIMIT)
      assert.equal(Number((await client.appendUpload(id, i64(at), piece)).bytes), at + piece.length)
    }
    assert.equal(Number((await client.getUpload(id)).bytes), BYTES.length)
    const whole = await client.finishUpload(id, sha(BYTES).toUpperCase())
    assert.deepEqual([whole.state, whole.sha256, whole.id], ['whole', sha(BYTES), id])
    assert.deepEqual(await client.finishUpload(id, ''), whole, 'a second time')
    assert.deepEqual(plainOf(await client.getUpload(id)), plainOf(whole))
    const page = await client.listUploads(0, '')
    assert.deepEqual(page.uploads.map(plainOf), [plainOf(whole)])
    assert.equal(page.nextCursor, null)

    const all = await readAll(at => client.readUpload(id, i64(at), 0))
    assert.ok(all.equals(BYTES))
    const piece = await client.readUpload(id, i64(7), 5)
    assert.ok((piece.bytes as unknown as Buffer).equals(BYTES.subarray(7, 12)))
    assert.deepEqual(
      [Number(piece.totalBytes), piece.sha256, piece.contentType],
      [BYTES.length, sha(BYTES), 'application/octet-stream'],
    )
    await client.deleteUpload(id)
    await assert.rejects(client.getUpload(id), { name: 'NotFound', code: 'UPLOAD_NOT_FOUND' })
  }

  for (const dialect of DIALECTS)
    it(`goes in and comes out in pieces, ${dialect.framed ? 'framed' : 'buffered'} ${dialect.protocol}`, async t => {
      const { clientOf } = await setUp(t)
      await roundTrip(clientOf(dialect))
    })

  it('goes in and comes out in pieces over HTTP', async t => {
    const { bench } = await setUp(t)
    await roundTrip(await overHttp(t, bench))
  })

  it('may have no bytes, and none that were announced', async t => {
    const { client } = await setUp(t)
    const { id, length, name } = await client.beginUpload('', i64(0))
    assert.deepEqual([length, name], [null, null])
    assert.equal(Number((await client.appendUpload(id, i64(0), Buffer.alloc(0))).bytes), 0)
    assert.equal((await client.finishUpload(id, sha(Buffer.alloc(0)))).state, 'whole')
    assert.equal(((await client.readUpload(id, i64(0), 0)).bytes as unknown as Buffer).length, 0)
  })

  it('is named by a task, and stays as long', async t => {
    const { client } = await setUp(t)
    const { id } = await client.beginUpload('a', i64(0))
    await client.appendUpload(id, i64(0), Buffer.from('abc'))
    const submit = () => client.submitTask('echo', JSON.stringify({ $upload: id }), new types.SubmitOptions())
    await assert.rejects(submit(), { name: 'Refused', code: 'PARAMS_INVALID' })
    await client.finishUpload(id, '')
    const task = await submit()
    await assert.rejects(client.deleteUpload(id), { name: 'Conflict', code: 'UPLOAD_IN_USE' })
    await client.cancelTask(task.id)
    await client.purgeTask(task.id)
    await assert.rejects(client.getUpload(id), { name: 'NotFound', code: 'UPLOAD_NOT_FOUND' })
  })

  it('takes bytes only where it ends, and only while it is open', async t => {
    const { client } = await setUp(t)
    const { id } = await client.beginUpload('a', i64(6))
    const append = (at: number, text: string) => client.appendUpload(id, i64(at), Buffer.from(text))
    const conflict = (code: string) => ({ name: 'Conflict', code, status: 409 })
    await append(0, 'abc')
    for (const at of [0, 2, 4, 2 ** 40]) await assert.rejects(append(at, 'x'), conflict('UPLOAD_OFFSET'))
    await assert.rejects(client.finishUpload(id, ''), conflict('UPLOAD_OPEN'))
    await assert.rejects(client.readUpload(id, i64(0), 0), conflict('UPLOAD_OPEN'))
    await assert.rejects(append(3, 'defg'), { name: 'Refused', code: 'UPLOAD_TOO_LARGE' })
    const { bytes } = await client.getUpload(id)
    await append(Number(bytes), 'def'.slice(Number(bytes) - 3))
    await assert.rejects(client.finishUpload(id, '0'.repeat(64)), {
      name: 'Refused',
      code: 'UPLOAD_DIGEST_WRONG',
    })
    await client.finishUpload(id, sha(Buffer.from('abcdef')))
    await assert.rejects(append(6, 'x'), conflict('UPLOAD_OFFSET'))
    await assert.rejects(client.readUpload(id, i64(7), 1), { name: 'Refused', code: 'RANGE_NOT_SATISFIABLE' })
    assert.equal(String((await client.readUpload(id, i64(0), 0)).bytes), 'abcdef')
  })

  it('is listed page by page, each once', async t => {
    const { client } = await setUp(t)
    const made: string[] = []
    for (let n = 0; n < 7; n += 1) made.push((await client.beginUpload(`n${n}`, i64(0))).id)
    const seen: string[] = []
    let cursor: string | undefined = ''
    for (let pages = 0; typeof cursor === 'string'; pages += 1) {
      assert.ok(pages < 10)
      const page: types.UploadPage = await client.listUploads(3, cursor)
      assert.ok(page.uploads.length <= 3)
      seen.push(...page.uploads.map(({ id }) => id))
      cursor = page.nextCursor ?? undefined
    }
    assert.deepEqual(seen, made.toSorted())
    await assert.rejects(client.listUploads(201, ''), { name: 'Refused', code: 'BAD_REQUEST' })
    await assert.rejects(client.listUploads(-1, ''), { name: 'Refused', code: 'BAD_REQUEST' })
    await assert.rejects(client.listUploads(1, 'x'.repeat(5_000)), { name: 'Refused', code: 'BAD_CURSOR' })
  })

  it('is nothing to somebody else, and a page of theirs does not have it', async t => {
    const who = createFakeAccess({ actors: { ann: person('ann'), bob: person('bob') }, anonymous: 'none' })
    const { clientOf } = await setUp(t, {}, undefined, who)
    const [ann, bob] = [clientOf(), clientOf()]
    await ann.authenticate('ann')
    await bob.authenticate('bob')
    const { id, owner } = await bob.beginUpload('secret', i64(3))
    assert.equal(owner, 'bob')
    const calls = [
      () => ann.getUpload(id),
      () => ann.appendUpload(id, i64(0), Buffer.from('abc')),
      () => ann.finishUpload(id, ''),
      () => ann.readUpload(id, i64(0), 0),
      () => ann.deleteUpload(id),
    ]
    const unknown = ({ message }: { message: string }) => message.replace(UNKNOWN, id)
    const missing = await ann.getUpload(UNKNOWN).then(
      () => assert.fail('found'),
      (error: types.NotFound) => unknown(error),
    )
    for (const call of calls)
      await assert.rejects(call(), { name: 'NotFound', code: 'UPLOAD_NOT_FOUND', message: missing })
    assert.deepEqual((await ann.listUploads(0, '')).uploads, [])
    assert.equal(Number((await bob.getUpload(id)).bytes), 0)
  })

  it('leaves lines in the audit: that it was made, and deleted', async t => {
    const who = createFakeAccess({ actors: { root: person('root', 'admin', 'rpc') } })
    const { client, bench } = await setUp(
      t,
      {},
      service =>
        createAuditedService(
          service,
          createAuditRecorder({
            trail: {
              begin: entry => bench.store.audit.begin(entry),
              end: (...asked) => bench.store.audit.end(...asked),
              add: (...asked) => bench.store.audit.add(...asked),
            },
            clock: () => new Date(),
            onFailed: error => assert.fail(String(error)),
          }),
        ),
      who,
    )
    await client.authenticate('root')
    const { id } = await client.beginUpload('a', i64(0))
    await client.finishUpload(id, '')
    await client.deleteUpload(id)
    const seen = async () =>
      (await client.pageAudit(new types.AuditFilter({ target: id }), 0, '')).entries
        .filter(({ action }) => action.startsWith('upload.'))
        .map(({ action, via, outcome }) => [action, via, outcome])
        .sort()
    await until('both are there', async () => (await seen()).length === 2)
    assert.deepEqual(await seen(), [
      ['upload.create', 'rpc', 'done'],
      ['upload.delete', 'rpc', 'done'],
    ])
  })
})

describe('hostile files over Thrift', { timeout: 300_000 }, () => {
  it('are refused by what is announced, whatever 64 bits say', async t => {
    const { client } = await setUp(t)
    const outcome = async (length: bigint): Promise<unknown> => {
      try {
        const upload = await client.beginUpload('a', bits(length))
        await client.deleteUpload(upload.id)
        return upload.length === null ? 0n : BigInt(Number(upload.length))
      } catch (error) {
        return (error as types.Refused).code
      }
    }
    const expected = (length: bigint): unknown => {
      if (length < 0n || length > BigInt(Number.MAX_SAFE_INTEGER)) return 'BAD_REQUEST'
      return length > BigInt(NO_UPLOAD_LIMITS.maxBytes) ? 'UPLOAD_TOO_LARGE' : length
    }
    const edges = [
      0n,
      1n,
      -1n,
      2n ** 30n,
      2n ** 30n + 1n,
      2n ** 31n,
      2n ** 53n - 1n,
      2n ** 53n,
      -(2n ** 63n),
      2n ** 63n - 1n,
    ]
    for (const length of edges) assert.equal(await outcome(length), expected(length), String(length))
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async length => {
        assert.equal(await outcome(length), expected(length))
      }),
      { numRuns: 50 },
    )
  })

  it('are refused by where they begin, whatever 64 bits say', async t => {
    const { client } = await setUp(t)
    const { id } = await client.beginUpload('a', i64(0))
    await client.appendUpload(id, i64(0), Buffer.from('abc'))
    const whole = (await client.beginUpload('b', i64(0))).id
    await client.finishUpload(whole, '')
    await fc.assert(
      fc.asyncProperty(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), async offset => {
        fc.pre(offset !== 3n && offset !== 0n)
        const isNumber = offset >= 0n && offset <= BigInt(Number.MAX_SAFE_INTEGER)
        await assert.rejects(client.appendUpload(id, bits(offset), Buffer.from('x')), {
          code: isNumber ? 'UPLOAD_OFFSET' : 'BAD_REQUEST',
        })
        await assert.rejects(client.readUpload(whole, bits(offset), 1), {
          code: isNumber ? 'RANGE_NOT_SATISFIABLE' : 'BAD_REQUEST',
        })
      }),
      { numRuns: 50 },
    )
    assert.equal(Number((await client.getUpload(id)).bytes), 3)
  })

  it('are refused with a reason where an argument is wrong or missing', async t => {
    const { client } = await setUp(t)
    const { id } = await client.beginUpload('a', i64(0))
    const refused = (code: string) => ({ name: 'Refused', code, status: 400 })
    await assert.rejects(client.beginUpload('x'.repeat(256), i64(0)), refused('BAD_REQUEST'))
    for (const wrong of ['x', 'g'.repeat(64), '0'.repeat(63), '0'.repeat(65), `${'0'.repeat(64)}\n`])
      await assert.rejects(client.finishUpload(id, wrong), refused('BAD_REQUEST'))
    for (const wrong of ['', 'x', '../../etc/passwd', `${id}/..`, `${id}\0`]) {
      await assert.rejects(client.getUpload(wrong), refused('BAD_ID'))
      await assert.rejects(client.appendUpload(wrong, i64(0), Buffer.from('x')), refused('BAD_ID'))
      await assert.rejects(client.readUpload(wrong, i64(0), 0), refused('BAD_ID'))
      await assert.rejects(client.deleteUpload(wrong), refused('BAD_ID'))
    }
    await client.finishUpload(id, '')
    await assert.rejects(client.readUpload(id, i64(0), -1), refused('BAD_REQUEST'))
    const missing = undefined as never
    await assert.rejects(client.getUpload(missing), refused('BAD_REQUEST'))
    await assert.rejects(client.appendUpload(id, i64(0), missing), refused('BAD_REQUEST'))
    await assert.rejects(client.readArtifact(UNKNOWN, missing, i64(0), 0), { code: 'BAD_REQUEST' })
    // left out, these mean what empty means
    const bare = await client.beginUpload(missing, missing)
    assert.deepEqual([bare.name, bare.length], [null, null])
    assert.equal((await client.finishUpload(bare.id, missing)).state, 'whole')
  })

  it('have a name that is a text and never more', async t => {
    const { client } = await setUp(t)
    const { name } = await client.beginUpload('../../a\r\nb\0c\u2028d', i64(0))
    assert.equal(name, '../../abcd')
  })

  it('fill a message to its limit; one that is larger closes the connection and leaves what has come', async t => {
    const { client, clientOf, bench } = await setUp(t)
    const { id } = await client.beginUpload('a', i64(0))
    const most = BYTES.subarray(0, RPC_LIMITS.messageBytes - 200)
    await client.appendUpload(id, i64(0), most)
    const raw = await openRaw(bench.door)
    undo(t, () => raw.socket.destroy())
    const large = Buffer.alloc(RPC_LIMITS.messageBytes + 1)
    raw.socket.write(
      wire.call(
        'appendUpload',
        1,
        wire.field(STRING, 1, wire.string(id)),
        wire.field(10, 2, Buffer.alloc(8)),
        wire.field(STRING, 3, Buffer.concat([wire.i32(large.length), large])),
      ),
    )
    await raw.closed()
    assert.match(raw.received().toString('latin1'), /BODY_TOO_LARGE/)
    const again = clientOf()
    assert.equal(Number((await again.getUpload(id)).bytes), most.length)
    await again.appendUpload(id, i64(most.length), Buffer.from('end'))
    const { sha256 } = await again.finishUpload(id, '')
    assert.equal(sha256, sha(Buffer.concat([most, Buffer.from('end')])))
  })

  it('leave nothing of a piece whose message breaks off', async t => {
    const { client, bench } = await setUp(t)
    const { id } = await client.beginUpload('a', i64(0))
    const call = wire.call(
      'appendUpload',
      1,
      wire.field(STRING, 1, wire.string(id)),
      wire.field(10, 2, Buffer.alloc(8)),
      wire.field(STRING, 3, Buffer.concat([wire.i32(100_000), Buffer.alloc(100_000)])),
    )
    const raw = await openRaw(bench.door)
    raw.socket.end(call.subarray(0, 60_000))
    await raw.closed()
    assert.equal(Number((await client.getUpload(id)).bytes), 0)
    await client.appendUpload(id, i64(0), Buffer.from('abc'))
    assert.equal((await client.finishUpload(id, sha(Buffer.from('abc')))).state, 'whole')
  })
})

describe('the files of a task over Thrift', { timeout: 300_000 }, () => {
  const add = async (
    { store }: Bench,
    id: string,
    claim: number,
    bytes: Buffer,
    n: number,
  ): Promise<void> => {
    const file = artifactFile(claim, n)
    await store.putBlob(id, file, bytes)
    const artifact = { name: 'out é.bin', type: 'image/png', bytes: bytes.length, sha256: sha(bytes), file }
    await store.move(id, claim, listArtifact(artifact, new Date().toISOString()))
  }

  it('are read in pieces, which say when another has taken the name', async t => {
    const { bench, client } = await setUp(t)
    const { task } = await bench.service.submit(anybody(), { kind: 'echo', params: 1 })
    const { claim } =
      (await bench.store.claim(task.id, start('w', new Date().toISOString()))) ?? assert.fail('not claimed')
    await add(bench, task.id, claim, BYTES, 1)
    const read = (at: number, length = 0) => client.readArtifact(task.id, 'out é.bin', i64(at), length)
    assert.ok((await readAll(read)).equals(BYTES))
    const first = await read(0, 3)
    assert.deepEqual(
      [Number(first.totalBytes), first.contentType, first.sha256],
      [BYTES.length, 'image/png', sha(BYTES)],
    )
    const other = BYTES.subarray(1_000)
    await add(bench, task.id, claim, other, 2)
    assert.equal((await read(3, 3)).sha256, sha(other))
    await assert.rejects(read(BYTES.length), { name: 'Refused', code: 'RANGE_NOT_SATISFIABLE' })
    for (const name of ['', 'out', '../x', artifactFile(claim, 1)])
      await assert.rejects(client.readArtifact(task.id, name, i64(0), 0), {
        name: 'NotFound',
        code: 'ARTIFACT_NOT_FOUND',
      })
    await assert.rejects(client.readArtifact(UNKNOWN, 'x', i64(0), 0), { code: 'TASK_NOT_FOUND' })
    await assert.rejects(client.readArtifact('x', 'x', i64(0), 0), { code: 'BAD_ID' })
  })

  it('are not there for who does not see the task', async t => {
    const who = createFakeAccess({ actors: { ann: person('ann') }, anonymous: 'none' })
    const { bench, client } = await setUp(t, {}, undefined, who)
    const { task } = await bench.service.submit(person('bob'), { kind: 'echo', params: 1 })
    const { claim } =
      (await bench.store.claim(task.id, start('w', new Date().toISOString()))) ?? assert.fail('not claimed')
    await add(bench, task.id, claim, Buffer.from('abc'), 1)
    await client.authenticate('ann')
    await assert.rejects(client.readArtifact(task.id, 'out é.bin', i64(0), 0), { code: 'TASK_NOT_FOUND' })
  })
})
