// Why a task waits: exactly one reason for every state, in the documented order, and what is said beside it.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { dueSince } from '../../src/core/due.ts'
import { parseRate } from '../../src/core/kind-limits.ts'
import { WAIT_REASONS, type WaitReason } from '../../src/core/wait-reasons.ts'
import { explainWait, type LimitedKind, type LivingWorker, type WhyInput } from '../../src/core/why.ts'
import { at } from '../suites/store/world.ts'

const NOW = at(100)
const KINDS = ['adding', 'other', 'third'] as const

const worker = (over: Partial<LivingWorker> = {}): LivingWorker => ({
  kinds: ['adding', 'other'],
  slots: 2,
  runningByKind: new Map(),
  running: 0,
  takesNone: null,
  ...over,
})
const limited = (
  maxConcurrency: number | null,
  running: number | null,
  rate: string | null = null,
  permits: number | null = null,
): LimitedKind => ({
  limits: { maxConcurrency, rate: rate === null ? null : parseRate(rate) },
  rate,
  room: { running, permits },
})
const input = (
  over: Partial<Omit<WhyInput, 'task'>> & { task?: Partial<WhyInput['task']> } = {},
): WhyInput => ({
  now: NOW,
  workers: [worker()],
  silent: null,
  closed: null,
  fileTrouble: null,
  limited: new Map(),
  before: new Map(),
  times: new Map(),
  ...over,
  task: {
    kind: 'adding',
    status: 'PENDING',
    notBefore: null,
    expiresAt: null,
    updatedAt: at(10),
    error: null,
    history: [{ status: 'PENDING', at: at(5), attempt: 0, worker: null }],
    ...over.task,
  },
})

const kind = fc.constantFrom(...KINDS)
const counts = fc.array(fc.tuple(kind, fc.integer({ min: 1, max: 50 }))).map(pairs => new Map(pairs))
const anyTime = fc.option(fc.integer({ min: 0, max: 200 }).map(at))
const anyWorker: fc.Arbitrary<LivingWorker> = fc
  .record({
    kinds: fc.subarray([...KINDS]),
    slots: fc.integer({ min: 1, max: 4 }),
    runningByKind: fc
      .array(fc.tuple(kind, fc.integer({ min: 1, max: 3 })), { maxLength: 2 })
      .map(x => new Map(x)),
    takesNone: fc.option(fc.constant('no luck')),
  })
  .map(one => ({ ...one, running: [...one.runningByKind.values()].reduce((sum, count) => sum + count, 0) }))
const anyLimited = fc
  .tuple(
    fc.option(fc.integer({ min: 1, max: 3 })),
    fc.integer({ min: 0, max: 4 }),
    fc.option(fc.constantFrom('10/s', '1/h')),
    fc.integer({ min: 0, max: 3 }),
  )
  .map(([max, running, rate, permits]) =>
    limited(max, max === null ? null : running, rate, rate === null ? null : permits),
  )
const anyInput: fc.Arbitrary<WhyInput> = fc
  .record({
    workers: fc.array(anyWorker, { maxLength: 3 }),
    silent: fc.option(fc.constant('No beat')),
    closed: fc.oneof(
      { weight: 9, arbitrary: fc.constant(null) },
      { weight: 1, arbitrary: fc.constant('The disk is full') },
    ),
    fileTrouble: fc.option(fc.constant('a.ts: no luck')),
    limited: fc.array(fc.tuple(kind, anyLimited)).map(pairs => new Map(pairs)),
    before: fc.option(counts),
    times: fc
      .array(fc.tuple(kind, fc.double({ min: 0, max: 1e6, noNaN: true })))
      .map(
        pairs =>
          new Map(pairs.map(([name, mean]) => [name, { mean, meanSquare: mean * mean * 2, soonest: null }])),
      ),
    task: fc.record({
      kind,
      status: fc.constantFrom('PENDING' as const, 'RETRY' as const),
      notBefore: anyTime,
      expiresAt: anyTime,
      updatedAt: fc.integer({ min: 0, max: 99 }).map(at),
      workersLost: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      error: fc.constant(null),
      doneBy: fc.option(fc.constant('people' as const), { nil: undefined, freq: 8 }),
    }),
  })
  .map(over => input(over as Parameters<typeof input>[0]))

