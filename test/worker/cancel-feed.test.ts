// The feed of held tasks: no cancel request is lost between the records that are read and the changes that follow.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { start } from '../../src/core/moves.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { type Log, silentLog } from '../../src/platform/log.ts'
import { createMemory } from '../../src/stores/memory/open.ts'
import { followCancelRequests } from '../../src/worker/cancel-feed.ts'
import { keepingLog } from '../support/keeping-log.ts'
import { newTaskOf } from '../support/new-task.ts'
import { until } from '../support/until.ts'

const OUTER = { timeout: 300_000 }
const clock = () => new Date()
const now = () => clock().toISOString()

/** A task that is held, and its holder's feed over a store that `wrap` changes. */
const follow = async (
  wrap: (store: TaskStore, request: () => Promise<unknown>) => TaskStore,
  log: Log = silentLog(),
) => {
  const memory = createMemory()
  const store = memory.open({ clock })
  const client = memory.open({ clock })
  const { id } = (await store.create(newTaskOf({ createdAt: now() }), null)).task
  await store.claim(id, start('w', now()))
  const heard: string[] = []
  const feed = followCancelRequests({
    store: wrap(store, () => client.revoke(id, now())),
    log,
    held: () => [id],
    isHeld: one => one === id,
    onCancelRequest: one => heard.push(one),
    onRecord: () => {},
  })
  const close = async () => {
    await feed.close()
    await client.close()
    await store.close()
  }
  return { id, heard, feed, close }
}

describe('the feed of what is held', () => {
  it(
    'reports a cancel request whenever it comes: before a record is read, meanwhile, and after',
    OUTER,
    async () => {
      const moments: Record<string, Parameters<typeof follow>[0]> = {
        'before the cursor': (store, request) => ({
          ...store,
          cursor: async () => {
            await request()
            return store.cursor()
          },
        }),
        'after the cursor': (store, request) => ({
          ...store,
          cursor: async () => {
            const cursor = await store.cursor()
            await request()
            return cursor
          },
        }),
        'after a record was read': (store, request) => ({
          ...store,
          get: async id => {
            const task = await store.get(id)
            await request()
            return task
          },
        }),
        'after the feed was opened': (store, request) => ({
          ...store,
          changes: (since, signal) => {
            void request()
            return store.changes(since, signal)
          },
        }),
      }
      for (const [moment, wrap] of Object.entries(moments)) {
        const { id, heard, close } = await follow(wrap)
        await until(`it hears of the cancel request ${moment}`, () => heard.includes(id), 10_000)
        await close()
      }
    },
  )

  it(
    'is reopened at growing intervals while it keeps breaking, and soon once it has worked',
    OUTER,
    async () => {
      const { log, lines } = keepingLog()
      let opened = 0
      const { close } = await follow(
        store => ({
          ...store,
          async *changes() {
            opened += 1
            // the fourth one works for a moment
            if (opened === 4) yield { type: 'removed', id: 'x' } as never
            throw new Error('it broke')
          },
        }),
        log,
      )
      await until('it was opened again and again', () => opened >= 5)
      await close()
      const pauses = lines()
        .map(({ retryMs }) => Number(retryMs))
        .slice(0, 4)
      for (const [place, full] of [100, 200, 400, 100].entries()) {
        const pause = pauses[place] ?? 0
        assert.ok(pause >= full / 2 && pause <= full, `pauses of ${pauses.join(', ')} ms`)
      }
    },
  )
})
