// Worker processes that are killed, frozen and stopped, at any moment of what they do.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { BLOBS } from '../../src/core/content.ts'
import { isRunning } from '../../src/core/task.ts'
import { processesOf } from '../support/bundle.ts'
import { processesWith } from '../support/find-processes.ts'
import { until } from '../support/until.ts'
import { openWorld, type World } from './cluster.ts'
import { startWorkerProcess, type WorkerProcess } from './processes.ts'

const LIMIT = { timeout: 900_000 }
const LONG = process.env.FAULTS_LONG === '1'
const KILLS = LONG ? 100 : 3
const KINDS_DIR = fileURLToPath(new URL('../soak/kinds/', import.meta.url))

describe('a worker process', LIMIT, () => {
  let world: World
  const started: WorkerProcess[] = []
  before(async () => {
    world = await openWorld({ workers: 0 })
  })
  after(async () => {
    for (const { signal, gone } of started) {
      signal('SIGKILL')
      await gone
    }
    await world.close()
  })
  const start = async (settings: Record<string, string> = {}): Promise<WorkerProcess> => {
    const made = await startWorkerProcess(world.config.dataDir, { KINDS_DIR, CONCURRENCY: '3', ...settings })
    started.push(made)
    return made
  }
  const end = async (worker: WorkerProcess, signal: NodeJS.Signals): Promise<number | string | null> => {
    worker.signal(signal)
    const how = await worker.gone
    started.splice(started.indexOf(worker), 1)
    return how
  }
  const runs = (id: string) =>
    until(`${id} runs`, async () => isRunning((await world.get(id)).status), 60_000)

  it(
    `is killed with -9 ${KILLS} times at any instant: every task ends once, none runs twice at a time`,
    LIMIT,
    async () => {
      for (let n = 0; n < KILLS * 8; n++)
        await world.submit(
          { ms: (n % 4) * 60, spin: n % 5 === 0, failures: n % 7 === 0 ? 1 : 0 },
          { maxAttempts: 1000, retry: { delaySeconds: 0.1 } },
        )
      for (let kills = 0; kills < KILLS; kills++) {
        const worker = await start()
        // from the very start of the first task to somewhere among the later ones
        await sleep((kills * 997) % 700)
        assert.equal(await end(worker, 'SIGKILL'), 'SIGKILL')
      }
      const last = await start()
      await world.allDone(120_000)
      await end(last, 'SIGTERM')
    },
  )

  it(
    'is killed: another one on the host takes its task over at once, where its checkpoint left off',
    LIMIT,
    async () => {
      const first = await start()
      const id = await world.submit({ ms: 60_000 })
      world.want(id, 'REVOKED')
      await runs(id)
      const second = await start()
      await until(
        'it has a checkpoint',
        async () => ((await world.get(id)).progress?.percent ?? 0) > 4,
        60_000,
      )
      await end(first, 'SIGKILL')
      const killed = performance.now()
      await until('it runs again', async () => (await world.get(id)).attempt === 2)
      // the sweeper looks every second
      assert.ok(performance.now() - killed < 10_000, `${performance.now() - killed} ms`)
      await until('it goes on', async () => ((await world.get(id)).progress?.percent ?? 0) > 1)
      const { history } = await world.get(id)
      assert.deepEqual(
        history.map(({ status, attempt }) => `${status} ${attempt}`).filter(move => !/PROGRESS/.test(move)),
        ['PENDING 0', 'STARTED 1', 'PENDING 1', 'STARTED 2'],
      )
      assert.equal((await world.cancel(id)).status, 202)
      await world.allDone()
      await end(second, 'SIGTERM')
    },
  )

  it(
    'dies with every attempt of a task: WORKER_LOST after maxAttempts, and not one attempt more',
    LIMIT,
    async () => {
      const id = await world.submit({ ms: 60_000 }, { maxAttempts: 3, retry: { delaySeconds: 0 } })
      world.want(id, 'FAILURE')
      for (const attempt of [1, 2, 3]) {
        const worker = await start()
        await until(`attempt ${attempt} runs`, async () => {
          const task = await world.get(id)
          return task.attempt === attempt && isRunning(task.status)
        })
        await end(worker, 'SIGKILL')
      }
      const last = await start()
      await world.allDone()
      const task = await world.get(id)
      assert.deepEqual([task.error?.code, task.attempt], ['WORKER_LOST', 3])
      assert.match(task.error?.message ?? '', /attempt 3 of 3/)
      await end(last, 'SIGTERM')
    },
  )

  it(
    'is killed, and what its tasks have started with it, before they run again; a stop leaves none of it either',
    LIMIT,
    async () => {
      const commands = ['spawn', 'block', 'daemon', 'exec'].map(how => ({
        how,
        file: path.join(world.config.dataDir, `command-${how}`),
        id: '',
      }))
      const first = await start({ CONCURRENCY: '4' })
      for (const command of commands) {
        const { how, file } = command
        command.id = await world.submit({}, { kind: 'command', params: { how, file } })
        world.want(command.id, 'REVOKED')
      }
      const said = (file: string, what: string): string[] =>
        existsSync(file) ? (readFileSync(file, 'utf8').match(new RegExp(`^\\d+ ${what}$`, 'gm')) ?? []) : []
      const started = (times: number) =>
        until(
          `every command has started ${times}`,
          () => commands.every(({ file }) => said(file, 'start').length === times),
          120_000,
        )
      await started(1)
      await end(first, 'SIGKILL')
      const second = await start({ CONCURRENCY: '4' })
      await started(2)
      for (const { file, how } of commands) {
        // the old one said nothing any more once the new one had begun
        const lines = readFileSync(file, 'utf8').trim().split('\n')
        const old = lines[0]?.split(' ')[0]
        const begun = lines.findLastIndex(line => line.endsWith('start'))
        assert.ok(begun > 0 && lines.slice(begun).every(line => line.split(' ')[0] !== old), how)
      }
      for (const { id } of commands.slice(1)) assert.equal((await world.cancel(id)).status, 202)
      await until('the cancelled ones have ended', async () => {
        const tasks = await Promise.all(commands.slice(1).map(({ id }) => world.get(id)))
        return tasks.every(({ status }) => status === 'REVOKED')
      })
      assert.deepEqual(
        commands.slice(1).flatMap(({ file }) => processesWith(file)),
        [],
      )
      assert.equal(await end(second, 'SIGTERM'), 0)
      assert.deepEqual(processesWith(world.config.dataDir), [])
      assert.equal((await world.cancel(commands[0]?.id ?? '')).status, 200)
    },
  )

  it(
    'is killed, and one bit of the checkpoint flipped: the next attempt starts from the beginning',
    LIMIT,
    async () => {
      const id = await world.submit({ ms: 6_000 })
      const first = await start()
      const checkpoint = path.join(world.config.dataDir, 'blobs', id.slice(-2), id, BLOBS.checkpoint)
      // it is written every two seconds, so that this one holds some of the way
      await until('there is a second one', async () => ((await world.get(id)).progress?.percent ?? 0) > 60)
      await end(first, 'SIGKILL')
      const bytes = readFileSync(checkpoint)
      const place = bytes.length - 3
      bytes[place] = (bytes[place] ?? 0) ^ 1
      writeFileSync(checkpoint, bytes)
      const again = Date.now()
      const second = await start()
      await world.allDone()
      assert.equal((await world.get(id)).attempt, 2)
      const { startedAt, finishedAt } = await world.get(id)
      assert.ok(Date.parse(startedAt ?? '') >= again - 1_000)
      const took = Date.parse(finishedAt ?? '') - Date.parse(startedAt ?? '')
      assert.ok(took >= 6_000, `the second attempt took ${took} ms, so it used what was damaged`)
      await end(second, 'SIGTERM')
    },
  )

  it('is frozen and thaws: nobody takes its task, and nothing runs twice', LIMIT, async () => {
    const [first, second] = [await start({ CONCURRENCY: '1' }), await start({ CONCURRENCY: '1' })]
    const ids = [await world.submit({ ms: 4_000 }), await world.submit({ ms: 4_000 })]
    for (const id of ids) await runs(id)
    first.signal('SIGSTOP')
    const other = await world.submit({ ms: 0 })
    await until('the other works on', async () => (await world.get(other)).status === 'SUCCESS', 60_000)
    await sleep(2_000)
    first.signal('SIGCONT')
    await world.allDone()
    for (const id of ids) assert.equal((await world.get(id)).attempt, 1)
    await end(first, 'SIGTERM')
    await end(second, 'SIGTERM')
  })

  it(
    'gets SIGTERM: short tasks end, long ones are given back uncounted with a checkpoint, none is left',
    LIMIT,
    async () => {
      const worker = await start({ DRAIN_SECONDS: '2', CONCURRENCY: '2' })
      const short = await world.submit({ ms: 1_000 })
      const long = await world.submit({ ms: 8_000 })
      await runs(short)
      await runs(long)
      await until(
        'the long one has come some way',
        async () => ((await world.get(long)).progress?.percent ?? 0) > 5,
      )
      // asleep, so that a slot that is free by now does not take the next one before the signal is there
      worker.signal('SIGSTOP')
      const later = await world.submit({ ms: 0 })
      const ended = end(worker, 'SIGTERM')
      worker.signal('SIGCONT')
      assert.equal(await ended, 0)
      assert.deepEqual(processesOf(world.config.dataDir), [])
      assert.equal((await world.get(short)).status, 'SUCCESS')
      const given = await world.get(long)
      assert.deepEqual([given.status, given.attempt, given.worker], ['PENDING', 0, null])
      assert.equal((await world.get(later)).status, 'PENDING', 'nothing new is taken after SIGTERM')
      const next = await start()
      const began = performance.now()
      await world.allDone()
      assert.equal((await world.get(long)).attempt, 1)
      // of its 8 s some 2 lie behind it
      assert.ok(performance.now() - began < 60_000)
      await end(next, 'SIGTERM')
    },
  )
})
