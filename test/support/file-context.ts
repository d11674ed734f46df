// What a kind is handed that takes and makes files, without a worker around it: uploads are given, artifacts are kept.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { MadhavaError } from '../../src/core/errors.ts'
import type { Artifact, TaskContext, UploadedFile } from '../../src/core/kind.ts'
import { contextWith } from './task-context.ts'
import { type Ends, undo } from './undo.ts'

export interface GivenFile {
  bytes: Uint8Array
  name?: string | null
  /** As the server would have found it. */
  type: string
}

export interface KeptFile extends Artifact {
  content: Buffer
}

export interface FileContext {
  context: TaskContext
  /** By name, as the task would have them at its end. */
  artifacts: ReadonlyMap<string, KeptFile>
  /** The notes of the progress, and how far it was, in their order. */
  steps: readonly { percent: number; note: string | undefined }[]
  lines: readonly string[]
  /** The private folder of the attempt. */
  folder: string
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** `uploads` by id. The folder is gone with the test. */
export const fileContext = (
  uploads: Readonly<Record<string, GivenFile>>,
  test: Ends,
  over: Partial<TaskContext> = {},
): FileContext => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madhava-attempt-'))
  undo(test, () => rmSync(folder, { recursive: true, force: true }))
  const artifacts = new Map<string, KeptFile>()
  const steps: { percent: number; note: string | undefined }[] = []
  const lines: string[] = []

  const given = (id: string, { bytes, name = null, type }: GivenFile): UploadedFile => {
    let copied: Promise<string> | null = null
    return {
      id,
      name,
      bytes: bytes.length,
      type,
      sha256: sha256(bytes),
      stream: ({ start = 0, end = bytes.length } = {}) =>
        Readable.from([Buffer.from(bytes.subarray(start, end))]),
      path() {
        const file = path.join(folder, `upload-${id}`)
        copied ??= writeFile(file, bytes).then(() => file)
        return copied
      },
    }
  }

  const context = contextWith({
    progress: (percent, note) => void steps.push({ percent, note }),
    log: line => void lines.push(line),
    async upload({ $upload }) {
      const file = uploads[$upload]
      if (file === undefined) throw new MadhavaError('UPLOAD_NOT_FOUND')
      return given($upload, file)
    },
    async artifact(name, made, { type = 'application/octet-stream' } = {}) {
      const parts: Buffer[] = []
      const whole = typeof made === 'string' || made instanceof Uint8Array ? [made] : made
      for await (const part of whole) {
        context.signal.throwIfAborted()
        parts.push(Buffer.from(part as Uint8Array))
      }
      const content = Buffer.concat(parts)
      const artifact = { name, type, bytes: content.length, sha256: sha256(content) }
      artifacts.set(name, { ...artifact, content })
      return artifact
    },
    scratch: folder,
    ...over,
  })
  return { context, artifacts, steps, lines, folder }
}
