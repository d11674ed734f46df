// The stack of docker-compose.yml under what happens to containers: each trouble comes in the middle of 100 tasks,
// and every one of them must reach its end, once. Slow; see test/support/docker.ts for when it runs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskRecord } from '../../src/core/task.ts'
import { makeStack, type Stack } from '../support/compose.ts'
import { crash, docker, healthOf, requireDocker, stateOf } from '../support/docker.ts'
import { until } from '../support/until.ts'

const skip = requireDocker()
const SLOW = { skip, timeout: 600_000 }
const TASKS = 100
/** How long a pause or a cut lasts: over the broker's and our own heartbeats. */
const TROUBLE_MS = 60_000
const END_MS = 180_000
const CREDENTIALS = { RABBITMQ_USER: 'tester', RABBITMQ_PASSWORD: 'of-this-test-only' }

const isFinal = ({ status }: Pick<TaskRecord, 'status'>): boolean =>
  ['SUCCESS', 'FAILURE', 'REVOKED'].includes(status)

/** Half of them compute, half of them wait; 100 are some 9 seconds of work for four slots. */
const someTasks = (count: number): unknown[] =>
  Array.from({ length: count }, (_, n) =>
    n % 2 === 0
      ? { kind: 'sleep', params: { seconds: 0.4 } }
      : { kind: 'calcpi', params: { digits: 40, method: 'wijngaarden', pace: 0.3 } },
  )

