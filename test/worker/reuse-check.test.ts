// What a run leaves in its thread reaches no other run: something that goes on, a change of what all code shares, late
// words and late errors. What a kind's own file keeps is its own.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Json } from '../../src/core/task.ts'
import { createThreads } from '../../src/worker/pool/pool.ts'
import type { LateEvent, RunOutcome } from '../../src/worker/pool/protocol.ts'
import type { RunEvents } from '../../src/worker/pool/thread.ts'
import { until } from '../support/until.ts'

const OUTER = { timeout: 600_000 }
const MANY = process.env.WORKER_LONG === '1' ? 40 : 12

const kindOf = (top: string, body: string): string => `
import { threadId } from 'node:worker_threads'
${top}
export default ({ defineKind, z }) => defineKind({
  summary: 's', params: z.any(), result: z.any(), example: null,
  async run(params, ctx) { ${body} },
})`

/** Runs the function body that its params name, and answers what it returns, or the number of its thread. */
const ANY = kindOf(
  `import net from 'node:net'
import dgram from 'node:dgram'
import fs from 'node:fs'
import crypto from 'node:crypto'
import { spawn } from 'node:child_process'
import { Worker } from 'node:worker_threads'
import timers from 'node:timers/promises'
const AsyncFunction = (async () => {}).constructor`,
  `const act = new AsyncFunction('ctx', 'params', 'net', 'dgram', 'fs', 'crypto', 'spawn', 'Worker', 'timers', params.act)
  return await act(ctx, params, net, dgram, fs, crypto, spawn, Worker, timers) ?? threadId`,
)

