// Whether the files that a record lists came with it: each with its size and its hash.
import { createHash } from 'node:crypto'
import { artifactsOf } from '../../core/artifacts.ts'
import type { TaskRecord } from '../../core/task.ts'

export interface ArtifactCheck {
  /** The same bytes, which are looked at on their way when the record lists them. */
  watch(blob: string, bytes: AsyncIterable<Buffer>): AsyncIterable<Buffer>
  /** What is wrong, when all blobs have come; null: nothing. */
  flaw(): string | null
}

export const createArtifactCheck = (task: Pick<TaskRecord, 'artifacts'>): ArtifactCheck => {
  const listed = artifactsOf(task)
  const seen = new Map<string, { bytes: number; sha256: string }>()
  return {
    async *watch(blob, pieces) {
      if (!listed.some(({ file }) => file === blob)) {
        yield* pieces
        return
      }
      const hash = createHash('sha256')
      let bytes = 0
      for await (const piece of pieces) {
        hash.update(piece)
        bytes += piece.length
        yield piece
      }
      seen.set(blob, { bytes, sha256: hash.digest('hex') })
    },
    flaw() {
      for (const { name, file, bytes, sha256 } of listed) {
        const found = seen.get(file)
        if (!found) return `the file ${name} did not come`
        if (found.bytes !== bytes || found.sha256 !== sha256)
          return `the file ${name} has other bytes than the record says`
      }
      return null
    },
  }
}
