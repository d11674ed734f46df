// Random calls of several processes at once, processes killed at random moments: for every task there must be an order
// of the calls, true to their times, in which a plain model of the port gives the same answers.
import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import fc from 'fast-check'
import type { TaskStore } from '../../../src/core/store.ts'
import { newTaskId } from '../../../src/core/task.ts'
import { type Child, startChild } from '../../support/child.ts'
import { explain } from '../../support/linearize.ts'
import { type Answer, MOVES, type Order } from '../../support/store-obey.ts'
import { until } from '../../support/until.ts'
import { SAMPLE } from '../store/sample.ts'
import type { Check } from '../store/world.ts'
import type { ProcessWorld } from '../store-processes.ts'
import { type Asked, FIRST, isMove, markBusy, rule, type TaskCall } from './history-model.ts'

const CALLS = [
  'claim',
  'claim',
  'claim',
  'get',
  'again',
  'revoke',
  'remove',
  'report',
  ...MOVES,
  ...MOVES,
] as const
const step = fc.record({
  process: fc.nat(2),
  task: fc.nat(3),
  call: fc.constantFrom(...CALLS),
  own: fc.nat(3),
})
const round = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 6 }),
  /** Which process is killed this round, if any, and how many microseconds after the calls were sent. */
  kill: fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.nat(2) }),
  after: fc.nat(6000),
})
type Round = typeof round extends fc.Arbitrary<infer Value> ? Value : never

type Line = { ready: true } | { number: number; answer: Answer }
interface Actor {
  process: number
  child: Child<Line>
}

/** Plays the rounds; answers the calls of every task, in the order of asking. */
const play = async (world: ProcessWorld, rounds: readonly Round[]): Promise<Map<string, TaskCall[]>> => {
  const histories = new Map<string, TaskCall[]>()
  const waiting = new Map<number, (answer: Answer) => void>()
  let clock = 0
  let processes = 0
  let numbers = 0
  const begin = (): Actor => {
    const child = startChild<Line>('store-child.ts', { place: world.place, role: 'obey' })
    child.onLine(line => {
      if ('number' in line) waiting.get(line.number)?.(line.answer)
    })
    processes += 1
    return { process: processes, child }
  }
  const actors = [begin(), begin(), begin()]
  let spare = begin()
  for (const { child } of actors) await child.line(line => 'ready' in line)

  const note = (id: string, process: number, order: Asked['order']): TaskCall => {
    clock += 1
    const call: TaskCall = {
      from: clock,
      to: Infinity,
      asked: { process, busy: false, order },
      answer: undefined,
    }
    histories.set(id, [...(histories.get(id) ?? []), call])
    return call
  }
  const ask = (actor: Actor, order: Order): TaskCall => {
    const call = note(order.id, actor.process, order)
    numbers += 1
    waiting.set(numbers, answer => {
      clock += 1
      Object.assign(call, { to: clock, answer })
    })
    actor.child.send({ number: numbers, order })
    return call
  }
  const slots: string[] = []
  const born = (actor: Actor, slot: number): TaskCall[] => {
    const id = newTaskId()
    slots[slot] = id
    return [ask(actor, { call: 'create', id })]
  }
  /** What the driver has been told last of a task: enough to make most moves possible. */
  const known = (id: string) => {
    const told = (histories.get(id) ?? []).flatMap(({ asked, answer }) =>
      answer && 'seen' in answer && answer.seen ? [{ process: asked.process, ...answer.seen }] : [],
    )
    return told.reduce((a, b) => (b.claim >= a.claim ? b : a), {
      process: 0,
      status: '',
      claim: 0,
      cancelRequested: false,
    })
  }

  try {
    for (const { steps, kill, after } of rounds) {
      const calls: TaskCall[] = []
      for (const { process, task, call, own } of steps) {
        const [actor, id] = [actors[process], slots[task]]
        assert.ok(actor)
        const removed = histories
          .get(id ?? '')
          ?.some(({ asked, answer }) => asked.order.call === 'remove' && answer && 'done' in answer)
        if (!id || removed) calls.push(...born(actor, task))
        else if (!isMove(call)) calls.push(ask(actor, { call, id }))
        else {
          const last = known(id)
          const holder = own > 0 ? actors.find(each => each.process === last.process) : undefined
          calls.push(ask(holder ?? actor, { call, id, claim: last.claim }))
        }
      }
      const victim = kill === null ? undefined : actors[kill]
      if (victim) {
        await delay(after / 1000)
        const deaths = [...histories.keys()].map(id => note(id, victim.process, { call: 'die' }))
        await victim.child.kill()
        clock += 1
        for (const death of deaths) Object.assign(death, { to: clock, answer: { done: true } })
        actors[actors.indexOf(victim)] = spare
        await spare.child.line(line => 'ready' in line)
        spare = begin()
      }
      await until('every call is answered', () =>
        calls.every(call => call.to < Infinity || call.asked.process === victim?.process),
      )
    }
  } finally {
    await Promise.all([...actors, spare].map(({ child }) => child.kill()))
  }
  return histories
}

const tell = (call: TaskCall): string => {
  const { process, busy, order } = call.asked
  return `${call.from}-${call.to} process ${process}${busy ? ' busy' : ''} ${JSON.stringify(order)}: ${JSON.stringify(call.answer)}`
}

/** The last look: by a process that starts afresh, after all the others are dead. */
const lookAfter = async (store: TaskStore, histories: Map<string, TaskCall[]>): Promise<void> => {
  for (const [id, calls] of histories) {
    const last = Math.max(...calls.map(({ from, to }) => (to === Infinity ? from : to)))
    const task = await store.get(id)
    const seen = task && {
      status: task.status,
      claim: task.claim,
      cancelRequested: task.revokeRequestedAt !== null,
    }
    const order: Order = { call: 'get', id }
    calls.push({ from: last + 1, to: last + 2, asked: { process: 0, busy: false, order }, answer: { seen } })
  }
}

/** The rounds say nothing that the history of the task does not say better. */
const report = async <Rounds>({ failed, seed, errorInstance }: fc.RunDetails<Rounds>): Promise<void> => {
  if (failed) throw new Error(`seed ${seed}: ${errorInstance}`, { cause: errorInstance })
}

export const histories = (check: Check<ProcessWorld>): void => {
  check(
    'any calls of several processes, some of them killed, have an order in which they could have run one by one',
    async world => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(round, { minLength: SAMPLE.rounds, maxLength: SAMPLE.rounds }),
          async rounds => {
            const told = await play(world, rounds)
            const store = await world.open()
            await lookAfter(store, told)
            await store.close()
            for (const [id, calls] of told) {
              markBusy(calls)
              const explained = explain(calls, FIRST, rule)
              assert.ok(
                explained === null,
                `no order explains task ${id}:\n${calls.map(tell).join('\n')}\nbest:\n${explained?.map(tell).join('\n')}`,
              )
            }
          },
        ),
        // processes killed at a moment by the clock do not repeat: shrinking would find nothing
        { numRuns: SAMPLE.interleavings, endOnFailure: true, asyncReporter: report },
      )
    },
  )
}
