import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { MadhavaError } from '../../src/core/errors.ts'
import { start, succeed } from '../../src/core/moves.ts'
import type { SeenPresence, TaskStore } from '../../src/core/store.ts'
import { newTaskId } from '../../src/core/task.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createEmbeddedQueue } from '../../src/queues/embedded/open.ts'
import { createPeers, rankOf } from '../../src/queues/embedded/peers.ts'
import { createMemory, type Memory, type MemoryStore } from '../../src/stores/memory/open.ts'
import { openSlots } from '../../src/worker/slots.ts'
import { type QueueMember, queueSuite } from '../suites/queue.ts'
import { newTaskOf } from '../support/new-task.ts'
import { takenUntil } from '../support/taken.ts'
import { until } from '../support/until.ts'

const clock = () => new Date()
const now = () => clock().toISOString()

const task = (notBefore: string | null = null) => newTaskOf({ createdAt: now(), notBefore })

const details = () => ({
  address: null,
  slots: 1,
  running: [],
  counters: {},
  rssBytes: 0,
  cpu: 0,
  troubles: {},
})

const joinMemory = async (
  memory: Memory,
  change: (store: MemoryStore) => TaskStore = store => store,
  role = 'worker',
) => {
  const store = memory.open({ clock })
  const seen = change(store)
  await store.announce({ role, details })
  const claims = new Map<string, number>()
  const queue = createEmbeddedQueue({ store: seen, log: silentLog(), clock })
  const member: QueueMember = {
    queue,
    create: async () => (await store.create(task(), null)).task.id,
    claim: async () => {
      const taken = await store.claimNext({ kinds: ['test'], now: now() }, start('w', now()))
      if (taken) claims.set(taken.id, taken.claim)
      return taken?.id ?? null
    },
    finish: async id => {
      await store.move(id, claims.get(id) ?? -1, succeed(null, null, now()))
    },
  }
  return { ...member, store }
}

queueSuite('embedded, over the memory store', {
  skip: false,
  world: async () => {
    const memory = createMemory()
    const members: Awaited<ReturnType<typeof joinMemory>>[] = []
    return {
      join: async () => {
        const member = await joinMemory(memory)
        members.push(member)
        return member
      },
      close: async () => {
        await Promise.all(members.map(({ queue }) => queue.close()))
        await Promise.all(members.map(({ store }) => store.close()))
      },
    }
  },
})

/** Whatever follows without a clock has happened by then. */
const quiet = async (): Promise<void> => {
  for (let n = 0; n < 20; n += 1) await turn()
}

