// The contract of TaskQueue, run on every adapter. The promises are the queue's: what is counted are takes.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskQueue } from '../../src/core/queue.ts'
import { silentLog } from '../../src/platform/log.ts'
import { openSlots, type Slots } from '../../src/worker/slots.ts'
import { takenUntil } from '../support/taken.ts'
import { until } from '../support/until.ts'

/** One process's view: its queue, and the store's part that a take needs. */
export interface QueueMember {
  queue: TaskQueue
  /** Makes a task that is due in the store, without a word to the queue. */
  create(): Promise<string>
  /** Claims one due task: its id, or null. */
  claim(): Promise<string | null>
  /** The task's final move. */
  finish(id: string): Promise<void>
}

/** A fresh queue and store, and any number of processes on them. */
export interface QueueWorld {
  join(): Promise<QueueMember>
  close(): Promise<void>
}

export interface QueueSuiteOptions {
  skip: string | false
  world: () => Promise<QueueWorld>
}

/** Takes with counting; a task runs until `run` resolves. */
const createWorker = (member: QueueMember, slots: number, run: (id: string) => Promise<void>) => {
  const ran: string[] = []
  const worker = {
    queue: member.queue,
    ran,
    takes: 0,
    taking: 0,
    running: 0,
    /** The most at one time: takes under way, and those with the running tasks. */
    peakTaking: 0,
    peakBusy: 0,
    handle: null as Slots | null,
    start(): Slots {
      worker.handle = openSlots(member.queue, { slots, take, log: silentLog() })
      return worker.handle
    },
  }
  const live = async (id: string): Promise<void> => {
    try {
      await run(id)
      await member.finish(id)
    } finally {
      worker.running--
    }
  }
  const take = async () => {
    worker.takes++
    worker.taking++
    worker.peakTaking = Math.max(worker.peakTaking, worker.taking)
    worker.peakBusy = Math.max(worker.peakBusy, worker.taking + worker.running)
    const id = await member.claim()
    worker.taking--
    if (id === null) return null
    ran.push(id)
    worker.running++
    return takenUntil(live(id))
  }
  return worker
}

/** Tasks that run until they are let go. */
const createGate = () => {
  const held: (() => void)[] = []
  let open = false
  return {
    pass: () => (open ? Promise.resolve() : new Promise<void>(resolve => held.push(resolve))),
    openOne: () => held.shift()?.(),
    open() {
      open = true
      for (const go of held.splice(0)) go()
    },
  }
}

const submit = async (member: QueueMember): Promise<string> => {
  const id = await member.create()
  member.queue.announce({ id, kind: 'test' })
  return id
}

const submitMany = async (member: QueueMember, count: number): Promise<string[]> => {
  const ids: string[] = []
  for (let i = 0; i < count; i++) ids.push(await submit(member))
  return ids
}

const sorted = (ids: readonly string[]) => [...ids].sort()
const moment = () => sleep(2)

