// The methods of the service Madhava about files: uploads and what tasks have made, in pieces that fit a message.
// Thrift's structs on one side, the service on the other. No rules of its own, no sockets.
import { Readable } from 'node:stream'
import types from '../../gen/js/rpcinterface_types.js'
import type { StoredContent } from '../core/content.ts'
import type { Service } from '../core/service.ts'
import type { UploadInfo } from '../core/uploads.ts'
import { toBytes, toLength, toPage, toSha256, toText, toUploadName, toWholeNumber } from './arguments.ts'
import { build, i64, i64OrNull } from './build.ts'
import type { RpcMethod } from './caller.ts'
import { EXCEPTIONS } from './declared.ts'
import { methodFor } from './method.ts'
import { pieceOf } from './piece-bytes.ts'

const uploadStruct = ({ bytes, length, ...same }: UploadInfo) =>
  build(types.Upload, { ...same, bytes: i64(bytes), length: i64OrNull(length) })

const pieceStruct = async (content: StoredContent & { sha256: string }, offset: unknown, length: unknown) =>
  build(types.FilePiece, {
    bytes: await pieceOf(content, offset, length),
    totalBytes: i64(content.bytes),
    contentType: content.contentType,
    sha256: content.sha256,
  })

/** By name. */
export const createFileMethods = ({
  service,
}: {
  service: Pick<Service, 'uploads' | 'artifact'>
}): ReadonlyMap<string, RpcMethod> =>
  new Map<string, RpcMethod>([
    [
      'beginUpload',
      methodFor(
        2,
        async (actor, [name, length]) =>
          uploadStruct(
            await service.uploads.begin(actor, { name: toUploadName(name), length: toLength(length) }),
          ),
        'refused',
        'unavailable',
      ),
    ],
    [
      'appendUpload',
      methodFor(
        3,
        async (actor, [id, offset, given]) => {
          const bytes = toBytes(given, 'bytes')
          const at = toWholeNumber(offset, 'offset')
          const { uploads } = service
          return uploadStruct(
            await uploads.append(actor, toText(id, 'id'), at, Readable.from([bytes]), bytes.length),
          )
        },
        ...EXCEPTIONS,
      ),
    ],
    [
      'finishUpload',
      methodFor(
        2,
        async (actor, [id, sha256]) =>
          uploadStruct(await service.uploads.finish(actor, toText(id, 'id'), toSha256(sha256))),
        ...EXCEPTIONS,
      ),
    ],
    [
      'getUpload',
      methodFor(
        1,
        async (actor, [id]) => uploadStruct(await service.uploads.get(actor, toText(id, 'id'))),
        'refused',
        'notFound',
        'unavailable',
      ),
    ],
    [
      'listUploads',
      methodFor(
        2,
        async (actor, [limit, cursor]) => {
          const { uploads, next } = await service.uploads.list(actor, toPage(limit, cursor))
          return build(types.UploadPage, { uploads: uploads.map(uploadStruct), nextCursor: next })
        },
        'refused',
        'unavailable',
      ),
    ],
    [
      'readUpload',
      methodFor(
        3,
        async (actor, [id, offset, length]) =>
          pieceStruct(await service.uploads.content(actor, toText(id, 'id')), offset, length),
        ...EXCEPTIONS,
      ),
    ],
    [
      'deleteUpload',
      methodFor(1, (actor, [id]) => service.uploads.remove(actor, toText(id, 'id')), ...EXCEPTIONS),
    ],
    [
      'readArtifact',
      methodFor(
        4,
        async (actor, [id, name, offset, length]) =>
          pieceStruct(await service.artifact(actor, toText(id, 'id'), toText(name, 'name')), offset, length),
        'refused',
        'notFound',
        'unavailable',
      ),
    ],
  ])
