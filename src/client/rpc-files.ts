// Files over Thrift: uploads, and what tasks have made, in pieces that fit a message.
import thrift from 'thrift'
import type types from '../../gen/js/rpcinterface_types.js'
import { uploadInPieces } from './resumable.ts'
import type { GeneratedClient } from './rpc-connection.ts'
import { mayPass } from './rpc-errors.ts'
import type { RpcFileCalls } from './rpc-file-calls.ts'
import { plain } from './rpc-types.ts'
import type { Upload } from './upload-types.ts'

const PIECE_BYTES = 512 * 1024

type Call = <T>(invoke: (client: GeneratedClient) => Promise<T>) => Promise<T>

/** The server sends the states that it knows; the type has those of this version. */
const toUpload = (struct: types.Upload): Upload => plain(struct) as Upload

/** @param call sends one call, and rejects with RpcError or RpcConnectionError */
export const createRpcFileCalls = (call: Call, patienceMs: number): RpcFileCalls => {
  const pieces = async function* (
    read: (client: GeneratedClient, offset: InstanceType<typeof thrift.Int64>) => Promise<types.FilePiece>,
  ): AsyncGenerator<Buffer, void, void> {
    let seen: string | null = null
    for (let at = 0, size = 1; at < size; ) {
      const piece = await call(client => read(client, new thrift.Int64(at)))
      if (seen !== null && seen !== piece.sha256)
        throw new Error('Another file has taken the name while this one was read')
      seen = piece.sha256
      size = plain(piece.totalBytes)
      const bytes = piece.bytes as unknown as Buffer
      if (bytes.length === 0 && at < size) throw new Error(`The server has sent ${at} of ${size} bytes`)
      at += bytes.length
      if (bytes.length > 0) yield bytes
    }
  }

  return {
    upload: (source, { pieceBytes = PIECE_BYTES, ...options } = {}) =>
      uploadInPieces(
        {
          ...{ patienceMs, isTemporary: mayPass },
          begin: async ({ name = '', length }) =>
            toUpload(await call(client => client.beginUpload(name, new thrift.Int64(length ?? 0)))),
          get: async id => toUpload(await call(client => client.getUpload(id))),
          append: async (id, offset, bytes) => {
            const { buffer, byteOffset, byteLength } = bytes
            const piece = Buffer.from(buffer, byteOffset, byteLength)
            return toUpload(await call(client => client.appendUpload(id, new thrift.Int64(offset), piece)))
          },
          finish: async ({ id }, sha256) =>
            toUpload(await call(client => client.finishUpload(id, sha256 ?? ''))),
        },
        source,
        { ...options, pieceBytes },
      ),
    uploads: {
      get: async id => toUpload(await call(client => client.getUpload(id))),
      async list({ limit = 0, cursor = null } = {}) {
        const { uploads, nextCursor } = await call(client => client.listUploads(limit, cursor ?? ''))
        return { uploads: uploads.map(toUpload), next: nextCursor ?? null }
      },
      pieces: id => pieces((client, offset) => client.readUpload(id, offset, 0)),
      remove: id => call(client => client.deleteUpload(id)),
    },
    artifactPieces: (task, name) => pieces((client, offset) => client.readArtifact(task, name, offset, 0)),
  }
}