export const queueSuite = (name: string, { skip, world }: QueueSuiteOptions): void => {
  describe(`the queue ${name}`, () => {
    const worlds: QueueWorld[] = []
    const open = async (): Promise<QueueWorld> => {
      const made = await world()
      worlds.push(made)
      return made
    }
    after(() => Promise.all(worlds.map(made => made.close())))
    const promise = (title: string, check: (world: QueueWorld) => Promise<void>) =>
      it(title, { skip, timeout: 300_000 }, async () => check(await open()))

    promise('runs at most `slots` tasks at a time, and so many when there are as many', async world => {
      const member = await world.join()
      const gate = createGate()
      const worker = createWorker(member, 3, gate.pass)
      worker.start()
      const ids = await submitMany(member, 12)
      await until('three run', () => worker.running === 3)
      gate.openOne()
      await until('a fourth was taken', () => worker.ran.length === 4 && worker.running === 3)
      gate.open()
      await until('all ran', () => worker.ran.length === ids.length && worker.running === 0)
      assert.deepEqual(sorted(worker.ran), sorted(ids))
      assert.ok(worker.peakBusy <= 3, `${worker.peakBusy} takes and tasks at a time`)
    })

    promise('runs every announced task with one consumer', async world => {
      const member = await world.join()
      const worker = createWorker(member, 4, moment)
      worker.start()
      const ids = await submitMany(member, 200)
      await until('all ran', () => worker.ran.length === ids.length && worker.running === 0)
      assert.deepEqual(sorted(worker.ran), sorted(ids))
    })

    promise(
      'runs every announced task once with three consumers, and each of them runs some',
      async world => {
        const api = await world.join()
        const workers = [await world.join(), await world.join(), await world.join()].map(member =>
          createWorker(member, 2, moment),
        )
        for (const worker of workers) worker.start()
        const ids = await submitMany(api, 150)
        const ran = () => workers.flatMap(worker => worker.ran)
        await until('all ran', () => ran().length === ids.length)
        assert.deepEqual(sorted(ran()), sorted(ids))
        for (const worker of workers) assert.ok(worker.ran.length > 0, 'a worker had nothing to do')
      },
    )

    promise('runs what was announced before there was a consumer', async world => {
      const api = await world.join()
      const ids = await submitMany(api, 10)
      assert.equal(await api.queue.flush(20_000), true)
      const worker = createWorker(await world.join(), 2, moment)
      worker.start()
      await until('all ran', () => worker.ran.length === ids.length)
    })

    promise('a slot that gets free takes again by itself until there is nothing', async world => {
      const member = await world.join()
      const gate = createGate()
      const worker = createWorker(member, 1, gate.pass)
      worker.start()
      await submit(member)
      await until('the first runs', () => worker.running === 1)
      // these are never announced
      await member.create()
      await member.create()
      gate.open()
      await until('all three ran', () => worker.ran.length === 3 && worker.running === 0)
    })

    promise('a poll finds work that was never announced', async world => {
      const member = await world.join()
      const worker = createWorker(member, 2, moment)
      const handle = worker.start()
      await until('the first look is over', () => worker.takes > 0 && worker.taking === 0)
      for (let i = 0; i < 5; i++) await member.create()
      handle.poll()
      await until('all ran', () => worker.ran.length === 5)
    })

    promise('a worker that is full keeps nothing that an idle one could use', async world => {
      const api = await world.join()
      const gate = createGate()
      const full = createWorker(await world.join(), 1, gate.pass)
      full.start()
      await submit(api)
      await until('the first worker is full', () => full.running === 1)
      // announced while nobody has a free slot
      const before = await submitMany(api, 3)
      await api.queue.flush(20_000)
      const idle = createWorker(await world.join(), 1, moment)
      idle.start()
      const during = await submitMany(api, 5)
      await until('the idle worker ran all of them', () => idle.ran.length === 8, 20_000)
      assert.deepEqual(sorted(idle.ran), sorted([...before, ...during]))
      assert.equal(full.ran.length, 1)
      gate.open()
    })

    promise('announcements that find nothing are over at once, without a storm', async world => {
      const member = await world.join()
      const worker = createWorker(member, 2, moment)
      worker.start()
      await until('the first look is over', () => worker.takes > 0 && worker.taking === 0)
      for (let i = 0; i < 50; i++)
        member.queue.announce({ id: `0190f3a1-7c5e-7b3a-9d2f-${100000000000 + i}`, kind: 'x' })
      assert.equal(await member.queue.flush(20_000), true)
      await until('nothing waits', async () => (await member.queue.depth()) === 0 && worker.taking === 0)
      await sleep(100)
      const { takes } = worker
      assert.ok(takes <= 53, `${takes} takes for 50 announcements`)
      await sleep(300)
      assert.equal(worker.takes, takes, 'takes went on with nothing announced')
      assert.deepEqual(worker.ran, [])
    })

    promise(
      'many announcements never lead to more takes at a time than there are free slots',
      async world => {
        const member = await world.join()
        const slow = { ...member, claim: () => sleep(3).then(() => member.claim()) }
        const worker = createWorker(slow, 2, moment)
        worker.start()
        const ids = await submitMany(member, 100)
        for (let i = 0; i < 20; i++) worker.handle?.poll()
        await until('all ran', () => worker.ran.length === ids.length && worker.running === 0)
        assert.ok(worker.peakTaking <= 2, `${worker.peakTaking} takes at a time`)
        assert.ok(worker.peakBusy <= 2, `${worker.peakBusy} takes and tasks at a time`)
      },
    )

    promise('doubled announcements are harmless', async world => {
      const [api, other] = [await world.join(), await world.join()]
      const worker = createWorker(await world.join(), 2, moment)
      worker.start()
      const ids: string[] = []
      for (let i = 0; i < 20; i++) {
        const id = await submit(api)
        ids.push(id)
        for (const { queue } of [api, other, api, other]) queue.announce({ id, kind: 'test' })
      }
      await until('all ran', () => worker.ran.length >= ids.length)
      assert.equal(await api.queue.flush(20_000), true)
      assert.equal(await other.queue.flush(20_000), true)
      await until('nothing waits', async () => (await api.queue.depth()) === 0)
      assert.deepEqual(sorted(worker.ran), sorted(ids))
    })

    promise(
      'stop() lets running tasks be and takes no more; what is announced then goes to others',
      async world => {
        const api = await world.join()
        const gate = createGate()
        const first = createWorker(await world.join(), 2, gate.pass)
        const handle = first.start()
        await submit(api)
        await until('it runs', () => first.running === 1)
        await handle.stop()
        await handle.stop()
        assert.equal(first.running, 1)
        const { takes } = first
        const ids = await submitMany(api, 4)
        handle.poll()
        const second = createWorker(await world.join(), 2, moment)
        second.start()
        await until('the other ran them', () => second.ran.length === ids.length)
        gate.open()
        await until('the running one ended', () => first.running === 0)
        assert.equal(first.takes, takes, 'a stopped worker took')
      },
    )

    promise('resized to nothing it takes nothing, others do; resized again it takes', async world => {
      const api = await world.join()
      const first = createWorker(await world.join(), 2, moment)
      const handle = first.start()
      handle.resize(0)
      const { takes } = first
      const second = createWorker(await world.join(), 2, moment)
      second.start()
      const ids = await submitMany(api, 6)
      await until('the other ran them', () => second.ran.length === ids.length)
      assert.equal(first.takes, takes, 'one without slots took')
      await second.handle?.stop()
      handle.resize(1)
      const later = await submitMany(api, 3)
      await until('it takes again', () => first.ran.length === later.length)
    })

    promise('has no dead messages at first, and knows none by an id', async world => {
      const { queue } = await world.join()
      await until('it is ready', () => queue.state().status === 'ready')
      assert.deepEqual(await queue.dead.list(10), { messages: [], total: 0 })
      assert.equal(await queue.dead.count(), 0)
      const id = '0190f3a1-7c5e-7b3a-9d2f-100000000000'
      assert.deepEqual([await queue.dead.replay(id), await queue.dead.discard(id)], [false, false])
    })

    promise('stop() waits for the take that is under way', async world => {
      const member = await world.join()
      const gate = createGate()
      const slow = { ...member, claim: () => gate.pass().then(() => member.claim()) }
      const worker = createWorker(slow, 1, moment)
      const handle = worker.start()
      await submit(member)
      await until('a take is under way', () => worker.taking === 1)
      let stopped = false
      const stopping = handle.stop().then(() => {
        stopped = true
      })
      await sleep(50)
      assert.equal(stopped, false)
      gate.open()
      await stopping
      assert.equal(worker.taking, 0)
    })

    promise('a take that throws, and a task whose end is rejected, do not end the work', async world => {
      const member = await world.join()
      let throws = 2
      const worker = createWorker(
        {
          ...member,
          claim: () =>
            throws-- > 0 ? Promise.reject(new Error('the store had a bad moment')) : member.claim(),
          finish: id => member.finish(id).then(() => Promise.reject(new Error('the end was rejected'))),
        },
        1,
        moment,
      )
      worker.start()
      const ids = await submitMany(member, 3)
      await until('all ran', () => worker.ran.length === ids.length && worker.running === 0)
      assert.ok(worker.takes < 30, `${worker.takes} takes: the loop ran hot`)
    })

    promise('close() is idempotent, says so in its state, and nothing throws after it', async world => {
      const member = await world.join()
      const worker = createWorker(member, 1, moment)
      worker.start()
      await submit(member)
      await until('it ran', () => worker.ran.length === 1 && worker.running === 0)
      await Promise.all([member.queue.close(), member.queue.close()])
      await member.queue.close()
      const { takes } = worker
      member.queue.announce({ id: await member.create(), kind: 'test' })
      worker.handle?.poll()
      await worker.handle?.stop()
      assert.equal(member.queue.state().status, 'closed')
      assert.equal(worker.takes, takes)
    })

    promise(
      'reports what it is: ready, with nothing left in the outbox and no depth once all ran',
      async world => {
        const member = await world.join()
        const worker = createWorker(member, 4, moment)
        worker.start()
        await until('it is ready', () => member.queue.state().status === 'ready')
        await submitMany(member, 20)
        assert.equal(await member.queue.flush(20_000), true)
        assert.deepEqual(member.queue.state(), { status: 'ready', reason: null, outbox: 0 })
        await until('no depth', async () => (await member.queue.depth()) === 0)
        assert.equal(await member.queue.flush(0), true)
      },
    )
  })
}
