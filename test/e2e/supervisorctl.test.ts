// Debian's own supervisorctl against a whole bundle: what somebody who comes from supervisord types first.
import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { freePort } from '../support/free-port.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const skip = requireService('supervisorctl')
const PASSWORD = 'a long password'
const VIEWER = 'another password'
const PROGRAM = '/usr/bin/supervisorctl'
const LIMIT_MS = 120_000

describe("Debian's supervisorctl", { timeout: 300_000 }, () => {
  const place = makeDataDir()
  let bundle: Bundle
  before(async () => {
    if (skip) return
    bundle = await startBundle(place.dataDir, {
      DASHBOARD_PASSWORD: PASSWORD,
      DASHBOARD_VIEWER_PASSWORD: VIEWER,
      // the same after a restart of its process
      API_PORT: String(await freePort()),
      DASHBOARD_PORT: String(await freePort()),
    })
  })
  after(async () => {
    await bundle?.stop()
    place.remove()
  })

  const login = (name: string, password: string): string[] => [
    '-s',
    bundle.dashboard,
    '-u',
    name,
    '-p',
    password,
  ]
  /** What it prints, and its exit code. */
  const ctl = async (args: string[], as = login('operator', PASSWORD)): Promise<[string, number]> => {
    try {
      const { stdout } = await promisify(execFile)(PROGRAM, [...as, ...args], { timeout: LIMIT_MS })
      return [stdout.trimEnd(), 0]
    } catch (error) {
      const { stdout = '', code } = error as { stdout?: string; code?: number }
      return [stdout.trimEnd(), code ?? -1]
    }
  }

  it('shows the status of every process, its pid and the version', { skip }, async () => {
    const [status, code] = await ctl(['status'])
    assert.equal(code, 0, status)
    const lines = status.split('\n')
    assert.deepEqual(
      lines.map(line => line.split(/\s+/).slice(0, 2)),
      ['api', 'dashboard', 'rpc', 'worker'].map(name => [name, 'RUNNING']),
    )
    for (const line of lines) assert.match(line, /pid \d+, uptime \d+:\d\d:\d\d$/)
    const pid = await bundle.pidOf('worker')
    assert.deepEqual(await ctl(['pid', 'worker']), [String(pid), 0])
    assert.deepEqual(await ctl(['pid']), [String(bundle.pid), 0])
    assert.match((await ctl(['version']))[0], /^\d+\.\d+\.\d+$/)
    assert.deepEqual(await ctl(['pid', 'nobody']), ['No such process nobody', 1])
    assert.deepEqual(await ctl(['status', 'nobody']), ['nobody: ERROR (no such process)', 4])
  })

  it('stops, starts and restarts one process, and says when there is nothing to do', { skip }, async () => {
    const before = await bundle.pidOf('worker')
    assert.deepEqual(await ctl(['stop', 'worker']), ['worker: stopped', 0])
    assert.match((await ctl(['status', 'worker']))[0], /^worker +STOPPED/)
    assert.deepEqual(await ctl(['stop', 'worker']), ['worker: ERROR (not running)', 0])
    // the answer comes when the process is ready, so it is there
    assert.deepEqual(await ctl(['start', 'worker']), ['worker: started', 0])
    assert.notEqual(await bundle.pidOf('worker'), before)
    assert.deepEqual(await ctl(['start', 'worker']), ['worker: ERROR (already started)', 0])
    const pid = await bundle.pidOf('rpc')
    assert.deepEqual(await ctl(['restart', 'rpc']), ['rpc: stopped\nrpc: started', 0])
    assert.notEqual(await bundle.pidOf('rpc'), pid)
    assert.deepEqual(await ctl(['start', 'nobody']), ['nobody: ERROR (no such process)', 1])
  })

  it('does not stop the dashboard, and leaves it running when all are stopped', { skip }, async () => {
    const [refused, code] = await ctl(['stop', 'dashboard'])
    assert.match(refused, /^FAILED: The dashboard does not stop itself/)
    assert.equal(code, 1)
    const [stopped, stoppedCode] = await ctl(['stop', 'all'])
    assert.deepEqual(
      [stopped.split('\n').sort(), stoppedCode],
      [['api: stopped', 'rpc: stopped', 'worker: stopped'], 0],
    )
    assert.match((await ctl(['status', 'dashboard']))[0], /RUNNING/)
    const [started, startedCode] = await ctl(['start', 'all'])
    assert.deepEqual(
      [started.split('\n').sort(), startedCode],
      [['api: started', 'rpc: started', 'worker: started'], 0],
    )
    const [status] = await ctl(['status'])
    assert.equal(status.split('\n').filter(line => /RUNNING/.test(line)).length, 4)
  })

  it('shows the end of a log, and follows it', { skip }, async () => {
    const [tail, code] = await ctl(['tail', '-4000', 'dashboard'])
    assert.equal(code, 0)
    assert.match(tail, /"role":"dashboard"/)
    assert.deepEqual((await ctl(['tail', 'nobody']))[0], 'nobody: ERROR (no such process name)')
    const follower = spawn(PROGRAM, [...login('operator', PASSWORD), 'tail', '-f', 'dashboard'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let shown = ''
    for (const stream of [follower.stdout, follower.stderr])
      stream.on('data', data => {
        shown += String(data)
      })
    try {
      await until('it follows', () => shown.includes('Press Ctrl-C') && /"role"/.test(shown), LIMIT_MS)
      const seen = shown.length
      await ctl(['start', 'worker'])
      await until('the new line', () => /an order to processes/.test(shown.slice(seen)), LIMIT_MS)
    } finally {
      const ended = once(follower, 'exit')
      follower.kill('SIGKILL')
      await ended
    }
  })

  it('lets a viewer look and change nothing, and nobody in with a wrong password', { skip }, async () => {
    const viewer = login('viewer', VIEWER)
    assert.equal((await ctl(['status'], viewer))[1], 0)
    const [refused, code] = await ctl(['stop', 'worker'], viewer)
    assert.match(refused, /403 Forbidden/)
    assert.notEqual(code, 0)
    assert.match((await ctl(['status', 'worker']))[0], /RUNNING/)
    assert.match((await ctl(['status'], login('operator', 'wrong')))[0], /requires authentication/)
  })

  const seen = async (name: string): Promise<Record<string, unknown>> => {
    const authorization = `Basic ${Buffer.from(`viewer:${VIEWER}`).toString('base64')}`
    const answer = await fetch(`${bundle.dashboard}/processes.json`, { headers: { authorization } })
    const { processes } = (await answer.json()) as { processes: Record<string, unknown>[] }
    const found = processes.find(one => one.name === name)
    assert.ok(found)
    return found
  }

  it('says that a process which is killed was killed, once it is back', { skip }, async () => {
    const { pid } = await seen('worker')
    process.kill(Number(pid), 'SIGKILL')
    let row: Record<string, unknown> = {}
    await until(
      'the restart',
      async () => {
        row = await seen('worker')
        return row.pid !== pid && row.ready === true
      },
      LIMIT_MS,
    )
    const cause = row.restartCause as Record<string, unknown>
    assert.deepEqual([cause.how, cause.signal, cause.by, row.crashLoop], ['signal', 'SIGKILL', null, false])
  })

  it('restarts the dashboard from itself', { skip }, async () => {
    const { pid } = await seen('dashboard')
    const authorization = `Basic ${Buffer.from(`operator:${PASSWORD}`).toString('base64')}`
    const answer = await fetch(`${bundle.dashboard}/processes/dashboard/restart`, {
      method: 'POST',
      headers: { authorization },
    })
    assert.equal(answer.status, 202)
    let row: Record<string, unknown> = {}
    await until(
      'the new dashboard',
      async () => {
        row = await seen('dashboard').catch(() => ({ pid }))
        return row.pid !== pid && row.ready === true
      },
      LIMIT_MS,
    )
    const cause = row.restartCause as Record<string, unknown>
    assert.deepEqual([cause.how, cause.by], ['asked', 'operator'])
  })
})
