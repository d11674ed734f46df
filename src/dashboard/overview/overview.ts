// Reads what the overview shows, in bounded time, whatever is away: what is not known in time is null.

import { within } from '../../core/async/deadline.ts'
import { dueSince } from '../../core/due.ts'
import { toMadhavaError } from '../../core/errors.ts'
import { INSIDE } from '../../core/policy.ts'
import type { Readiness } from '../../core/readiness.ts'
import type { Service, ServiceState } from '../../core/service.ts'
import { createStateReader } from '../../core/state-reader.ts'
import type { SeenPresence, TaskCounts, TaskStore } from '../../core/store.ts'
import type { HostSnapshot } from '../../platform/host.ts'
import type { Log } from '../../platform/log.ts'
import type { Figures } from '../figures/recorder.ts'
import type { Processes } from '../processes/processes.ts'
import type { FailureBook, FailureGroup } from './failure-book.ts'
import { type Trouble, troublesOf } from './troubles.ts'

export interface FailureView extends Omit<FailureGroup, 'code' | 'pattern'> {
  error: { code: string; pattern: string | null }
  /** What lists these tasks at GET /alltasks, and acts on them alone: names and values of its query. */
  filter: Record<string, string>
}

export interface Overview {
  /** ISO-8601. */
  time: string
  /** The most urgent first; empty: all is well. */
  troubles: Trouble[]
  /** Null: the store does not answer. */
  counts: TaskCounts['byStatus'] | null
  /** `waiting`: tasks that wait for workers, due or not. `depth`: null when the broker cannot tell now. */
  queue: { name: string; status: string; depth: number | null; waiting: number } | null
  /** Of the last day. Null: nothing is known of them. */
  failures: FailureView[] | null
  /** Failed tasks of the last day in all, groups that are left out, and whether all of them are read. */
  failuresTotal: { count: number; moreGroups: number; isWhole: boolean } | null
}

export interface OverviewDeps {
  service: Pick<Service, 'state' | 'kindTroubles'>
  store: Pick<TaskStore, 'agenda' | 'get'>
  readiness: () => Promise<Readiness>
  processes: Pick<Processes, 'list'>
  host: { snapshot(): HostSnapshot }
  figures: Pick<Figures, 'columns'>
  failures: FailureBook
  isOwn: (presence: SeenPresence) => boolean
  log: Log
  clock?: () => Date
}

/** How long each of the sources may take, milliseconds. They are asked at the same time. */
const SOURCE_MS = 1_500

const filterOf = ({ kind, code, pattern, firstAt }: FailureGroup): Record<string, string> => ({
  status: 'FAILURE',
  kind,
  errorCode: code,
  ...(pattern === null || pattern === '' ? {} : { errorLike: pattern }),
  finishedFrom: firstAt,
})

const viewGroup = (group: FailureGroup): FailureView => {
  const { code, pattern, ...rest } = group
  return { ...rest, error: { code, pattern }, filter: filterOf(group) }
}

/** Never rejects. Questions at one time share the reading. */
export const createOverview = (deps: OverviewDeps): (() => Promise<Overview>) => {
  const { service, store, readiness, processes, host, figures, failures, isOwn, log } = deps
  const { clock = () => new Date() } = deps
  const readState = createStateReader(service, error => log.debug({ error }, 'the state cannot be read'))

  /** Null where it is late or fails. */
  const inTime = <T>(what: string, asked: Promise<T>): Promise<T | null> =>
    within<T | null, null>(
      SOURCE_MS,
      asked.catch((error: unknown) => {
        log.debug({ reason: toMadhavaError(error).message }, `${what} cannot be read for the overview`)
        return null
      }),
      () => null,
    )

  /** The task that a living worker takes next. */
  const nextTask = async (state: ServiceState | null): Promise<{ id: string; since: number } | null> => {
    if (!state || state.waiting === 0) return null
    const kinds = state.presences.flatMap(({ alive, details }) => (alive ? (details.kinds ?? []) : []))
    if (kinds.length === 0) return null
    const { dueIds } = await store.agenda(clock().toISOString(), 1, [...new Set(kinds)])
    const task = dueIds[0] === undefined ? null : await store.get(dueIds[0])
    return task && { id: task.id, since: Date.parse(dueSince(task)) }
  }

  const read = async (): Promise<Overview> => {
    const [checks, { state, trouble, next }, rows, kindTroubles, found] = await Promise.all([
      inTime('the readiness', readiness()),
      readState(INSIDE).then(async seen => ({
        ...seen,
        next: await inTime('the agenda', nextTask(seen.state)),
      })),
      inTime('the list of processes', processes.list()),
      inTime('the troubles of kinds', service.kindTroubles(INSIDE)),
      inTime('the failures', failures()),
    ])
    const now = clock()
    const { at, failed } = figures.columns('hour')
    const troubles = troublesOf({
      ...{ readiness: checks, state, stateTrouble: trouble, next, isOwn },
      host: host.snapshot(),
      processes: rows,
      kindTroubles: kindTroubles ?? [],
      hour: { at, failed },
      now: now.getTime(),
    })
    return {
      time: now.toISOString(),
      troubles,
      counts: state?.counts.byStatus ?? null,
      queue: state && {
        name: state.queue.name,
        status: state.queue.status,
        depth: state.queue.depth,
        waiting: state.waiting,
      },
      failures: found?.groups.map(viewGroup) ?? null,
      failuresTotal: found && { count: found.count, moreGroups: found.moreGroups, isWhole: found.isWhole },
    }
  }

  let underWay: Promise<Overview> | null = null
  return () => {
    underWay ??= read().finally(() => {
      underWay = null
    })
    return underWay
  }
}
