// `ctx.artifact` inside a thread: sends the content to the worker process in pieces, at the pace at which it is written,
// a few artifacts at a time.
import { whyArtifactRefused } from '../../core/artifacts.ts'
import { MadhavaError } from '../../core/errors.ts'
import type { Artifact, TaskContext } from '../../core/kind.ts'
import { type ByteSender, createByteSender } from '../pool/byte-channel.ts'
import { ARTIFACTS_AT_ONCE, type CallError, type FileToThread } from '../pool/file-protocol.ts'
import { type CallPort, errorOfCall } from './call-port.ts'
import { bytesOfContent, type ContentBytes } from './content-bytes.ts'

export interface ThreadArtifacts {
  artifact: TaskContext['artifact']
  receive(message: FileToThread): void
  /** Resolves when each one so far is kept or refused, also those that the kind did not await. Never rejects. */
  settled(): Promise<void>
  /** The run is over: those under way are left. */
  close(): void
}

interface Underway {
  sender: ByteSender
  content: ContentBytes
  answered(answer: Artifact | CallError): void
}

export const createThreadArtifacts = ({
  signal,
  nextCall,
  post,
  refuseWhenOver,
}: CallPort): ThreadArtifacts => {
  const underway = new Map<number, Underway>()
  const queued: (() => void)[] = []
  const idle: (() => void)[] = []
  /** Begun and not over: those that have their turn, and all. */
  let running = 0
  let open = 0
  let closed = false

  const next = (): void => {
    while (running < ARTIFACTS_AT_ONCE) {
      const begin = queued.shift()
      if (!begin) break
      running += 1
      begin()
    }
    if (open === 0) for (const resolve of idle.splice(0)) resolve()
  }
  const turn = (): Promise<void> =>
    new Promise(resolve => {
      open += 1
      queued.push(resolve)
      next()
    })
  const done = (): void => {
    running -= 1
    open -= 1
    next()
  }

  const pump = async (sender: ByteSender, content: ContentBytes): Promise<void> => {
    for await (const bytes of content.bytes) await sender.send(bytes)
  }

  /** Everything of one artifact, from its turn on. */
  const send = async (name: string, type: string | null, content: ContentBytes): Promise<Artifact> => {
    const call = nextCall()
    const sender = createByteSender(piece => post({ type: 'piece', call, bytes: piece }, [piece.buffer]))
    const answer = new Promise<Artifact>((resolve, reject) => {
      underway.set(call, {
        sender,
        content,
        answered(answer) {
          underway.delete(call)
          if (!('code' in answer)) resolve(answer)
          else {
            const error = errorOfCall(answer)
            sender.stop(error)
            reject(error)
          }
          done()
        },
      })
    })
    post({ type: 'keep', call, name, mediaType: type })
    let abort: () => void = () => {}
    const aborted = new Promise<never>((_resolve, reject) => {
      abort = () => reject(signal.reason)
    })
    signal.addEventListener('abort', abort, { once: true })
    try {
      // a refusal or a cancel does not wait for the next piece of the content
      await Promise.race([pump(sender, content), answer.then(() => {}), aborted])
      post({ type: 'end', call })
    } catch (error) {
      // neither kept nor refused: the run is over
      if (closed) return new Promise(() => {})
      if (underway.has(call)) post({ type: 'broken', call, error: null })
      sender.stop(error instanceof Error ? error : new Error('The content threw'))
      content.close()
      throw error
    } finally {
      signal.removeEventListener('abort', abort)
    }
    return answer
  }

  return {
    async artifact(name, content, options) {
      refuseWhenOver()
      const type = options?.type ?? null
      const refusal = whyArtifactRefused(name, type)
      if (refusal !== null) throw new MadhavaError('ARTIFACT_REFUSED', refusal)
      const bytes = bytesOfContent(content)
      await turn()
      try {
        refuseWhenOver()
      } catch (error) {
        bytes.close()
        done()
        throw error
      }
      return send(name, type, bytes)
    },
    receive(message) {
      if (message.type === 'kept') underway.get(message.call)?.answered(message.answer)
      else if (message.type === 'taken') underway.get(message.call)?.sender.taken(message.bytes)
    },
    settled: () =>
      new Promise(resolve => {
        if (open === 0) resolve()
        else idle.push(resolve)
      }),
    close() {
      closed = true
      queued.length = 0
      for (const { content } of underway.values()) content.close()
      underway.clear()
    },
  }
}
