// What the store says of everything: the processes that beat in it, and how much cannot be run.

import type { Actor } from '../../core/actor.ts'
import { UNRUNNABLE } from '../../core/dead.ts'
import { SHARED_LIST_KIND } from '../../core/people.ts'
import { INSIDE, seesAll } from '../../core/policy.ts'
import type { Service } from '../../core/service.ts'
import { viewProcess } from '../../core/state-reader.ts'
import { statePolled, type Topic } from './topic.ts'

const WORKERS_MS = 2_000
const DEAD_MS = 5_000
/** Failed tasks are counted up to here. */
const DEAD_MOST = 500
const PAGE = 100

/** `workers`: all processes of the store, as GET / of the API shows them. */
export const workersTopic = (
  service: Pick<Service, 'state'>,
  clock: () => Date,
  everyMs = WORKERS_MS,
): Topic =>
  statePolled('workers', everyMs, async () => {
    const { presences } = await service.state(INSIDE)
    const now = clock().getTime()
    return presences.map(presence => viewProcess(presence, now))
  })

/** What GET /dead of the API lists, counted. */
export interface DeadCount {
  count: number
  /** There are more failed tasks than were counted. */
  isMore: boolean
  /** Tasks of any status. */
  all: number
  /** Open items of the shared list. */
  todo: number
}

/**
 * `dead`: how many tasks and messages cannot be run; and how many tasks there are in all, and open on the shared list,
 * since the menu shows all of them.
 * Those that the actor sees are counted. Whoever sees all shares the readings.
 */
export const deadTopic = (service: Pick<Service, 'list' | 'state'>, everyMs = DEAD_MS): Topic => {
  const countFailed = async (actor: Actor): Promise<Pick<DeadCount, 'count' | 'isMore'>> => {
    const filter = { statuses: ['FAILURE' as const], errorCodes: [...UNRUNNABLE] }
    let [count, cursor]: [number, string | null] = [0, null]
    do {
      const page = await service.list(actor, filter, { limit: PAGE, cursor })
      count += page.tasks.length
      cursor = page.next
    } while (cursor !== null && count < DEAD_MOST)
    return { count, isMore: cursor !== null }
  }

  const openFor = (actor: Actor): Topic => {
    // tasks are read again only when some have ended, come or gone
    let last: { counts: string; failed: Pick<DeadCount, 'count' | 'isMore'> } | null = null
    return statePolled('dead', everyMs, async (): Promise<DeadCount> => {
      const { dead, counts, open } = await service.state(actor)
      const now = JSON.stringify(counts.byStatus)
      if (last?.counts !== now) last = { counts: now, failed: await countFailed(actor) }
      const waiting = Object.values(dead.waiting).reduce((sum, count) => sum + count, 0)
      const { failed } = last
      return {
        count: failed.count + waiting + (dead.messages ?? 0),
        isMore: failed.isMore,
        all: counts.total,
        todo: open[SHARED_LIST_KIND] ?? 0,
      }
    })
  }

  const ofAll = openFor(INSIDE)
  return question => (seesAll(question.actor) ? ofAll : openFor(question.actor))(question)
}
