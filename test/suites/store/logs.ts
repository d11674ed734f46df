// A task's log in any store: written by one process, followed in another while it is replaced, gone on with by the next.

import assert from 'node:assert/strict'
import type { Actor } from '../../../src/core/actor.ts'
import { createFeed } from '../../../src/core/feed.ts'
import { createLogCalls } from '../../../src/core/log-reader.ts'
import { giveBack, succeed } from '../../../src/core/moves.ts'
import type { TaskStore } from '../../../src/core/store.ts'
import { createTaskAccess } from '../../../src/core/task-access.ts'
import { isGap, type LogEntry } from '../../../src/core/task-log.ts'
import { anybody } from '../../support/actors.ts'
import { writesLog } from '../../support/writes-log.ts'
import { add, at, type Check, take } from './world.ts'

const actor: Actor = anybody()
const callsOf = (store: TaskStore) =>
  createLogCalls({ store, access: createTaskAccess(store), feed: createFeed(store) })

export const logs = (check: Check): void => {
  check(
    'a log goes on in the next process, and who follows it has each line once, up to the end',
    async world => {
      const [one, other, reader] = [await world.open(), await world.open(), await world.open()]
      const { id } = await add(one)
      const calls = callsOf(reader)
      const seen: LogEntry[] = []
      const follow = async (since: string | null, most: number): Promise<string | null> => {
        const ending = new AbortController()
        let last = since
        for await (const events of calls.followLog(actor, id, since, ending.signal))
          for (const event of events) {
            if (event.type === 'task') return null
            seen.push(event.entry)
            last = event.cursor
            if (seen.length === most) return last
          }
        return last
      }
      const text = 'x'.repeat(300)
      const write = async (store: TaskStore, attempt: number): Promise<void> => {
        const { say } = writesLog(store, id, { attempt })
        for (let turn = 0; turn < 20; turn += 1) await say(...Array.from({ length: 10 }, () => text))
      }
      // the first follower leaves half-way, and the second one goes on where it was
      const following = follow(null, 150).then(place => follow(place, Number.POSITIVE_INFINITY))
      const first = await take(one, id)
      await write(one, 1)
      await one.move(id, first.claim, giveBack(at(5)))
      const second = await take(other, id)
      await write(other, 2)
      await other.move(id, second.claim, succeed(1, null, at(9)))
      assert.equal(await following, null)
      let next = 1
      for (const entry of seen) {
        assert.equal(isGap(entry) ? entry.from : entry.n, next)
        next = (isGap(entry) ? entry.to : entry.n) + 1
      }
      assert.equal(next, 401)
      const { entries, last, ended } = await calls.logEntries(actor, id, 200)
      assert.deepEqual([entries.length, last, ended], [200, 400, true])
      assert.ok(entries.every(entry => !isGap(entry) && entry.attempt === 2))
    },
  )
}
