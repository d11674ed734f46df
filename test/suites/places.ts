// What is promised to tasks of a kind that may run only so often at a time: whoever ends a run, and however it ends,
// somebody begins the next one, the oldest first, with few looks. Without a sweeper, so that nothing else may wake them.
// Run over each store and each queue.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { fail, giveBack, revoke, start, succeed, takeOver } from '../../src/core/moves.ts'
import type { TaskQueue } from '../../src/core/queue.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { isRunning, isWaiting, type TaskRecord } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import type { ThreadPool } from '../../src/worker/pool/pool.ts'
import { createRunner } from '../../src/worker/runner.ts'
import { openSlots } from '../../src/worker/slots.ts'
import { kindSetsOf } from '../support/kind-sets.ts'
import { newTaskOf } from '../support/new-task.ts'
import { until } from '../support/until.ts'

export interface PlacesWorld {
  /** A store on the one place of this world, as another process has it. */
  open(): Promise<TaskStore>
  queue(store: TaskStore): TaskQueue
  end(): Promise<void>
}
export interface PlacesSuiteOptions {
  skip: string | false
  world: () => Promise<PlacesWorld>
}

const clock = () => new Date()
const now = () => clock().toISOString()
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
const RUN_MS = 5
/** One when the slot gets free, one when the end is durable, one after each that found something; the rest for chance. */
const LOOKS_PER_TASK = 8

const KINDS = createKinds(
  ['free', 'limited'].map(name =>
    loadKind(
      name,
      ({ defineKind, z }: { defineKind: (kind: object) => object; z: typeof import('zod').z }) =>
        defineKind({
          summary: 'Takes a moment',
          params: z.any(),
          result: z.any(),
          example: {},
          run: () => null,
          ...(name === 'limited' ? { maxConcurrency: 1 } : {}),
        }),
      `${name}.ts`,
    ),
  ),
)

/** Runs that take RUN_MS each, without a thread. */
const pool: ThreadPool = {
  run(_request, events) {
    events.started()
    let stop = () => {}
    const outcome = new Promise<Awaited<ReturnType<ThreadPool['run']>['outcome']>>(resolve => {
      const timer = setTimeout(
        () => resolve({ type: 'success', result: { form: 'inline', json: 'null' } }),
        RUN_MS,
      )
      stop = () => {
        clearTimeout(timer)
        resolve({ type: 'stopped' })
      }
    })
    return {
      outcome,
      isWaiting: () => false,
      tookMs: () => RUN_MS,
      withdraw: () => false,
      cancel: stop,
      kill: stop,
    }
  },
  renew() {},
  state: () => ({ busy: 0, idle: 0, waiting: 0 }),
  close: async () => {},
}

const openCrew = async (world: PlacesWorld) => {
  const client = await world.open()
  const looks = { count: 0 }
  const closers: (() => Promise<void>)[] = [() => client.close()]
  const hire = async (slots = 2) => {
    const store = await world.open()
    await store.announce({
      role: 'worker',
      details: () => ({ address: null, slots, running: [], counters: {}, rssBytes: 0, cpu: 0, troubles: {} }),
    })
    const queue = world.queue(store)
    const runner = createRunner({
      store: {
        ...store,
        claimNext(want, move) {
          looks.count += 1
          return store.claimNext(want, move)
        },
      },
      kindSets: kindSetsOf(KINDS, { free: 'free.ts', limited: 'limited.ts' }),
      threads: pool,
      submitChild: () => Promise.reject(new Error('nothing is submitted here')),
      workerName: 'w',
      clock,
      log: silentLog(),
      onPollNow: () => work.poll(),
    })
    const work = openSlots(queue, { slots, ahead: 16, take: runner.take, log: silentLog() })
    const dismiss = async () => {
      await work.stop()
      await runner.close()
      await queue.close()
      await store.close()
    }
    closers.push(dismiss)
    return { runner, dismiss, poll: () => work.poll() }
  }
  const news = world.queue(client)
  closers.unshift(() => news.close())
  return {
    client,
    looks,
    hire,
    /** A store without a worker. */
    async join(): Promise<TaskStore> {
      const store = await world.open()
      closers.push(() => store.close())
      return store
    },
    async add(kind = 'limited', notBefore: string | null = null) {
      const { task } = await client.create(newTaskOf({ kind, createdAt: now(), notBefore }), null)
      news.announce({ id: task.id, kind })
      return task
    },
    async get(id: string): Promise<TaskRecord> {
      const task = await client.get(id)
      assert.ok(task)
      return task
    },
    close: async () => {
      for (const close of closers.reverse()) await close()
    },
  }
}
type Crew = Awaited<ReturnType<typeof openCrew>>

