// The worker restarted by the supervisor, under load, and the one setting from which the times of an end are derived.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isFinal } from '../../src/core/task.ts'
import { readEffects } from '../soak/effects.ts'
import { makeDataDir, startBundle } from '../support/bundle.ts'
import { until } from '../support/until.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const KINDS_DIR = path.join(ROOT, 'test/soak/kinds')
const PM2 = path.join(ROOT, 'node_modules/pm2/bin/pm2')
const RESTARTS = process.env.FAULTS_LONG === '1' ? 20 : 2
const require = createRequire(import.meta.url)

describe('pm2 restart worker', { timeout: 900_000 }, () => {
  it('under load loses nothing, doubles nothing, and counts no attempt', async () => {
    const { dataDir, remove } = makeDataDir()
    const folder = path.join(dataDir, 'effects')
    mkdirSync(folder)
    const bundle = await startBundle(dataDir, { KINDS_DIR, CONCURRENCY: '3', DRAIN_SECONDS: '1' })
    try {
      const pm2 = (...args: string[]) =>
        promisify(execFile)(process.execPath, [PM2, ...args], {
          cwd: dataDir,
          env: { ...process.env, PM2_HOME: path.join(dataDir, 'pm2'), PM2_DISCRETE_MODE: 'true' },
        })
      let stopped = false
      let submitted = 0
      const load = (async () => {
        for (; !stopped; submitted++) {
          const ms = submitted % 10 === 0 ? 2_500 : (submitted % 4) * 40
          await bundle.submit({ kind: 'effect', params: { folder, ms, spin: submitted % 7 === 0 } })
          await sleep(60)
        }
      })()
      // awaited below; a failure before that must not hide behind it
      load.catch(() => {})
      for (let times = 0; times < RESTARTS; times++) {
        const pid = await bundle.pidOf('worker')
        const before = (await bundle.all()).filter(({ status }) => isFinal(status)).length
        await pm2('restart', 'worker')
        await until(
          'another worker is there',
          () =>
            bundle.pidOf('worker').then(
              now => now !== pid,
              () => false,
            ),
          60_000,
        )
        await until(
          'it works',
          async () => (await bundle.all()).filter(({ status }) => isFinal(status)).length > before + 5,
          60_000,
        )
      }
      stopped = true
      await load
      await until(
        'all have ended',
        async () => {
          const tasks = await bundle.all()
          return tasks.length === submitted && tasks.every(({ status }) => isFinal(status))
        },
        120_000,
      )
      const effects = readEffects(folder)
      for (const task of await bundle.all()) {
        assert.deepEqual([task.status, task.attempt], ['SUCCESS', 1], JSON.stringify(task))
        assert.ok(effects.once.has(task.id), task.id)
      }
      assert.deepEqual([effects.twice, effects.overlapping], [[], []])
    } finally {
      await bundle.kill()
      remove()
    }
  })
})

describe('DRAIN_SECONDS', () => {
  /** What pm2 would be told. */
  const killTimeoutOf = (drainMs: number): number => {
    const file = path.join(ROOT, 'ecosystem.config.cjs')
    const before = process.env.BUNDLE
    process.env.BUNDLE = JSON.stringify({ roles: ['worker'], dataDir: '/nowhere', drainMs })
    delete require.cache[file]
    try {
      const { apps } = require(file) as { apps: { kill_timeout: number }[] }
      return apps[0]?.kill_timeout ?? 0
    } finally {
      if (before === undefined) delete process.env.BUNDLE
      else process.env.BUNDLE = before
    }
  }
  /** What a process takes after the drain before it ends by itself, milliseconds. */
  const graceMs = Number(
    /GRACE_MS = ([\d_]+)/
      .exec(readFileSync(path.join(ROOT, 'src/platform/shutdown.ts'), 'utf8'))?.[1]
      ?.replaceAll('_', ''),
  )

  it('decides when PM2 kills: after the process has had its time to end by itself, whatever it is', () => {
    assert.ok(graceMs > 0)
    for (const seconds of [0, 1, 10, 3_600])
      assert.ok(killTimeoutOf(seconds * 1_000) > seconds * 1_000 + graceMs)
  })

  it('decides when Docker kills: after PM2 would have', () => {
    const compose = readFileSync(path.join(ROOT, 'docker-compose.yml'), 'utf8')
    const [, more = '', fallback = ''] =
      /stop_grace_period: (\d+)s\$\{DRAIN_SECONDS:-(\d+)\}s/.exec(compose) ?? []
    assert.ok(Number(more) * 1_000 > killTimeoutOf(0), `it adds ${more} s`)
    assert.equal(fallback, /DRAIN_SECONDS: \$\{DRAIN_SECONDS:-(\d+)\}/.exec(compose)?.[1])
  })
})
