// The bytes of a result, a log or an artifact as clients get them: from the record if small, else from a blob.
import { Readable } from 'node:stream'
import { findArtifact } from './artifacts.ts'
import { MadhavaError } from './errors.ts'
import type { TaskStore } from './store.ts'
import { isFinal, type TaskRecord } from './task.ts'

/** Names of the blobs with a fixed meaning. A result that is a string is kept as text, any other result as JSON. */
export const BLOBS = {
  textResult: 'result.txt',
  jsonResult: 'result.json',
  log: 'log.ndjson',
  /** Logs of earlier versions. */
  plainLog: 'log.txt',
  checkpoint: 'checkpoint.bin',
} as const

export const TEXT = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json'

/** Bytes ready to be sent. `bytes` is the size of the whole; a range is [start, end). */
export interface StoredContent {
  contentType: string
  bytes: number
  open: (range?: { start: number; end: number }) => Promise<Readable>
}

export const fromText = (contentType: string, text: string): StoredContent => {
  const bytes = Buffer.from(text)
  return {
    contentType,
    bytes: bytes.length,
    open: async range => Readable.from([range ? bytes.subarray(range.start, range.end) : bytes]),
  }
}

const fromBlob = async (
  store: TaskStore,
  id: string,
  name: string,
  contentType: string,
): Promise<StoredContent | null> => {
  const info = (await store.listBlobs(id)).find(blob => blob.name === name)
  if (!info) return null
  return {
    contentType,
    bytes: info.bytes,
    open: async range => {
      const blob = await store.getBlob(id, name, range)
      if (!blob) throw new MadhavaError('RESULT_NOT_FOUND')
      return blob.stream
    },
  }
}

/** The whole result of a task in SUCCESS. @throws TASK_NOT_ENDED, RESULT_NOT_FOUND */
export const resultContent = async (store: TaskStore, task: TaskRecord): Promise<StoredContent> => {
  if (!isFinal(task.status))
    throw new MadhavaError('TASK_NOT_ENDED', `The task is ${task.status}; its result comes with SUCCESS`)
  if (task.status !== 'SUCCESS')
    throw new MadhavaError('RESULT_NOT_FOUND', `The task ended in ${task.status}, without a result`)
  if (task.resultBytes === null)
    return typeof task.result === 'string'
      ? fromText(TEXT, task.result)
      : fromText(JSON_TYPE, JSON.stringify(task.result))
  const content =
    (await fromBlob(store, task.id, BLOBS.textResult, TEXT)) ??
    (await fromBlob(store, task.id, BLOBS.jsonResult, JSON_TYPE))
  if (content) return content
  throw new MadhavaError('RESULT_NOT_FOUND', 'The result is no longer in the store')
}

/** One of the files that the task's attempts have made. @throws ARTIFACT_NOT_FOUND */
export const artifactContent = async (
  store: TaskStore,
  task: TaskRecord,
  name: string,
): Promise<StoredContent & { sha256: string }> => {
  const notFound = () => new MadhavaError('ARTIFACT_NOT_FOUND', 'The task has no file with this name')
  const artifact = findArtifact(task, name)
  if (!artifact) throw notFound()
  const { type, bytes, sha256, file } = artifact
  return {
    ...{ contentType: type, bytes, sha256 },
    async open(range) {
      const blob = await store.getBlob(task.id, file, range)
      // another of its name has just taken its place
      if (!blob) throw notFound()
      return blob.stream
    },
  }
}
