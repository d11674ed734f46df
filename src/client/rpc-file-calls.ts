// The calls for files of the Thrift client. They stand apart from what they are made of, so that the types of the client
// need none of Thrift's.
import type { FileSource } from './file-source.ts'
import type { ResumableOptions } from './resumable.ts'
import type { Upload, UploadPage } from './upload-types.ts'

export interface RpcFileCalls {
  /**
   * Sends a file in pieces of `pieceBytes` (512 KiB by default; a message has at most 1 MiB), and goes on where the
   * upload ends after a lost connection or a server that was away for up to `timeoutMs`. The SHA-256 of what is sent is
   * compared at the end. An upload that fails stays open for a while: with its `id`, which `onProgress` tells, another
   * call goes on with it. When the signal fires, it rejects with the signal's reason, after one call at the latest.
   * @throws RangeError when the upload with that id is longer than the source
   */
  upload(source: FileSource, options?: ResumableOptions): Promise<Upload>
  readonly uploads: {
    get(id: string): Promise<Upload>
    /** By id. `limit` is 1 to 200. */
    list(options?: { limit?: number; cursor?: string | null }): Promise<UploadPage>
    /** All bytes, in pieces of at most 512 KiB. */
    pieces(id: string): AsyncGenerator<Buffer, void, void>
    /** Removes an upload that no task names. */
    remove(id: string): Promise<void>
  }
  /**
   * A file that the task has made, by its name in the record, in pieces of at most 512 KiB. Rejects if another file
   * takes the name meanwhile.
   */
  artifactPieces(task: string, name: string): AsyncGenerator<Buffer, void, void>
}
