import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { silentLog } from '../../src/platform/log.ts'
import { createSlotLoop } from '../../src/queues/slots.ts'
import { until } from '../support/until.ts'

/** What can happen to a loop, in any order. */
const event = fc.oneof(
  fc.record({ type: fc.constant('work' as const), announced: fc.boolean(), ms: fc.nat(3) }),
  fc.constant({ type: 'stale' as const }),
  fc.constant({ type: 'look' as const }),
  fc.constant({ type: 'release' as const }),
  fc.record({ type: fc.constant('wait' as const), ms: fc.nat(4) }),
)

describe('the slot loop', () => {
  it('answers each ticket once, never exceeds its slots, and leaves no work after a look', {
    timeout: 90_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(event, { maxLength: 40 }),
        fc.integer({ min: 1, max: 4 }),
        async (events, slots) => {
          const pile: number[] = []
          const answers: string[][] = []
          let [running, taking, peak, ran] = [0, 0, 0, 0]
          const loop = createSlotLoop({
            slots,
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
              const end = () => {
                running--
                ran++
              }
              return { done: sleep(ms).then(end) }
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
            else if (happening.type === 'look') loop.look()
            else if (happening.type === 'release') loop.release()
            else await sleep(happening.ms)
          }
          loop.look()
          await until('all work ran', () => ran === made)
          await until('all tickets are answered', () => answers.every(given => given.length > 0))
          await loop.stop()
          assert.ok(peak <= slots, `${peak} of ${slots}`)
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
    timeout: 60_000,
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
          ? {
              done: new Promise<void>(resolve => {
                end = resolve
              }),
            }
          : null,
    })
    loop.look()
    await until('it is full', () => demands.length === 1)
    assert.deepEqual(demands, [false])
    end()
    await until('it is free', () => demands.length === 2)
    assert.deepEqual(demands, [false, true])
    await loop.stop()
    assert.deepEqual(demands, [false, true, false])
  })

  it('settles the ticket of a long task after the hold, once, and keeps its slot', {
    timeout: 60_000,
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
          ? {
              done: new Promise<void>(resolve => {
                end = resolve
              }),
            }
          : null,
    })
    loop.offer({ settle: () => given.push('settled'), giveBack: () => given.push('given back') })
    await until('it is settled', () => given.length === 1)
    loop.look()
    await sleep(20)
    assert.equal(takes, 1, 'the slot was given away')
    end()
    await until('the free slot looked', () => takes >= 2)
    assert.deepEqual(given, ['settled'])
    await loop.stop()
  })
})
