// What one turn of the event loop does for the long answers, where nothing makes them wait: the store answers at once, and
// the client takes whatever comes.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { start, succeed } from '../../src/core/moves.ts'
import type { TaskRecord } from '../../src/core/task.ts'
import { TURN_LIMITS } from '../../src/core/turns.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createHttpRpc } from '../../src/rpc/http.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { at, newTask } from '../suites/store/world.ts'
import { anybody } from '../support/actors.ts'
import { createFakeAccess } from '../support/fake-access.ts'
import { countPerTurn, type PerTurn } from '../support/per-turn.ts'
import { createFixture, type Fixture, HOST } from './fixture.ts'

const TASKS = 5_000
/** A turn may do one piece beyond its limits: a page of records that was read, a chunk of text. */
const MOST_RECORDS = TURN_LIMITS.records + 100
const MOST_BYTES = TURN_LIMITS.bytes + 128 * 1024

const records: TaskRecord[] = Array.from({ length: TASKS }, (_, n) =>
  succeed('x'.repeat(200), null, at(3))(start('w', at(2))(newTask({ params: { n, text: 'y'.repeat(300) } }))),
)

describe('one turn of the loop does bounded work', () => {
  let fixture: Fixture
  let read: PerTurn = { add: () => undefined, close: () => ({ most: 0, total: 0 }) }
  before(() => {
    const memory = createMemoryStore({ clock: () => new Date() })
    const store = {
      ...memory,
      async list(_filter: unknown, { limit, cursor }: { limit: number; cursor: string | null }) {
        const from = Number(cursor ?? 0)
        const tasks = records.slice(from, from + limit)
        read.add(tasks.length)
        return { tasks, next: from + limit < TASKS ? String(from + limit) : null }
      },
      async get(id: string) {
        read.add(1)
        return records.find(task => task.id === id) ?? null
      },
      async changedSince(cursor: string) {
        const ids = cursor === 'long ago' ? records.map(({ id }) => id) : []
        return { ids, removed: new Map(), cursor: 'now' }
      },
      cursor: async () => 'now',
      changes: memory.changes,
    }
    fixture = createFixture({ store })
  })
  after(() => fixture.close())

  /** Reads the body without a pause until it ends, or `enough` says so. */
  const readAll = async (response: Response, enough: (text: string) => boolean = () => false) => {
    const bytes = countPerTurn()
    const reader = response.body?.getReader()
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      bytes.add(part.value.length)
      if (enough(Buffer.from(part.value.subarray(-200)).toString())) break
    }
    await reader?.cancel()
    return bytes.close()
  }
  const measured = async (work: () => Promise<{ most: number; total: number } | undefined>) => {
    read = countPerTurn()
    const bytes = await work()
    return { records: read.close(), bytes }
  }
  const holds = ({ records, bytes }: Awaited<ReturnType<typeof measured>>): void => {
    assert.ok(records.total >= TASKS, `only ${records.total} records were read`)
    assert.ok(records.most <= MOST_RECORDS, `${records.most} records in one turn`)
    if (bytes) assert.ok(bytes.most <= MOST_BYTES, `${bytes.most} of ${bytes.total} bytes in one turn`)
  }

  for (const accept of ['application/json', 'application/x-ndjson'])
    it(`for GET /alltasks as ${accept}`, async () => {
      const asked = { headers: { accept } }
      holds(await measured(async () => readAll(await fixture.app.request('/alltasks', asked))))
    })

  for (const action of ['cancel', 'retry', 'delete'])
    it(`for a dry run of ${action} over all`, async () => {
      holds(
        await measured(async () => {
          const answer = await fixture.app.request(`/tasks/${action}?all=1&dryRun=1`, { method: 'POST' })
          assert.equal(answer.status, 200)
          return undefined
        }),
      )
    })

  it('for a snapshot of all events', async () => {
    const isLive = (text: string) => text.includes('event: live')
    holds(await measured(async () => readAll(await fixture.app.request('/events?snapshot=1'), isLive)))
  })

  it('for all that a reader of events has missed', async () => {
    const isLive = (text: string) => text.includes('event: live')
    holds(await measured(async () => readAll(await fixture.app.request('/events?since=long+ago'), isLive)))
  })

  it('for listTasks of Thrift', async () => {
    const rpc = createHttpRpc({
      service: fixture.service,
      access: createFakeAccess().access,
      machine: { snapshot: () => HOST },
      clock: () => new Date(),
      log: silentLog(),
      version: '1',
    })
    const name = Buffer.from('listTasks')
    const head = Buffer.from([0x80, 1, 0, 1, 0, 0, 0, name.length])
    const call = Buffer.concat([head, name, Buffer.from([0, 0, 0, 1, 0])])
    // the structs are counted as they are written
    const structs = countPerTurn()
    const write = Buffer.prototype.write
    let reply: Buffer
    try {
      Buffer.prototype.write = function (this: Buffer, text: string, ...rest: never[]) {
        if (text === 'SUCCESS') structs.add(1)
        return write.call(this, text, ...rest)
      } as typeof write
      holds(
        await measured(async () => {
          reply = await rpc(call, new AbortController().signal, anybody('rpc'), {
            address: null,
            via: 'rpc',
            agent: null,
          })
          assert.ok(reply.includes(records[TASKS - 1]?.id ?? '-'))
          return undefined
        }),
      )
    } finally {
      Buffer.prototype.write = write
    }
    const { most, total } = structs.close()
    assert.equal(total, TASKS)
    assert.ok(most <= MOST_RECORDS, `${most} structs in one turn`)
  })
})
