// A process of bench/list.ts that opens the folder, lists it, and says how long that took and what it weighs.
// Its argument is the data folder.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { start, succeed } from '../src/core/moves.ts'
import type { TaskFilter, TaskStore } from '../src/core/store.ts'
import { silentLog } from '../src/platform/log.ts'
import { openFilesStore } from '../src/stores/files/open.ts'
import { servePeer } from './peer.ts'
import { pssOf, residentOf } from './proc.ts'
import { KINDS, RESULT, WORKER } from './sample.ts'

/** `first` opens the store and may be asked once; `claims` changes the folder. */
export type Ask =
  | { act: 'first' }
  | { act: 'list'; filter: TaskFilter; cursor: string | null; times: number }
  | { act: 'counts'; times: number }
  | { act: 'claims'; times: number }

export interface Answer {
  /** Milliseconds of each call; for `first` opening the store, then the first page, then the first counts. */
  ms: number[]
  /** Tasks of the last page, or of the folder. */
  found: number
  next: string | null
  /** Bytes by which this process has grown since before it opened the store; `peak` while it did. */
  grown: { settled: number; peak: number }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const PAGE = 50

let opened: TaskStore | null = null
const now = (): string => new Date().toISOString()
const timed = async <T>(ms: number[], work: () => Promise<T>): Promise<T> => {
  const from = performance.now()
  const value = await work()
  ms.push(performance.now() - from)
  return value
}

const first = async (): Promise<Answer> => {
  collect()
  const before = { pss: pssOf('self'), resident: residentOf('self').now }
  const ms: number[] = []
  const store = await timed(ms, () =>
    openFilesStore({ dir: process.argv[2] ?? '', clock: () => new Date(), log: silentLog() }),
  )
  opened = store
  const page = await timed(ms, () => store.list({}, { limit: PAGE, cursor: null }))
  const { total } = await timed(ms, () => store.counts())
  const peak = residentOf('self').highest - before.resident
  collect()
  collect()
  return { ms, found: total, next: page.next, grown: { settled: pssOf('self') - before.pss, peak } }
}

const act = async (ask: Ask): Promise<Answer> => {
  if (ask.act === 'first') return first()
  if (!opened) throw new Error('the store is not open yet')
  const store = opened
  const answer: Answer = { ms: [], found: 0, next: null, grown: { settled: 0, peak: 0 } }
  for (let n = 0; n < ask.times; n += 1) {
    if (ask.act === 'list') {
      const { filter, cursor } = ask
      const page = await timed(answer.ms, () => store.list(filter, { limit: PAGE, cursor }))
      answer.found = page.tasks.length
      answer.next = page.next
    } else if (ask.act === 'counts') answer.found = (await timed(answer.ms, () => store.counts())).total
    else {
      const task = await timed(answer.ms, () =>
        store.claimNext({ kinds: KINDS, now: now() }, start(WORKER, now())),
      )
      if (!task) throw new Error('nothing was left to claim')
      answer.found = 1
      await store.move(task.id, task.claim, succeed(RESULT, null, now()))
    }
  }
  return answer
}

servePeer<Ask, Answer>(act, async () => opened?.close())
