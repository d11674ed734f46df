// Orders to processes as JSON: who may give them, what is answered, and what the log says.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { MadhavaError } from '../../../src/core/errors.ts'
import type { ActionOutcome, ProcessRow } from '../../../src/dashboard/processes/processes.ts'
import { type KeptLine, keepingLog } from '../../support/keeping-log.ts'
import { basic, createDashboardFixture, noProcesses, PASSWORDS } from '../fixture.ts'

const row = (name: string, pmId: number, more: Partial<ProcessRow> = {}): ProcessRow => ({
  name,
  pmId,
  state: 'online',
  pid: 100 + pmId,
  uptimeMs: 60_000,
  restarts: 0,
  cpuPercent: 1,
  memoryBytes: 1024,
  isDashboard: name === 'dashboard',
  ready: true,
  troubles: {},
  running: [],
  restartCause: null,
  lastRestartAt: null,
  crashLoop: false,
  ...more,
})
interface Told {
  action: string
  outcome: string
  processes: { name: string; outcome: string; reason: string | null; interrupted: string[] }[]
}

describe('an order as JSON', { timeout: 300_000 }, () => {
  let door: Awaited<ReturnType<typeof createDashboardFixture>>
  let rows: ProcessRow[]
  let orders: string[]
  let lines: () => KeptLine[]
  /** What becomes of the rows when an order is given. */
  let effect: (what: string) => ActionOutcome

  beforeEach(async () => {
    rows = [row('api', 0), row('worker', 1, { running: ['t1', 't2'] }), row('dashboard', 2)]
    orders = []
    effect = () => ({ outcome: 'done' })
    const kept = keepingLog()
    lines = kept.lines
    const order = async (what: string): Promise<ActionOutcome> => {
      orders.push(what)
      return effect(what)
    }
    door = await createDashboardFixture({
      log: kept.log,
      processes: noProcesses({
        list: async () => rows,
        act: (action, name, by) => order(`${action} ${name} by ${by}`),
        actAll: (action, by) => order(`${action} all by ${by}`),
      }),
    })
  })
  afterEach(() => door.close())

  const say = (where: string, body: unknown, headers: Record<string, string>) =>
    door.post(where, body === null ? '' : JSON.stringify(body), {
      'content-type': 'application/json',
      ...headers,
    })
  const codeOf = async (answer: Response): Promise<[number, unknown]> => [
    answer.status,
    ((await answer.json()) as { code?: string }).code,
  ]

  it('is taken from a page with its token and from a program with its password, and is noted with who gave it', async () => {
    const { own } = await door.enter('operator')
    effect = () => {
      rows = rows.map(one => (one.name === 'worker' ? { ...one, state: 'stopped', pid: null } : one))
      return { outcome: 'done' }
    }
    const answer = await say('/processes/worker/stop', null, own)
    const told = (await answer.json()) as Told
    assert.equal(answer.status, 200)
    assert.deepEqual([told.action, told.outcome, told.processes.length], ['stop', 'done', 1])
    assert.deepEqual(told.processes[0]?.interrupted, ['t1', 't2'])
    rows = [row('api', 0), row('worker', 1)]
    effect = () => ({ outcome: 'done' })
    const program = await say('/processes/all/restart', {}, basic('operator', PASSWORDS.operator))
    assert.equal(program.status, 200)
    assert.deepEqual(orders, ['stop worker by operator', 'restart all by operator'])
    assert.deepEqual(
      lines()
        .filter(line => line.message === 'an order to processes')
        .map(line => [line.action, line.process, line.who]),
      [
        ['stop', 'worker', 'operator'],
        ['restart', 'all', 'operator'],
      ],
    )
  })

  it('is refused without the token, from another site, from a viewer and from nobody', async () => {
    const { own } = await door.enter('operator')
    const viewer = await door.enter('viewer')
    for (const headers of [
      { ...own, 'x-csrf-token': '' },
      { ...own, 'x-csrf-token': viewer.token },
      { ...own, origin: 'http://evil.example' },
      { ...own, 'sec-fetch-site': 'cross-site' },
      { ...basic('operator', PASSWORDS.operator), origin: 'http://evil.example' },
      viewer.own,
      basic('viewer', PASSWORDS.viewer),
    ])
      for (const where of ['/processes/api/stop', '/processes/all/stop'])
        assert.equal((await say(where, {}, headers)).status, 403, `${where} ${JSON.stringify(headers)}`)
    const nobody = await say('/processes/api/stop', {}, { accept: 'application/json' })
    assert.deepEqual(await codeOf(nobody), [401, 'UNAUTHORIZED'])
    // a form has no such address, whatever it brings along
    const form = { ...own, 'content-type': 'application/x-www-form-urlencoded', 'x-csrf-token': '' }
    assert.equal((await door.post('/processes/all/stop', 'x=1', form)).status, 403)
    assert.deepEqual(orders, [])
    assert.ok(lines().some(line => line.who === 'viewer' && line.code === 'FORBIDDEN'))
  })

  it('that ends in a crash loop is an error that says so, and one that is not over says that', async () => {
    const { own } = await door.enter('operator')
    const at = new Date(Date.now() + 60_000).toISOString()
    effect = () => {
      const restartCause = { how: 'exit' as const, code: 1, signal: null, by: null, at, words: 'no port' }
      rows = rows.map(one => ({ ...one, state: 'waiting restart', pid: null, restartCause, crashLoop: true }))
      return { outcome: 'done' }
    }
    const failed = await say('/processes/worker/restart', {}, own)
    const problem = (await failed.json()) as { code: string; detail: string }
    assert.deepEqual([failed.status, problem.code], [502, 'PROCESS_FAILED'])
    assert.match(problem.detail, /worker: it ended with exit code 1\. It said: no port/)
    rows = [row('api', 0, { ready: false })]
    effect = () => {
      rows = [row('api', 0, { ready: false, pid: 999, restarts: 1 })]
      return { outcome: 'done' }
    }
    const slow = await say('/processes/api/restart', { waitSeconds: 0 }, own)
    assert.deepEqual([slow.status, ((await slow.json()) as Told).outcome], [202, 'underway'])
  })

  it('waits until the process says that it is ready', async () => {
    const { own } = await door.enter('operator')
    effect = () => {
      rows = [row('api', 0, { ready: false, pid: 999, restarts: 1 })]
      setTimeout(() => {
        rows = [row('api', 0, { ready: true, pid: 999, restarts: 1 })]
      }, 300)
      return { outcome: 'done' }
    }
    const answer = await say('/processes/api/restart', { waitSeconds: 30 }, own)
    const told = (await answer.json()) as Told & { processes: ProcessRow[] }
    assert.deepEqual([answer.status, told.outcome, told.processes[0]?.ready], [200, 'done', true])
  })

  it('has not failed while the supervisor waits to restart what it has ended by order', async () => {
    const shown: Partial<ProcessRow>[] = [
      // an ordered end, before it counts the restart
      { state: 'waiting restart', pid: null, restarts: 0, ready: false },
      { state: 'online', pid: 500, restarts: 1, ready: true },
    ]
    let looks = 0
    const looking = await createDashboardFixture({
      processes: noProcesses({
        list: async () =>
          [row('worker', 1, looks === 0 ? {} : shown[Math.min(looks, 2) - 1])].map(one => {
            looks += 1
            return one
          }),
        act: async () => ({ outcome: 'done' }),
      }),
    })
    try {
      const restart = () =>
        looking.post('/processes/worker/restart', '', basic('operator', PASSWORDS.operator))
      const told = (await (await restart()).json()) as Told
      assert.deepEqual([told.outcome, looks], ['done', 3])
      // after the restart was counted it is one that ended again
      shown.splice(0, 2, { state: 'waiting restart', pid: null, restarts: 1, ready: false })
      looks = 0
      assert.deepEqual(await codeOf(await restart()), [502, 'PROCESS_FAILED'])
    } finally {
      await looking.close()
    }
  })

  it('keeps the code of a refusal, and takes no body but its own', async () => {
    const { own } = await door.enter('operator')
    effect = () => {
      throw new MadhavaError('DASHBOARD_STAYS', 'It stays')
    }
    assert.deepEqual(await codeOf(await say('/processes/dashboard/stop', {}, own)), [403, 'DASHBOARD_STAYS'])
    for (const body of ['x', { waitSeconds: 61 }, { waitSeconds: -1 }, { other: 1 }, []])
      assert.equal((await say('/processes/api/start', body, own)).status, 400, JSON.stringify(body))
  })

  it('is answered before the dashboard restarts itself', async () => {
    const { own } = await door.enter('operator')
    let acted = (): void => {}
    const done = new Promise<void>(resolve => {
      acted = resolve
    })
    effect = () => ({ outcome: 'deferred', act: async () => acted() })
    const answer = await say('/processes/dashboard/restart', {}, own)
    const told = (await answer.json()) as Told
    assert.deepEqual([answer.status, told.outcome, told.processes[0]?.outcome], [202, 'deferred', 'underway'])
    await done
  })
})