const succeeded = (crew: Crew, ids: readonly string[]) =>
  until(
    'all have run',
    async () => (await Promise.all(ids.map(crew.get))).every(({ status }) => status === 'SUCCESS'),
    60_000,
  )

export const placesSuite = (name: string, { skip, world }: PlacesSuiteOptions): void => {
  const promise = (title: string, body: (crew: Crew) => Promise<void>) =>
    it(title, { skip, timeout: 300_000 }, async () => {
      const made = await world()
      const crew = await openCrew(made)
      try {
        await body(crew)
      } finally {
        await crew.close()
        await made.end()
      }
    })

  describe(`places of a kind, ${name}`, () => {
    for (const workers of [1, 2])
      promise(`${workers} at work: one task after another, the oldest first, with few polls`, async crew => {
        for (let n = 0; n < workers; n += 1) await crew.hire()
        const ids: string[] = []
        for (let n = 0; n < 20; n += 1) ids.push((await crew.add()).id)
        await succeeded(crew, ids)
        const begins = (await Promise.all(ids.map(crew.get))).map(task => task.startedAt ?? '')
        assert.deepEqual(begins, begins.toSorted())
        assert.ok(
          crew.looks.count <= ids.length * LOOKS_PER_TASK * workers,
          `${crew.looks.count} looks for ${ids.length} tasks`,
        )
      })

    promise('what is given back by a worker that ends is begun by another, and goes on there', async crew => {
      const first = await crew.hire()
      await crew.hire()
      const ids: string[] = []
      for (let n = 0; n < 10; n += 1) ids.push((await crew.add()).id)
      await until('it goes on', async () => (await crew.get(ids[2] ?? '')).status === 'SUCCESS', 60_000)
      await first.dismiss()
      await succeeded(crew, ids)
    })

    const WAYS = {
      success: (_: TaskRecord) => succeed(1, null, now()),
      failure: (_: TaskRecord) => fail({ code: 'KIND_FAILED', message: 'no', detail: null }, null, now()),
      retry: (_: TaskRecord) => fail({ code: 'KIND_FAILED', message: 'no', detail: null }, inAnHour(), now()),
      cancel: (_: TaskRecord) => revoke(now()),
    }
    promise('the end of a run in another process wakes waiting workers, however it ends', async crew => {
      const other = await crew.join()
      const holding = async (): Promise<TaskRecord> => {
        // no worker takes it before its time
        const { id } = await crew.add('limited', inAnHour())
        const task = await other.claim(id, start('other', now()))
        assert.ok(task && isRunning(task.status))
        return task
      }
      let held = await holding()
      await crew.hire()
      for (const [way, move] of Object.entries(WAYS)) {
        const { id } = await crew.add()
        const looked = crew.looks.count
        await crew.add('free')
        await until('the worker has found it full', () => crew.looks.count > looked)
        await other.move(held.id, held.claim, move(held))
        await until(`it runs after a ${way}`, async () => (await crew.get(id)).status === 'SUCCESS', 60_000)
        held = await holding()
      }
      const { id } = await crew.add()
      await other.move(held.id, held.claim, giveBack(now()))
      await succeeded(crew, [held.id, id])
      held = await holding()
      const last = await crew.add()
      await other.close()
      // as a sweeper does, for the dead
      await until('it is taken over', async () => {
        const task = await crew.client.claim(held.id, takeOver(now()))
        return task !== null && isWaiting(task.status)
      })
      await succeeded(crew, [held.id, last.id])
    })
  })
}
