// Work that cannot run: tasks of kinds that no worker has, tasks that ended because they could not be run, and
// messages that announce no task. Lists them with the reason, runs them again or removes them. It keeps nothing
// itself.

import type { Actor } from './actor.ts'
import type { DeadMessage } from './dead-messages.ts'
import { type ErrorCode, isErrorCode, MadhavaError } from './errors.ts'
import { seenKindTroubles } from './kind-trouble.ts'
import type { Kinds } from './kinds.ts'
import { retryByHand, revoke } from './moves.ts'
import { demand, mayDo, seesAll } from './policy.ts'
import type { TaskQueue } from './queue.ts'
import { countIn, statusesIn } from './status.ts'
import type { SeenPresence, TaskCounts, TaskFilter, TaskStore } from './store.ts'
import { isFinal, isWaiting, parseTaskId, type TaskRecord } from './task.ts'
import { createTaskAccess, type TaskAccess } from './task-access.ts'

/** Errors that mean that the task could not be run, not that its kind failed. */
export const UNRUNNABLE: readonly ErrorCode[] = ['PARAMS_INVALID', 'KIND_INVALID', 'WORKER_LOST']

export const isUnrunnable = (task: Pick<TaskRecord, 'status' | 'error'>): boolean =>
  task.status === 'FAILURE' && task.error !== null && UNRUNNABLE.some(code => code === task.error?.code)

export interface DeadTask {
  task: TaskRecord
  reason: { code: ErrorCode; message: string }
}

export interface DeadPage {
  /** Waiting tasks first, then ended ones; each newest first. */
  tasks: DeadTask[]
  /** Only on the first page, the oldest first. */
  messages: DeadMessage[]
  /** How many messages there are; null when the queue cannot tell now, with the reason in `trouble`. */
  messageCount: number | null
  trouble: string | null
  /** Continues after this page; null at the end. A page can hold few tasks or none and still not be the last. */
  next: string | null
}

/** A task that runs again, or the id of a message that is back in the queue. */
export type Replayed = { task: TaskRecord } | { message: string }

export interface DeadCalls {
  /** @throws BAD_CURSOR, STORE_UNAVAILABLE */
  list(actor: Actor, page: { limit: number; cursor: string | null }): Promise<DeadPage>
  /** @throws BAD_ID, DEAD_NOT_FOUND, TASK_NOT_ENDED (it will run without help), TASK_BUSY, QUEUE_UNAVAILABLE */
  replay(actor: Actor, id: string): Promise<Replayed>
  /** @throws BAD_ID, DEAD_NOT_FOUND, TASK_BUSY, QUEUE_UNAVAILABLE */
  discard(actor: Actor, id: string): Promise<void>
}

export interface DeadDeps {
  store: TaskStore
  /** Left out: every actor sees every task. */
  access?: TaskAccess
  queue: TaskQueue
  kinds: Kinds
  clock: () => Date
  /** Announces the task to the queue if it is due. */
  announceIfDue: (task: TaskRecord) => void
  /** Removes an ended task. @throws TASK_NOT_FOUND, TASK_NOT_ENDED */
  removeTask: (task: TaskRecord) => Promise<void>
}

/** Messages on the first page. */
const MESSAGES = 100
/** How many failed records are checked for one page, and how many are read at a time. */
const LOOK_AT = 1_000
const READ = 200

/** The kinds that can run now. While no worker is alive tasks simply wait, so this process's own kinds count. */
const runnableKinds = (presences: readonly SeenPresence[], kinds: Kinds): Set<string> => {
  const workers = presences.filter(({ alive, role }) => alive && role === 'worker')
  return new Set(
    workers.length > 0 ? workers.flatMap(({ details }) => details.kinds ?? []) : kinds.forWorkers(),
  )
}

/** How many tasks wait for a kind that no worker has, by kind. Kinds without such tasks are left out. */
export const waitingWithoutWorker = (
  presences: readonly SeenPresence[],
  counts: TaskCounts,
  kinds: Kinds,
): Record<string, number> => {
  const runnable = runnableKinds(presences, kinds)
  return Object.fromEntries(
    Object.entries(counts.byKind).flatMap(([kind, byStatus]) => {
      const waiting = countIn('waiting', byStatus)
      return !runnable.has(kind) && !kinds.isForPeople(kind) && waiting > 0 ? [[kind, waiting]] : []
    }),
  )
}

/** What announces no task belongs to nobody, and may hold anything. */
const mayHandleMessages = (actor: Actor): boolean => seesAll(actor) && mayDo(actor, 'operate')

const NOT_DEAD = 'No task and no message that cannot be run has this id'
const IN_VAIN = (kind: string) => `No worker has the kind ${kind}: the task runs by itself as soon as one has`

const reasonOf = (kind: string, broken: string | undefined): DeadTask['reason'] =>
  broken === undefined
    ? { code: 'KIND_UNKNOWN', message: IN_VAIN(kind) }
    : {
        code: 'KIND_IN_TROUBLE',
        message: `${broken}: the task runs by itself when the file is mended and the worker was restarted`,
      }

type Stretch = { part: 'waiting' | 'failed'; cursor: string | null }

/** @throws BAD_CURSOR */
const parseCursor = (cursor: string | null): Stretch => {
  if (cursor === null) return { part: 'waiting', cursor: null }
  const [, part, inner] = /^(waiting|failed)\.(.*)$/s.exec(cursor) ?? []
  if (part === undefined) throw new MadhavaError('BAD_CURSOR')
  return { part: part as Stretch['part'], cursor: inner || null }
}

