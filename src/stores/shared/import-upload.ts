// Where an imported upload goes. It is `open` here until its bytes have come, have the size and the hash that its
// document says, and its uses are there: half of an upload never counts as whole.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { flawOfDocument } from '../../core/collections.ts'
import type { Document } from '../../core/documents.ts'
import { isMadhavaError } from '../../core/errors.ts'
import type { TaskStore } from '../../core/store.ts'
import type { Upload } from '../../core/upload-forms.ts'
import { badLine, type DocumentLine } from './export-format.ts'
import { placeOf, sameDocument } from './import-document.ts'
import { type Lines, uploadBytesAfter } from './import-lines.ts'

type Taken = 'created' | 'replaced' | 'unchanged' | 'left' | 'refused'

export interface UploadImport {
  /** Takes the lines of its bytes. @throws BAD_REQUEST when they are not those of the document; the store's errors */
  upload(line: DocumentLine, number: number): Promise<void>
  use(line: DocumentLine): Promise<void>
  /** What came so far is complete: call it before any other line, and at the end. */
  finish(): Promise<void>
}

export interface UploadImportDeps {
  lines: Lines
  store: Pick<TaskStore, 'documents' | 'uploads'>
  clock: () => Date
  /** One that is there and older by the rev of its document is replaced. */
  replace: boolean
  onTaken: (outcome: Taken) => void
  onRefused: (place: string, why: string) => void
}

/** Of a document that has no flaw. */
const uploadOf = ({ data }: Document): Upload => data as unknown as Upload

/** The id of the upload that a use names. */
const uploadIdOfUse = ({ name }: Document): string => name.slice(0, name.indexOf('.'))

export const createUploadImport = (deps: UploadImportDeps): UploadImport => {
  const { lines, store, clock, replace, onTaken, onRefused } = deps
  const { documents, uploads } = store
  const now = (): string => clock().toISOString()
  /** Its bytes are here and right, and it is still `open`. */
  let pending: { document: Document; rev: number; outcome: Taken } | null = null

  const refuse = (line: DocumentLine, why: string): void => {
    onRefused(placeOf(line), why)
    onTaken('refused')
  }

  const decide = async (document: Document, there: Document | null): Promise<Taken | { why: string }> => {
    if (!there) return 'created'
    const here = uploadOf(there)
    if (here.state === 'going' || here.holder !== null)
      return { why: 'it is just being removed or written here' }
    // left by an import that was cut off: an upload that was whole is never open again
    if (here.state === 'open') return 'created'
    if ((await uploads.size(there.name)) !== here.bytes) return 'replaced'
    if (sameDocument(there, document)) return 'unchanged'
    return replace && document.rev > there.rev ? 'replaced' : 'left'
  }

  return {
    async upload(line, number) {
      const { document } = line
      const id = document.name
      const bytes = await uploadBytesAfter(lines, id)
      const hash = createHash('sha256')
      let size = 0
      const hashed = async function* (): AsyncGenerator<Buffer> {
        for await (const piece of bytes ?? []) {
          hash.update(piece)
          size += piece.length
          yield piece
        }
      }
      const drain = async (): Promise<void> => {
        for await (const _ of hashed());
      }
      const flaw = flawOfDocument('uploads', document)
      if (flaw) {
        await drain()
        return refuse(line, flaw.why)
      }
      const upload = uploadOf(document)
      const mustBeRight = (): void => {
        if (size !== upload.bytes || hash.digest('hex') !== upload.sha256)
          throw badLine(number, `the upload ${id} has other bytes than its document says`)
      }
      if (upload.state !== 'whole') {
        await drain()
        return refuse(line, 'an upload that is not whole cannot be taken in')
      }
      if (!bytes) throw badLine(number, `the bytes of the upload ${id} are missing`)
      try {
        const there = await documents.get('uploads', id)
        const outcome = await decide(document, there)
        if (outcome !== 'created' && outcome !== 'replaced') {
          await drain()
          mustBeRight()
          return typeof outcome === 'string' ? onTaken(outcome) : refuse(line, outcome.why)
        }
        const open = {
          ...upload,
          state: 'open',
          // it belongs to no process, so that it stays for a while without one
          resumable: true,
          holder: null,
          bytes: 0,
          type: null,
          sha256: null,
          touchedAt: now(),
        }
        const { rev } = await documents.put('uploads', id, { ...document, data: open }, there?.rev ?? null)
        try {
          await uploads.write(id, 0, Readable.from(hashed(), { highWaterMark: 1 }))
          mustBeRight()
        } catch (error) {
          // what cannot be taken back now stays open, and goes as such
          await Promise.allSettled([uploads.remove(id), documents.remove('uploads', id, rev)])
          throw error
        }
        pending = { document, rev, outcome }
      } catch (error) {
        if (!isMadhavaError(error, 'DOCUMENT_INVALID') && !isMadhavaError(error, 'DOCUMENT_CHANGED'))
          throw error
        await drain()
        refuse(line, error.message)
      }
    },

    async use(line) {
      const { document } = line
      const id = uploadIdOfUse(document)
      const flaw = flawOfDocument('upload-uses', document)
      if (flaw) return refuse(line, flaw.why)
      try {
        if (!(await documents.get('uploads', id))) return refuse(line, 'its upload is not there')
        if (await documents.get('upload-uses', document.name)) return
        // its task follows, and it must not seem to have been left over until then
        const data = { ...document.data, createdAt: now(), holder: null, made: false }
        await documents.put('upload-uses', document.name, { ...document, data }, null)
      } catch (error) {
        if (!isMadhavaError(error, 'DOCUMENT_INVALID') && !isMadhavaError(error, 'DOCUMENT_CHANGED'))
          throw error
        refuse(line, error.message)
      }
    },

    async finish() {
      if (!pending) return
      const { document, rev, outcome } = pending
      pending = null
      try {
        await documents.put('uploads', document.name, document, rev)
        onTaken(outcome)
      } catch (error) {
        if (!isMadhavaError(error, 'DOCUMENT_CHANGED')) throw error
        onRefused(`uploads/${document.name}`, 'another process has just written it')
        onTaken('refused')
      }
    },
  }
}