describe('the stack of docker-compose.yml', { timeout: 1_200_000 }, () => {
  let stack: Stack
  /** Every task of these tests, as it was when it had ended. */
  const ends = new Map<string, TaskRecord>()

  const ended = async (ids: readonly string[]): Promise<TaskRecord[]> => {
    const mine = new Set(ids)
    // while the app is away nobody answers
    const tasks = await stack.door.all().catch(() => [])
    return tasks.filter(task => mine.has(task.id) && isFinal(task))
  }
  const app = () => stack.container('app')
  const broker = () => stack.container('rabbitmq')

  /** 100 tasks, the trouble when a fifth of them has ended, and the end of all. */
  const inTheMiddle = async (trouble: () => Promise<unknown>): Promise<void> => {
    const ids = await stack.door.submit(someTasks(TASKS))
    assert.equal(new Set(ids).size, TASKS)
    await until('a fifth has ended', async () => (await ended(ids)).length >= TASKS / 5, END_MS)
    const before = (await ended(ids)).length
    assert.ok(before < TASKS, 'the trouble comes before the end')
    await trouble()
    await until('all have ended', async () => (await ended(ids)).length === TASKS, END_MS)
    for (const id of ids) {
      const task = await stack.door.get(id)
      assert.equal(task.status, 'SUCCESS', JSON.stringify(task))
      assert.equal(task.history.filter(isFinal).length, 1, 'one end')
      ends.set(id, task)
    }
  }
  const queueIsReady = () =>
    until(
      'the broker is there again',
      async () => {
        const { body } = await stack.door.call('GET', '/readyz').catch(() => ({ body: null }))
        return (body as { checks?: { queue: { status: string } } } | null)?.checks?.queue.status === 'ok'
      },
      END_MS,
    )

  before(async () => {
    if (skip) return
    stack = await makeStack({ ...CREDENTIALS, CONCURRENCY: '4', DRAIN_SECONDS: '5' })
    await stack.up()
    await queueIsReady()
  })
  after(() => stack?.remove())

  it(
    'works after `up` alone: anonymous REST on loopback, the broker with its own credentials for nobody else',
    SLOW,
    async () => {
      const ids = await stack.door.submit(someTasks(4))
      await until('they have ended', async () => (await ended(ids)).length === 4)
      const ports = JSON.parse(
        await docker('inspect', '--format', '{{json .HostConfig.PortBindings}}', app(), broker()).then(
          text => `[${text.split('\n').join(',')}]`,
        ),
      ) as Record<string, { HostIp: string }[]>[]
      const published = ports.map(of => Object.values(of ?? {}).flatMap(to => to.map(({ HostIp }) => HostIp)))
      assert.deepEqual(published, [['127.0.0.1', '127.0.0.1', '127.0.0.1'], []])
      const ctl = (...args: string[]) =>
        stack.tryCompose(['exec', '-T', 'rabbitmq', 'rabbitmqctl', '-q', ...args])
      const users = (await ctl('list_users', '--no-table-headers')).out
      assert.deepEqual(users.trim().split(/\s+/)[0], 'tester')
      assert.doesNotMatch(users, /guest/)
      assert.match((await ctl('list_queues', 'name', 'type')).out, /madhava\s+quorum/)
      assert.match(
        (await ctl('list_connections', 'user', 'client_properties')).out,
        /tester.*madhava-consume/s,
      )
    },
  )

  it(
    'answers other containers of its network by the name of the service, and nobody under another name',
    SLOW,
    async () => {
      const ask = (host: string) => `
      const { request } = await import('node:http')
      request({ host: 'app', port: 8000, path: '/readyz', headers: { host: '${host}' } }, response => {
        console.log(response.statusCode)
        response.resume()
      }).end()`
      const from = ['run', '--rm', '-T', '--no-deps', 'app', 'node', '--input-type=module', '-e']
      assert.equal(await stack.compose(...from, ask('app:8000')), '200')
      assert.equal(await stack.compose(...from, ask('rebound.example')), '403')
    },
  )

  it('has limits on memory, processes and logs, and a file system that nothing writes to', SLOW, async () => {
    for (const name of [app(), broker()]) {
      const { Memory, PidsLimit, LogConfig } = JSON.parse(
        await docker('inspect', '--format', '{{json .HostConfig}}', name),
      ) as { Memory: number; PidsLimit: number; LogConfig: { Config: Record<string, string> } }
      assert.ok(Memory > 0 && PidsLimit > 0, name)
      assert.deepEqual(LogConfig.Config, { 'max-file': '5', 'max-size': '10m' })
    }
    const inside = (command: string) => stack.tryCompose(['exec', '-T', 'app', 'sh', '-c', command])
    assert.match((await inside('touch /app/x')).err, /Read-only file system/)
    assert.match((await inside('id -u; grep -E "^(CapBnd|NoNewPrivs)" /proc/1/status')).out, /^1000\n/)
    assert.match((await inside('grep CapBnd /proc/1/status')).out, /\b0{16}\b/)
  })

  it('keeps every task over `down` and `up`', SLOW, async () => {
    await inTheMiddle(async () => {
      await stack.compose('down')
      await stack.up()
    })
  })

  it('runs on after an upgrade: the app made anew under a running queue', SLOW, async () => {
    await inTheMiddle(() => stack.up('--force-recreate', '--no-deps', 'app'))
  })

  it('loses nothing when the app is killed', SLOW, async () => {
    await inTheMiddle(async () => {
      await docker('kill', app())
      // a kill by hand counts as a stop: no restart policy undoes it
      assert.equal((await stateOf(app())).ExitCode, 137)
      await stack.up()
    })
  })

  it('loses nothing when the broker is killed', SLOW, async () => {
    await inTheMiddle(async () => {
      await docker('kill', broker())
      const [id = ''] = await stack.door.submit([{ kind: 'sleep', params: { seconds: 0 } }])
      await until('a task runs without the broker', async () => isFinal(await stack.door.get(id)))
      await stack.up()
    })
  })

  it(
    'comes back by itself after kill -9 of the first process of the app, and of its supervisor',
    SLOW,
    async () => {
      for (const strike of [
        () => crash(app()),
        () => docker('exec', app(), 'pkill', '-9', '-n', '-f', 'bin/start.mjs$'),
      ]) {
        const { Pid } = await stateOf(app())
        await inTheMiddle(async () => {
          await strike()
          await until(
            'it runs again and is healthy',
            async () => (await stateOf(app())).Pid !== Pid && (await healthOf(app())).status === 'healthy',
            END_MS,
          )
        })
      }
    },
  )

  it(
    'goes on when the first process of the broker gets kill -9, which comes back by itself',
    SLOW,
    async () => {
      await inTheMiddle(async () => {
        await crash(broker())
        await queueIsReady()
      })
    },
  )

  it('goes on after the app was paused for a minute', SLOW, async () => {
    await inTheMiddle(async () => {
      await docker('pause', app())
      await sleep(TROUBLE_MS)
      await docker('unpause', app())
    })
  })

  it('works on while the broker is paused for a minute', SLOW, async () => {
    await inTheMiddle(async () => {
      await docker('pause', broker())
      const ids = await stack.door.submit(someTasks(4))
      await Promise.all([
        sleep(TROUBLE_MS),
        until('tasks end meanwhile', async () => (await ended(ids)).length === 4, TROUBLE_MS),
      ])
      await docker('unpause', broker())
      await queueIsReady()
    })
  })

  it('works on while the network to the broker is cut for a minute', SLOW, async () => {
    const network = `${stack.project}_default`
    await inTheMiddle(async () => {
      await docker('network', 'disconnect', network, broker())
      const ids = await stack.door.submit(someTasks(4))
      await Promise.all([
        sleep(TROUBLE_MS),
        until('tasks end meanwhile', async () => (await ended(ids)).length === 4, TROUBLE_MS),
      ])
      await docker('network', 'connect', '--alias', 'rabbitmq', network, broker())
      await queueIsReady()
    })
  })

  it('loses nothing when the broker is deleted with its volume', SLOW, async () => {
    await inTheMiddle(async () => {
      await stack.compose('rm', '-sf', 'rabbitmq')
      await docker('volume', 'rm', `${stack.project}_broker`)
      await stack.up()
      await queueIsReady()
    })
  })

  it('has kept every task of all this as it had ended', SLOW, async () => {
    const { code, err } = await stack.tryCompose(['restart', 'app'])
    assert.equal(code, 0, err)
    await stack.up()
    assert.equal(ends.size, 11 * TASKS)
    const now = new Map((await stack.door.all()).map(task => [task.id, task]))
    for (const [id, task] of ends)
      assert.deepEqual(
        [now.get(id)?.status, now.get(id)?.rev, now.get(id)?.finishedAt],
        ['SUCCESS', task.rev, task.finishedAt],
      )
  })

  it('is backed up and restored as docs/operating.md says, running and stopped', SLOW, async () => {
    const docs = readFileSync(new URL('../../docs/operating.md', import.meta.url), 'utf8')
    /** A line that the docs print, run as it stands there. */
    const shell = async (line: string): Promise<void> => {
      assert.ok(docs.includes(`\n${line}\n`), `the docs print: ${line}`)
      await stack.shell(line)
    }
    const asItWas = async (): Promise<void> => {
      for (const [id, task] of ends) {
        const now = await stack.door.get(id)
        // an import counts as a write of its own
        assert.deepEqual(now, { ...task, rev: now.rev })
      }
      assert.deepEqual(await operator(), login, 'the login is the same')
    }
    const operator = async (): Promise<unknown> => {
      const text = await stack.compose('exec', '-T', 'app', 'cat', '/data/accounts/operator.json')
      return (JSON.parse(text) as { data: unknown }).data
    }
    const login = await operator()
    await shell('docker compose exec -T app madhava export > tasks.ndjson')
    await shell('docker compose stop app')
    await shell(
      'docker compose run --rm -T --no-deps app tar -C /data --exclude=./pm2 --exclude=./run -cz . > data.tgz',
    )
    for (const restore of [
      'docker compose run --rm -T --no-deps app madhava import --accounts < tasks.ndjson',
      'docker compose run --rm -T --no-deps app tar -C /data -xz < data.tgz',
    ]) {
      await stack.compose('down', '-v')
      await shell(restore)
      await stack.up()
      await asItWas()
    }
  })

  it('stops within the drain time, and says 0', SLOW, async () => {
    const [id = ''] = await stack.door.submit([{ kind: 'sleep', params: { seconds: 600 } }])
    await until('it runs', async () => (await stack.door.get(id)).status === 'PROGRESS')
    const from = performance.now()
    await stack.compose('stop', 'app')
    const seconds = (performance.now() - from) / 1000
    const { ExitCode, OOMKilled } = await stateOf(app())
    assert.deepEqual([ExitCode, OOMKilled], [0, false])
    assert.ok(seconds >= 4 && seconds < 5 + 8, `it took ${seconds} s with a drain of 5 s`)
    await stack.up()
    const task = await stack.door.get(id)
    assert.ok(!isFinal(task) && task.attempt <= 1, 'given back, the attempt uncounted')
  })
})