describe('what a run leaves in its thread', () => {
  let dir: string
  before(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'madhava-tidy-'))
    writeFileSync(path.join(dir, 'any.mjs'), ANY)
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  const openPool = (size = 1) => {
    const strays: LateEvent[] = []
    const pool = createThreads({ size, memoryMb: 64, onLateEvent: stray => strays.push(stray) })
    after(() => pool.close())
    let ids = 0
    const start = (params: Json, kind = 'any') => {
      const id = `task ${++ids}`
      const heard = { started: false, lines: [] as string[] }
      const events: RunEvents = {
        started: () => {
          heard.started = true
        },
        progress() {},
        log: lines => heard.lines.push(...lines.map(({ text }) => text)),
        checkpoint() {},
        submit: async () => ({ id: '' }),
      }
      const file = path.join(dir, `${kind}.mjs`)
      const run = pool.run({ id, attempt: 1, kind, file, params, resume: null }, events)
      return { id, heard, outcome: run.outcome }
    }
    const resultOf = (outcome: RunOutcome): unknown => {
      if (outcome.type === 'success' && outcome.result.form === 'inline')
        return JSON.parse(outcome.result.json)
      return assert.fail(JSON.stringify(outcome))
    }
    return {
      pool,
      strays,
      start,
      outcomeOf: (params: Json, kind?: string) => start(params, kind).outcome,
      run: async (act: string, more: Record<string, Json> = {}) =>
        resultOf(await start({ act, ...more }).outcome),
      resultOf,
    }
  }

  it('keeps the thread of a run that left nothing, whatever it used and ended', OUTER, async () => {
    const { run } = openPool()
    const thread = await run('')
    for (const act of [
      'clearTimeout(setTimeout(() => {}, 60_000).unref())',
      'const s = net.createServer().listen(0); await new Promise(r => s.once("listening", r)); s.unref(); await new Promise(r => s.close(r))',
      'void new Headers(); void new Blob(["a"]); void crypto.webcrypto.subtle; console.log("printed")',
      'process.env.SHORT = "1"; delete process.env.SHORT',
      'const was = globalThis.fetch; globalThis.fetch = null; globalThis.fetch = was',
      'ctx.log("one"); ctx.progress(1)',
    ]) {
      assert.equal(await run(act), thread, act)
      assert.equal(await run(''), thread, act)
    }
  })

  it('ends the thread of a run that left something, before another task begins', OUTER, async () => {
    const { run, strays } = openPool()
    const late = '() => { throw new Error("of an EARLIER task") }'
    for (const act of [
      `setTimeout(${late}, 400).unref()`,
      `AbortSignal.timeout(400).addEventListener("abort", ${late})`,
      'const again = () => setImmediate(again); again()',
      'net.createServer().listen(0).unref()',
      'process.env.LEFT = "1"',
      'globalThis.fetch = async () => "patched"',
      'process.removeAllListeners("uncaughtException")',
    ]) {
      const thread = await run(act)
      const after =
        'await new Promise(r => setTimeout(r, 600)); return [process.env.LEFT ?? "none", String(fetch).length > 30].join()'
      assert.equal(
        await run(act.includes('late') || act.includes('EARLIER') ? after : after.replace('600', '1')),
        'none,true',
        act,
      )
      assert.notEqual(await run(''), thread, act)
    }
    assert.deepEqual(strays, [])
  })

  it('lets a late error of a run that is over fail no other run, and tells of it', OUTER, async () => {
    const { run, strays, start } = openPool()
    // nothing that Node would name or that is told to let the thread go: it is at work in the engine's own threads
    const act =
      'crypto.pbkdf2("a", "b", 1_500_000, 32, "sha512", () => { console.log("late words"); throw new Error("late error") })'
    const { id, outcome } = start({ act: `${act}; return (await import("node:worker_threads")).threadId` })
    assert.equal((await outcome).type, 'success')
    const waits = start({
      act: 'while (!ctx.signal.aborted && performance.now() < params.until) await new Promise(r => setTimeout(r, 20))',
      until: 4_000,
    })
    assert.equal((await waits.outcome).type, 'success')
    await until('it was told', () => strays.some(({ what }) => what === 'threw'))
    assert.deepEqual(
      strays.map(({ id, kind, what, text }) => ({ id, kind, what, text })),
      [
        { id, kind: 'any', what: 'printed', text: 'late words' },
        { id, kind: 'any', what: 'threw', text: 'late error' },
      ],
    )
    assert.deepEqual(waits.heard.lines, [])
    assert.equal(typeof (await run('')), 'number')
  })

  it('keeps what a kind has at the top of its file for its next run', OUTER, async () => {
    writeFileSync(path.join(dir, 'keeps.mjs'), kindOf('const seen = []', 'seen.push(params); return seen'))
    const { outcomeOf, resultOf } = openPool()
    await outcomeOf(1, 'keeps')
    assert.deepEqual(resultOf(await outcomeOf(2, 'keeps')), [1, 2])
  })

  it('keeps a thread whose kind changes globals when it is loaded for this kind alone', OUTER, async () => {
    writeFileSync(
      path.join(dir, 'patches.mjs'),
      kindOf(
        'process.env.PATCHED = "yes"; Array.prototype.patched = () => "yes"; let runs = 0',
        'return [process.env.PATCHED, [].patched(), ++runs]',
      ),
    )
    const { pool, outcomeOf, resultOf, run } = openPool(2)
    assert.deepEqual(resultOf(await outcomeOf(null, 'patches')), ['yes', 'yes', 1])
    for (let times = 0; times < 3; times++)
      assert.equal(
        await run('return [process.env.PATCHED ?? "no", typeof [].patched].join()'),
        'no,undefined',
      )
    assert.deepEqual(resultOf(await outcomeOf(null, 'patches')), ['yes', 'yes', 2])
    // many at once: those of the other kind that were given to its thread go elsewhere
    const all = Array.from({ length: MANY }, (_, at) =>
      at % 2 === 0 ? outcomeOf(null, 'patches') : run('return typeof [].patched'),
    )
    for (const [at, value] of (await Promise.all(all)).entries())
      if (at % 2 === 1) assert.equal(value, 'undefined')
      else assert.equal((resultOf(value as RunOutcome) as string[])[1], 'yes')
    assert.ok(pool.state().idle <= 2)
  })

  it(
    'uses no thread again in which a file could not be loaded; the same file may load in the next',
    OUTER,
    async () => {
      const flag = path.join(dir, 'away')
      writeFileSync(
        path.join(dir, 'flaky.mjs'),
        kindOf(
          `import { existsSync } from 'node:fs'
if (existsSync(${JSON.stringify(flag)})) throw Object.assign(new Error('away'), { code: 'ECONNREFUSED' })`,
          'return "loaded"',
        ),
      )
      writeFileSync(path.join(dir, 'wrong.mjs'), 'export default (')
      const { outcomeOf, resultOf } = openPool()
      writeFileSync(flag, '')
      const first = await outcomeOf(null, 'flaky')
      assert.ok(first.type === 'error')
      assert.equal(first.error.code, 'KIND_INVALID')
      assert.equal(first.error.retryable, true, 'what was away may be back')
      assert.ok(first.error.names.includes('ECONNREFUSED'))
      rmSync(flag)
      assert.equal(resultOf(await outcomeOf(null, 'flaky')), 'loaded')
      const wrong = await outcomeOf(null, 'wrong')
      assert.ok(wrong.type === 'error' && !wrong.error.retryable, 'a mistake in the code comes again')
    },
  )

  it('refuses to let a kind end the process that others run in, and lets it ask', OUTER, async () => {
    const { outcomeOf, run } = openPool()
    for (const act of [
      'process.kill(process.pid)',
      'process.kill(process.pid, "SIGINT")',
      'process.kill(String(process.pid), 2)',
      'process.kill(-process.pid, "SIGKILL")',
      'process.kill(0, "SIGTERM")',
      'process.kill(process.ppid, "SIGTERM")',
    ]) {
      const outcome = await outcomeOf({ act })
      assert.ok(outcome.type === 'error', act)
      assert.match(outcome.error.message, /may not signal the process/)
    }
    assert.equal(await run('return process.kill(process.pid, 0)'), true)
  })
})
