// `ctx.upload` inside a thread: asks the worker process for uploads that the params name, and reads their bytes at the
// pace of the reader.
import { AsyncLocalStorage } from 'node:async_hooks'
import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MadhavaError } from '../../core/errors.ts'
import type { TaskContext, UploadedFile } from '../../core/kind.ts'
import { uploadIdOf } from '../../core/upload-ref.ts'
import { type CallError, type FileToThread, PIECE_BYTES, type UploadNote } from '../pool/file-protocol.ts'
import { type CallPort, errorOfCall } from './call-port.ts'

export interface ThreadUploads {
  upload: TaskContext['upload']
  receive(message: FileToThread): void
  /** The run is over: streams end without a word. */
  close(): void
}

interface Reading {
  stream: Readable
  receive(message: FileToThread): void
}

const checkedRange = (range: { start?: number; end?: number }, bytes: number) => {
  const { start = 0, end = bytes } = range
  for (const at of [start, end])
    if (!Number.isSafeInteger(at) || at < 0)
      throw new RangeError('upload: a range has whole numbers from 0 on, its start and its end')
  return { start, end: Math.max(start, end) }
}

/** `scratch` gives the attempt's own folder. */
export const createThreadUploads = (port: CallPort, scratch: () => string): ThreadUploads => {
  const { signal, nextCall, post, refuseWhenOver } = port
  const asked = new Map<number, (answer: UploadNote | CallError) => void>()
  const readings = new Map<number, Reading>()
  /** By id: the same upload has the same path, however often it is asked for. */
  const known = new Map<string, Promise<UploadedFile>>()
  let closed = false

  const openStream = (id: string, range: { start: number; end: number }): Readable => {
    const call = nextCall()
    const pieces: Uint8Array[] = []
    let begun = false
    let wanted = false
    let ended = false
    // listeners of the stream are code of the run that has opened it
    const asOpener = AsyncLocalStorage.snapshot()
    const hand = (): void => {
      while (wanted && pieces.length > 0) {
        const piece = pieces.shift() as Uint8Array
        if (!closed) post({ type: 'taken', call, bytes: piece.length })
        wanted = stream.push(piece)
      }
      if (ended && wanted && pieces.length === 0) {
        wanted = false
        stream.push(null)
      }
    }
    const stream = new Readable({
      highWaterMark: PIECE_BYTES,
      read() {
        wanted = true
        if (!begun) {
          begun = true
          if (!closed) post({ type: 'read', call, id, ...range })
        }
        hand()
      },
      destroy(error, done) {
        if (readings.delete(call) && begun && !ended && !closed) post({ type: 'broken', call, error: null })
        pieces.length = 0
        done(error)
      },
    })
    readings.set(call, {
      stream,
      receive: message =>
        asOpener(() => {
          if (message.type === 'piece') pieces.push(message.bytes)
          else if (message.type === 'end') ended = true
          else if (message.type === 'broken') {
            ended = true
            stream.destroy(message.error ? errorOfCall(message.error) : new MadhavaError('STORE_UNAVAILABLE'))
            return
          }
          hand()
        }),
    })
    return stream
  }

  const copyTo = async (file: string, stream: Readable): Promise<string> => {
    const aside = `${file}.part`
    try {
      await pipeline(stream, createWriteStream(aside, { mode: 0o600 }), { signal })
      await rename(aside, file)
      return file
    } catch (error) {
      await rm(aside, { force: true })
      throw signal.aborted ? signal.reason : error
    }
  }

  const find = async (id: string): Promise<UploadedFile> => {
    const call = nextCall()
    const answer = await new Promise<UploadNote | CallError>(resolve => {
      asked.set(call, resolve)
      post({ type: 'find', call, id })
    })
    if ('code' in answer) throw errorOfCall(answer)
    let copied: Promise<string> | null = null
    const stream: UploadedFile['stream'] = (range = {}) => {
      const checked = checkedRange(range, answer.bytes)
      refuseWhenOver()
      return openStream(id, checked)
    }
    return {
      id,
      ...answer,
      stream,
      async path() {
        refuseWhenOver()
        copied ??= copyTo(path.join(scratch(), `upload-${id}`), stream())
        try {
          return await copied
        } catch (error) {
          copied = null
          throw error
        }
      },
    }
  }

  return {
    async upload(ref) {
      refuseWhenOver()
      const id = uploadIdOf(ref)
      if (id === null)
        throw new MadhavaError('UPLOAD_NOT_FOUND', 'An upload is named as {"$upload": "<its id>"}')
      const found = known.get(id) ?? find(id)
      known.set(id, found)
      try {
        return await found
      } catch (error) {
        known.delete(id)
        throw error
      }
    },
    receive(message) {
      if (message.type === 'found') {
        asked.get(message.call)?.(message.answer)
        asked.delete(message.call)
      } else readings.get(message.call)?.receive(message)
    },
    close() {
      closed = true
      asked.clear()
      for (const { stream } of readings.values()) stream.destroy()
      readings.clear()
    },
  }
}
