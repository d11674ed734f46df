// The files of a run without a worker: uploads that the test gives, artifacts in memory, a private folder.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { ARTIFACTS_MAX, whyArtifactRefused } from '../core/artifacts.ts'
import { MadhavaError } from '../core/errors.ts'
import type { Artifact, NamedKind, TaskContext, UploadedFile } from '../core/kind.ts'
import { formatProblems } from '../core/problems.ts'
import type { Json } from '../core/task.ts'
import { findUploads, flawOfUpload, idsOf, UPLOADS_PER_TASK } from '../core/upload-params.ts'
import { uploadIdOf } from '../core/upload-ref.ts'
import { typeOfBytes } from '../platform/type-of-bytes.ts'
import { bytesOfContent } from '../worker/thread/content-bytes.ts'

/** An upload that a test gives. */
export interface GivenUpload {
  /** A text is taken as UTF-8. */
  content: Uint8Array | string
  /** As a client would call it; null if left out. */
  name?: string | null
  /** Left out: it is found in the bytes, as a server finds it. */
  type?: string
}

/** A file that the run has made. */
export interface KeptFile extends Artifact {
  content: Buffer
}

export interface RunFiles {
  /** By name. */
  readonly artifacts: Record<string, KeptFile>
  artifact: TaskContext['artifact']
  upload: TaskContext['upload']
  /** Makes the private folder at the first call. */
  scratch(): string
  /** Resolves when each artifact so far is kept or refused, also those that the kind did not await. Never rejects. */
  settled(): Promise<void>
  /** Removes the private folder. */
  close(): void
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const byLowerId = (given: Readonly<Record<string, GivenUpload>>): Map<string, GivenUpload> =>
  new Map(Object.entries(given).map(([id, upload]) => [id.toLowerCase(), upload]))

const bytesOf = ({ content }: GivenUpload): Buffer => Buffer.from(content as Uint8Array)
const typeOf = async (upload: GivenUpload): Promise<string> =>
  upload.type ?? (await typeOfBytes(bytesOf(upload)))

/**
 * Refuses what a submit would refuse of the uploads that params name.
 * @throws PARAMS_INVALID, with one entry per problem in `detail.problems`
 */
export const checkUploads = async (
  kind: NamedKind,
  params: Json,
  given: Readonly<Record<string, GivenUpload>>,
): Promise<void> => {
  const uploads = byLowerId(given)
  const named = findUploads(params, kind.schemas.params)
  const problems: { path: string; problem: string }[] = []
  if (named.length > UPLOADS_PER_TASK)
    problems.push({ path: 'params', problem: `a task may name ${UPLOADS_PER_TASK} uploads` })
  for (const { id, path: place, rules } of named) {
    const upload = uploads.get(id)
    const flaw = upload
      ? flawOfUpload(rules, { type: await typeOf(upload), bytes: bytesOf(upload).length })
      : `there is no upload ${id} in the option uploads`
    if (flaw !== null) problems.push({ path: place, problem: flaw })
  }
  if (problems.length > 0)
    throw new MadhavaError(
      'PARAMS_INVALID',
      `The params do not fit the kind ${kind.name}: ${formatProblems(problems)}`,
      { detail: { problems } },
    )
}

const checkedRange = (range: { start?: number; end?: number }, bytes: number) => {
  const { start = 0, end = bytes } = range
  for (const at of [start, end])
    if (!Number.isSafeInteger(at) || at < 0)
      throw new RangeError('upload: a range has whole numbers from 0 on, its start and its end')
  return { start, end: Math.max(start, end) }
}

export const createRunFiles = ({
  params,
  given,
  signal,
}: {
  /** As they are stored: only what they name can be read. */
  params: Json
  given: Readonly<Record<string, GivenUpload>>
  signal: AbortSignal
}): RunFiles => {
  const uploads = byLowerId(given)
  const named = new Set(idsOf(findUploads(params, {})))
  const known = new Map<string, Promise<UploadedFile>>()
  const artifacts: Record<string, KeptFile> = {}
  const underway = new Set<Promise<void>>()
  let folder: string | null = null
  const scratch = (): string => {
    folder ??= mkdtempSync(path.join(tmpdir(), 'madhava-attempt-'))
    return folder
  }

  const find = async (id: string): Promise<UploadedFile> => {
    const upload = named.has(id) ? uploads.get(id) : undefined
    if (!upload) throw new MadhavaError('UPLOAD_NOT_FOUND')
    const bytes = bytesOf(upload)
    let copied: Promise<string> | null = null
    return {
      id,
      name: upload.name ?? null,
      bytes: bytes.length,
      type: await typeOf(upload),
      sha256: sha256(bytes),
      stream(range = {}) {
        const { start, end } = checkedRange(range, bytes.length)
        signal.throwIfAborted()
        return Readable.from([bytes.subarray(start, end)], { objectMode: false })
      },
      path() {
        signal.throwIfAborted()
        const file = path.join(scratch(), `upload-${id}`)
        copied ??= writeFile(file, bytes, { mode: 0o600 }).then(() => file)
        return copied
      },
    }
  }

  const keep: TaskContext['artifact'] = async (name, content, options) => {
    signal.throwIfAborted()
    const refusal = whyArtifactRefused(name, options?.type ?? null)
    if (refusal !== null) throw new MadhavaError('ARTIFACT_REFUSED', refusal)
    const parts: Uint8Array[] = []
    const { bytes, close } = bytesOfContent(content)
    try {
      for await (const part of bytes) {
        signal.throwIfAborted()
        parts.push(part)
      }
    } catch (error) {
      close()
      throw error
    }
    if (!Object.hasOwn(artifacts, name) && Object.keys(artifacts).length >= ARTIFACTS_MAX)
      throw new MadhavaError('ARTIFACT_REFUSED', `A task may keep ${ARTIFACTS_MAX} files`)
    const whole = Buffer.concat(parts)
    const type = options?.type ?? (await typeOfBytes(whole))
    const artifact: Artifact = { name, bytes: whole.length, type, sha256: sha256(whole) }
    artifacts[name] = { ...artifact, content: whole }
    return artifact
  }

  return {
    artifacts,
    async artifact(name, content, options) {
      // nobody else may handle a refusal that the kind does not await: the test is to fail
      let end = (): void => {}
      const promise = new Promise<void>(resolve => {
        end = resolve
      })
      underway.add(promise)
      try {
        return await keep(name, content, options)
      } finally {
        underway.delete(promise)
        end()
      }
    },
    async upload(ref) {
      signal.throwIfAborted()
      const id = uploadIdOf(ref)
      if (id === null)
        throw new MadhavaError('UPLOAD_NOT_FOUND', 'An upload is named as {"$upload": "<its id>"}')
      const found = known.get(id) ?? find(id)
      known.set(id, found)
      return found
    },
    scratch,
    async settled() {
      while (underway.size > 0) await Promise.all(underway)
    },
    close() {
      if (folder !== null) rmSync(folder, { recursive: true, force: true })
      folder = null
    },
  }
}
