// The lines of uploads in an export: each that is whole, its bytes, and which tasks name it. They come before the
// tasks, since a task may run as soon as it is imported. What came meanwhile follows the tasks.
import type { Readable } from 'node:stream'
import type { CollectionName, Document } from '../../core/documents.ts'
import type { LineWriter } from './export-format.ts'
import { piecesOf } from './pieces-of.ts'

/** Their documents are exported here, and with no others. */
export const UPLOAD_COLLECTIONS: readonly CollectionName[] = ['uploads', 'upload-uses']

type OnLeftOut = (what: string, why: string) => void

/** Where uploads are read from. */
export interface UploadSource {
  /** All documents of uploads. */
  documents(): AsyncIterable<Document>
  /** The documents of the uses of one. */
  uses(id: string): AsyncIterable<Document>
  read(id: string): Promise<{ bytes: number; stream: Readable } | null>
}

export interface UploadExport {
  /** Of what there is now. */
  first(): AsyncGenerator<string>
  /** Of what has come since. */
  rest(): AsyncGenerator<string>
}

export const createUploadExport = (deps: {
  sourceOf: (onLeftOut: OnLeftOut) => UploadSource
  lines: LineWriter
  onLeftOut: OnLeftOut
}): UploadExport => {
  const { sourceOf, lines } = deps
  const leftOut = new Set<string>()
  /** Once, although all are looked at twice. */
  const onLeftOut: OnLeftOut = (what, why) => {
    if (!leftOut.has(what)) deps.onLeftOut(what, why)
    leftOut.add(what)
  }
  const source = sourceOf(onLeftOut)
  /** Told already: uploads, and their uses. */
  const told = new Set<string>()

  async function* upload(document: Document): AsyncGenerator<string> {
    const { name: id } = document
    const found = await source.read(id)
    if (!found || found.bytes !== document.data.bytes) {
      found?.stream.destroy()
      return onLeftOut(`uploads/${id}`, 'its bytes are not there, or of another size')
    }
    told.add(id)
    try {
      yield lines.document('uploads', document)
      for await (const { offset, bytes } of piecesOf(`The upload ${id}`, found.bytes, found.stream))
        yield lines.uploadPiece(id, found.bytes, offset, bytes)
    } finally {
      found.stream.destroy()
    }
  }

  async function* whatIsNew(): AsyncGenerator<string> {
    for await (const document of source.documents()) {
      const { name: id } = document
      if (!told.has(id) && document.data.state === 'whole') yield* upload(document)
      if (!told.has(id)) continue
      for await (const use of source.uses(id)) {
        if (told.has(use.name)) continue
        told.add(use.name)
        yield lines.document('upload-uses', use)
      }
    }
  }
  return { first: whatIsNew, rest: whatIsNew }
}
