import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { silentLog } from '../../src/platform/log.ts'
import { createSlotLoop, ENDING_MAX } from '../../src/worker/slot-loop.ts'
import { TAKE_LATER, type TakenTask } from '../../src/worker/taken-task.ts'
import { takenUntil } from '../support/taken.ts'
import { until } from '../support/until.ts'

/** What can happen to a loop, in any order. */
const event = fc.oneof(
  fc.record({ type: fc.constant('work' as const), announced: fc.boolean(), ms: fc.nat(3) }),
  fc.constant({ type: 'stale' as const }),
  fc.constant({ type: 'look' as const }),
  fc.constant({ type: 'release' as const }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.nat(4) }),
)

/** For loops of which only the takes matter. */
const QUIET = { log: silentLog(), holdMs: 60_000, onDemand: () => {} }

/** Whatever the loop does by itself, without a clock, it has done by then. */
const quiet = async (): Promise<void> => {
  for (let n = 0; n < 20; n += 1) await turn()
}

describe('the slot loop', () => {
  it('answers each ticket once, never exceeds its slots, and leaves no work after a look', {
    timeout: 300_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(3),
        fc.boolean(),
        async (events, slots, ahead, early) => {
          const pile: number[] = []
          const answers: string[][] = []
          let [running, taking, peak, ran] = [0, 0, 0, 0]
          const loop = createSlotLoop({
            slots,
            ahead,
            log: silentLog(),
            holdMs: 60_000,
            onDemand: () => {},
            take: async () => {
              taking++
              peak = Math.max(peak, running + taking)
              await sleep(0)
              taking--
              const ms = pile.shift()
              if (ms === undefined) return null
              running++
              const slotFree = sleep(ms).then(() => {
                running--
                return ms
              })
              const ended = slotFree
                .then(() => sleep(early ? ms : 0))
                .then(() => {
                  ran++
                })
              return early ? { slotFree, ended } : takenUntil(ended)
            },
          })
          const offer = () => {
            const given: string[] = []
            answers.push(given)
            loop.offer({ settle: () => given.push('settled'), giveBack: () => given.push('given back') })
          }
          let made = 0
          for (const happening of events) {
            if (happening.type === 'work') {
              made++
              pile.push(happening.ms)
              if (happening.announced) offer()
            } else if (happening.type === 'stale') offer()
            else if (happening.type === 'look') loop.poll()
            else if (happening.type === 'release') loop.release()
            else await sleep(happening.ms)
          }
          loop.poll()
          await until('all work ran', () => ran === made)
          await until('all tickets are answered', () => answers.every(given => given.length > 0))
          await loop.stop()
          assert.ok(peak <= slots + ahead, `${peak} of ${slots} and ${ahead}`)
          assert.deepEqual(
            answers.filter(given => given.length !== 1),
            [],
          )
        },
      ),
      { numRuns: 60 },
    )
  })

  it('wants no announcements once it is full for a moment, and wants them again when it found nothing', {
    timeout: 300_000,
  }, async () => {
    const demands: boolean[] = []
    let end = () => {}
    let left = 1
    const loop = createSlotLoop({
      slots: 1,
      log: silentLog(),
      holdMs: 60_000,
      onDemand: wanted => demands.push(wanted),
      take: async () =>
        left-- > 0
          ? takenUntil(
              new Promise<void>(resolve => {
                end = resolve
              }),
            )
          : null,
    })
    loop.poll()
    await until('it is full', () => demands.length === 1)
    assert.deepEqual(demands, [false])
    end()
    await until('it is free', () => demands.length === 2)
    assert.deepEqual(demands, [false, true])
    await loop.stop()
    assert.deepEqual(demands, [false, true, false])
  })

  it('settles the ticket of a long task after the hold, once, and keeps its slot', {
    timeout: 300_000,
  }, async () => {
    let end = () => {}
    let takes = 0
    const given: string[] = []
    const loop = createSlotLoop({
      slots: 1,
      log: silentLog(),
      holdMs: 30,
      onDemand: () => {},
      take: async () =>
        takes++ === 0
          ? takenUntil(
              new Promise<void>(resolve => {
                end = resolve
              }),
            )
          : null,
    })
    loop.offer({ settle: () => given.push('settled'), giveBack: () => given.push('given back') })
    await until('it is settled', () => given.length === 1)
    loop.poll()
    await quiet()
    assert.equal(takes, 1, 'the slot was given away')
    end()
    await until('the free slot looked', () => takes >= 2)
    assert.deepEqual(given, ['settled'])
    await loop.stop()
  })

  it('gives a slot away when its task runs no more, and settles the ticket when its end is durable', {
    timeout: 300_000,
  }, async () => {
    const slotFree = Promise.resolve(0)
    const ends: (() => void)[] = []
    const given: string[] = []
    const loop = createSlotLoop({
      slots: 1,
      ...QUIET,
      // a store that writes nothing, and work without end
      take: async () => ({ slotFree, ended: new Promise<void>(resolve => ends.push(resolve)) }),
    })
    loop.offer({ settle: () => given.push('settled'), giveBack: () => given.push('given back') })
    await until('as many ends wait as may', () => ends.length === ENDING_MAX + 1)
    await quiet()
    assert.deepEqual([ends.length, given], [ENDING_MAX + 1, []])
    for (const end of ends.slice(0, 10)) end()
    await until('as many more', () => ends.length === ENDING_MAX + 11)
    await quiet()
    assert.deepEqual([ends.length, given], [ENDING_MAX + 11, ['settled']])
    await loop.stop()
  })

  it('takes ahead while tasks are tiny, says so, and no more once they are not', {
    timeout: 300_000,
  }, async () => {
    let ms = 0
    let work = 2_000
    const seen = { held: 0, peak: 0, ahead: 0, wrong: 0 }
    const loop = createSlotLoop({
      slots: 2,
      ahead: 4,
      ...QUIET,
      take: async ahead => {
        if (work === 0) return null
        work--
        if (ahead) seen.ahead++
        if (ahead !== seen.held >= 2) seen.wrong++
        seen.held++
        seen.peak = Math.max(seen.peak, seen.held)
        const ends = ms === 0 ? new Promise<void>(resolve => setImmediate(resolve)) : sleep(ms)
        return takenUntil(ends.then(() => void seen.held--))
      },
    })
    loop.poll()
    await until('the tiny ones ran', () => work === 0 && seen.held === 0)
    assert.ok(seen.ahead > 0)
    assert.equal(seen.peak, 6)
    assert.equal(seen.wrong, 0)
    // the first of these may still be taken ahead
    ms = 20
    work = 40
    loop.poll()
    await until('it is slow', () => work < 25)
    seen.peak = 0
    await until('the slow ones ran', () => work === 0 && seen.held === 0)
    assert.equal(seen.peak, 2)
    await loop.stop()
  })

  it('takes nothing ahead after one run that is not tiny at all, however many were before', {
    timeout: 300_000,
  }, async () => {
    let [work, ms, ended] = [0, 0, 0]
    const aheads: boolean[] = []
    const loop = createSlotLoop({
      slots: 1,
      ahead: 8,
      ...QUIET,
      take: async ahead => {
        if (work === 0) return null
        work--
        aheads.push(ahead)
        const run = ms === 0 ? new Promise<void>(resolve => setImmediate(resolve)) : sleep(ms)
        return takenUntil(run.then(() => void ended++))
      },
    })
    const runs = async (count: number, each: number) => {
      const before = ended
      ms = each
      work = count
      loop.poll()
      await until(`${count} ran`, () => ended === before + count)
    }
    await runs(500, 0)
    assert.ok(aheads.includes(true))
    await runs(1, 40)
    aheads.length = 0
    await runs(7, 0)
    assert.deepEqual(aheads, Array(7).fill(false))
    await loop.stop()
  })

  it('takes ahead in one go, when half of what was taken ahead is used up', {
    timeout: 300_000,
  }, async () => {
    const ends: (() => void)[] = []
    let tiny = 200
    let takes = 0
    const loop = createSlotLoop({
      slots: 1,
      ahead: 8,
      ...QUIET,
      take: async () => {
        takes++
        const run =
          tiny-- > 0
            ? new Promise<void>(resolve => setImmediate(resolve))
            : new Promise<void>(resolve => ends.push(resolve))
        const slotFree = run.then(() => 0.1)
        return { slotFree, ended: slotFree.then(() => {}) }
      },
    })
    const end = async (count: number): Promise<void> => {
      for (const resolve of ends.splice(0, count)) resolve()
      for (let n = 0; n < 5; n += 1) await new Promise<void>(resolve => setImmediate(resolve))
    }
    loop.poll()
    await until('the tiny ones ran', () => tiny < -4)
    await end(0)
    takes = 0
    await end(ends.length - 6)
    assert.deepEqual([takes, ends.length], [0, 6])
    await end(1)
    assert.deepEqual([takes, ends.length], [4, 9])
    const stopped = loop.stop()
    await end(9)
    await stopped
  })

  it('keeps no announcement for which nothing was there ahead once it is full and has given the others back', {
    timeout: 300_000,
  }, async () => {
    const ends: (() => void)[] = []
    const empty: (() => void)[] = []
    let tiny = 100
    let isWanted = true
    const loop = createSlotLoop({
      slots: 1,
      ahead: 4,
      ...QUIET,
      onDemand(wanted) {
        isWanted = wanted
      },
      take: async ahead => {
        if (ahead && tiny < 0) {
          await new Promise<void>(resolve => empty.push(resolve))
          return null
        }
        const run =
          tiny-- > 0
            ? new Promise<void>(resolve => setImmediate(resolve))
            : new Promise<void>(resolve => ends.push(resolve))
        // of a length that the machine has no say in
        return { ...takenUntil(run), slotFree: run.then(() => 0.1) }
      },
    })
    loop.poll()
    await until('the tiny ones ran', () => tiny < 0 && ends.length === 1)
    let back = 0
    for (let n = 0; n < 3; n += 1) loop.offer({ settle: () => {}, giveBack: () => void back++ })
    await until('several takes ahead are under way', () => empty.length > 1)
    empty.shift()?.()
    // on a busy machine it may have been since one of the tiny ones
    await until('the worker is full', () => !isWanted)
    // as the queue does once its broker sends no more
    loop.release()
    for (const resolve of empty.splice(0)) resolve()
    await until('all are given back', () => back === 3)
    for (const resolve of ends) resolve()
    await loop.stop()
  })

  it('gives a task that runs alone all slots until it is done', { timeout: 300_000 }, async () => {
    let end = () => {}
    let takes = 0
    const demands: boolean[] = []
    const loop = createSlotLoop({
      slots: 3,
      ahead: 8,
      ...QUIET,
      onDemand: wanted => demands.push(wanted),
      take: async () => {
        takes++
        if (takes > 1) return null
        const done = new Promise<void>(resolve => {
          end = resolve
        })
        return { exclusive: true, slotFree: Promise.resolve(1), ended: done }
      },
    })
    loop.poll()
    await until('it is full', () => demands.length === 1)
    loop.poll()
    loop.offer({ settle: () => {}, giveBack: () => {} })
    await quiet()
    assert.deepEqual([takes, demands], [1, [false]])
    end()
    await until('it looked', () => takes > 1)
    await until('it is free', () => demands.at(-1) === true)
    await loop.stop()
  })

  it('is full while it is told to take none, gives back what came in, and asks again when something has ended or it is nudged', {
    timeout: 300_000,
  }, async () => {
    const demands: boolean[] = []
    const given: string[] = []
    const answers: (TakenTask | null)[] = []
    let end = () => {}
    let takes = 0
    const loop = createSlotLoop({
      slots: 2,
      ...QUIET,
      onDemand(wanted) {
        demands.push(wanted)
        if (!wanted) loop.release()
      },
      take: async () => {
        takes++
        return answers.shift() ?? null
      },
    })
    const offer = () =>
      loop.offer({ settle: () => given.push('settled'), giveBack: () => given.push('back') })
    answers.push(
      takenUntil(
        new Promise<void>(resolve => {
          end = resolve
        }),
      ),
      TAKE_LATER,
    )
    loop.poll()
    await until('it is full', () => demands.length === 1)
    assert.deepEqual([takes, demands], [2, [false]])
    offer()
    await quiet()
    assert.deepEqual([takes, given], [2, []])
    answers.push(TAKE_LATER)
    loop.poll()
    await until('the ticket led to an answer', () => takes >= 3)
    await quiet()
    assert.deepEqual(given, ['back'])
    const before = takes
    end()
    await until('what ended made it ask', () => takes > before)
    await until('it is free', () => demands.at(-1) === true)
    await loop.stop()
  })

  it('takes what found nothing for the answer to all that came before it began, and to nothing after', {
    timeout: 300_000,
  }, async () => {
    const given: string[] = []
    const answers: ((taken: null) => void)[] = []
    const loop = createSlotLoop({
      slots: 1,
      ...QUIET,
      take: () => new Promise(resolve => answers.push(resolve)),
    })
    const offer = (name: string): void =>
      loop.offer({ settle: () => given.push(name), giveBack: () => given.push(`${name} back`) })
    loop.poll()
    for (const name of ['a', 'b', 'c']) offer(name)
    answers[0]?.(null)
    await quiet()
    // they came after it had begun: the store is asked once more, for all of them
    assert.deepEqual([answers.length, given], [2, []])
    offer('d')
    answers[1]?.(null)
    await quiet()
    assert.deepEqual([answers.length, given], [3, ['a', 'b', 'c']])
    let stopped = false
    const stopping = loop.stop().then(() => {
      stopped = true
    })
    await quiet()
    assert.equal(stopped, false, 'a take is under way')
    answers[2]?.(null)
    await stopping
    assert.deepEqual([answers.length, given], [3, ['a', 'b', 'c', 'd']])
  })

  it('looks in several ways at a time only while looks find something', { timeout: 300_000 }, async () => {
    let work = 50
    const seen = { takes: 0, under: 0, peak: 0, peakAtEnd: 0 }
    const loop = createSlotLoop({
      slots: 4,
      ...QUIET,
      take: async () => {
        seen.takes++
        seen.under++
        seen.peak = Math.max(seen.peak, seen.under)
        await sleep(1)
        seen.under--
        if (work === 0) return null
        work--
        return takenUntil(sleep(1))
      },
    })
    loop.poll()
    await until('all ran', () => work === 0 && seen.under === 0)
    assert.ok(seen.peak > 1, 'one look at a time')
    assert.ok(seen.takes <= 50 + 4 + 4, `${seen.takes} takes`)
    await quiet()
    const { takes } = seen
    seen.peak = 0
    for (let n = 0; n < 5; n++) loop.poll()
    await until('it looked', () => seen.takes > takes && seen.under === 0)
    assert.equal(seen.peak, 1)
    await loop.stop()
  })
})
