// The thread of a scribe: does what it is told, one order after another, and answers each.
import { workerData } from 'node:worker_threads'
import { createDisk } from './disk.ts'
import { showDraft, type Take, type Taken, takeAway, takeClaim, writeAside } from './scribe.ts'
import { type Answers, type Order, plain, type ScribeThreadData } from './scribe-protocol.ts'

const { port } = workerData as ScribeThreadData
const disk = createDisk()

const take = (one: Take): Taken | Error => {
  try {
    return takeClaim(one)
  } catch (error) {
    return error as Error
  }
}

const carryOut = (order: Order): Answers[keyof Answers] => {
  switch (order.type) {
    case 'take':
      return order.takes.map(one => plain(take(one)))
    case 'write':
      return order.drafts.map(draft => plain(writeAside(disk, draft)))
    case 'show':
      return order.drafts.map(draft => plain(showDraft(disk, draft)))
    case 'discard':
      for (const file of order.files) takeAway(disk, file)
      return []
  }
}

// the answers come in the order of what was told: they need no number
port.on('message', (order: Order) => port.postMessage(carryOut(order)))