export const createDeadCalls = ({
  store,
  access = createTaskAccess(store),
  queue,
  kinds,
  clock,
  announceIfDue,
  removeTask,
}: DeadDeps): DeadCalls => {
  const now = () => clock().toISOString()

  /** The kinds that tasks wait for and no worker has, with the reason. */
  const unknownKinds = async (): Promise<Map<string, DeadTask['reason']>> => {
    const [presences, counts] = await Promise.all([store.presences(), store.counts()])
    const troubles = seenKindTroubles(kinds.troubles(), presences)
    return new Map(
      Object.keys(waitingWithoutWorker(presences, counts, kinds)).map(name => {
        const trouble = troubles.find(one => one.name === name)
        return [name, reasonOf(name, trouble && `${trouble.file}: ${trouble.reason}`)]
      }),
    )
  }

  const waiting = async (
    actor: Actor,
    limit: number,
    cursor: string | null,
    unknown: ReadonlyMap<string, DeadTask['reason']>,
  ) => {
    if (unknown.size === 0) return { tasks: [], next: null }
    const filter: TaskFilter = { statuses: statusesIn('waiting'), kinds: [...unknown.keys()] }
    const { tasks, next } = await access.list(actor, filter, { limit, cursor })
    const dead = tasks.map(
      (task): DeadTask => ({ task, reason: unknown.get(task.kind) ?? reasonOf(task.kind, undefined) }),
    )
    return { tasks: dead, next }
  }

  const failed = async (actor: Actor, limit: number, start: string | null) => {
    const dead: DeadTask[] = []
    let cursor = start
    for (let looked = 0; looked < LOOK_AT; ) {
      const page = await access.list(
        actor,
        { statuses: ['FAILURE'] },
        { limit: Math.min(READ, limit - dead.length), cursor },
      )
      looked += Math.max(1, page.tasks.length)
      for (const task of page.tasks)
        if (isUnrunnable(task) && task.error && isErrorCode(task.error.code))
          dead.push({ task, reason: { code: task.error.code, message: task.error.message } })
      cursor = page.next
      if (cursor === null || dead.length >= limit) break
    }
    return { tasks: dead, next: cursor }
  }

  const messages = async (): Promise<Pick<DeadPage, 'messages' | 'messageCount' | 'trouble'>> => {
    try {
      const { messages, total } = await queue.dead.list(MESSAGES)
      return { messages, messageCount: total, trouble: null }
    } catch (error) {
      if (!(error instanceof MadhavaError)) throw error
      return { messages: [], messageCount: null, trouble: error.message }
    }
  }

  /** Messages belong to nobody: who does not see every task sees none of them. */
  const messagesFor = async (actor: Actor, cursor: string | null) => {
    if (!seesAll(actor)) return { messages: [], messageCount: null, trouble: null }
    if (cursor === null) return messages()
    return { messages: [], messageCount: await queue.dead.count(), trouble: null }
  }

  /** Why no worker can run the task; null when one can. */
  const whyNotRunnable = async (task: TaskRecord): Promise<DeadTask['reason'] | null> =>
    isWaiting(task.status) ? ((await unknownKinds()).get(task.kind) ?? null) : null

  return {
    async list(actor, { limit, cursor }) {
      demand(actor, 'read')
      const from = parseCursor(cursor)
      const aside = await messagesFor(actor, cursor)
      const tasks: DeadTask[] = []
      let after = from.cursor
      if (from.part === 'waiting') {
        const page = await waiting(actor, limit, after, await unknownKinds())
        tasks.push(...page.tasks)
        if (page.next !== null) return { tasks, ...aside, next: `waiting.${page.next}` }
        if (tasks.length >= limit) return { tasks, ...aside, next: 'failed.' }
        after = null
      }
      const page = await failed(actor, limit - tasks.length, after)
      tasks.push(...page.tasks)
      return { tasks, ...aside, next: page.next === null ? null : `failed.${page.next}` }
    },

    async replay(actor, given) {
      const id = parseTaskId(given)
      const task = await access.findToChange(actor, id)
      if (task && isUnrunnable(task)) {
        const waits = await store.claim(id, retryByHand(now()))
        if (!waits) throw new MadhavaError('TASK_BUSY', 'Another process holds the task; try again')
        announceIfDue(waits)
        return { task: waits }
      }
      const inVain = task && (await whyNotRunnable(task))
      if (inVain) throw new MadhavaError('TASK_NOT_ENDED', inVain.message)
      if (!task && mayHandleMessages(actor) && (await queue.dead.replay(id))) return { message: id }
      throw new MadhavaError('DEAD_NOT_FOUND', NOT_DEAD)
    },

    async discard(actor, given) {
      const id = parseTaskId(given)
      const task = await access.findToChange(actor, id)
      if (!task) {
        if (mayHandleMessages(actor) && (await queue.dead.discard(id))) return
        throw new MadhavaError('DEAD_NOT_FOUND', NOT_DEAD)
      }
      if (await whyNotRunnable(task)) {
        // in one step and not as a cancel: a new worker may have begun it
        const ended = await store.claim(id, found => {
          if (isWaiting(found.status)) return revoke(now())(found)
          throw new MadhavaError('DEAD_NOT_FOUND', NOT_DEAD)
        })
        if (!ended || !isFinal(ended.status))
          throw new MadhavaError('TASK_BUSY', 'A worker is just taking the task')
      } else if (!isUnrunnable(task)) throw new MadhavaError('DEAD_NOT_FOUND', NOT_DEAD)
      await removeTask(task)
    },
  }
}
