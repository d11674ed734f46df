// The thread of a writer: does what it is told, one order after another, and answers each.
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { createDisk } from '../disk.ts'
import { showDraft, type Take, type TakeResult, takeAway, takeClaim, writeAside } from './writer.ts'
import { type Answers, type Order, plain, type Takes, type WriterThreadData } from './writer-protocol.ts'

const { port, takes } = workerData as WriterThreadData
const disk = createDisk()

const take = (one: Take): TakeResult | Error => {
  try {
    return takeClaim(one)
  } catch (error) {
    return error as Error
  }
}
const answerTakes = (order: Takes): void => takes.postMessage(order.map(one => plain(take(one))))

/** After so many files of an order takes have their turn. */
const STRETCH = 8
const inStretches = <T, A>(drafts: readonly T[], work: (draft: T) => A): A[] =>
  drafts.map((draft, place) => {
    if (place % STRETCH === 0)
      for (let next = receiveMessageOnPort(takes); next; next = receiveMessageOnPort(takes))
        answerTakes(next.message)
    return work(draft)
  })

const carryOut = (order: Order): Answers[keyof Answers] => {
  switch (order.type) {
    case 'write':
      return inStretches(order.drafts, draft => plain(writeAside(disk, draft)))
    case 'show':
      return inStretches(order.drafts, draft => plain(showDraft(disk, draft)))
    case 'discard':
      for (const file of order.files) takeAway(disk, file)
      return []
  }
}

// on each port the answers come in the order of what was told: they need no number
takes.on('message', answerTakes)
port.on('message', (order: Order) => port.postMessage(carryOut(order)))
