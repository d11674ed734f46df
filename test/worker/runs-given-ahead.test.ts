// Runs that are given to a busy thread ahead: each happens once, whatever becomes of the ones before it, and none waits
// behind a long one while another thread is free.
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { DEFAULT_KIND_SETTINGS } from '../../src/core/kind.ts'
import { type Json, RESULT_LIMITS } from '../../src/core/task.ts'
import { createThreads, type Run, TINY_MS } from '../../src/worker/pool/pool.ts'
import {
  closeGate,
  createGate,
  lastBegun,
  openGate,
  type RunOutcome,
  resetGate,
  tryBegin,
} from '../../src/worker/pool/protocol.ts'
import { type RunEvents, startThread, type Thread } from '../../src/worker/pool/thread.ts'
import { createProcessKeeper } from '../../src/worker/processes/attempt-processes.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const UNRULY = fileURLToPath(new URL('./unruly.ts', import.meta.url))
const LONG = process.env.WORKER_LONG === '1'
const OUTER = { timeout: LONG ? 900_000 : 120_000 }
const HISTORIES = LONG ? 60 : 5

type Happening = 'line' | 'throw' | 'exit' | 'timer' | 'loop' | 'cancel at once' | 'kill at once' | 'withdraw'
const ACTS: Record<Happening, string> = {
  line: 'leave a line',
  throw: 'throw an error',
  exit: 'exit',
  timer: 'leave a timer behind',
  loop: 'loop for ever',
  'cancel at once': 'leave a line',
  'kill at once': 'leave a line',
  withdraw: 'leave a line',
}

