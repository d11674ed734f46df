// Files through the Thrift client, against a real door, over a network that can fail.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it, type TestContext } from 'node:test'
import { createRpcClient } from '../../src/client/rpc.ts'
import type { UploadProgress } from '../../src/client/upload-types.ts'
import { artifactFile, listArtifact } from '../../src/core/artifacts.ts'
import { start } from '../../src/core/moves.ts'
import { openBench } from '../rpc/fixture.ts'
import { soon } from '../support/soon.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { undo } from '../support/undo.ts'

const BYTES = Buffer.from(Array.from({ length: 1_700_000 }, (_, i) => (i * i) >> 7))
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const setUp = async (t: TestContext, protocol: 'binary' | 'compact' = 'binary') => {
  const bench = await openBench()
  const network = await startTcpProxy({ port: bench.door.address.port })
  const rpc = createRpcClient({ port: network.port, protocol })
  undo(t, async () => {
    rpc.close()
    await network.close()
    await bench.close()
  })
  return { bench, network, rpc }
}
const gather = async (pieces: AsyncIterable<Buffer>): Promise<Buffer> => {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

describe('files through the Thrift client', { timeout: 300_000 }, () => {
  for (const protocol of ['binary', 'compact'] as const)
    it(`go in and come out whole, ${protocol}`, async t => {
      const { rpc } = await setUp(t, protocol)
      const seen: UploadProgress[] = []
      const onProgress = (progress: UploadProgress): number => seen.push(progress)
      const upload = await rpc.upload(BYTES, { name: 'фото', onProgress })
      assert.deepEqual(
        [upload.name, upload.state, upload.bytes, upload.length, upload.sha256, upload.owner],
        ['фото', 'whole', BYTES.length, BYTES.length, sha(BYTES), null],
      )
      assert.deepEqual(
        seen.map(({ bytes }) => bytes),
        [0, 524_288, 1_048_576, 1_572_864, BYTES.length],
      )
      assert.deepEqual(await rpc.uploads.get(upload.id), upload)
      assert.deepEqual(await rpc.uploads.list(), { uploads: [upload], next: null })
      assert.ok((await gather(rpc.uploads.pieces(upload.id))).equals(BYTES))
      await rpc.uploads.remove(upload.id)
      await assert.rejects(rpc.uploads.get(upload.id), { name: 'RpcError', code: 'UPLOAD_NOT_FOUND' })
      const empty = await rpc.upload('')
      assert.deepEqual([empty.bytes, empty.name], [0, null])
      assert.equal((await gather(rpc.uploads.pieces(empty.id))).length, 0)
    })

  it('arrive over connections that break, and where answers are lost', async t => {
    const { rpc, network } = await setUp(t)
    const cuts = [
      network.cutAt({ direction: 'up', after: 700_000 }),
      network.cutAt({ direction: 'down', after: 300 }),
      network.cutAt({ direction: 'up', after: 1_400_000 }),
    ]
    const upload = await rpc.upload(new Blob([BYTES]), { pieceBytes: 300_000 })
    assert.deepEqual([upload.bytes, upload.sha256], [BYTES.length, sha(BYTES)])
    await soon(Promise.all(cuts), 'all cuts')
  })

  it('are refused with the codes of the server', async t => {
    const { rpc } = await setUp(t)
    await assert.rejects(rpc.upload('abc', { sha256: '0'.repeat(64) }), { code: 'UPLOAD_DIGEST_WRONG' })
    await assert.rejects(rpc.upload('abc', { name: 'x'.repeat(300) }), { code: 'BAD_REQUEST' })
    await assert.rejects(rpc.upload('abc', { id: 'x' }), { code: 'BAD_ID' })
  })

  it('are those that a task has made; one that changes while it is read is not mixed', async t => {
    const { rpc, bench } = await setUp(t)
    const { id } = await rpc.submit('echo', 1)
    const now = () => new Date().toISOString()
    const { claim } = (await bench.store.claim(id, start('w', now()))) ?? assert.fail('not claimed')
    const add = async (bytes: Buffer, n: number): Promise<void> => {
      const file = artifactFile(claim, n)
      await bench.store.putBlob(id, file, bytes)
      const artifact = { name: 'a b.bin', type: 'image/png', bytes: bytes.length, sha256: sha(bytes), file }
      await bench.store.move(id, claim, listArtifact(artifact, now()))
    }
    await add(BYTES, 1)
    assert.deepEqual((await rpc.get(id)).artifacts, [
      { name: 'a b.bin', type: 'image/png', bytes: BYTES.length, sha256: sha(BYTES) },
    ])
    assert.ok((await gather(rpc.artifactPieces(id, 'a b.bin'))).equals(BYTES))
    await assert.rejects(gather(rpc.artifactPieces(id, 'other')), { code: 'ARTIFACT_NOT_FOUND' })
    const pieces = rpc.artifactPieces(id, 'a b.bin')
    assert.equal((await pieces.next()).done, false)
    await add(BYTES.subarray(1), 2)
    await assert.rejects(pieces.next(), /Another file has taken the name/)
  })
})
