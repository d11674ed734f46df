// The artifacts of one attempt: each is written beside the record, then listed in it. What cannot be listed is removed,
// or stands for `mayHaveLeft` until the record says what became of it.
import { Readable } from 'node:stream'
import {
  ARTIFACTS_MAX,
  artifactFile,
  artifactsOf,
  type KeptArtifact,
  listArtifact,
  showArtifact,
  whyArtifactRefused,
} from '../core/artifacts.ts'
import { type ByteDigest, createByteDigest } from '../core/byte-digest.ts'
import { MadhavaError } from '../core/errors.ts'
import type { Artifact } from '../core/kind.ts'
import type { Move } from '../core/moves.ts'
import type { TaskStore } from '../core/store.ts'
import type { TaskRecord } from '../core/task.ts'
import type { Log } from '../platform/log.ts'
import { typeOfBytes } from '../platform/type-of-bytes.ts'
import type { ByteReceiver } from './pool/byte-channel.ts'
import { callErrorOf, type RunFiles } from './pool/file-calls.ts'
import { type RetryOptions, retryWrite } from './retry-write.ts'

export interface Artifacts extends Pick<RunFiles, 'keep'> {
  /** Breaks off what is under way. Resolves when each is listed, or undone as far as can be. Never rejects. */
  end(): Promise<void>
  /** Blobs may be there that the record does not list. */
  mayHaveLeft(): boolean
}

/** @throws ARTIFACT_TOO_LARGE from `add` */
const createBoundedDigest = (maxBytes: number): ByteDigest => {
  const digest = createByteDigest()
  return {
    ...digest,
    add(piece) {
      if (digest.bytes() + piece.length > maxBytes)
        throw new MadhavaError('ARTIFACT_TOO_LARGE', `An artifact may have ${maxBytes} bytes`, {
          detail: { maxBytes },
        })
      digest.add(piece)
    },
  }
}

/** Reads piece by piece as the store asks; a stream of Node's own would wait for the next piece before it ends. */
const streamOf = (bytes: ByteReceiver, see: (piece: Uint8Array) => void): Readable => {
  const stream = new Readable({
    read() {
      bytes.next().then(
        piece => {
          try {
            if (piece) see(piece)
            stream.push(piece)
          } catch (error) {
            stream.destroy(error as Error)
          }
        },
        error => stream.destroy(error),
      )
    },
    destroy(error, done) {
      bytes.stop()
      done(error)
    },
  })
  return stream
}

export const createArtifacts = (deps: {
  task: TaskRecord
  /** Refuses writes of an attempt that has been overtaken. */
  store: () => Pick<TaskStore, 'putBlob'>
  /** Removes what is this attempt's alone, whoever has the task. */
  removeBlob: TaskStore['removeBlob']
  move: (change: Move) => Promise<TaskRecord>
  maxBytes: number
  /** Why the attempt may keep nothing more; null: it may. */
  refusal: () => string | null
  now: () => string
  retryOptions: RetryOptions
  log: Log
}): Artifacts => {
  const { task, store, removeBlob, move, maxBytes, refusal, now, retryOptions, log } = deps
  const { id, claim } = task
  const names = new Map(artifactsOf(task).map(({ name }) => [name, 1]))
  const open = new Set<ByteReceiver>()
  const underWay = new Set<Promise<unknown>>()
  let count = 0
  let left = false

  const remove = async (file: string): Promise<void> => {
    try {
      await removeBlob(id, file)
    } catch (error) {
      left = true
      log.debug({ error, file }, 'the bytes of an artifact could not be removed')
    }
  }
  const lost = (reason: string): MadhavaError =>
    new MadhavaError('CLAIM_LOST', `No artifact can be kept any more: ${reason}`)

  /** @throws why it cannot be kept; then nothing of it is left, or `left` is true */
  const list = async (artifact: KeptArtifact): Promise<void> => {
    const replaced = new Set<string>()
    let failed = 0
    const written = await retryWrite(async tries => {
      failed = tries
      const reason = refusal()
      if (reason !== null) throw lost(reason)
      await move(current => {
        for (const { name, file } of artifactsOf(current))
          if (name === artifact.name && file !== artifact.file) replaced.add(file)
        return listArtifact(artifact, now())(current)
      })
    }, retryOptions)
    if (written.state === 'written') {
      for (const file of replaced) await remove(file)
      return
    }
    // a try that failed may have been written after all: then the record lists it
    if (failed > 0) left = true
    else await remove(artifact.file)
    throw written.state === 'refused' ? written.error : lost('the task is no longer held here')
  }

  const write = async (
    { name, type }: { name: string; type: string | null },
    bytes: ByteReceiver,
  ): Promise<Artifact> => {
    const reason = refusal()
    if (reason !== null) throw lost(reason)
    const wrong = whyArtifactRefused(name, type)
    if (wrong !== null) throw new MadhavaError('ARTIFACT_REFUSED', wrong)
    if (!names.has(name) && names.size >= ARTIFACTS_MAX)
      throw new MadhavaError('ARTIFACT_REFUSED', `A task may have ${ARTIFACTS_MAX} artifacts`)
    names.set(name, (names.get(name) ?? 0) + 1)
    open.add(bytes)
    let listed = false
    try {
      count += 1
      const file = artifactFile(claim, count)
      const digest = createBoundedDigest(maxBytes)
      try {
        await store().putBlob(id, file, streamOf(bytes, digest.add))
      } catch (error) {
        // a write that failed late may have been done after all
        await remove(file)
        throw error
      }
      const { first, ...counted } = digest.end()
      const artifact = { name, type: type ?? (await typeOfBytes(first)), ...counted, file }
      await list(artifact)
      listed = true
      log.debug({ artifact: name, bytes: counted.bytes }, 'kept an artifact')
      return showArtifact(artifact)
    } finally {
      open.delete(bytes)
      const users = (names.get(name) ?? 1) - (listed ? 0 : 1)
      if (users > 0) names.set(name, users)
      else names.delete(name)
    }
  }

  return {
    async keep(artifact, bytes) {
      const kept = write(artifact, bytes).catch((error: unknown) => {
        const told = callErrorOf(error)
        log.debug({ artifact: artifact.name, code: told.code, error }, 'an artifact could not be kept')
        return told
      })
      underWay.add(kept)
      try {
        return await kept
      } finally {
        underWay.delete(kept)
      }
    },
    async end() {
      for (const bytes of open) bytes.fail(new MadhavaError('CLAIM_LOST', 'The attempt is over'))
      await Promise.all(underWay)
    },
    mayHaveLeft: () => left,
  }
}
