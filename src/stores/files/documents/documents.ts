// Documents as files. A write puts a whole new file in the place of the old one, in the turn of its process.
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import {
  COLLECTION_NAMES,
  type CollectionName,
  checkContent,
  type Document,
  type Documents,
  type ExpectedRev,
  expectRev,
  nextRev,
} from '../../../core/documents.ts'
import { MadhavaError } from '../../../core/errors.ts'
import { isAside } from '../../../platform/atomic-file.ts'
import type { Log } from '../../../platform/log.ts'
import { createLeftOutLog } from '../../shared/left-out-log.ts'
import type { Instances } from '../claims/instances.ts'
import type { Disk } from '../disk.ts'
import type { LiveIndex } from '../index/live-index.ts'
import type { Layout } from '../layout.ts'
import { moveAway } from '../quarantine.ts'
import { type DocumentFile, readDocumentFile, textOfDocument } from './document-file.ts'
import { namesIn, pageIn } from './listing.ts'
import { createWriteTurns } from './write-turns.ts'

export interface FileDocuments extends Documents {
  /** Tells the feed of what a process wrote that died before it could. */
  settle(): Promise<void>
}

interface DocumentsDeps {
  layout: Layout
  disk: Disk
  instances: Pick<Instances, 'instance' | 'isAlive'>
  liveIndex: Pick<LiveIndex, 'publish' | 'flush'>
  clock: () => Date
  log: Log
  unique: () => string
  /** After a failed sync nobody knows what is on the disk. */
  onFailure: (error: unknown) => void
}

const MODE = 0o600

export const createDocuments = (deps: DocumentsDeps): FileDocuments => {
  const { layout, disk, instances, liveIndex, clock, log, unique, onFailure } = deps
  const read = (collection: CollectionName, name: string): Promise<DocumentFile> =>
    readDocumentFile(layout, collection, name)
  const tellLeftOut = createLeftOutLog(log)

  const publish = (collection: CollectionName, name: string): void => {
    liveIndex.publish({ type: 'document', collection, name })
    liveIndex.flush()
  }
  const turns = createWriteTurns({
    layout,
    disk,
    instances,
    async onUnfinished({ collection, name }) {
      const folder = layout.collection(collection)
      for (const file of await readdir(folder))
        if (file.startsWith(`.${name}.json.`) && isAside(file)) disk.unlink(path.join(folder, file))
      publish(collection, name)
    },
  })
  const revOf = (found: DocumentFile): number | null => (found.state === 'whole' ? found.document.rev : null)

  const invalid = (collection: CollectionName, name: string, why: string): MadhavaError =>
    new MadhavaError('DOCUMENT_INVALID', `The document ${collection}/${name} cannot be used: ${why}`)
  const expect = (
    collection: CollectionName,
    name: string,
    expected: ExpectedRev,
    found: DocumentFile,
  ): void => {
    if (found.state === 'broken' && expected !== 'any') throw invalid(collection, name, found.why)
    expectRev(expected, revOf(found))
  }
  const syncNames = async (collection: CollectionName): Promise<void> => {
    try {
      await disk.sync([layout.collection(collection)])
    } catch (error) {
      onFailure(error)
      throw error
    }
  }
  /** What is no document is in the way of one, and may be of value to somebody. */
  const setAsideIfBroken = (collection: CollectionName, name: string, found: DocumentFile): void => {
    if (found.state !== 'broken') return
    const to = moveAway(layout, layout.document(collection, name), `${collection}.${name}.json`)
    log.warn(
      { collection, name, why: found.why, to: path.relative(layout.dir, to) },
      'what stood in the place of a document was set aside',
    )
  }
  const drop = async (collection: CollectionName, name: string): Promise<void> => {
    disk.unlink(layout.document(collection, name))
    await syncNames(collection)
    publish(collection, name)
  }

  const removeIfExpired = async (collection: CollectionName, name: string, now: string): Promise<boolean> => {
    const isExpired = async (): Promise<boolean> => {
      const found = await read(collection, name)
      const expiresAt = found.state === 'whole' ? found.document.expiresAt : null
      return expiresAt !== null && expiresAt <= now
    }
    if (!(await isExpired())) return false
    return turns.inTurn({ collection, name }, async () => {
      if (!(await isExpired())) return false
      await drop(collection, name)
      return true
    })
  }

  return {
    async get(collection, name) {
      const found = await read(collection, name)
      if (found.state === 'broken') throw invalid(collection, name, found.why)
      return found.state === 'whole' ? found.document : null
    },

    async list(collection, asked) {
      const page = await pageIn(layout, collection, asked)
      tellLeftOut(collection, page.leftOut)
      return page
    },

    async put(collection, name, content, expected) {
      const file = layout.document(collection, name)
      const sound = checkContent(content)
      return turns.inTurn({ collection, name }, async () => {
        const found = await read(collection, name)
        expect(collection, name, expected, found)
        setAsideIfBroken(collection, name, found)
        const document: Document = { name, ...sound, rev: nextRev(revOf(found) ?? 0, clock()) }
        const aside = path.join(layout.collection(collection), `.${name}.json.${unique()}.tmp`)
        await disk.writeThrough(aside, Buffer.from(textOfDocument(document)), MODE)
        try {
          disk.rename(aside, file)
        } catch (error) {
          disk.unlink(aside)
          throw error
        }
        await syncNames(collection)
        publish(collection, name)
        return document
      })
    },

    async remove(collection, name, expected) {
      layout.document(collection, name)
      await turns.inTurn({ collection, name }, async () => {
        const found = await read(collection, name)
        expect(collection, name, expected, found)
        setAsideIfBroken(collection, name, found)
        if (found.state !== 'none') await drop(collection, name)
      })
    },

    async removeExpired(now) {
      await turns.settle()
      let removed = 0
      for (const collection of COLLECTION_NAMES)
        for (const name of await namesIn(layout, collection))
          if (await removeIfExpired(collection, name, now)) removed += 1
      return removed
    },

    settle: turns.settle,
  }
}
