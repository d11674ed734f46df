// A zip as a stream: its files are read one after another, at the pace of the reader, and stored as they are.
import type { Readable } from 'node:stream'
import { ZipFile } from 'yazl'

export interface ZipEntry {
  name: string
  bytes: number
  open(): Readable
}

/** Fails with what a file fails with, and when one has other than its bytes. */
export async function* zipOf(entries: readonly ZipEntry[]): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile()
  const output = zip.outputStream as Readable
  let open: Readable | null = null
  const fail = (error: unknown): void =>
    void output.destroy(error instanceof Error ? error : new Error(String(error)))
  zip.on('error', fail)
  // pictures are compressed already
  for (const { name, bytes, open: read } of entries)
    zip.addReadStreamLazy(name, { size: bytes, compress: false, mode: 0o100644 }, give => {
      open = read()
      open.once('error', fail)
      give(null, open)
    })
  zip.end()
  try {
    for await (const chunk of output) yield chunk as Uint8Array
  } finally {
    ;(open as Readable | null)?.destroy()
  }
}
