// Reads a zip for the tests, by a library that did not write it.
import { buffer } from 'node:stream/consumers'
import { fromBuffer } from 'yauzl'

export interface Unzipped {
  name: string
  bytes: Buffer
  /** 0: stored as it is. */
  method: number
}

/** All entries in their order. It checks their checksums. */
export const unzip = (zip: Buffer): Promise<Unzipped[]> =>
  new Promise((resolve, reject) => {
    fromBuffer(
      zip,
      { lazyEntries: true, strictFileNames: true, validateEntrySizes: true },
      (error, opened) => {
        if (error) return reject(error)
        const found: Unzipped[] = []
        opened.on('error', reject)
        opened.on('end', () => resolve(found))
        opened.on('entry', entry => {
          opened.openReadStream(entry, (failure, stream) => {
            if (failure) return reject(failure)
            buffer(stream).then(bytes => {
              found.push({ name: entry.fileName, bytes, method: entry.compressionMethod })
              opened.readEntry()
            }, reject)
          })
        })
        opened.readEntry()
      },
    )
  })
