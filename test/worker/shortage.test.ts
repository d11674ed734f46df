// A host that is short of something: no task pays for a thread that could not be started, and it goes on by itself.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ModuleLoadError } from '../../src/platform/modules.ts'
import { createThreads } from '../../src/worker/pool/pool.ts'
import { shortageOf, whyNotStarted } from '../../src/worker/pool/shortage.ts'
import { startThread, type Thread } from '../../src/worker/pool/thread.ts'
import { importFailure } from '../../src/worker/thread/import.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import { setUp } from './runner-fixture.ts'

const OUTER = { timeout: 600_000 }
const short = (code: string): Error => Object.assign(new Error(`${code}: not enough`), { code })

describe('a worker that can start no threads', () => {
  it(
    'counts nothing, says once what is short, and runs everything when there is room again',
    OUTER,
    async t => {
      let refused = 0
      let room = false
      const said: (string | null)[] = []
      const capacities: number[] = []
      const start: typeof startThread = options => {
        if (room) return startThread(options)
        refused += 1
        // in turns: the system refuses at once, or the thread dies before it is up
        if (refused % 2 === 0) throw short('EAGAIN')
        const gone: (() => void)[] = []
        const dead = new Promise<void>(resolve =>
          setImmediate(() => {
            options.onUp(whyNotStarted(short('EMFILE')))
            for (const listener of gone.splice(0)) listener()
            resolve()
          }),
        )
        const thread: Thread = {
          run: async () => {
            await dead
            return { begun: true, outcome: { type: 'unbegun', reason: 'EMFILE' }, reusable: false, ms: null }
          },
          length: () => 0,
          takesAhead: () => false,
          serves: () => true,
          isOnlyFor: () => false,
          isSpoilt: () => true,
          ended: () => 0,
          takeBack() {},
          isAt: () => false,
          abort() {},
          stopProcesses() {},
          terminate: async () => {},
          onGone: listener => {
            gone.push(listener)
          },
        }
        return thread
      }
      const pool = createThreads({
        size: 2,
        memoryMb: 64,
        start,
        onShortage: reason => said.push(reason),
        onCapacity: capacity => capacities.push(capacity),
        random: () => 0,
      })
      undo(t, () => pool.close())
      const world = setUp(t, pool)
      const { runner } = world.openRunner('w1')
      const id = await world.submit('return the value', 7, { maxAttempts: 1 })
      await (await runner.take())?.ended
      const waiting = await world.get(id)
      assert.deepEqual([waiting.status, waiting.attempt], ['PENDING', 0])
      assert.deepEqual(capacities, [0], 'the queue was not told that nothing can run')
      await until('it tries again and again', () => refused >= 3)
      assert.equal(said.length, 1)
      assert.match(String(said[0]), /file descriptors of this process \(EMFILE\)/)
      room = true
      await until('there is room', () => capacities.at(-1) === 2)
      await (await runner.take())?.ended
      const done = await world.get(id)
      assert.deepEqual([done.status, done.attempt, done.result], ['SUCCESS', 1, 7])
      await until('the shortage is over', () => said.at(-1) === null)
      assert.equal(said.length, 2)
    },
  )

  it('is told by the code of an error or of one of its causes, and by nothing else', () => {
    assert.equal(shortageOf(new Error('no code')), null)
    const nested = new Error('import failed', { cause: short('ENFILE') })
    assert.match(String(shortageOf(nested)), /whole machine/)
    assert.equal(
      shortageOf({
        get code(): string {
          throw new Error('unreadable')
        },
      }),
      null,
    )
  })
})

describe('a file of a kind that cannot be loaded', () => {
  const described = {
    code: 'KIND_INVALID' as const,
    message: 'm',
    stack: null,
    names: [],
    detail: null,
    retryable: false,
  }
  const outcomeOf = (cause: Error) =>
    importFailure(new ModuleLoadError('/kinds/a.mjs', cause), new URL(import.meta.url).pathname, described)
  const withStack = (error: Error, frames: string[]): Error => {
    error.stack = [`Error: ${error.message}`, ...frames].join('\n')
    return error
  }

  it('is a shortage where the loader met it, and the kind’s own affair where its code did', () => {
    assert.equal(outcomeOf(withStack(short('EMFILE'), [])).type, 'unbegun')
    const loading = [
      '    at Object.openSync (node:fs:573:18)',
      '    at Module._extensions..js (node:internal/modules/cjs/loader:1:1)',
      '    at Object.<anonymous> (/kinds/a.cjs:1:1)',
    ]
    assert.equal(outcomeOf(withStack(short('EMFILE'), loading)).type, 'unbegun')
    const own = [
      '    at Object.openSync (node:fs:573:18)',
      '    at file:///kinds/a.mjs:2:1',
      '    at ModuleJob.run (node:internal/modules/esm/module_job:1:1)',
    ]
    assert.equal(outcomeOf(withStack(short('EMFILE'), own)).type, 'error')
  })

  it('is tried again by the rules of the task when the reason may pass, not when its code is wrong', () => {
    const retryable = (cause: Error): unknown => {
      const outcome = outcomeOf(cause)
      return outcome.type === 'error' && outcome.error.retryable
    }
    assert.equal(retryable(short('ECONNREFUSED')), true)
    assert.equal(retryable(new Error('away')), true)
    assert.equal(retryable(new SyntaxError('Unexpected token')), false)
    assert.equal(retryable(short('ERR_MODULE_NOT_FOUND')), false)
  })
})
