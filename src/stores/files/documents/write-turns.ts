// One writer of documents at a time, over all processes of the folder. A turn names its process and the document that
// it writes. A process that dies in its turn stops nobody, and the next one tells the feed of what it may have written.
import { setTimeout as wait } from 'node:timers/promises'
import { createSemaphore } from '../../../core/async/semaphore.ts'
import { type CollectionName, isCollection } from '../../../core/documents.ts'
import { MadhavaError } from '../../../core/errors.ts'
import type { Instances } from '../claims/instances.ts'
import type { Disk } from '../disk.ts'
import type { Layout } from '../layout.ts'
import { createTurnFiles } from '../turn-files.ts'

/** Which document. */
export interface DocumentPlace {
  collection: CollectionName
  name: string
}

export interface WriteTurns {
  /**
   * Runs `work` in this process's turn. `place`: what it writes.
   * @throws STORE_UNAVAILABLE when another process keeps its turn for too long, what `work` throws
   */
  inTurn<T>(place: DocumentPlace, work: () => Promise<T>): Promise<T>
  /** Tells of what a process wrote that died in the last turn. */
  settle(): Promise<void>
}

interface WriteTurnsDeps {
  layout: Layout
  disk: Disk
  instances: Pick<Instances, 'instance' | 'isAlive'>
  /** A process died while it wrote this. */
  onUnfinished: (place: DocumentPlace) => Promise<void>
  /** How long another process may keep its turn, milliseconds. A write takes a few. */
  patienceMs?: number
}

const FREE = 'free'
const LOOK_MS = 5
const PATIENCE_MS = 15_000

interface Turn {
  instance: string
  place: DocumentPlace
}

/** Null for a turn that is over, and for what is none. */
const parseTurn = (target: string | null): Turn | null => {
  const [instance = '', collection = '', name = ''] = (target ?? '').split('/')
  return isCollection(collection) && name !== '' ? { instance, place: { collection, name } } : null
}

export const createWriteTurns = ({
  layout,
  disk,
  instances,
  onUnfinished,
  patienceMs = PATIENCE_MS,
}: WriteTurnsDeps): WriteTurns => {
  const turns = createTurnFiles(layout.run, 'documents', disk)
  const oneAtATime = createSemaphore(1)
  const { instance } = instances

  /** The last turn that was seen, and since when: a turn that is held for too long fails all who wait for it. */
  let seen = { number: -1, since: 0 }
  const refuseStuck = (number: number): void => {
    if (seen.number !== number) seen = { number, since: performance.now() }
    if (performance.now() - seen.since > patienceMs)
      throw new MadhavaError(
        'STORE_UNAVAILABLE',
        'Another process has been writing a document for too long: it may be stopped or wait for its disk',
      )
  }

  /** Takes the next turn. `left`: what a process wrote that died in the last one. */
  const take = async (place: DocumentPlace): Promise<{ number: number; left: Turn | null }> => {
    for (;;) {
      const last = turns.last()
      const turn = parseTurn(last.target)
      // one of our own is over, and could not be given back
      const isOver = turn === null || turn.instance === instance || !(await instances.isAlive(turn.instance))
      if (isOver && turns.take(last, `${instance}/${place.collection}/${place.name}`))
        return { number: last.number + 1, left: turn }
      refuseStuck(last.number)
      await wait(LOOK_MS)
    }
  }

  const inTurn: WriteTurns['inTurn'] = (place, work) =>
    oneAtATime(async () => {
      const { number, left } = await take(place)
      try {
        if (left) await onUnfinished(left.place)
        return await work()
      } finally {
        turns.giveBack(number, FREE, instance)
      }
    })

  return {
    inTurn,
    async settle() {
      const left = parseTurn(turns.last().target)
      if (left && left.instance !== instance && !(await instances.isAlive(left.instance)))
        await inTurn(left.place, async () => {})
    },
  }
}
