// Walks through a data folder and yields one check per thing in it, foreign ones included. It changes nothing by
// itself: a finding's `mend` would repair it, and is only for a folder that no process uses.
import { createReadStream, type Dirent, lstatSync } from 'node:fs'
import path from 'node:path'
import { parseAuditEntry } from '../../../core/audit-form.ts'
import { isAside } from '../../../platform/atomic-file.ts'
import { LineTooLongError, readLines } from '../../../platform/lines.ts'
import { openPlain } from '../../../platform/plain-file.ts'
import { BLOB_NAME } from '../../shared/blob-name.ts'
import { isBegunFile } from '../audit/audit.ts'
import { dayOfTrailFile } from '../audit/trail-files.ts'
import { isErrno } from '../errno.ts'
import { idOfStateFile, type Layout, parseId, type SafeId } from '../layout.ts'
import { readStateFile } from '../records/state-file.ts'
import { documentChecksOf } from './fsck-documents.ts'
import { entriesOf, type FsckCheck, repairsOf } from './fsck-findings.ts'
import { createSideFileChecks } from './fsck-side-files.ts'
import { createTaskChecks } from './fsck-tasks.ts'
import { uploadChecksOf } from './fsck-uploads.ts'

/** While a folder is in use, a temporary file is a leftover when it was not touched for so long. */
const ASIDE_MS = 60_000
/** A line of a journal holds one record. */
const LINE_BYTES_MAX = 64 * 1024 * 1024
const SHARD = /^[0-9a-f]{2}$/

/** What was seen on the way. */
export interface Seen {
  tasks: number
  blobs: number
  documents: number
}

interface ChecksDeps {
  layout: Layout
  /** The folder has no other user: a temporary file is left over, however young. */
  alone: boolean
  /** The folder is of a format that has documents. */
  hasDocuments: boolean
  clock: () => Date
  seen: Seen
}

const idOf = (name: string): SafeId | null => {
  try {
    const id = parseId(name)
    return id === name ? id : null
  } catch {
    return null
  }
}

/** Yielded for what the quick check finds sound, so that the caller gets a turn. */
const nothing: FsckCheck = () => null

