// Tasks as topics: all of them, for lists, and one. What is told is decided by core/watch.
import type { Access } from '../../access/access.ts'
import { parseFilter } from '../../api/list-query.ts'
import { withOwnerId } from '../../api/owner-names.ts'
import { isMadhavaError } from '../../core/errors.ts'
import { fits, type TaskFilter } from '../../core/filter.ts'
import type { Service } from '../../core/service.ts'
import { versionOf } from '../../core/task.ts'
import { type TaskView, viewTask } from '../../core/task-view.ts'
import type { WatchEvent } from '../../core/watch.ts'
import { pause, type Topic, type TopicEvent } from './topic.ts'

/** Small batches wait a moment for more: a page that redraws four times a second is as quick as eyes are. */
const CALM_MS = 250
const SMALL_BATCH = 100
/** How long one wait for a task takes at most; it is asked again then. */
const WAIT_MS = 60_000

export interface TaskChanges {
  /** Those that fit the filter, as they are now. */
  tasks: TaskView[]
  /** Ids of those that changed and do not fit now. Whoever shows one of them asks for it. */
  others: string[]
  removed: string[]
}

const changesIn = (events: readonly WatchEvent[], filter: TaskFilter): TaskChanges => {
  const changes: TaskChanges = { tasks: [], others: [], removed: [] }
  for (const event of events) {
    if (event.type === 'removed') changes.removed.push(event.id)
    if (event.type !== 'task') continue
    if (fits(event.task, filter)) changes.tasks.push(viewTask(event.task))
    else changes.others.push(event.task.id)
  }
  return changes
}

const toldOf = (events: readonly WatchEvent[], filter: TaskFilter, resumed: boolean): TopicEvent[] => {
  const place = events.findLast(event => 'cursor' in event && event.cursor !== null)
  const cursor = place && 'cursor' in place ? place.cursor : null
  const changes = changesIn(events, filter)
  const told: TopicEvent[] = []
  const count = changes.tasks.length + changes.others.length + changes.removed.length
  if (count > 0 || events.some(({ type }) => type === 'place'))
    told.push({ event: 'tasks', data: changes, place: cursor })
  if (events.some(({ type }) => type === 'live'))
    told.push({ event: 'tasks-live', data: { resumed }, place: cursor })
  return told
}

/**
 * `tasks`, or `tasks:<filter as a query>`. `tasks-live` says whether everything since the last place was told. If not,
 * the page asks for its list anew: of 100,000 tasks it shows fifty, so they are not sent.
 * @param names finds the owner that the filter names
 */
export const allTasksTopic = (
  service: Pick<Service, 'watchAll'>,
  names: Pick<Access, 'idOf'> = { idOf: async () => null },
): Topic =>
  async function* ({ argument, since, actor, signal }) {
    const filter = await withOwnerId(names, parseFilter(`http://localhost/?${argument}`))
    let from = since
    for (let again = true; again && !signal.aborted; ) {
      again = false
      let live = false
      try {
        for await (const events of service.watchAll(actor, {}, { since: from, snapshot: false }, signal)) {
          if (events.some(({ type }) => type === 'snapshot')) {
            from = null
            again = true
            break
          }
          live ||= events.some(({ type }) => type === 'live')
          const told = toldOf(events, filter, from !== null)
          if (told.length > 0) yield told
          if (live && events.length < SMALL_BATCH) await pause(CALM_MS, signal)
        }
      } catch (error) {
        // more changes than one page can follow
        if (!isMadhavaError(error, 'CURSOR_TOO_OLD')) throw error
        from = null
        again = true
      }
    }
  }

/** `task:<id>`: the whole record at every change, also when it is retried after its end. */
export const oneTaskTopic = (service: Pick<Service, 'wait'>): Topic =>
  async function* ({ argument, since, actor, signal }) {
    let known = since ?? ''
    while (!signal.aborted) {
      const { task, changed } = await service
        .wait(actor, argument, known, WAIT_MS, signal)
        .catch((error: unknown) => {
          if (known === '' || !isMadhavaError(error, 'TASK_NOT_FOUND')) throw error
          return { task: null, changed: true }
        })
      if (!task) {
        yield [{ event: 'task-removed', data: { id: argument } }]
        return
      }
      if (!changed) continue
      known = versionOf(task)
      yield [{ event: 'task', data: task, place: known }]
      await pause(CALM_MS, signal)
    }
  }
