// The dashboard's view of a real PM2 daemon, in a private folder, with small apps of its own.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isMadhavaError } from '../../../src/core/errors.ts'
import { readLogPage } from '../../../src/dashboard/logs/pages.ts'
import { createProcessOrders, failureOf } from '../../../src/dashboard/processes/orders.ts'
import {
  createProcesses,
  type Processes,
  type ProcessRow,
} from '../../../src/dashboard/processes/processes.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { NO_AUDIT } from '../../support/audit-entries.ts'
import { whoNamed } from '../fixture.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const WAIT_MS = 60_000
/** How long PM2 waits before it starts the app again that fails. */
const BACKOFF_MS = 3_000

// Every app ends with its supervisor, as ours do, so that a test that kills the daemon leaves nothing behind.
const END_WITH_DAEMON = `process.on('disconnect', () => process.exit(0));`
const STAY = `setInterval(() => {}, 1000);`
const APPS: Record<string, string> = {
  talker: `${END_WITH_DAEMON} console.log('<b>hello</b> \\u001b[31mred'); console.error('oh dear'); ${STAY}`,
  dashboard: `${END_WITH_DAEMON} ${STAY}`,
  // takes its time to stop
  slow: `${END_WITH_DAEMON} process.on('SIGINT', () => setTimeout(() => process.exit(0), 2500)); ${STAY}`,
  // dies again and again from when a file says so
  looper: `${END_WITH_DAEMON} ${STAY} if (require('fs').existsSync(__dirname + '/loop')) setTimeout(() => process.exit(7), 100);`,
  // fails at once until a file says that it is mended
  crasher: `${END_WITH_DAEMON} if (!require('fs').existsSync(__dirname + '/mended')) process.exit(3); ${STAY}`,
}