describe('the embedded queue', () => {
  it('wakes about one of many workers for each task', { timeout: 300_000 }, async t => {
    const memory = createMemory()
    const ended = Array.from({ length: 8 }, () => 0)
    const members = await Promise.all(
      ended.map((_, place) =>
        joinMemory(memory, store => ({
          ...store,
          async *changes(since, signal) {
            for await (const change of store.changes(since, signal)) {
              yield change
              if (change.type === 'task' && change.task.status === 'SUCCESS')
                ended[place] = (ended[place] ?? 0) + 1
            }
          },
        })),
      ),
    )
    let takes = 0
    let ran = 0
    for (const member of members)
      openSlots(member.queue, {
        log: silentLog(),
        slots: 2,
        take: async () => {
          takes++
          const id = await member.claim()
          if (id === null) return null
          ran++
          return takenUntil(member.finish(id))
        },
      })
    await until('the first looks are over', () => takes >= 8)
    await quiet()
    takes = 0
    // whose turn comes later has all the time of the world to hear that the task was taken
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const api = await joinMemory(memory, store => store, 'api')
    for (let i = 1; i <= 40; i++) {
      await api.create()
      await until('it ran', () => ran === i)
    }
    await until('every worker has heard of every end', () => ended.every(count => count === 40))
    t.mock.timers.tick(60_000)
    await quiet()
    t.mock.timers.reset()
    // two per task: one that finds it and one that finds no more; a herd of eight would make 320
    assert.ok(takes >= 40 && takes <= 160, `${takes} takes for 40 tasks`)
    for (const member of [...members, api]) await member.queue.close()
    for (const member of [...members, api]) await member.store.close()
  })

  it('a worker further down looks when the first one, alive, does nothing', {
    timeout: 300_000,
  }, async () => {
    const memory = createMemory()
    const members = await Promise.all(Array.from({ length: 3 }, () => joinMemory(memory)))
    const [only] = members
    assert.ok(only)
    // the others beat and never take
    const ran: string[] = []
    openSlots(only.queue, {
      log: silentLog(),
      slots: 1,
      take: async () => {
        const id = await only.claim()
        if (id === null) return null
        ran.push(id)
        return takenUntil(only.finish(id))
      },
    })
    for (let i = 1; i <= 20; i++) {
      await only.create()
      await until('it ran', () => ran.length === i)
    }
    for (const member of members) await member.queue.close()
    for (const member of members) await member.store.close()
  })

  it('follows the feed again after it broke off, and finds what came meanwhile', {
    timeout: 300_000,
  }, async () => {
    const memory = createMemory()
    let broken = true
    let tries = 0
    const member = await joinMemory(memory, store => ({
      ...store,
      changes: (since, signal) => {
        tries++
        if (broken) throw new MadhavaError(tries % 2 ? 'CURSOR_TOO_OLD' : 'STORE_UNAVAILABLE')
        return store.changes(since, signal)
      },
    }))
    const ran: string[] = []
    openSlots(member.queue, {
      log: silentLog(),
      slots: 1,
      take: async () => {
        if (broken) return null
        const id = await member.claim()
        if (id === null) return null
        ran.push(id)
        return takenUntil(member.finish(id))
      },
    })
    await until('several tries', () => tries >= 3)
    assert.equal(member.queue.state().status, 'connecting')
    assert.match(member.queue.state().reason ?? '', /change feed/)
    assert.ok(tries < 20, 'the retry ran hot')
    await member.create()
    broken = false
    await until('it ran', () => ran.length === 1)
    await until('it is ready', () => member.queue.state().status === 'ready')
    await member.create()
    await until('the feed rings again', () => ran.length === 2)
    await member.queue.close()
    await member.store.close()
  })

  it('rings for nothing that is not due, and at once when the sweeper here announces it', {
    timeout: 300_000,
  }, async () => {
    const memory = createMemory()
    const heard = { follows: false, changes: 0 }
    const member = await joinMemory(memory, store => ({
      ...store,
      async *changes(since, signal) {
        heard.follows = true
        for await (const change of store.changes(since, signal)) {
          yield change
          heard.changes += 1
        }
      },
    }))
    let takes = 0
    openSlots(member.queue, {
      log: silentLog(),
      slots: 1,
      take: async () => {
        takes++
        return null
      },
    })
    await until('the first looks are over', () => heard.follows && takes >= 1)
    await quiet()
    takes = 0
    const later = task('2999-01-01T00:00:00.000Z')
    await member.store.create(later, null)
    await until('it has heard of it', () => heard.changes === 1)
    await quiet()
    assert.equal(takes, 0)
    member.queue.announce(later)
    await until('it looked', () => takes === 1)
    await member.queue.close()
    await member.store.close()
  })

  it('follows no feed for a worker that has stopped, and rings it no more', {
    timeout: 300_000,
  }, async () => {
    let open = 0
    const member = await joinMemory(createMemory(), store => ({
      ...store,
      async *changes(since, signal) {
        open += 1
        try {
          yield* store.changes(since, signal)
        } finally {
          open -= 1
        }
      },
    }))
    const subscribe = () => {
      const seen = { looks: 0 }
      const look = (): void => void seen.looks++
      const subscription = member.queue.subscribe({
        size: 1,
        poll: look,
        offer() {},
        release() {},
        stop: async () => {},
      })
      return { seen, end: subscription.end }
    }
    const [first, second] = [subscribe(), subscribe()]
    await until('both follow', () => open === 2)
    first.end()
    await until('one follows', () => open === 1)
    second.end()
    second.end()
    await until('none follows', () => open === 0)
    await quiet()
    const before = [first.seen.looks, second.seen.looks]
    const third = subscribe()
    await until('a third one follows', () => open === 1)
    const { looks } = third.seen
    member.queue.announce(task())
    assert.equal(third.seen.looks, looks + 1)
    await member.create()
    await until('it is rung for', () => third.seen.looks === looks + 2)
    assert.deepEqual([first.seen.looks, second.seen.looks], before, 'one that has stopped was woken')
    await member.queue.close()
    await member.store.close()
  })

  it('polls after it has its cursor, so that no task is lost in between', {
    timeout: 300_000,
  }, async () => {
    let isCreated = false
    const member = await joinMemory(createMemory(), store => ({
      ...store,
      cursor: async () => {
        await store.create(task(), null)
        isCreated = true
        return store.cursor()
      },
    }))
    const looks: boolean[] = []
    member.queue.subscribe({
      size: 1,
      poll: () => void looks.push(isCreated),
      offer() {},
      release() {},
      stop: async () => {},
    })
    await until('it has looked since', () => looks.includes(true), 10_000)
    await member.queue.close()
    await member.store.close()
  })

  it('opens no feed in a process that only announces', async () => {
    let feeds = 0
    const member = await joinMemory(createMemory(), store => ({
      ...store,
      cursor: () => {
        feeds++
        return store.cursor()
      },
      changes: (since, signal) => {
        feeds++
        return store.changes(since, signal)
      },
    }))
    member.queue.announce({ id: newTaskId(), kind: 'test' })
    assert.equal(await member.queue.depth(), 0)
    await quiet()
    assert.equal(feeds, 0)
    await member.queue.close()
    await member.store.close()
  })
})