/** What makes a reason hold, written anew: each whatever the others say. */
const HOLDS: Record<Exclude<WaitReason, 'BEHIND'>, (given: WhyInput) => boolean> = {
  FOR_PEOPLE: ({ task }) => task.doneBy === 'people',
  NOT_DUE: ({ task }) => task.status === 'PENDING' && (task.notBefore ?? '') > NOW,
  RETRY_WAIT: ({ task }) => task.status === 'RETRY' && (task.notBefore ?? '') > NOW,
  NO_WORKER: ({ workers }) => workers.length === 0,
  KIND_UNKNOWN: ({ workers, task }) => workers.every(({ kinds }) => !kinds.includes(task.kind)),
  NO_ROOM: given => {
    const takers = takersOf(given)
    const isNext = given.before !== null && [...given.before].every(([name]) => !isCounted(given, name))
    const suspect = (given.task.workersLost ?? 0) >= 2
    return (
      given.closed !== null ||
      takers.length === 0 ||
      (suspect && isNext && takers.every(({ running }) => running > 0))
    )
  },
  KIND_FULL: given => {
    const own = given.limited.get(given.task.kind)
    if (!own || own.limits.maxConcurrency === null) return false
    return isTakenUp(given, own.limits.maxConcurrency - (own.room.running ?? 0))
  },
  RATE: given => {
    const own = given.limited.get(given.task.kind)
    return own?.limits.rate ? isTakenUp(given, own.room.permits ?? 0) : false
  },
}
const takersOf = ({ workers, task }: WhyInput) =>
  workers.filter(({ kinds, takesNone }) => kinds.includes(task.kind) && takesNone === null)
const isCounted = ({ workers, task }: WhyInput, name: string): boolean =>
  workers.length === 0 || name === task.kind || workers.some(({ kinds }) => kinds.includes(name))
const isTakenUp = (given: WhyInput, places: number): boolean => {
  const kin = given.before ? (given.before.get(given.task.kind) ?? 0) : Number.POSITIVE_INFINITY
  return places <= 0 || (takersOf(given).some(({ slots, running }) => running < slots) && kin >= places)
}

