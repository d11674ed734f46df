// Why tasks wait, as an api says it while a real worker process takes, runs, stops and dies.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { openApi } from '../../src/api/server.ts'
import { type Client, createClient, type Task, type Waiting } from '../../src/client/client.ts'
import { parseConfig, VERSION } from '../../src/config.ts'
import { WAIT_REASONS } from '../../src/core/wait-reasons.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type Parts, wire } from '../../src/wire.ts'
import { startWorkerProcess, type WorkerProcess } from '../faults/processes.ts'
import { makeDataDir } from '../support/bundle.ts'
import { until } from '../support/until.ts'

const LIMIT = { timeout: 600_000 }
const WAIT_MS = 60_000

/** A kind that takes `ms`, and fails when told to. */
const kindOf = (more: string): string => `export default ({ defineKind, z }) => defineKind({
  summary: 'Takes its time',
  params: z.strictObject({ ms: z.number().default(0), fails: z.boolean().default(false) }),
  result: z.null(),
  example: {},
  async run({ ms, fails }, { signal }) {
    await new Promise(resolve => {
      const timer = setTimeout(resolve, ms)
      signal.addEventListener('abort', () => { clearTimeout(timer); resolve() })
    })
    if (fails) throw new Error('as it was told')
    return null
  },
  ${more}
})
`
const KINDS: Record<string, string> = {
  slow: '',
  narrow: 'maxConcurrency: 1,',
  rated: "rate: '1/h',",
  flaky: 'retry: { delaySeconds: 3600 },',
}