/** All checks. Lazy: later ones see what repairs of earlier findings have changed. */
export function* checksOf({ layout, alone, hasDocuments, clock, seen }: ChecksDeps): Generator<FsckCheck> {
  const places = repairsOf(layout)
  const { at, moving, removing } = places
  const { record, result, key, blobsOf, artifacts, artifactBlob } = createTaskChecks(layout, places, alone)
  const { claim, keyLink, revoke } = createSideFileChecks(layout, places)

  /** A temporary file, or something that Madhava did not make. */
  const foreign =
    (place: string, what: string): FsckCheck =>
    () => {
      const stat = lstatSync(place, { throwIfNoEntry: false })
      if (!stat) return null
      if (!isAside(path.basename(place)) || !stat.isFile())
        return { code: 'foreign', place: at(place), text: what, mend: moving(place) }
      if (!alone && clock().getTime() - stat.mtimeMs < ASIDE_MS) return null
      const text = 'written aside by a process that did not live to put it in its place'
      return { code: 'leftover', place: at(place), text, mend: removing(place) }
    }

  const lines =
    (file: string, isGood = isEntry): FsckCheck =>
    async () => {
      const bad: number[] = []
      try {
        const { handle } = await openPlain(file)
        const input = createReadStream('', { fd: handle })
        // a last line without its end is what a killed process leaves, or what is being written now
        for await (const { number, bytes, ended } of readLines(input, LINE_BYTES_MAX))
          if (ended && !isGood(bytes)) bad.push(number)
      } catch (error) {
        // retention cuts journals at any time
        if (isErrno(error, 'ENOENT', 'EFTYPE')) return null
        if (!(error instanceof LineTooLongError)) throw error
        bad.push(Number.POSITIVE_INFINITY)
      }
      if (bad.length === 0) return null
      const first = Number.isFinite(bad[0]) ? `, first line ${bad[0]}` : ''
      const text = `${bad.length} unreadable lines${first}; readers pass over them, and retention removes the file`
      return { code: 'bad-lines', place: at(file), text, mend: null }
    }

  const foreignInShards: string[] = []
  function* shardsOf(root: string): Generator<string> {
    for (const entry of entriesOf(root)) {
      const place = path.join(root, entry.name)
      if (SHARD.test(entry.name) && entry.isDirectory()) yield place
      else foreignInShards.push(place)
    }
  }

  for (const shard of shardsOf(layout.tasks))
    for (const { name } of entriesOf(shard)) {
      const id = idOfStateFile(name)
      if (!id || layout.task(id) !== path.join(shard, name)) {
        yield foreign(path.join(shard, name), 'not the state file of a task that belongs here')
        continue
      }
      seen.tasks += 1
      // most are sound and need one read; the others get a check of their own
      const file = readStateFile(layout, id)
      yield file.state === 'whole' ? nothing : record(id)
      if (file.state === 'whole' && file.task.resultBytes !== null) yield result(id)
      if (file.state === 'whole' && file.task.idempotencyKey !== null) yield key(id)
      if (file.state === 'whole' && file.task.artifacts !== undefined) yield artifacts(id)
    }
  for (const shard of shardsOf(layout.blobs))
    for (const entry of entriesOf(shard)) {
      const id = idOf(entry.name)
      const folder = path.join(shard, entry.name)
      if (!id || layout.blobFolder(id) !== folder || !entry.isDirectory()) {
        yield foreign(folder, 'not the blobs of a task that belongs here')
        continue
      }
      yield blobsOf(id)
      for (const blob of entriesOf(folder)) {
        seen.blobs += 1
        const place = path.join(folder, blob.name)
        if (!BLOB_NAME.test(blob.name) || !blob.isFile()) yield foreign(place, 'not a blob')
        else if (hasFurtherNames(place))
          yield foreign(
            place,
            'a file with further names, which is not given out: copy it in place of the link',
          )
        else if (blob.name.startsWith('artifact.')) yield artifactBlob(id, blob.name)
      }
    }
  for (const place of foreignInShards) yield foreign(place, 'not a folder of this store')

  /** The entries of a flat folder: those that `look` knows, and foreign ones. */
  function* flat(
    folder: string,
    check: (entry: Dirent, place: string) => FsckCheck | null,
  ): Generator<FsckCheck> {
    for (const entry of entriesOf(folder)) {
      const place = path.join(folder, entry.name)
      yield check(entry, place) ?? foreign(place, 'nothing of this store')
    }
  }
  yield* flat(layout.claims, (entry, place) => {
    const [, name = '', number = ''] = /^(.{36})\.(\d{1,15})$/.exec(entry.name) ?? []
    const id = idOf(name)
    return id && entry.isSymbolicLink() ? claim(place, id, Number(number)) : null
  })
  yield* flat(layout.keys, ({ name }, place) => (/^[0-9a-f]{64}$/.test(name) ? keyLink(place) : null))
  yield* flat(layout.revokes, ({ name }, place) => {
    const id = idOf(name)
    return id && revoke(place, id)
  })
  if (hasDocuments) {
    yield* documentChecksOf({
      layout,
      repairs: places,
      foreign,
      onDocument() {
        seen.documents += 1
      },
    })
    yield* uploadChecksOf({ layout, repairs: places, foreign, alone })
  }
  for (const { name } of entriesOf(layout.run))
    if (isAside(name)) yield foreign(path.join(layout.run, name), 'nothing of this store')
  for (const entry of entriesOf(layout.audit)) {
    const place = path.join(layout.audit, entry.name)
    if (place === layout.auditBegun && entry.isDirectory()) continue
    if (dayOfTrailFile(entry.name) === null) yield foreign(place, 'nothing of this store')
    else yield lines(place, isAuditLine)
  }
  for (const entry of entriesOf(layout.auditBegun)) {
    const place = path.join(layout.auditBegun, entry.name)
    if (!isBegunFile(entry.name)) yield foreign(place, 'nothing of this store')
  }
  for (const folder of [layout.journal, layout.wal])
    for (const entry of entriesOf(folder)) {
      const place = path.join(folder, entry.name)
      if (!entry.isFile()) yield foreign(place, 'nothing of this store')
      else if (entry.name.endsWith('.ndjson')) yield lines(place)
    }
}

const hasFurtherNames = (file: string): boolean =>
  (lstatSync(file, { throwIfNoEntry: false })?.nlink ?? 1) > 1

const isAuditLine = (bytes: Buffer): boolean => parseAuditEntry(bytes.toString('utf8')) !== null

const isEntry = (bytes: Buffer): boolean => {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
  } catch {
    return false
  }
}