describe('runs given ahead', () => {
  let dir: string
  let files = 0
  before(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'madhava-line-'))
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  const openPool = ({ size = 2, memoryMb = 64 } = {}) => {
    const pool = createThreads({ size, memoryMb })
    const file = path.join(dir, `${++files}`)
    const run = (act: string, value: Json, events: Partial<RunEvents> = {}): Run =>
      pool.run(
        {
          id: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f',
          attempt: 1,
          kind: 'unruly',
          file: UNRULY,
          params: { act, value },
          resume: null,
        },
        {
          started() {},
          progress() {},
          log() {},
          checkpoint() {},
          submit: async () => ({ id: '' }),
          ...events,
        },
      )
    /** Until every thread's last run was tiny: only then is it given runs ahead. A busy machine may need many. */
    const warm = async (): Promise<void> => {
      for (const until = performance.now() + 60_000; ; ) {
        const runs = [1, 2].map(value => run('return the value', value))
        await Promise.all(runs.map(({ outcome }) => outcome))
        if (runs.every(one => (one.tookMs() ?? TINY_MS) < TINY_MS)) return
        assert.ok(performance.now() < until, 'no run is tiny here')
      }
    }
    const lines = (): string[] => {
      try {
        return readFileSync(file, 'utf8').split('\n').slice(0, -1)
      } catch {
        return []
      }
    }
    return { pool, file, run, warm, lines }
  }

  it('each end with the outcome of its own, and happen once', OUTER, async () => {
    const { pool, file, run, warm, lines } = openPool()
    try {
      const happening = fc.oneof(
        { weight: 40, arbitrary: fc.constant<Happening>('line') },
        { weight: 8, arbitrary: fc.constantFrom<Happening>('cancel at once', 'kill at once', 'throw') },
        { weight: 12, arbitrary: fc.constant<Happening>('withdraw') },
        { weight: 3, arbitrary: fc.constantFrom<Happening>('timer', 'exit', 'loop') },
      )
      let rounds = 0
      const seen = new Set<string>()
      await fc.assert(
        fc.asyncProperty(fc.array(happening, { minLength: 20, maxLength: 60 }), async happenings => {
          rounds += 1
          await warm()
          const runs = happenings.map((what, place) => {
            const line = `${rounds} ${place}`
            const mine: { run: Run | null; withdrawn: boolean } = { run: null, withdrawn: false }
            mine.run = run(ACTS[what], { file, line }, { started: () => what === 'loop' && mine.run?.kill() })
            // the first two are begun inside the call
            if (what === 'loop' && !mine.run.isWaiting()) mine.run.kill()
            if (what === 'cancel at once') mine.run.cancel('enough', 60_000)
            if (what === 'kill at once') mine.run.kill()
            // while some of the others run, whichever these are
            if (what === 'withdraw')
              setTimeout(() => {
                mine.withdrawn = mine.run?.withdraw() ?? false
              }, place % 8)
            return { what, line, mine, outcome: mine.run.outcome }
          })
          const outcomes = await Promise.all(runs.map(({ outcome }) => outcome))
          const left = lines().filter(line => line.startsWith(`${rounds} `))
          assert.equal(new Set(left).size, left.length, 'a run happened twice')
          for (const [place, { what, line, mine }] of runs.entries()) {
            const outcome = outcomes[place] as RunOutcome
            const told = `${what}: ${JSON.stringify(outcome)}`
            if (what === 'line') assert.equal(outcome.type, 'success', told)
            // on a slow machine its timer may throw before the run is over
            else if (what === 'timer')
              assert.ok(outcome.type === 'success' || told.includes('left behind'), told)
            else if (what === 'throw' || what === 'exit') assert.equal(outcome.type, 'error', told)
            else if (what === 'loop') assert.equal(outcome.type, 'stopped', told)
            else if (what === 'withdraw') {
              assert.equal(outcome.type, mine.withdrawn ? 'stopped' : 'success', told)
              assert.equal(left.includes(line), !mine.withdrawn, 'a run that was withdrawn happened')
              seen.add(`withdrawn: ${mine.withdrawn}`)
            } else if (what === 'cancel at once') {
              // a line takes no time to speak of: one that has begun ends, and one that has not never begins
              assert.equal(outcome.type, left.includes(line) ? 'success' : 'stopped', told)
            } else if (outcome.type === 'success') assert.ok(left.includes(line), `${line} did not happen`)
            // its thread may die behind the line
            else assert.equal(outcome.type, 'stopped', told)
            if (what === 'line') assert.ok(left.includes(line), `${line} did not happen`)
          }
          assert.deepEqual([pool.state().busy, pool.state().waiting], [0, 0])
        }),
        { numRuns: HISTORIES },
      )
      assert.deepEqual([...seen].sort(), ['withdrawn: false', 'withdrawn: true'])
    } finally {
      await pool.close()
    }
  })

  it('are taken back from a thread that is long at one, and run in the other', OUTER, async () => {
    const { pool, run, warm } = openPool()
    try {
      await warm()
      // both threads are quick: the long one and what comes after it are given to whichever
      const long = run('wait for the signal', null)
      const others = Array.from({ length: 30 }, (_, value) => run('return the value', value))
      const outcomes = await Promise.all(others.map(({ outcome }) => outcome))
      assert.deepEqual(
        outcomes.map(outcome => outcome.type),
        others.map(() => 'success'),
      )
      assert.equal(long.isWaiting(), false)
      long.cancel('enough', 60_000)
      assert.deepEqual(await long.outcome, { type: 'stopped' })
    } finally {
      await pool.close()
    }
  })

  for (const [what, strike] of Object.entries({
    cancelled: (one: Run) => one.cancel('enough', 60_000),
    killed: (one: Run) => one.kill(),
  }))
    it(
      `are over in the thread before that is known here: ${what}, and the one after it goes on`,
      OUTER,
      async () => {
        const { pool, file, run, warm, lines } = openPool({ size: 1 })
        try {
          await warm()
          const first = run('return the value', 1)
          const second = run('leave a line', { file, line: 'second' })
          const third = run('leave a line and tell why it was stopped', { file, line: 'third' })
          // the messages of a turn of this event loop leave before this one goes on
          await null
          await new Promise<void>(resolve => process.nextTick(resolve))
          // whatever the thread says from here on is not heard
          const began = performance.now()
          // the third begins when the second is over
          while (lines().length < 2) assert.ok(performance.now() - began < 60_000, 'the second one ran')
          assert.equal(second.isWaiting(), true, 'it is known that the second one has begun')
          strike(second)
          assert.deepEqual((await first.outcome).type, 'success')
          assert.deepEqual((await second.outcome).type, 'success')
          await run('return the value', 2).withdraw()
          third.cancel('only now', 60_000)
          const outcome = await third.outcome
          // hit before, it would have been stopped for another reason, or be gone
          assert.match(
            outcome.type === 'success' && outcome.result.form === 'inline'
              ? outcome.result.json
              : outcome.type,
            /only now/,
          )
        } finally {
          await pool.close()
        }
      },
    )

  it('whose params are too much for a thread fail alone, once, with OUT_OF_MEMORY', OUTER, async () => {
    const { pool, run, warm } = openPool({ size: 1, memoryMb: 24 })
    try {
      await warm()
      const beside = run('return the value', 1)
      let started = 0
      const huge = run('return the value', new Array(340_000).fill({}), { started: () => void started++ })
      const after = run('return the value', 2)
      const outcome = await huge.outcome
      assert.deepEqual(
        [outcome.type, outcome.type === 'error' && outcome.error.code],
        ['error', 'OUT_OF_MEMORY'],
      )
      assert.equal(started, 1)
      for (const other of [beside, after]) assert.equal((await other.outcome).type, 'success')
    } finally {
      await pool.close()
    }
  })

  it('say that they wait until they begin, and can be cancelled without a trace', OUTER, async () => {
    const { pool, file, run, warm, lines } = openPool()
    try {
      await warm()
      const long = [run('wait for the signal', null), run('wait for the signal', null)]
      const waiting = run('leave a line', { file, line: 'never' })
      assert.equal(waiting.isWaiting(), true)
      waiting.cancel('enough', 60_000)
      assert.deepEqual(await waiting.outcome, { type: 'stopped' })
      assert.equal(waiting.tookMs(), null)
      for (const one of long) one.cancel('enough', 60_000)
      await Promise.all(long.map(({ outcome }) => outcome))
      await until('nobody is busy', () => pool.state().busy === 0)
      assert.deepEqual(lines(), [])
    } finally {
      await pool.close()
    }
  })
})

