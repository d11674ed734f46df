// The process of bench/feed.ts, live.ts and dashboard.ts that makes the changes, and notes when. Its argument is the data folder.
import { setTimeout as sleep } from 'node:timers/promises'
import { report, start, succeed } from '../src/core/moves.ts'
import type { TaskRecord } from '../src/core/task.ts'
import { silentLog } from '../src/platform/log.ts'
import { openFilesStore } from '../src/stores/files/open.ts'
import { servePeer } from './peer.ts'
import { newTask, RESULT, WORKER } from './sample.ts'

/**
 * `progress`: moves of one held task; `creates`: new tasks; `load`: both, with final moves, as fast as it goes. `hold`:
 * as many tasks as `width` are made and held; `mixed`: moves of those in turn, and every tenth change is a new task.
 */
export interface Ask {
  act: 'progress' | 'creates' | 'load' | 'hold' | 'mixed'
  perSecond: number
  seconds: number
  width: number
}

/** One change: which, and the system's monotonic clock in ns when it was asked for and when that resolved. */
export interface Made {
  id: string
  claim: number
  rev: number
  issued: bigint
  resolved: bigint
}

const store = await openFilesStore({
  dir: process.argv[2] ?? '',
  clock: () => new Date(),
  log: silentLog(),
})
await store.counts()

const now = (): string => new Date().toISOString()
const timed = async (made: Made[], work: () => Promise<TaskRecord>): Promise<TaskRecord> => {
  const issued = process.hrtime.bigint()
  const { id, claim, rev } = await work()
  made.push({ id, claim, rev, issued, resolved: process.hrtime.bigint() })
  return { id, claim, rev } as TaskRecord
}
const create = async (): Promise<TaskRecord> => (await store.create(newTask(), null)).task
const claim = async (id: string): Promise<TaskRecord> => {
  const task = await store.claim(id, start(WORKER, now()))
  if (!task) throw new Error('a task of its own was held by somebody')
  return task
}

/** One change per slot of time, at a random moment of it: in step with no timer of the store. */
const paced = async ({ perSecond, seconds }: Ask, change: (n: number) => Promise<unknown>): Promise<void> => {
  const from = performance.now()
  for (let n = 0; n < perSecond * seconds; n += 1) {
    const at = from + ((n + Math.random()) * 1000) / perSecond
    await sleep(Math.max(0, at - performance.now()))
    await change(n)
  }
}

const load = async ({ seconds, width }: Ask, made: Made[]): Promise<void> => {
  const until = performance.now() + seconds * 1000
  const lane = async (): Promise<void> => {
    while (performance.now() < until) {
      const { id } = await timed(made, create)
      const task = await timed(made, () => claim(id))
      for (const percent of [25, 50, 75]) {
        const progress = { percent, note: null, etaSeconds: null }
        await timed(made, () => store.move(id, task.claim, report(progress, null, now())))
      }
      await timed(made, () => store.move(id, task.claim, succeed(RESULT, null, now())))
    }
  }
  await Promise.all(Array.from({ length: width }, lane))
}

const held: TaskRecord[] = []

/** In time, and not one after another: on a busy machine there would be fewer than was asked for. */
const mixed = async (ask: Ask, made: Made[]): Promise<void> => {
  const under: Promise<unknown>[] = []
  await paced(ask, async n => {
    const task = held[n % held.length]
    const progress = { percent: (n * 100) / (ask.perSecond * ask.seconds), note: `step ${n}`, etaSeconds: 9 }
    under.push(
      timed(made, () =>
        task && n % 10 < 9 ? store.move(task.id, task.claim, report(progress, null, now())) : create(),
      ),
    )
  })
  await Promise.all(under)
}

const act = async (ask: Ask): Promise<Made[]> => {
  const made: Made[] = []
  if (ask.act === 'creates') await paced(ask, () => timed(made, create))
  if (ask.act === 'load') await load(ask, made)
  if (ask.act === 'hold') for (let n = 0; n < ask.width; n += 1) held.push(await claim((await create()).id))
  if (ask.act === 'mixed') await mixed(ask, made)
  if (ask.act === 'progress') {
    const task = await claim((await create()).id)
    await paced(ask, n => {
      const progress = { percent: (n * 100) / (ask.perSecond * ask.seconds), note: `${n}`, etaSeconds: null }
      return timed(made, () => store.move(task.id, task.claim, report(progress, null, now())))
    })
    await store.move(task.id, task.claim, succeed(RESULT, null, now()))
  }
  return made
}

servePeer<Ask, Made[]>(act, () => store.close())
