// Where a pool's threads come from: idle ones, busy ones, and what the host refuses. With stand-ins for threads.
import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { createThreadSupply } from '../../src/worker/pool/supply.ts'
import type { Thread } from '../../src/worker/pool/thread.ts'

const open = (t: TestContext, size = 2) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  /** In the order of their opening; `up` is told by the test. */
  const threads: { thread: Thread; up: (why: string | null) => void; isEnded: boolean }[] = []
  const said: (string | null)[] = []
  const supply = createThreadSupply({
    open(up) {
      const gone: (() => void)[] = []
      const mine = {
        up,
        isEnded: false,
        thread: {
          serves: () => true,
          isOnlyFor: () => false,
          onGone: (listener: () => void) => void gone.push(listener),
          terminate: async () => {
            if (!mine.isEnded) for (const listener of gone) listener()
            mine.isEnded = true
          },
        } as Partial<Thread> as Thread,
      }
      threads.push(mine)
      return mine.thread
    },
    size,
    idleMs: 60_000,
    busy: () => 0,
    onRoom: () => {},
    onGone: () => {},
    onCapacity: () => {},
    onShortage: reason => void said.push(reason),
    random: () => 0,
  })
  const isEnded = () => threads.map(each => each.isEnded)
  return { supply, threads, said, isEnded, pass: (ms: number) => t.mock.timers.tick(ms) }
}

describe('a thread', () => {
  it('ends after its idle time, and never while it is busy, however long that takes', t => {
    const { supply, threads, isEnded, pass } = open(t)
    const thread = supply.get('a')
    assert.ok(thread)
    threads[0]?.up(null)
    supply.addIdle(thread)
    pass(59_000)
    assert.equal(supply.get('a'), thread)
    pass(3_600_000)
    assert.deepEqual(isEnded(), [false])
    supply.addIdle(thread)
    pass(59_000)
    assert.deepEqual(isEnded(), [false])
    pass(1_000)
    assert.deepEqual([isEnded(), supply.idle()], [[true], 0])
    assert.notEqual(supply.get('a'), thread)
  })
})

describe('a shortage', () => {
  it('is over when a thread came up and nothing was refused for a while, and not before', t => {
    const { supply, threads, said, pass } = open(t)
    supply.reportShortage('no memory')
    assert.deepEqual([said, supply.get('a')], [['no memory'], null])
    pass(5_000)
    threads.at(-1)?.up(null)
    pass(1_900)
    supply.reportShortage('no memory again')
    pass(1_900)
    // said once
    assert.deepEqual(said, ['no memory'])
    assert.equal(threads.length, 2, 'it is not tried again')
    threads.at(-1)?.up(null)
    pass(2_000)
    assert.deepEqual(said, ['no memory', null])
    assert.ok(supply.get('a'))
  })
})