describe('why a task waits', LIMIT, () => {
  const { dataDir, remove } = makeDataDir()
  /** Of the api, and of the worker, which lacks a kind. */
  const [known, had] = [path.join(dataDir, 'known'), path.join(dataDir, 'had')]
  let parts: Parts
  let door: Awaited<ReturnType<typeof openApi>>
  let client: Client
  let worker: WorkerProcess | null = null

  before(async () => {
    for (const folder of [known, had]) {
      mkdirSync(folder, { recursive: true })
      for (const [name, more] of Object.entries(KINDS))
        writeFileSync(path.join(folder, `${name}.mjs`), kindOf(more))
    }
    writeFileSync(path.join(known, 'absent.mjs'), kindOf(''))
    const config = parseConfig({ DATA_DIR: dataDir, API_PORT: '0', KINDS_DIR: known, ROLES: 'api,worker' })
    const log = silentLog()
    parts = await wire(config, log)
    const { host, ports, roles, allowedHosts } = config
    const options = { host, port: ports.api, dataDir, roles, allowedHosts, corsOrigins: [], version: VERSION }
    door = await openApi(options, parts, log)
    await parts.announce('api')
    client = createClient({ baseUrl: `http://${door.address}` })
  })
  after(async () => {
    worker?.signal('SIGKILL')
    await worker?.gone
    await door?.close()
    await parts?.close()
    remove()
  })

  const startWorker = async (): Promise<void> => {
    worker = await startWorkerProcess(dataDir, {
      KINDS_DIR: had,
      CONCURRENCY: '2',
      DRAIN_SECONDS: '120',
      LOG_LEVEL: 'error',
    })
  }
  const endWorker = async (signal: NodeJS.Signals): Promise<void> => {
    worker?.signal(signal)
    await worker?.gone
    worker = null
  }
  const submit = (kind: string, params: object = {}, more: object = {}): Promise<Task> =>
    client.submit({ kind, params: { ...params }, ...more })
  const runs = ({ id }: Task) =>
    until('it runs', async () => (await client.get(id)).status === 'STARTED', WAIT_MS)
  const cancel = async (...tasks: Task[]): Promise<void> => {
    // the last first: one that waits begins as soon as the one before it is gone
    for (const { id } of tasks.toReversed()) await client.cancel(id)
    for (const { id } of tasks) await client.wait(id)
  }
  /** What the task says once it waits for this. */
  const waitsFor = async ({ id }: Task, reason: string): Promise<Waiting> => {
    let told: Waiting | null = null
    let last = ''
    await until(
      `it waits for ${reason}`,
      async () => {
        told = await client.why(id).catch(() => null)
        last = JSON.stringify(told)
        return told?.reason === reason
      },
      WAIT_MS,
    ).catch((error: unknown) => assert.fail(`${String(error)}; the last answer was ${last}`))
    assert.ok(told)
    return told
  }

  it('without a worker it waits for one, and for its time before that', LIMIT, async () => {
    const tasks = [await submit('slow', { ms: 20 }), await submit('absent')]
    const later = await submit('slow', {}, { notBefore: new Date(Date.now() + 3_600_000).toISOString() })
    for (const [n, task] of tasks.entries()) {
      const told = await waitsFor(task, 'NO_WORKER')
      assert.deepEqual([told.position, told.startsIn, told.since], [n, null, task.createdAt])
    }
    const told = await waitsFor(later, 'NOT_DUE')
    assert.deepEqual([told.position, told.facts], [null, { dueAt: later.notBefore }])
    assert.ok(told.startsIn && told.startsIn.p50 > 3_000 && told.startsIn.p50 <= 3_600)

    await startWorker()
    await client.wait(tasks[0]?.id ?? '')
    const absent = await waitsFor(tasks[1] as Task, 'KIND_UNKNOWN')
    assert.match(absent.detail, /No worker has the kind absent/)
    await assert.rejects(client.why(tasks[0]?.id ?? ''), { code: 'TASK_NOT_WAITING', status: 409 })
    await cancel(tasks[1] as Task, later)
  })

  it('a kind that is full, a rate, and a wait after a failure are told from each other', LIMIT, async () => {
    const narrow = [await submit('narrow', { ms: WAIT_MS * 2 })]
    await runs(narrow[0] as Task)
    narrow.push(await submit('narrow'), await submit('narrow'))
    for (const [n, task] of narrow.slice(1).entries()) {
      const told = await waitsFor(task, 'KIND_FULL')
      assert.deepEqual([told.position, told.facts], [n, { running: 1, maxConcurrency: 1 }])
    }

    const rated: Task[] = []
    // an hour may begin in between, and lets one more of them begin
    for (let n = 0; n < 4; n += 1) rated.push(await submit('rated'))
    await client.wait(rated[0]?.id ?? '')
    const held = await waitsFor(rated.at(-1) as Task, 'RATE')
    assert.deepEqual(held.facts, { rate: '1/h' })
    assert.ok((held.startsIn?.p50 ?? 0) > 3_600, JSON.stringify(held))

    const flaky = await submit('flaky', { fails: true })
    const retried = await waitsFor(flaky, 'RETRY_WAIT')
    const { notBefore, updatedAt } = await client.get(flaky.id)
    assert.deepEqual([retried.facts.dueAt, retried.since, retried.position], [notBefore, updatedAt, null])
    await cancel(...narrow, ...rated.slice(-2), flaky)
  })

  it(
    'with all slots busy it is behind others, and a page says of each task what it says itself',
    LIMIT,
    async () => {
      const busy = [await submit('slow', { ms: WAIT_MS * 2 }), await submit('slow', { ms: WAIT_MS * 2 })]
      for (const task of busy) await runs(task)
      const low = await submit('slow', {}, { priority: 1 })
      const high = await submit('slow', {}, { priority: 9 })
      await until('the slots are known to be busy', async () => (await client.why(high.id)).facts.busy === 2)
      await until(
        'the run that has ended is known',
        async () => (await client.why(high.id)).startsIn !== null,
      )
      const [first, second] = [await waitsFor(high, 'BEHIND'), await waitsFor(low, 'BEHIND')]
      assert.deepEqual([first.position, first.facts], [0, { slots: 2, busy: 2 }])
      assert.ok((second.position ?? 0) >= 1)
      // by the one that has ended
      assert.ok(first.startsIn && second.startsIn && second.startsIn.p50 > first.startsIn.p50)

      const { tasks } = await client.list({}, { why: true })
      for (const { id, status, waiting } of tasks) {
        if (status !== 'PENDING' && status !== 'RETRY') assert.equal(waiting, null)
        else {
          assert.ok(waiting && WAIT_REASONS.includes(waiting.reason))
          assert.equal(waiting.reason, (await client.why(id)).reason)
        }
      }
      assert.ok((await client.list({})).tasks.every(task => !('waiting' in task)))

      // the worker stops in good order: it takes none, and waits for those that run
      worker?.signal('SIGTERM')
      const stuck = await waitsFor(high, 'NO_ROOM')
      assert.deepEqual([stuck.facts, stuck.startsIn], [{ trouble: 'It is shutting down' }, null])
      await endWorker('SIGKILL')
      await waitsFor(high, 'NO_WORKER')
    },
  )
})