describe('the living workers', () => {
  it('are read at most once a second, and again after a read that failed', {
    timeout: 300_000,
  }, async () => {
    let reads = 0
    const living = [{ role: 'worker', alive: true, instance: 'a' }]
    const peers = createPeers({
      async presences() {
        reads += 1
        if (reads === 2) throw new MadhavaError('STORE_UNAVAILABLE')
        return living as SeenPresence[]
      },
    } as unknown as TaskStore)
    const seen = async () => [...(await peers.current())]
    assert.deepEqual(await Promise.all([seen(), seen()]), [['a'], ['a']])
    living.push({ role: 'worker', alive: true, instance: 'b' }, { role: 'api', alive: true, instance: 'c' })
    await until('it is read again, in vain', async () => (await seen()).length > 0 && reads === 2, 10_000)
    assert.deepEqual(await seen(), ['a'])
    await until('the newcomer is seen', async () => (await seen()).includes('b'), 10_000)
    assert.deepEqual([await seen(), reads], [['a', 'b'], 3])
  })
})

describe('the rank of a worker for a task', () => {
  it('is a permutation: every worker has its own, and all agree', () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 12 }),
        (id, instances) => {
          const ranks = instances.map(instance => rankOf(id, instance, instances)).sort((a, b) => a - b)
          assert.deepEqual(
            ranks,
            instances.map((_, i) => i),
          )
        },
      ),
    )
  })

  it('keeps the order of the others when one leaves', () => {
    fc.assert(
      fc.property(
        fc.uuid(),
        fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 12 }),
        (id, instances) => {
          const order = (set: string[]) => [...set].sort((a, b) => rankOf(id, a, set) - rankOf(id, b, set))
          const [gone, ...rest] = instances
          assert.deepEqual(
            order(rest),
            order(instances).filter(instance => instance !== gone),
          )
        },
      ),
    )
  })

  it('is 0 for a worker that does not see itself, when it is alone', () => {
    assert.equal(rankOf('x', 'me', []), 0)
  })
})
