// A writer in a thread of its own. A process with many tasks spends much of its time in calls to the disk; the thread
// takes them over.
import { MessageChannel, Worker } from 'node:worker_threads'
import { threadEntry } from '../../../platform/thread-entry.ts'
import type { Draft, Take, TakeResult, Writer } from './writer.ts'
import {
  revive,
  type TakeReplies,
  type Takes,
  type WriterReplies,
  type WriterRequest,
  type WriterThreadData,
} from './writer-protocol.ts'

const { file: ENTRY, argv } = threadEntry('writer-thread', import.meta.url)

const HEAP = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }
/** Characters of state files in one request: what the thread works on at a time must fit into its heap. */
const REQUEST_MAX = 4 * 1024 * 1024

export interface ThreadedWriterOptions {
  /** Called for each state file before it is written. */
  onWrite: (draft: Draft) => void
  /** Called once, when the thread is lost. Nobody knows how far it came, so the process must end. */
  onLost: (error: Error) => void
}

interface Pending {
  resolve: (reply: never) => void
  reject: (error: Error) => void
}

/** The drafts of each request. None exceeds the maximum, unless a single draft does. */
const inRequests = (drafts: readonly Draft[]): Draft[][] => {
  const requests: Draft[][] = []
  let left = 0
  for (const draft of drafts) {
    left -= draft.text.length
    if (left < 0 || requests.length === 0) {
      requests.push([])
      left = REQUEST_MAX - draft.text.length
    }
    requests.at(-1)?.push(draft)
  }
  return requests
}

/** A channel to the thread and back. Replies come in the order of the requests, if at all. */
const createChannel = () => {
  const { port1: near, port2: far } = new MessageChannel()
  const pending: Pending[] = []
  let lost: Error | null = null
  near.on('message', (reply: unknown) => {
    // the caller knows the type of the reply
    pending.shift()?.resolve(reply as never)
    if (pending.length === 0) near.unref()
  })
  near.unref()
  return {
    far,
    ask: <T>(request: unknown): Promise<T> =>
      new Promise((resolve, reject) => {
        if (lost !== null) return reject(lost)
        pending.push({ resolve, reject })
        near.ref()
        near.postMessage(request)
      }),
    /** Rejects what is asked from now on, and what was asked and has no reply. */
    lose(error: Error): void {
      lost ??= error
      for (const { reject } of pending.splice(0)) reject(lost)
      near.close()
    },
  }
}

export const startThreadedWriter = ({ onWrite, onLost }: ThreadedWriterOptions): Writer => {
  const requests = createChannel()
  const takeRequests = createChannel()
  const channels = [requests, takeRequests]
  const worker = new Worker(ENTRY, {
    workerData: { port: requests.far, takes: takeRequests.far } satisfies WriterThreadData,
    transferList: channels.map(({ far }) => far),
    name: 'writer',
    // flags of this process (a loader, a test runner) are not meant for its threads
    execArgv: [],
    argv,
    resourceLimits: HEAP,
  })
  let lost: Error | null = null
  let closed = false
  const lose = (error: Error): void => {
    const first = lost === null
    lost ??= error
    for (const channel of channels) channel.lose(lost)
    if (first && !closed) onLost(lost)
  }
  worker.on('error', error => lose(error instanceof Error ? error : new Error(String(error))))
  worker.on('exit', code => lose(new Error(`the thread that writes state files ended with code ${code}`)))
  // an idle thread must not keep the process alive
  worker.unref()

  const ask = <T extends WriterRequest['type']>(
    request: Extract<WriterRequest, { type: T }>,
  ): Promise<WriterReplies[T]> => requests.ask(request)

  /** Takes that were asked for in this turn of the event loop. They go in one message. */
  let takes: { take: Take; resolve: (taken: TakeResult) => void; reject: (error: unknown) => void }[] = []
  const sendTakes = async (): Promise<void> => {
    const sent = takes
    takes = []
    try {
      const replies: TakeReplies = await takeRequests.ask(sent.map(({ take }) => take) satisfies Takes)
      for (const [place, { resolve, reject }] of sent.entries()) {
        const outcome = revive<TakeResult>(replies[place] ?? { taken: false })
        if (outcome instanceof Error) reject(outcome)
        else resolve(outcome)
      }
    } catch (error) {
      for (const { reject } of sent) reject(error)
    }
  }

  return {
    apart: true,
    take: take =>
      new Promise((resolve, reject) => {
        // after all that is ready to run, so that takes asked for there go along
        if (takes.push({ take, resolve, reject }) === 1) process.nextTick(() => void sendTakes())
      }),
    async write(drafts) {
      for (const draft of drafts) onWrite(draft)
      const parts = inRequests(drafts).map(some => some.map(({ tmpFile, text }) => ({ tmpFile, text })))
      const replies = await Promise.all(parts.map(part => ask<'write'>({ type: 'write', drafts: part })))
      return replies.flat().map(revive)
    },
    async show(drafts) {
      const shown = drafts.map(({ tmpFile, file, once, release }) => ({ tmpFile, file, once, release }))
      return (await ask<'show'>({ type: 'show', drafts: shown })).map(revive)
    },
    async discard(drafts) {
      await ask<'discard'>({ type: 'discard', files: drafts.map(({ tmpFile }) => tmpFile) })
    },
    async close() {
      closed = true
      await worker.terminate()
    },
  }
}
