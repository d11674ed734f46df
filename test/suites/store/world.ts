// What the topics of the store suite share: the world that an adapter hands in, tasks, times, waiting, the feed.

import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type ErrorCode, isMadhavaError } from '../../../src/core/errors.ts'
import { type NewTask, start, succeed } from '../../../src/core/moves.ts'
import type { Change, PresenceDetails, TaskStore } from '../../../src/core/store.ts'
import { compareVersions, type TaskRecord } from '../../../src/core/task.ts'
import { newTaskOf } from '../../support/new-task.ts'
import { until } from '../../support/until.ts'
import { SAMPLE } from './sample.ts'

/** A place where tasks are kept, fresh for each test, as one or more processes see it. */
export interface StoreWorld {
  /** Another store on this world, in this process, as another process would have it. */
  open(): Promise<TaskStore>
  /** A process of its own announces itself, claims these tasks with `start`, and dies without letting go. */
  lose(ids: readonly string[]): Promise<void>
  /** Closes every store that is still open and removes the world. */
  end(): Promise<void>
}
export type StoreFactory = () => Promise<StoreWorld>

/** Registers one promise of the store, tested in a world of its own. */
export type Check<World extends StoreWorld = StoreWorld> = (
  title: string,
  body: (world: World) => Promise<void>,
) => void

export const checkIn =
  <World extends StoreWorld>(factory: () => Promise<World>): Check<World> =>
  (title, body) => {
    // generous: a slow machine must not turn a kept promise into a failure
    it(title, { timeout: SAMPLE.timeout }, async () => {
      const world = await factory()
      try {
        await body(world)
      } finally {
        await world.end()
      }
    })
  }

/** A time of the tests, in seconds after their beginning, as records have it. */
export const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString()

export const newTask = (task: Partial<NewTask> = {}): TaskRecord =>
  newTaskOf({ kind: 'adding', params: { a: 1 }, createdAt: at(0), ...task })

export const add = async (store: TaskStore, task: Partial<NewTask> = {}): Promise<TaskRecord> =>
  (await store.create(newTask(task), null)).task

/** A task with a key, and the fingerprint of what was asked. */
export const keyed = (key: string, fingerprint = 'body 1', task: Partial<NewTask> = {}) =>
  [newTask({ ...task, idempotencyKey: key }), fingerprint] as const

/** Claims a waiting task for running. */
export const take = async (store: TaskStore, id: string, when = at(1)): Promise<TaskRecord> => {
  const task = await store.claim(id, start(store.instance, when))
  assert.ok(task, 'a task that nobody holds can be claimed')
  assert.equal(task.status, 'STARTED')
  return task
}

/** A task that has run and ended in SUCCESS. */
export const addEnded = async (
  store: TaskStore,
  task: Partial<NewTask> = {},
  finishedAt = at(2),
): Promise<TaskRecord> => {
  const { id } = await add(store, task)
  const { claim } = await take(store, id)
  return store.move(id, claim, succeed(42, null, finishedAt))
}

/** The record that must be there. */
export const read = async (store: TaskStore, id: string): Promise<TaskRecord> => {
  const task = await store.get(id)
  assert.ok(task, `the task ${id} is there`)
  return task
}

/** Whether the call is refused with one of these codes, and nothing else. */
export const refused = async (call: () => unknown, ...codes: ErrorCode[]): Promise<void> => {
  await assert.rejects(
    async () => call(),
    (error: unknown) => {
      assert.ok(
        isMadhavaError(error) && codes.includes(error.code),
        `expected ${codes.join(' or ')}, got ${error}`,
      )
      return true
    },
  )
}

export const details = (change: Partial<PresenceDetails> = {}): PresenceDetails => ({
  address: null,
  slots: 2,
  running: [],
  counters: {},
  rssBytes: 1,
  cpu: 0,
  troubles: {},
  ...change,
})

export interface Follower {
  seen: Change[]
  /** Stops following; rejects with what the feed threw. */
  stop(): Promise<void>
}

/** Reads the feed into `seen`. */
export const follow = (store: TaskStore, since: string): Follower => {
  const seen: Change[] = []
  const stopping = new AbortController()
  const reading = (async () => {
    for await (const change of store.changes(since, stopping.signal)) seen.push(change)
  })()
  reading.catch(() => {})
  return {
    seen,
    async stop() {
      stopping.abort()
      await reading
    },
  }
}

/** The last state of each task that these changes tell; fails when one task goes backwards. */
export const latest = (changes: readonly Change[]): Map<string, TaskRecord> => {
  const tasks = new Map<string, TaskRecord>()
  for (const change of changes) {
    if (change.type === 'removed') tasks.delete(change.id)
    if (change.type !== 'task') continue
    const before = tasks.get(change.task.id)
    if (before)
      assert.ok(
        compareVersions(before, change.task) <= 0,
        `the feed went back from (${before.claim}, ${before.rev}) to (${change.task.claim}, ${change.task.rev})`,
      )
    tasks.set(change.task.id, change.task)
  }
  return tasks
}

/** Waits until the follower has been shown the present state of these tasks. */
export const caughtUp = async (
  follower: Follower,
  store: TaskStore,
  ids: readonly string[],
): Promise<void> => {
  for (const id of ids) {
    const now = await read(store, id)
    await until(`the feed brings ${now.status} of ${id}`, () => {
      const told = latest(follower.seen).get(id)
      return told !== undefined && compareVersions(told, now) === 0
    })
    assert.deepEqual(latest(follower.seen).get(id), now)
  }
}