const until = async <T>(what: string, look: () => Promise<T | null | false>): Promise<T> => {
  const end = Date.now() + WAIT_MS
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** Ids of all processes whose environment names the folder, and (when given) which PM2 started for this script. */
const processesOf = async (home: string, script?: string): Promise<number[]> => {
  const ids = (await readdir('/proc')).filter(name => /^\d+$/.test(name) && Number(name) !== process.pid)
  const found = await Promise.all(
    ids.map(async id => {
      const environment = await readFile(`/proc/${id}/environ`, 'latin1').catch(() => '')
      const entries = environment.split('\0')
      const wanted = script === undefined || entries.includes(`pm_exec_path=${script}`)
      return wanted && entries.includes(`PM2_HOME=${home}`) ? [Number(id)] : []
    }),
  )
  return found.flat()
}

const startPm2 = async (home: string): Promise<ChildProcess> => {
  await mkdir(path.join(home, 'apps'))
  const apps = await Promise.all(
    Object.entries(APPS).map(async ([name, source]) => {
      const script = path.join(home, 'apps', `${name}.cjs`)
      await writeFile(script, source)
      return {
        name,
        script,
        exec_mode: 'fork',
        treekill: false,
        vizion: false,
        kill_timeout: 300_000,
        exp_backoff_restart_delay: name === 'crasher' ? BACKOFF_MS : 100,
        env: { SECRET_OF_APP: 'do-not-show' },
      }
    }),
  )
  const config = path.join(home, 'eco.config.cjs')
  await writeFile(config, `module.exports = ${JSON.stringify({ apps })}`)
  // as bin/start.mjs does it
  const runner = path.join(home, 'run.mjs')
  await writeFile(
    runner,
    `import { createRequire } from 'node:module'
import { noteEnds } from ${JSON.stringify(path.join(ROOT, 'bin', 'pm2-ends.mjs'))}
const require = createRequire(${JSON.stringify(path.join(ROOT, 'package.json'))})
process.argv = [process.execPath, 'pm2-runtime', 'start', ${JSON.stringify(config)}]
noteEnds(require)
require('pm2/lib/binaries/Runtime4Docker.js')`,
  )
  return spawn(process.execPath, [runner], {
    stdio: 'ignore',
    env: {
      PATH: process.env.PATH,
      PM2_HOME: home,
      PM2_AGENT_ONLINE: '1',
      PM2_DISABLE_VERSION_CHECK: '1',
      PM2_DISCRETE_MODE: 'true',
    },
  })
}

describe('processes of a real PM2', { timeout: 300_000 }, () => {
  let home: string
  let daemon: ChildProcess
  let processes: Processes

  const row = async (name: string): Promise<ProcessRow> => {
    const found = (await processes.list()).find(one => one.name === name)
    assert.ok(found, `${name} is in the list`)
    return found
  }
  const inState = (name: string, state: string): Promise<ProcessRow> =>
    until(`${name} to be ${state}`, async () => {
      const seen = await row(name)
      return seen.state === state && seen
    })

  before(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'mp'))
    processes = createProcesses({ pm2Home: home, log: silentLog(), timeoutMs: 10_000 })
    daemon = await startPm2(home)
    await until('all apps', async () => {
      const rows = await processes.list().catch(() => [])
      return (
        rows.length === Object.keys(APPS).length && rows.filter(one => one.state === 'online').length >= 3
      )
    })
  })

  after(async () => {
    if (daemon.exitCode === null && daemon.signalCode === null) {
      daemon.kill('SIGKILL')
      await once(daemon, 'exit')
    }
    await until('the apps to end', async () => (await processesOf(home)).length === 0)
    await rm(home, { recursive: true, force: true })
  })

  it('lists every process with its state and figures, and nothing of its environment', async () => {
    const talker = await until('figures', async () => {
      const seen = await row('talker')
      return seen.memoryBytes > 0 && seen
    })
    assert.equal(talker.state, 'online')
    assert.ok(talker.pid !== null && talker.uptimeMs !== null && talker.uptimeMs >= 0)
    assert.deepEqual(Object.keys(talker).sort(), [
      'cpuPercent',
      'crashLoop',
      'isDashboard',
      'lastRestartAt',
      'memoryBytes',
      'name',
      'pid',
      'pmId',
      'ready',
      'restartCause',
      'restarts',
      'running',
      'state',
      'troubles',
      'uptimeMs',
    ])
    assert.deepEqual([talker.ready, talker.restartCause, talker.lastRestartAt], [null, null, null])
    assert.doesNotMatch(JSON.stringify(await processes.list()), /do-not-show|SECRET/)
  })

  it('finds both log files, and their last lines without colours', async () => {
    const tailOf = async (stream: 'out' | 'err') => {
      const file = await processes.logFile('talker', stream, null)
      assert.ok(file)
      const { lines } = await readLogPage(file, { limit: 10 }, stream === 'err')
      return lines.map(({ text }) => text)
    }
    await until('the lines', async () => (await tailOf('out')).length > 0 && (await tailOf('err')).length > 0)
    assert.deepEqual(await tailOf('out'), ['<b>hello</b> red'])
    assert.deepEqual(await tailOf('err'), ['oh dear'])
  })

  it('stops, starts and restarts one process', async () => {
    const before = await row('talker')
    assert.deepEqual(await processes.act('stop', 'talker'), { outcome: 'done' })
    const stopped = await row('talker')
    assert.deepEqual([stopped.state, stopped.pid, stopped.uptimeMs], ['stopped', null, null])
    assert.deepEqual(await processes.act('stop', 'talker'), { outcome: 'unchanged' })
    assert.deepEqual(await processes.act('start', 'talker'), { outcome: 'done' })
    const started = await row('talker')
    assert.equal(started.state, 'online')
    assert.notEqual(started.pid, before.pid)
    assert.deepEqual(await processes.act('start', 'talker'), { outcome: 'unchanged' })
    assert.deepEqual(await processes.act('restart', 'talker'), { outcome: 'done' })
    const restarted = await row('talker')
    assert.notEqual(restarted.pid, started.pid)
    assert.equal(restarted.restarts, started.restarts + 1)
  })

  it('answers that a slow stop is under way, and takes no order for it meanwhile', async () => {
    const hasty = createProcesses({ pm2Home: home, log: silentLog(), timeoutMs: 1_000 })
    assert.deepEqual(await hasty.act('stop', 'slow'), { outcome: 'underway' })
    const seen = await row('slow')
    if (seen.state === 'stopping')
      await assert.rejects(processes.act('start', 'slow'), error => isMadhavaError(error, 'PROCESS_BUSY'))
    await inState('slow', 'stopped')
    assert.deepEqual(await processes.act('start', 'slow'), { outcome: 'done' })
  })

  it('starts a process that waits for its restart once, not twice', async () => {
    const before = await inState('crasher', 'waiting restart')
    assert.equal(before.pid, null)
    await writeFile(path.join(home, 'apps', 'mended'), '')
    const { outcome } = await processes.act('start', 'crasher')
    // PM2's own timer may fire between the look and the call: then there is nothing left to start
    assert.ok(outcome === 'done' || outcome === 'unchanged', `the outcome is ${outcome}`)
    // past the moment at which the old timer would start another one
    await new Promise(resolve => setTimeout(resolve, BACKOFF_MS * 2))
    const copies = await processesOf(home, path.join(home, 'apps', 'crasher.cjs'))
    assert.deepEqual(copies, [(await row('crasher')).pid])
  })

  it('says how a process ended: by an order and whose, by its own code, or by a signal', async () => {
    await processes.act('restart', 'talker', 'somebody')
    const asked = (await row('talker')).restartCause
    assert.deepEqual([asked?.how, asked?.by], ['asked', 'somebody'])
    // another dashboard, as after its own restart, knows it too
    const other = createProcesses({ pm2Home: home, log: silentLog() })
    const again = (await other.list()).find(({ name }) => name === 'talker')
    assert.deepEqual([again?.restartCause?.by, again?.crashLoop], ['somebody', false])
    process.kill((await row('talker')).pid ?? 0, 'SIGKILL')
    const killed = await until('the end', async () => {
      const { restartCause } = await row('talker')
      return restartCause?.how === 'signal' && restartCause
    })
    assert.deepEqual([killed.signal, killed.code, killed.by], ['SIGKILL', null, null])
    await inState('talker', 'online')
    const coded = (await row('crasher')).restartCause
    assert.ok(coded === null || coded?.how === 'asked' || coded?.code === 3)
  })

  it('tells an order that ends in a crash loop as it is, and one that does not', async () => {
    const orders = createProcessOrders({ processes, audit: NO_AUDIT, log: silentLog() })
    // on a busy machine Node.js itself takes longer to come up than a process must live to count as started
    const patient = createProcessOrders({ processes, audit: NO_AUDIT, log: silentLog(), steadyMs: 600_000 })
    const give = (action: 'start' | 'stop' | 'restart', name: string | null, by = orders) =>
      by.give({ action, name, who: whoNamed('operator', 'admin'), waitMs: 60_000 })
    await writeFile(path.join(home, 'apps', 'loop'), '')
    const looping = await give('restart', 'looper', patient)
    assert.equal(looping.outcome, 'failed')
    assert.match(failureOf(looping)?.message ?? '', /^The restart failed\. looper: it ended with exit code 7/)
    const seen = await until('the loop', async () => {
      const found = await row('looper')
      return found.crashLoop === true && found
    })
    assert.deepEqual([seen.restartCause?.how, seen.restartCause?.code], ['exit', 7])
    const stopped = await give('stop', 'looper')
    assert.deepEqual([stopped.outcome, stopped.processes[0]?.state], ['done', 'stopped'])
    assert.equal((await give('stop', 'looper')).outcome, 'unchanged')
    const fine = await give('restart', 'talker')
    assert.deepEqual([fine.outcome, fine.processes[0]?.outcome], ['done', 'done'])
    await assert.rejects(
      orders.give({ action: 'stop', name: 'talker', who: whoNamed('viewer', 'viewer'), waitMs: 0 }),
      error => isMadhavaError(error, 'FORBIDDEN'),
    )
    assert.equal((await row('talker')).state, 'online')
  })

  it('refuses unknown names and words that PM2 would take for more than one process', async () => {
    for (const name of ['nobody', 'all', '0', '/.*/', '-', 'eco.config.cjs', '__proto__', ''])
      for (const action of ['start', 'stop', 'restart'] as const)
        await assert.rejects(processes.act(action, name), error => isMadhavaError(error, 'NOT_FOUND'), name)
  })

  it('does not stop the dashboard, alone or with all', async () => {
    await assert.rejects(processes.act('stop', 'dashboard'), error =>
      isMadhavaError(error, 'DASHBOARD_STAYS'),
    )
    await processes.actAll('stop')
    const rows = await until('all to stop', async () => {
      const seen = await processes.list()
      return seen.every(one => one.name === 'dashboard' || one.state === 'stopped') && seen
    })
    assert.equal(rows.find(one => one.name === 'dashboard')?.state, 'online')
    await processes.actAll('start')
    await inState('talker', 'online')
  })

  it('puts off a restart that would end the dashboard, until it is told', async () => {
    for (const ask of [() => processes.act('restart', 'dashboard'), () => processes.actAll('restart')]) {
      const before = await row('dashboard')
      const result = await ask()
      assert.equal(result.outcome, 'deferred')
      assert.equal((await row('dashboard')).pid, before.pid)
      if (result.outcome === 'deferred') await result.act()
      const later = await inState('dashboard', 'online')
      assert.notEqual(later.pid, before.pid)
    }
  })

  it('says soon that the supervisor is gone after kill -9, and starts none', async () => {
    daemon.kill('SIGKILL')
    await once(daemon, 'exit')
    const began = Date.now()
    await assert.rejects(processes.list(), error => isMadhavaError(error, 'SUPERVISOR_UNAVAILABLE'))
    await assert.rejects(processes.act('start', 'talker'), error =>
      isMadhavaError(error, 'SUPERVISOR_UNAVAILABLE'),
    )
    await assert.rejects(processes.actAll('restart'), error =>
      isMadhavaError(error, 'SUPERVISOR_UNAVAILABLE'),
    )
    assert.ok(Date.now() - began < 9_000, 'long before the time for an answer is over')
    await until('the apps to end with it', async () => (await processesOf(home)).length === 0)
  })
})
