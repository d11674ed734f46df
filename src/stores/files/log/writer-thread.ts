// The thread of a writer: does one request after another, and answers each.
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { createDisk } from '../disk.ts'
import { showDraft, type Take, type TakeResult, takeAway, takeClaim, writeAside } from './writer.ts'
import {
  plain,
  type Takes,
  type WriterReplies,
  type WriterRequest,
  type WriterThreadData,
} from './writer-protocol.ts'

const { port, takes } = workerData as WriterThreadData
const disk = createDisk()

const take = (one: Take): TakeResult | Error => {
  try {
    return takeClaim(one)
  } catch (error) {
    return error as Error
  }
}
const answerTakes = (asked: Takes): void => takes.postMessage(asked.map(one => plain(take(one))))

/** After so many files of a request, takes that have come meanwhile are answered. */
const STRETCH = 8
const inStretches = <T, A>(drafts: readonly T[], work: (draft: T) => A): A[] =>
  drafts.map((draft, place) => {
    if (place % STRETCH === 0)
      for (let next = receiveMessageOnPort(takes); next; next = receiveMessageOnPort(takes))
        answerTakes(next.message)
    return work(draft)
  })

const carryOut = (request: WriterRequest): WriterReplies[keyof WriterReplies] => {
  switch (request.type) {
    case 'write':
      return inStretches(request.drafts, draft => plain(writeAside(disk, draft)))
    case 'show':
      return inStretches(request.drafts, draft => plain(showDraft(disk, draft)))
    case 'discard':
      for (const file of request.files) takeAway(disk, file)
      return []
  }
}

// on each port the answers come in the order of the requests, so they need no numbers
takes.on('message', answerTakes)
port.on('message', (request: WriterRequest) => port.postMessage(carryOut(request)))
