// What a run does with files: artifacts, uploads, and a folder of its own.
import { mkdirSync } from 'node:fs'
import { MadhavaError } from '../../core/errors.ts'
import type { TaskContext } from '../../core/kind.ts'
import { lazy } from '../lazy.ts'
import type { FileFromThread, FileToThread } from '../pool/file-protocol.ts'
import { createThreadArtifacts } from './artifacts.ts'
import type { CallPort } from './call-port.ts'
import { createThreadUploads } from './uploads.ts'

export interface ThreadFiles extends Pick<TaskContext, 'artifact' | 'upload'> {
  /** The path of the attempt's own folder, which is there from now on. @throws CLAIM_LOST when the run is over */
  scratch(): string
  receive(message: FileToThread): void
  /** Resolves when every artifact so far is kept or refused. Never rejects. */
  settled(): Promise<void>
  /** The run is over. */
  close(): void
}

/** @param folder where the attempt's own folder may be made; null: nowhere */
export const createThreadFiles = (deps: {
  signal: AbortSignal
  folder: string | null
  post: (message: FileFromThread, transfer?: ArrayBuffer[]) => void
}): ThreadFiles => {
  const { signal, folder, post } = deps
  let calls = 0
  let closed = false
  let made = false

  const refuseWhenClosed = (): void => {
    if (closed) throw new MadhavaError('CLAIM_LOST', 'The run is over: it has no files any more')
  }
  const port: CallPort = {
    signal,
    post,
    nextCall: () => ++calls,
    refuseWhenOver() {
      signal.throwIfAborted()
      refuseWhenClosed()
    },
  }
  const scratch = (): string => {
    refuseWhenClosed()
    if (folder === null)
      throw new MadhavaError('INTERNAL', 'This worker has no place for folders of attempts')
    if (!made) {
      // first, so that it is removed whatever happens to this thread
      post({ type: 'scratch' })
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      made = true
    }
    return folder
  }
  const artifacts = lazy(() => createThreadArtifacts(port))
  const uploads = lazy(() => createThreadUploads(port, scratch))
  return {
    // a call after the end must make nothing that nobody closes
    async artifact(...args) {
      port.refuseWhenOver()
      return artifacts().artifact(...args)
    },
    async upload(ref) {
      port.refuseWhenOver()
      return uploads().upload(ref)
    },
    scratch,
    receive(message) {
      artifacts.made()?.receive(message)
      uploads.made()?.receive(message)
    },
    settled: async () => artifacts.made()?.settled(),
    close() {
      closed = true
      artifacts.made()?.close()
      uploads.made()?.close()
    },
  }
}