describe('why a task waits', () => {
  it('is, for what people do, that they have not done it, since it was opened and whatever workers there are', () => {
    const answer = explainWait(input({ workers: [], task: { doneBy: 'people', updatedAt: at(50) } }))
    assert.deepEqual(
      [answer.reason, answer.since, answer.position, answer.startsIn],
      ['FOR_PEOPLE', at(5), null, null],
    )
  })

  it('is the first reason that holds, in every state exactly one', () => {
    fc.assert(
      fc.property(anyInput, given => {
        const wanted = WAIT_REASONS.find(reason => reason === 'BEHIND' || HOLDS[reason](given))
        assert.equal(explainWait(given).reason, wanted)
      }),
      { numRuns: 3_000 },
    )
  })

  it('comes with a sentence, a time, and numbers that can be meant', () => {
    fc.assert(
      fc.property(anyInput, given => {
        const { reason, since, detail, facts, position, startsIn } = explainWait(given)
        const waitsForTime = reason === 'NOT_DUE' || reason === 'RETRY_WAIT'
        const isOpen = reason === 'FOR_PEOPLE'
        assert.ok(detail.length > 10 && !/undefined|null|NaN|Infinity/.test(detail), detail)
        const opened = isOpen ? given.task.history[0]?.at : null
        assert.equal(since, opened ?? (waitsForTime ? given.task.updatedAt : dueSince(given.task)))
        assert.ok(since <= given.now)
        assert.equal(position === null, waitsForTime || isOpen || given.before === null)
        for (const value of Object.values(facts))
          assert.ok(typeof value === 'string' || (Number.isInteger(value) && value >= 0), `${value}`)
        if (!startsIn) return
        assert.ok(
          !['FOR_PEOPLE', 'NO_WORKER', 'KIND_UNKNOWN', 'NO_ROOM'].includes(reason),
          'nobody knows when',
        )
        assert.ok(startsIn.p50 >= 0 && startsIn.p50 <= startsIn.p90 && Number.isFinite(startsIn.p90))
      }),
      { numRuns: 2_000 },
    )
  })

  it('moves on in the documented order as one obstacle after another is taken away', () => {
    const told: WaitReason[] = []
    const lost = { workersLost: 2 }
    const full = new Map([['adding', limited(1, 1, '1/h', 0)]])
    const tell = (over: Parameters<typeof input>[0]) => told.push(explainWait(input(over)).reason)
    tell({ workers: [], limited: full, task: { notBefore: at(200), doneBy: 'people', ...lost } })
    tell({ workers: [], limited: full, task: { notBefore: at(200), ...lost } })
    tell({ workers: [], limited: full, task: { notBefore: at(200), status: 'RETRY', ...lost } })
    tell({ workers: [], limited: full, task: lost })
    tell({ workers: [worker({ kinds: ['other'], takesNone: 'no' })], limited: full, task: lost })
    tell({ workers: [worker({ takesNone: 'no' })], limited: full, task: lost })
    tell({ limited: full })
    tell({ limited: new Map([['adding', limited(1, 0, '1/h', 0)]]) })
    tell({ limited: new Map([['adding', limited(1, 0, '1/h', 1)]]) })
    assert.deepEqual(told, WAIT_REASONS)
  })

  it('names the trouble of a file, of a frozen worker and of one that takes nothing', () => {
    const frozen = explainWait(input({ workers: [], silent: 'No beat for 40 s' }))
    assert.deepEqual(frozen.facts, { trouble: 'No beat for 40 s' })
    const broken = explainWait(input({ workers: [worker({ kinds: [] })], fileTrouble: 'a.ts: no luck' }))
    assert.equal(broken.detail, 'No worker has the kind adding: a.ts: no luck')
    const stops = explainWait(input({ workers: [worker({ takesNone: 'It is shutting down' })] }))
    assert.equal(stops.detail, 'The worker that has its kind takes no task. It is shutting down')
    const full = explainWait(input({ closed: 'The disk is full' }))
    assert.deepEqual([full.reason, full.detail], ['NO_ROOM', 'No task begins. The disk is full'])
  })

  it('lets a task with which workers died wait for an empty worker once it is next', () => {
    const busy = worker({ running: 1, runningByKind: new Map([['other', 1]]) })
    const suspect = { workersLost: 2 }
    assert.equal(explainWait(input({ workers: [busy], task: suspect })).reason, 'NO_ROOM')
    assert.equal(explainWait(input({ workers: [busy, worker()], task: suspect })).reason, 'BEHIND')
    const second = input({ workers: [busy], task: suspect, before: new Map([['other', 1]]) })
    assert.equal(explainWait(second).reason, 'BEHIND')
  })

  it('says that the kind is full between two of its runs as well, as long as slots are free', () => {
    const given = { limited: new Map([['adding', limited(2, 1)]]), before: new Map([['adding', 4]]) }
    assert.equal(explainWait(input(given)).reason, 'KIND_FULL')
    // the slots are what it waits for
    const workers = [worker({ running: 2, runningByKind: new Map([['other', 2]]) })]
    assert.equal(explainWait(input({ ...given, workers })).reason, 'BEHIND')
  })

  it('counts those before it that some worker takes, and of its own kind all', () => {
    const before = new Map([
      ['adding', 1],
      ['other', 10],
      ['third', 100],
    ])
    assert.equal(explainWait(input({ before })).position, 11)
    assert.equal(explainWait(input({ before, task: { kind: 'third' } })).position, 111)
    assert.equal(explainWait(input({ before, workers: [] })).position, 111)
    assert.equal(explainWait(input({ before: null })).position, null)
  })
})

