// The whole, as a user runs it: four processes under PM2, the embedded queue, state files.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { TaskRecord } from '../../src/core/task.ts'
import { type Bundle, makeDataDir, processesOf, startBundle, startRefused } from '../support/bundle.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const LONG = { timeout: 600_000 }
/** E2E_LONG=1: more of each. */
const [TASKS, KILLS, CHILDREN] = process.env.E2E_LONG === '1' ? [60, 3, 400] : [30, 2, 120]
const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { code: string }).code
const isFinal = (task: TaskRecord): boolean => ['SUCCESS', 'FAILURE', 'REVOKED'].includes(task.status)

const ends = async (bundle: Bundle, ids: string[], limitMs = 150_000): Promise<TaskRecord[]> => {
  let tasks: TaskRecord[] = []
  await until(
    `${ids.length} tasks end`,
    async () => {
      tasks = (await bundle.all()).filter(task => ids.includes(task.id))
      return tasks.length === ids.length && tasks.every(isFinal)
    },
    limitMs,
  )
  return tasks
}

/** Entries of `history` that are ends: exactly one per submit. */
const endsIn = (task: TaskRecord): string[] =>
  task.history
    .map(({ status }) => status)
    .filter(status => ['SUCCESS', 'FAILURE', 'REVOKED'].includes(status))

