// A writer in a thread of its own: it takes over the calls to the disk in which a process with many tasks spends its
// time.
import { MessageChannel, Worker } from 'node:worker_threads'
import { threadEntry } from '../../../platform/thread-entry.ts'
import type { Draft, Take, TakeResult, Writer } from './writer.ts'
import {
  type Answers,
  type Order,
  revive,
  type TakeAnswers,
  type Takes,
  type WriterThreadData,
} from './writer-protocol.ts'

const { file: ENTRY, argv } = threadEntry('writer-thread', import.meta.url)

const HEAP = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }
/** Characters of state files in one order: what the thread has in its hands at a time must fit into its heap. */
const ORDER_MAX = 4 * 1024 * 1024

export interface ThreadedWriterOptions {
  /** Hears of each state file before it is written. */
  onWrite: (draft: Draft) => void
  /** The thread is lost, and what it was doing unknown: the process must end. Called once. */
  onLost: (error: Error) => void
}

interface Asked {
  resolve: (answer: never) => void
  reject: (error: Error) => void
}

/** Parts that go together: none of them is larger than what one order may have, or it stands alone. */
const inOrders = (drafts: readonly Draft[]): Draft[][] => {
  const orders: Draft[][] = []
  let left = 0
  for (const draft of drafts) {
    left -= draft.text.length
    if (left < 0 || orders.length === 0) {
      orders.push([])
      left = ORDER_MAX - draft.text.length
    }
    orders.at(-1)?.push(draft)
  }
  return orders
}

/** A way to the thread and back: what is asked is answered in that order, if at all. */
const createLine = () => {
  const { port1: near, port2: far } = new MessageChannel()
  const asked: Asked[] = []
  let lost: Error | null = null
  near.on('message', (answer: unknown) => {
    // the caller knows what answers such a question
    asked.shift()?.resolve(answer as never)
    if (asked.length === 0) near.unref()
  })
  near.unref()
  return {
    far,
    ask: <T>(question: unknown): Promise<T> =>
      new Promise((resolve, reject) => {
        if (lost !== null) return reject(lost)
        asked.push({ resolve, reject })
        near.ref()
        near.postMessage(question)
      }),
    /** Whatever is asked or was is rejected. */
    lose(error: Error): void {
      lost ??= error
      for (const { reject } of asked.splice(0)) reject(lost)
      near.close()
    },
  }
}

export const startThreadedWriter = ({ onWrite, onLost }: ThreadedWriterOptions): Writer => {
  const orders = createLine()
  const takeOrders = createLine()
  const lines = [orders, takeOrders]
  const worker = new Worker(ENTRY, {
    workerData: { port: orders.far, takes: takeOrders.far } satisfies WriterThreadData,
    transferList: lines.map(({ far }) => far),
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
    for (const line of lines) line.lose(lost)
    if (first && !closed) onLost(lost)
  }
  worker.on('error', error => lose(error instanceof Error ? error : new Error(String(error))))
  worker.on('exit', code => lose(new Error(`the thread that writes state files ended with code ${code}`)))
  // idle, it keeps nobody alive
  worker.unref()

  const ask = <T extends Order['type']>(order: Extract<Order, { type: T }>): Promise<Answers[T]> =>
    orders.ask(order)

  /** Takes that were asked for in this turn of the event loop: they go together. */
  let takes: { take: Take; resolve: (taken: TakeResult) => void; reject: (error: unknown) => void }[] = []
  const sendTakes = async (): Promise<void> => {
    const sent = takes
    takes = []
    try {
      const answer: TakeAnswers = await takeOrders.ask(sent.map(({ take }) => take) satisfies Takes)
      for (const [place, { resolve, reject }] of sent.entries()) {
        const outcome = revive<TakeResult>(answer[place] ?? { taken: false })
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
        // after everything that is ready to run, so that their takes come along
        if (takes.push({ take, resolve, reject }) === 1) process.nextTick(() => void sendTakes())
      }),
    async write(drafts) {
      for (const draft of drafts) onWrite(draft)
      const orders = inOrders(drafts).map(order => order.map(({ tmpFile, text }) => ({ tmpFile, text })))
      const answers = await Promise.all(orders.map(order => ask<'write'>({ type: 'write', drafts: order })))
      return answers.flat().map(revive)
    },
    async show(drafts) {
      const order = drafts.map(({ tmpFile, file, once, release }) => ({ tmpFile, file, once, release }))
      return (await ask<'show'>({ type: 'show', drafts: order })).map(revive)
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
