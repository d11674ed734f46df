// What a run in its thread asks about files, in the worker process: passes each question on, and its bytes with it. It
// knows no store.
import type { Readable } from 'node:stream'
import { MadhavaError, toMadhavaError } from '../../core/errors.ts'
import type { Artifact } from '../../core/kind.ts'
import { type ByteReceiver, type ByteSender, createByteReceiver, createByteSender } from './byte-channel.ts'
import type { CallError, FileFromThread, FileToThread, UploadNote } from './file-protocol.ts'

/** What the attempt does with files. */
export interface RunFiles {
  /** Keeps an artifact. Never rejects. */
  keep(artifact: { name: string; type: string | null }, bytes: ByteReceiver): Promise<Artifact | CallError>
  /** Never rejects. */
  find(id: string): Promise<UploadNote | CallError>
  /** Bytes `start` to `end` (exclusive) of an upload. @throws UPLOAD_NOT_FOUND, STORE_UNAVAILABLE */
  read(id: string, range: { start: number; end: number }): Promise<Readable>
  /** The folder of the attempt is about to be made. */
  scratchMade(): void
}

export interface FileCalls {
  receive(message: FileFromThread): void
  /** The run is over: what is still under way is broken off. */
  end(): void
}

export const callErrorOf = (error: unknown): CallError => {
  const { code, message, detail } = toMadhavaError(error)
  return { code, message, detail }
}

const noFiles = (): MadhavaError => new MadhavaError('INTERNAL', 'Nothing here keeps files')
/** For runs without a store. */
export const NO_FILES: RunFiles = {
  keep: async () => callErrorOf(noFiles()),
  find: async () => callErrorOf(noFiles()),
  read: () => Promise.reject(noFiles()),
  scratchMade() {},
}

const runIsOver = (): Error => new MadhavaError('CLAIM_LOST', 'The run is over')

export const createFileCalls = (
  files: RunFiles,
  post: (message: FileToThread, transfer?: ArrayBuffer[]) => void,
): FileCalls => {
  const artifacts = new Map<number, ByteReceiver>()
  const readings = new Map<number, { sender: ByteSender; source: Readable | null }>()
  let over = false
  const tell = (message: FileToThread, transfer: ArrayBuffer[] = []): void => {
    if (!over) post(message, transfer)
  }

  const keep = async (call: number, name: string, type: string | null): Promise<void> => {
    const receiver = createByteReceiver(
      bytes => tell({ type: 'taken', call, bytes }),
      () => {},
    )
    artifacts.set(call, receiver)
    const answer = await files.keep({ name, type }, receiver)
    receiver.stop()
    artifacts.delete(call)
    tell({ type: 'kept', call, answer })
  }

  const read = async (call: number, id: string, range: { start: number; end: number }): Promise<void> => {
    const sender = createByteSender(piece => tell({ type: 'piece', call, bytes: piece }, [piece.buffer]))
    const reading: { sender: ByteSender; source: Readable | null } = { sender, source: null }
    readings.set(call, reading)
    try {
      const source = await files.read(id, range)
      reading.source = source
      // it may have been broken off meanwhile
      if (readings.get(call) !== reading) source.destroy()
      for await (const piece of source) await sender.send(piece as Uint8Array)
      tell({ type: 'end', call })
    } catch (error) {
      reading.source?.destroy()
      if (readings.get(call) === reading) tell({ type: 'broken', call, error: callErrorOf(error) })
    } finally {
      readings.delete(call)
    }
  }
  const stopReading = (call: number): void => {
    const reading = readings.get(call)
    readings.delete(call)
    reading?.sender.stop(runIsOver())
    reading?.source?.destroy()
  }

  return {
    receive(message) {
      if (over) return
      if (message.type === 'scratch') files.scratchMade()
      else if (message.type === 'keep') void keep(message.call, message.name, message.mediaType)
      else if (message.type === 'find')
        void files.find(message.id).then(answer => tell({ type: 'found', call: message.call, answer }))
      else if (message.type === 'read') void read(message.call, message.id, message)
      else if (message.type === 'piece') artifacts.get(message.call)?.add(message.bytes)
      else if (message.type === 'end') artifacts.get(message.call)?.end()
      else if (message.type === 'taken') readings.get(message.call)?.sender.taken(message.bytes)
      else {
        artifacts
          .get(message.call)
          ?.fail(new MadhavaError('ARTIFACT_REFUSED', 'The content was not delivered whole'))
        stopReading(message.call)
      }
    },
    end() {
      over = true
      for (const receiver of artifacts.values()) receiver.fail(runIsOver())
      for (const call of [...readings.keys()]) stopReading(call)
    },
  }
}