describe('when a waiting task is likely to start', () => {
  const times = new Map([['adding', { mean: 10, meanSquare: 100, soonest: null }]])
  const busy = worker({ running: 2, runningByKind: new Map([['adding', 2]]) })

  it('is at its time, as far as that is ahead', () =>
    assert.deepEqual(explainWait(input({ task: { notBefore: at(130) } })).startsIn, { p50: 30, p90: 30 }))

  it('is at once where a slot is free for it, and unknown where nothing is known of the runs before it', () => {
    assert.deepEqual(explainWait(input({ before: new Map([['adding', 1]]) })).startsIn, { p50: 0, p90: 0 })
    assert.equal(explainWait(input({ workers: [busy] })).startsIn, null)
  })

  it('grows with those before it, and shrinks with the slots', () => {
    const startsIn = (before: number, slots = 2) => {
      const running = { running: slots, runningByKind: new Map([['adding', slots]]) }
      const workers = [worker({ slots, ...running })]
      return explainWait(input({ workers, before: new Map([['adding', before]]), times })).startsIn
    }
    // two slots end a run of ten seconds every five
    assert.equal(startsIn(0)?.p50, 5)
    assert.equal(startsIn(9)?.p50, 50)
    assert.equal(startsIn(9, 4)?.p50, 25)
    for (let before = 0; before < 30; before += 1)
      assert.ok((startsIn(before + 1)?.p90 ?? 0) > (startsIn(before)?.p90 ?? 0))
  })

  it('is not before the first of the present runs ends, where each of them says when', () => {
    const startsIn = (soonest: number | null, runningByKind: Map<string, number>) =>
      explainWait(
        input({
          workers: [worker({ running: 2, runningByKind })],
          times: new Map([
            ['adding', { mean: 10, meanSquare: 100, soonest }],
            ['other', { mean: 10, meanSquare: 100, soonest: null }],
          ]),
        }),
      ).startsIn
    assert.equal(startsIn(600, new Map([['adding', 2]]))?.p50, 600)
    assert.ok((startsIn(600, new Map([['adding', 2]]))?.p90 ?? 0) > 600)
    assert.equal(startsIn(1, new Map([['adding', 2]]))?.p50, 5)
    assert.equal(startsIn(null, new Map([['adding', 2]]))?.p50, 5)
    const both = new Map([
      ['adding', 1],
      ['other', 1],
    ])
    assert.equal(startsIn(600, both)?.p50, 5)
  })

  it('follows the places of a kind that is full, and not those of another one', () => {
    const before = new Map([['adding', 3]])
    const full = explainWait(
      input({
        before,
        times,
        workers: [worker({ slots: 8 })],
        limited: new Map([['adding', limited(1, 1)]]),
      }),
    )
    assert.equal(full.startsIn?.p50, 40)
    const other = explainWait(
      input({
        before: new Map([['other', 500]]),
        times,
        workers: [worker({ running: 1, runningByKind: new Map([['other', 1]]) })],
        limited: new Map([['other', limited(1, 1)]]),
      }),
    )
    assert.deepEqual(other.startsIn, { p50: 0, p90: 0 })
  })

  it('follows the permits of a rate', () => {
    const rated = explainWait(
      input({
        before: new Map([['adding', 4]]),
        limited: new Map([['adding', limited(null, null, '2/s', 0)]]),
      }),
    )
    assert.deepEqual(rated.startsIn, { p50: 2.5, p90: 2.5 })
  })
})
