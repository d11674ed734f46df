// Where things stand inside the data folder. The only place that turns an id, name or key into a path.
import { createHash } from 'node:crypto'
import path from 'node:path'
import { COLLECTION_NAMES, type CollectionName, parseDocumentName } from '../../core/documents.ts'
import { parseTaskId } from '../../core/task.ts'
import { parseBlobName } from '../shared/blob-name.ts'

/** An id that has been checked: a UUID in lower case. Only `parseId` makes one, only these become paths. */
export type SafeId = string & { readonly safe: unique symbol }

/** @throws BAD_ID */
export const parseId = (id: string): SafeId => parseTaskId(id) as SafeId

export interface Layout {
  readonly dir: string
  readonly tasks: string
  readonly blobs: string
  /** The bytes of uploads. */
  readonly uploadBytes: string
  readonly keys: string
  readonly claims: string
  readonly revokes: string
  /** Starts of kinds that have a rate. */
  readonly permits: string
  /** What is counted by the minute. */
  readonly rates: string
  readonly run: string
  readonly journal: string
  readonly wal: string
  /** What was found in the state files, for the next start. A cache. */
  readonly index: string
  /** Who has changed what, and what is about to be changed. */
  readonly audit: string
  readonly auditBegun: string
  /** The folders that stand in the data folder itself, those that are closed apart. */
  folders(): string[]
  /** The folders of the collections of documents. */
  collections(): string[]
  /** Those, and the folders of uploads and of the audit: only our own user may look into them. */
  closed(): string[]
  collection(name: CollectionName): string
  /** @throws BAD_KEY */
  document(collection: CollectionName, name: string): string
  /** The 256 folders of state files. */
  shards(): string[]
  /** Of `tasks`, `blobs` or `upload-bytes`. */
  shardsOf(root: string): string[]
  taskFolder(id: SafeId): string
  task(id: SafeId): string
  blobFolder(id: SafeId): string
  /** @throws BAD_KEY */
  blob(id: SafeId, name: string): string
  uploadFolder(id: SafeId): string
  upload(id: SafeId): string
  key(key: string): string
  claim(id: SafeId, number: number): string
  revoke(id: SafeId): string
  permit(kind: string, number: number): string
}

const SHARDS = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))

export const createLayout = (dir: string): Layout => {
  const tasks = path.join(dir, 'tasks')
  const blobs = path.join(dir, 'blobs')
  const uploadBytes = path.join(dir, 'upload-bytes')
  const keys = path.join(dir, 'keys')
  const claims = path.join(dir, 'claims')
  const revokes = path.join(dir, 'revoke')
  const permits = path.join(dir, 'rate')
  const shard = (id: SafeId) => id.slice(-2)
  // path.join would parse each of these again, several times for each task
  const layout: Layout = {
    dir,
    tasks,
    blobs,
    uploadBytes,
    keys,
    claims,
    revokes,
    permits,
    rates: path.join(dir, 'quotas'),
    run: path.join(dir, 'run'),
    journal: path.join(dir, 'journal'),
    wal: path.join(dir, 'wal'),
    index: path.join(dir, 'index'),
    audit: path.join(dir, 'audit'),
    auditBegun: path.join(dir, 'audit', 'begun'),
    folders: () => [
      ...[tasks, blobs, keys, claims, revokes, permits],
      ...[layout.run, layout.journal, layout.wal, layout.index],
    ],
    collections: () => COLLECTION_NAMES.map(layout.collection),
    closed: () => [...layout.collections(), uploadBytes, layout.audit, layout.auditBegun, layout.rates],
    collection: name => path.join(dir, name),
    document: (collection, name) => path.join(dir, collection, `${parseDocumentName(name)}.json`),
    shards: () => layout.shardsOf(tasks),
    shardsOf: root => SHARDS.map(name => path.join(root, name)),
    taskFolder: id => `${tasks}/${shard(id)}`,
    task: id => `${tasks}/${shard(id)}/${id}.json`,
    blobFolder: id => `${blobs}/${shard(id)}/${id}`,
    blob: (id, name) => {
      return path.join(layout.blobFolder(id), parseBlobName(name))
    },
    uploadFolder: id => `${uploadBytes}/${shard(id)}`,
    upload: id => `${uploadBytes}/${shard(id)}/${id}`,
    key: key => path.join(keys, createHash('sha256').update(key).digest('hex')),
    claim: (id, number) => `${claims}/${id}.${number}`,
    revoke: id => `${revokes}/${id}`,
    permit: (kind, number) => path.join(permits, `${kind}.${number}`),
  }
  return layout
}

/** The id of a state file's name, or null for any other entry of its folder. */
export const idOfStateFile = (name: string): SafeId | null => {
  if (!name.endsWith('.json')) return null
  try {
    return parseId(name.slice(0, -5))
  } catch {
    return null
  }
}