describe('the gate of a thread', () => {
  it('lets runs begin in their order, none while it is closed, and says which was the last', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('begin', 'skip', 'close', 'open', 'reset'), { maxLength: 60 }),
        steps => {
          const gate = createGate()
          let [begun, closed] = [0, 0]
          for (const step of steps) {
            if (step === 'begin') {
              assert.equal(tryBegin(gate, begun + 1), closed === 0)
              if (closed === 0) begun += 1
            } else if (step === 'skip') assert.equal(tryBegin(gate, begun + 2), false)
            else if (step === 'close') {
              assert.equal(closeGate(gate), begun)
              closed += 1
            } else if (step === 'open' && closed > 0) {
              openGate(gate)
              closed -= 1
            } else if (step === 'reset') {
              assert.equal(resetGate(gate, begun), closed === 0)
              if (closed === 0) begun = 0
            }
            assert.equal(lastBegun(gate), begun)
          }
        },
      ),
    )
  })
})

describe('a thread that must not be used again', () => {
  it('begins none of the runs that it was given ahead', OUTER, async t => {
    const dir = mkdtempSync(path.join(tmpdir(), 'madhava-spoilt-'))
    undo(t, () => rmSync(dir, { recursive: true, force: true }))
    const keeper = createProcessKeeper()
    for (const act of ['leave a timer behind', 'throw in a timer', 'exit']) {
      const file = path.join(dir, act)
      const open = () =>
        startThread({
          memoryMb: 64,
          results: RESULT_LIMITS,
          settings: DEFAULT_KIND_SETTINGS,
          sharedCores: { cores: 1, running: new Int32Array(new SharedArrayBuffer(4)) },
          keeper,
          onUp: () => {},
          onLateEvent: () => {},
        })
      const run = (thread: Thread, act: string) => {
        const params = JSON.stringify({ act, value: { file, line: 'begun' } })
        return thread.run(
          { id: 'x', claim: 1, attempt: 1, kind: 'unruly', file: UNRULY, params, resume: null },
          { started() {}, progress() {}, log() {}, checkpoint() {}, submit: async () => ({ id: '' }) },
        )
      }
      const thread = open()
      const acts = [act, 'leave a line', 'leave a line']
      const [first, ...others] = await Promise.all(acts.map(each => run(thread, each)))
      assert.equal(first?.begun, true, act)
      assert.deepEqual(others, [{ begun: false }, { begun: false }], act)
      // by the time that another thread has started and run something, this one would have begun the next run
      const another = open()
      await run(another, 'return the value')
      for (const each of [thread, another]) await each.terminate()
      assert.ok(!existsSync(file), `${act}: a run was begun and given back all the same`)
    }
    await keeper.close()
  })
})