describe('the bundle on files and the embedded queue', LONG, () => {
  const { dataDir, remove } = makeDataDir()
  const kindsDir = path.join(dataDir, 'my-kinds')
  let bundle: Bundle
  before(async () => {
    mkdirSync(kindsDir)
    writeFileSync(
      path.join(kindsDir, 'add.ts'),
      `interface Pair { a: number; b: number }
export default ({ defineKind, z }) => defineKind({
  summary: 'Adds two numbers',
  params: z.object({ a: z.number(), b: z.number() }),
  result: z.number(),
  example: { a: 1, b: 2 },
  async run({ a, b }: Pair, ctx) { ctx.log('adding'); ctx.progress(50, 'adding'); return a + b },
})
`,
    )
    writeFileSync(
      path.join(kindsDir, 'flaky.ts'),
      `export default ({ defineKind, z }) => defineKind({
  summary: 'Fails at its first attempt',
  params: z.object({ wait: z.number().default(0) }),
  result: z.number(),
  example: { wait: 0 },
  retry: { delaySeconds: 1 },
  run(params, ctx) { if (ctx.attempt === 1) throw new Error('not yet'); return ctx.attempt },
})
`,
    )
    writeFileSync(
      path.join(kindsDir, 'spin.js'),
      `export default ({ defineKind, z }) => defineKind({
  summary: 'Never lets go of its thread',
  params: z.object({ seconds: z.number() }), result: z.null(), example: { seconds: 0 },
  run({ seconds }) { const end = Date.now() + seconds * 1000; while (Date.now() < end); return null },
})
`,
    )
    writeFileSync(
      path.join(kindsDir, 'split.ts'),
      `export default ({ defineKind, z }) => defineKind({
  summary: 'Submits its parts as children',
  params: z.object({ parts: z.number() }), result: z.array(z.string()), example: { parts: 1 },
  async run({ parts }, ctx) {
    const ids = []
    for (let n = 0; n < parts; n++) {
      ids.push(await ctx.submit('add', { a: n, b: n }, { key: 'part-' + n, title: 'part ' + n }))
      // long enough to be killed in the middle
      await new Promise(done => setTimeout(done, 20))
    }
    return ids
  },
})
`,
    )
    writeFileSync(path.join(kindsDir, 'broken.ts'), 'export default { summary: "no run" }\n')
    bundle = await startBundle(dataDir, { KINDS_DIR: kindsDir, CONCURRENCY: '4' })
  })
  after(async () => {
    await bundle?.kill()
    remove()
  })

  it('computes pi, and the state file says so in words that jq can read', async () => {
    const response = await fetch(`${bundle.api}/calcpi/30`)
    assert.equal(response.status, 202)
    const { id } = (await response.json()) as TaskRecord
    assert.equal(response.headers.get('location'), `/task/${id}`)
    await ends(bundle, [id])
    const file = bundle.stateFile(id)
    assert.equal(file.result, '3.141592653589793238462643383279')
    assert.deepEqual(
      file.history.map(({ status }) => status).filter(status => status !== 'PROGRESS'),
      ['PENDING', 'STARTED', 'SUCCESS'],
    )
    assert.deepEqual(await bundle.get(id), file)
    assert.equal(await (await fetch(`${bundle.api}/task/${id}/result`)).text(), file.result)
  })

  it('runs a kind that a user put into KINDS_DIR, in TypeScript, and keeps its log', async () => {
    const { id } = await bundle.submit({ kind: 'add', params: { a: 20, b: 22 } })
    const [task] = await ends(bundle, [id])
    assert.equal(task?.status, 'SUCCESS', JSON.stringify(task?.error))
    assert.equal(task?.result, 42)
    assert.match(await (await fetch(`${bundle.api}/task/${id}/log`)).text(), /adding\n$/)
  })

  it('starts with a broken file of kinds beside the others, and names it at every door', async () => {
    assert.match(bundle.output(), /A kind is in trouble: broken\.ts: /)
    const refused = await fetch(`${bundle.api}/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"kind":"broken","params":{}}',
    })
    assert.deepEqual([refused.status, await codeOf(refused)], [503, 'KIND_IN_TROUBLE'])
    const ROLES = ['api', 'dashboard', 'rpc', 'worker']
    await until('all processes tell of it', async () => {
      const { trouble } = (await (await fetch(`${bundle.api}/kinds`)).json()) as {
        trouble: { name: string; roles: string[] }[]
      }
      return trouble.length === 1 && trouble[0]?.name === 'broken' && trouble[0].roles.join() === ROLES.join()
    })
    const ready = await fetch(`${bundle.api}/readyz`)
    assert.equal(ready.status, 200)
    const { checks } = (await ready.json()) as { checks: Record<string, { status: string; reason?: string }> }
    assert.match(checks.kinds?.reason ?? '', /^broken\.ts: /)
    assert.deepEqual([checks.kinds?.status, checks.worker?.status], ['degraded', 'ok'])
  })

  it('tries again as the kind says, and shows RETRY with the time of the next attempt meanwhile', async () => {
    const { id } = await bundle.submit({ kind: 'flaky' })
    await until(
      'the first attempt failed',
      () => bundle.stateFile(id).attempt === 1 && bundle.stateFile(id).error !== null,
    )
    const waiting = bundle.stateFile(id)
    assert.equal(waiting.status, 'RETRY')
    assert.ok(waiting.notBefore !== null && waiting.notBefore > waiting.createdAt)
    const [task] = await ends(bundle, [id])
    assert.deepEqual([task?.status, task?.result, task?.attempt], ['SUCCESS', 2, 2])
  })

  it('cancels a tight loop within a second, and the slot works on', async () => {
    const { id } = await bundle.submit({ kind: 'spin', params: { seconds: 300 } })
    await until('it runs', () => bundle.stateFile(id).status === 'STARTED')
    const asked = Date.now()
    const response = await fetch(`${bundle.api}/task/${id}`, { method: 'DELETE' })
    assert.ok([200, 202].includes(response.status))
    await until('it is revoked', () => bundle.stateFile(id).status === 'REVOKED', 10_000)
    // 1 s is the aim; a loaded machine gets the benefit of the doubt
    assert.ok(Date.now() - asked < 5_000, `${Date.now() - asked} ms`)
    const next = await bundle.submit({ kind: 'add', params: { a: 1, b: 1 } })
    assert.equal((await ends(bundle, [next.id]))[0]?.status, 'SUCCESS')
  })

  it('has every child of a task once, though the worker is killed with -9 while it submits them', async () => {
    const { id } = await bundle.submit({ kind: 'split', params: { parts: CHILDREN } })
    const children = async (): Promise<TaskRecord[]> => {
      const response = await fetch(`${bundle.api}/alltasks?parent=${id}`)
      return (await response.json()) as TaskRecord[]
    }
    const pid = await bundle.pidOf('worker')
    await until('some children are there', async () => (await children()).length >= 20)
    process.kill(pid, 'SIGKILL')
    const [parent] = await ends(bundle, [id])
    assert.deepEqual([parent?.status, parent?.attempt], ['SUCCESS', 2])
    const all = await children()
    assert.equal(all.length, CHILDREN)
    assert.equal(new Set(all.map(({ title }) => title)).size, CHILDREN)
    await ends(
      bundle,
      all.map(child => child.id),
    )
    const metrics = await (await fetch(`${bundle.api}/metrics`)).text()
    assert.match(metrics, /^madhava_task_wait_seconds_count\{[^}]*process="worker-0"[^}]*kind="add"\} \d+$/m)
  })

  it(`ends every one of ${TASKS} tasks in SUCCESS, once, though the worker is killed with -9 ${KILLS} times`, async () => {
    const ids: string[] = []
    for (let n = 0; n < TASKS; n += 1)
      ids.push((await bundle.submit({ kind: 'sleep', params: { seconds: 0.3 }, maxAttempts: 20 })).id)
    for (let kills = 0; kills < KILLS; kills += 1) {
      const already = (await bundle.all()).filter(task => ids.includes(task.id) && isFinal(task)).length
      await until(
        'some more tasks end',
        async () =>
          (await bundle.all()).filter(task => ids.includes(task.id) && isFinal(task)).length >=
          Math.min(already + 6, TASKS),
      )
      const pid = await bundle.pidOf('worker')
      process.kill(pid, 'SIGKILL')
      await until(
        'another worker is there',
        async () =>
          bundle.pidOf('worker').then(
            now => now !== pid,
            () => false,
          ),
        60_000,
      )
    }
    for (const task of await ends(bundle, ids)) {
      assert.equal(task.status, 'SUCCESS')
      assert.deepEqual(endsIn(task), ['SUCCESS'], task.id)
    }
  })

  it('refuses a second start on the same data folder and says who has it', async () => {
    const { code, output } = await startRefused(dataDir)
    assert.equal(code, 1)
    assert.match(
      output,
      new RegExp(`belongs to another start of Madhava: supervisor with process id ${bundle.pid}`),
    )
  })

  it('keeps the supervisor of PM2 to itself', () => {
    assert.equal(statSync(path.join(dataDir, 'pm2')).mode & 0o777, 0o700)
    assert.equal(statSync(dataDir).mode & 0o077, 0)
  })

  it('serves the dashboard to the operator alone', async () => {
    const password = /password (\S+) \(shown this once\)/.exec(bundle.output())?.[1]
    assert.ok(password)
    const refused = await fetch(`${bundle.dashboard}/processes.json`, { redirect: 'manual' })
    assert.ok([302, 303, 401].includes(refused.status))
    const login = await fetch(`${bundle.dashboard}/login`, {
      method: 'POST',
      redirect: 'manual',
      headers: { origin: bundle.dashboard, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ name: 'operator', user: 'operator', username: 'operator', password }),
    })
    const cookie = login.headers.get('set-cookie')?.split(';')[0]
    assert.ok(cookie, `login answered ${login.status}`)
    const rows = JSON.stringify(
      await (await fetch(`${bundle.dashboard}/processes.json`, { headers: { cookie } })).json(),
    )
    for (const role of ['api', 'worker', 'rpc', 'dashboard'])
      assert.match(rows, new RegExp(`"name":"${role}"`))
    assert.doesNotMatch(rows, /DATA_DIR|PATH|password/i)
  })

  it('gives running tasks back at a stop, within the drain time, and leaves no process', async () => {
    const { id } = await bundle.submit({ kind: 'sleep', params: { seconds: 600 } })
    await until('it runs', () => bundle.stateFile(id).status !== 'PENDING')
    const { code, ms } = await bundle.stop()
    assert.equal(code, 0)
    assert.ok(ms < 15_000, `${ms} ms`)
    assert.deepEqual(processesOf(dataDir), [])
    const task = bundle.stateFile(id)
    assert.equal(task.status, 'PENDING')
    assert.equal(task.attempt, 0)
  })

  it('keeps every task over a start, and leaves no process when the supervisor is killed with -9', async () => {
    const counted = await (async () => {
      bundle = await startBundle(dataDir, { KINDS_DIR: kindsDir })
      return (await bundle.all()).length
    })()
    assert.ok(counted > TASKS)
    assert.doesNotMatch(bundle.output(), /shown this once/)
    await bundle.kill()
    assert.deepEqual(processesOf(dataDir), [])
  })
})

describe('a bundle without a role that runs', LONG, () => {
  it('ends, and says so by its exit code', async t => {
    const { dataDir, remove } = makeDataDir()
    const bundle = await startBundle(dataDir, { DASHBOARD_PASSWORD: 'very-secret-1', OF_A_KIND: 'x' })
    undo(t, async () => {
      await bundle.kill()
      remove()
    })
    // by the title that each role gives its process
    const environments = new Map(
      processesOf(dataDir).flatMap(pid => {
        try {
          const [title, environment] = ['cmdline', 'environ'].map(file =>
            readFileSync(`/proc/${pid}/${file}`, 'utf8'),
          )
          return [[/madhava (\w+)/.exec(title ?? '')?.[1] ?? 'supervisor', environment?.split('\0')] as const]
        } catch {
          // one of those that are there for a moment
          return []
        }
      }),
    )
    for (const role of ['api', 'worker', 'rpc', 'dashboard']) {
      assert.ok(environments.get(role)?.includes('OF_A_KIND=x'), role)
      const knows = environments.get(role)?.some(line => line.includes('very-secret-1'))
      assert.equal(knows, role === 'dashboard', role)
    }
    const { stderr } = spawnSync(process.execPath, ['node_modules/pm2/bin/pm2', 'stop', 'all'], {
      encoding: 'utf8',
      env: { ...process.env, PM2_HOME: path.join(dataDir, 'pm2') },
    })
    assert.equal(stderr, '')
    const { code } = await bundle.ended
    assert.equal(code, 2)
    assert.match(bundle.output(), /no role runs any more/)
    assert.deepEqual(processesOf(dataDir), [])
  })
})

describe('a start that cannot work', LONG, () => {
  it('names all that is wrong with the configuration at once', async () => {
    const { dataDir, remove } = makeDataDir()
    const { code, output } = await startRefused(dataDir, {
      API_PORT: 'eighty',
      RETENTION: 'a week',
      ROLES: 'api,cook',
    })
    remove()
    assert.equal(code, 1)
    for (const name of ['API_PORT', 'RETENTION', 'ROLES'])
      assert.match(output, new RegExp(`${name}: must be`))
  })

  it('names the file of kinds that cannot be used, and why, when it is checked', async () => {
    const { dataDir, remove } = makeDataDir()
    writeFileSync(path.join(dataDir, 'broken.ts'), 'export default { summary: "no run" }\n')
    const { code, output } = await startRefused(dataDir, { KINDS_DIR: dataDir }, ['--check'])
    remove()
    assert.equal(code, 1)
    assert.match(output, /^A kind is in trouble: broken\.ts: .*run/m)
  })

  it('prints the effective settings with secrets masked, and ends', async () => {
    const { dataDir, remove } = makeDataDir()
    const more = { DASHBOARD_PASSWORD: 'very-secret-1', AMQP_URL: 'amqp://me:hidden@127.0.0.1:1/x' }
    const { code, output } = await startRefused(dataDir, more, ['--check'])
    remove()
    assert.equal(code, 0)
    assert.match(output, /^DASHBOARD_PASSWORD=\*+$/m)
    assert.match(output, /^AMQP_URL=amqp:\/\/me:\*+@127\.0\.0\.1:1\/x$/m)
    assert.doesNotMatch(output, /very-secret|hidden/)
  })
})
