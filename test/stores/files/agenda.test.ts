// What the sweeper is told to do: after the dead once, and nothing twice.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { SeenPresence } from '../../../src/core/store.ts'
import type { TaskRecord } from '../../../src/core/task.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createAgenda } from '../../../src/stores/files/claims/agenda.ts'
import type { LiveIndex } from '../../../src/stores/files/index/live-index.ts'
import { createTaskIndex } from '../../../src/stores/files/index/task-index.ts'
import { at, details } from '../../suites/store/world.ts'
import { createInstances, createParts, DEAD, OTHER } from './parts.ts'

const running = { status: 'STARTED', claim: 1, rev: 1, attempt: 1, startedAt: at(1), worker: 'w' } as const
const MINUTE = 60_000

const setUp = async (test: TestContext, known: string[] = []) => {
  const parts = await createParts(test)
  const index = createTaskIndex()
  const done: string[] = []
  const since: number[] = []
  const beat: SeenPresence = {
    instance: DEAD,
    role: 'worker',
    host: 'h',
    pid: 1,
    startedAt: at(0),
    beatAt: at(500),
    details: details(),
    alive: false,
  }
  const { agenda } = createAgenda({
    instances: {
      ...createInstances(),
      known: () => known,
      presences: async () => [beat, { ...beat, instance: OTHER, beatAt: at(1), alive: true }],
      forget(instance) {
        done.push(`forget ${instance}`)
        known.splice(known.indexOf(instance), 1)
      },
    },
    liveIndex: { current: async () => index } as unknown as LiveIndex,
    feedRepair: {
      findWritten: async sinceMs => {
        since.push(sinceMs)
        return 0
      },
      findGone: async () => 0,
    },
    acquirer: parts.acquirer,
    logTruncation: {
      close: async () => {},
      settleDead: async () => void done.push('settle'),
    },
    clock: () => new Date(at(1_000)),
    log: silentLog(),
  })
  const put = (change: Partial<TaskRecord> = {}) => {
    const task = parts.put(change)
    index.put(task)
    return task
  }
  return { ...parts, put, agenda, done, since, index }
}

describe('the agenda of the files store', () => {
  it('names what the dead ran and had begun, and forgets them only when nothing of it is left', async test => {
    const { put, takeFor, agenda, done, since, index, records } = await setUp(test, [DEAD, OTHER])
    const [orphan, held, begun] = [put(running), put(running), put()]
    takeFor(DEAD, orphan.id, 1)
    takeFor(OTHER, held.id, 1)
    takeFor(DEAD, begun.id, 1)
    assert.deepEqual((await agenda(at(9), 10)).orphaned.sort(), [orphan.id, begun.id].sort())
    assert.deepEqual(done, [])
    // what was written before its last beat, less a margin for a beat that was late
    assert.deepEqual(since, [Date.parse(at(500)) - MINUTE])
    for (const task of [orphan, begun]) {
      const ended = { ...task, status: 'FAILURE', claim: 2, rev: 3, finishedAt: at(9) } as const
      records.put(ended)
      index.put(ended)
    }
    assert.deepEqual((await agenda(at(9), 10)).orphaned, [])
    assert.deepEqual(done, ['settle', `forget ${DEAD}`])
    await agenda(at(9), 10)
    assert.deepEqual([done.length, since.length], [2, 2])
  })

  it('counts what may be taken, to the moment, and names at most as many as are asked for', async test => {
    const { put, agenda } = await setUp(test)
    const due = [put({ createdAt: at(1) }), put({ createdAt: at(2), notBefore: at(100) })]
    const later = put({ notBefore: at(101) })
    const ending = put({ expiresAt: at(100) })
    put({ kind: 'other', expiresAt: at(100), notBefore: at(200) })
    const now = await agenda(at(100), 10, ['adding'])
    assert.deepEqual([now.due, now.dueIds], [2, due.map(({ id }) => id)])
    assert.ok(now.expired.includes(ending.id))
    assert.equal(now.expired.length, 2)
    assert.equal(now.nextAt, at(101))
    assert.deepEqual((await agenda(at(100), 1, ['adding'])).dueIds, [due[0]?.id])
    assert.deepEqual(
      (await agenda(at(101), 10, ['adding'])).dueIds.sort(),
      [...due, later].map(({ id }) => id).sort(),
    )
    assert.equal((await agenda(at(100), 10, ['other'])).due, 0)
  })
})
