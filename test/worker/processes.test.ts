// What kinds have started: nothing of it outlives the attempt, however that ends and however it was started.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readMark } from '../../src/platform/process-mark.ts'
import { readProcess } from '../../src/platform/process-proof.ts'
import { createThreads, type ThreadPool } from '../../src/worker/pool/pool.ts'
import type { RunOutcome } from '../../src/worker/pool/protocol.ts'
import { processesWith } from '../support/find-processes.ts'
import { until } from '../support/until.ts'
import { placeOf } from './starter.ts'

const STARTER = fileURLToPath(new URL('./starter.ts', import.meta.url))
const OUTER = { timeout: 600_000 }
const skip = process.platform === 'linux' ? false : 'processes are found by /proc'

const zombies = (): number[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .filter(pid => {
      const { parent, state, name } = readProcess(pid) ?? {}
      return parent === process.pid && state === 'Z' && name === 'sh'
    })

describe('the processes of an attempt', { skip }, () => {
  const pool = createThreads({ size: 3, memoryMb: 64 })
  after(() => pool.close())
  const begin = (way: string, at: ThreadPool = pool) => {
    const word = `word-${randomUUID()}`
    const lines: string[] = []
    const run = at.run(
      {
        id: randomUUID(),
        attempt: 1,
        claim: 1,
        kind: 'starter',
        file: STARTER,
        params: { way, word },
        resume: null,
      },
      {
        started() {},
        progress() {},
        log: more => lines.push(...more.map(({ text }) => text)),
        checkpoint() {},
        submit: async () => assert.fail('it submits nothing'),
      },
    )
    const up = (count = 1) =>
      until(`"${way}" has started ${count}`, () => processesWith(word).length >= count, 60_000)
    return { run, word, lines, up }
  }
  const resultOf = (outcome: RunOutcome): unknown =>
    outcome.type === 'success' && outcome.result.form === 'inline'
      ? JSON.parse(outcome.result.json)
      : assert.fail(JSON.stringify(outcome))

  for (const way of [
    'spawn, and wait for its exit',
    'exec a shell with a pipeline',
    'execFile with the mark of another',
    'fork a module',
    'block in execSync',
    'block, one after another',
    'detach a grandchild into a session of its own',
    'leave a member of the group without an environment',
    'be deaf to SIGTERM',
    'spawn in a thread of its own',
  ])
    it(`are gone when it is killed: ${way}`, OUTER, async () => {
      const { run, word, lines, up } = begin(way)
      await up()
      if (way === 'fork a module') {
        await until('the module runs', () => existsSync(placeOf(word)))
        rmSync(placeOf(word))
      }
      run.kill()
      // one whose process ended first would have a result
      assert.deepEqual(await run.outcome, { type: 'stopped' })
      assert.deepEqual(processesWith(word), [])
      // env or setsid is what a process is called until it has become the program that it starts
      assert.match(
        lines.join('\n'),
        /^ended (a process|\d processes) that the attempt had left: .*(sh|node|sleep|env|setsid)/m,
      )
    })

  for (const way of ['spawn, and end before it', 'leave a daemon behind a blocking call'])
    it(`are gone when it succeeds: ${way}`, OUTER, async () => {
      const { run, word, lines } = begin(way)
      assert.equal(resultOf(await run.outcome), 'done')
      assert.deepEqual(processesWith(word), [])
      assert.match(lines.join('\n'), /that the attempt had left/)
    })

  it('are gone when it throws, and when it ends its thread', OUTER, async () => {
    for (const way of ['spawn, and throw', 'spawn, and exit']) {
      const { run, word, lines } = begin(way)
      assert.equal((await run.outcome).type, 'error')
      assert.deepEqual(processesWith(word), [])
      assert.match(lines.join('\n'), /that the attempt had left/, way)
    }
  })

  it('are gone when it does not end within its grace time after a cancel', OUTER, async () => {
    const { run, word, up } = begin('block in spawnSync')
    await up()
    run.cancel('enough', 50)
    assert.deepEqual(await run.outcome, { type: 'stopped' })
    assert.deepEqual(processesWith(word), [])
  })

  it('are gone when the pool is closed', OUTER, async () => {
    const own = createThreads({ size: 2, memoryMb: 64 })
    const [blocked, detached] = [
      begin('block in execSync', own),
      begin('detach a grandchild into a session of its own', own),
    ]
    await blocked.up()
    await detached.up()
    await own.close()
    for (const { run, word } of [blocked, detached]) {
      assert.equal((await run.outcome).type, 'lost')
      assert.deepEqual(processesWith(word), [])
    }
  })

  it('are no concern of another attempt', OUTER, async () => {
    const [one, other] = [begin('spawn, and wait for its exit'), begin('spawn, and wait for its exit')]
    await one.up()
    await other.up()
    one.run.kill()
    await one.run.outcome
    assert.deepEqual(processesWith(one.word), [])
    assert.equal(processesWith(other.word).length, 1, 'the other one lives')
    other.run.kill()
    await other.run.outcome
  })

  it('leave no zombie where their thread has time to fetch them', OUTER, async () => {
    const leavesNone = async (): Promise<boolean> => {
      const before = zombies()
      const { run, up } = begin('spawn, and wait for its exit')
      await up()
      run.kill()
      await run.outcome
      await until('its thread is gone', () => pool.state().busy === 0)
      return zombies().every(pid => before.includes(pid))
    }
    // a machine that is full may give it none
    let clean = false
    for (let tries = 0; tries < 5 && !clean; tries++) clean = await leavesNone()
    assert.ok(clean)
  })

  it('carry the mark of their attempt and lead a group of their own', OUTER, async () => {
    const { run } = begin('tell what a child sees')
    const { mark, group, pid } = resultOf(await run.outcome) as { mark: string; group: number; pid: number }
    assert.deepEqual([readMark(mark)?.pid, readMark(mark)?.claim], [process.pid, 1])
    assert.notEqual(group, readProcess(pid)?.group)
    // and what they print is the kind's, as ever
    assert.equal(resultOf(await begin('return what a process prints').run.outcome), 'said\n')
  })

  it('cost an attempt nothing that starts none: its log has no line of them', OUTER, async () => {
    const { run, lines } = begin('nothing at all')
    assert.equal(resultOf(await run.outcome), 'done')
    assert.deepEqual(lines, [])
  })
})
