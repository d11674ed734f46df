// One container of the image, without a broker: whose it is, what it says when it cannot work, how it ends, and that
// it keeps to its limits. Slow; see test/support/docker.ts for when it runs.
import assert from 'node:assert/strict'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { TaskRecord } from '../../src/core/task.ts'
import { inFormat, photo } from '../kinds/thumbnails/around.ts'
import {
  buildImage,
  type Container,
  docker,
  freshName,
  healthOf,
  logsOf,
  requireDocker,
  runContainer,
  stateOf,
  tryDocker,
} from '../support/docker.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const skip = requireDocker()
const SLOW = { skip, timeout: 600_000 }
const HARDENED = ['--read-only', '--tmpfs', '/tmp:size=64m', '--cap-drop', 'ALL']
const LONG_MS = 120_000
const MB = 1024 ** 2

const makeFolder = (t: TestContext, files: Record<string, string> = {}): string => {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'madhava-image-'))
  undo(t, () => rmSync(dir, { recursive: true, force: true }))
  // it is made for its owner alone, who is not the image's user
  chmodSync(dir, 0o755)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(dir, name)), { recursive: true })
    writeFileSync(path.join(dir, name), text)
  }
  return dir
}

const endOf = async ({ door }: Container, id: string): Promise<TaskRecord> => {
  let task = await door.get(id)
  await until(
    `task ${id} ends`,
    async () => {
      task = await door.get(id)
      return ['SUCCESS', 'FAILURE', 'REVOKED'].includes(task.status)
    },
    LONG_MS,
  )
  return task
}

const run = async (container: Container, task: unknown): Promise<TaskRecord> => {
  const [id = ''] = await container.door.submit([task])
  return endOf(container, id)
}

/** Runs the image to its end, as for a start that must be refused. */
const refused = async (...options: string[]): Promise<{ code: number; words: string }> => {
  const { code, out, err } = await tryDocker(['run', '--rm', ...options, await buildImage()])
  return { code, words: out + err }
}

/** A kind in TypeScript that needs nothing beside it. */
const kind = (body: string, more = ''): string => `${more}
export default ({ defineKind, z }) =>
  defineKind({
    summary: 'For this test',
    params: z.strictObject({}),
    result: z.unknown(),
    example: {},
    run: async () => { ${body} },
  })
`

const imported = (tools: string, exported: string, result: number): string => `${tools}
${exported} defineKind({
  summary: 'For this test', params: z.strictObject({}), result: z.int(), example: {}, run: () => ${result},
})
`

describe('a container of the image', { timeout: 1_200_000 }, () => {
  it('holds no settings, no data and no history, and says what it is', SLOW, async () => {
    const image = await buildImage()
    const { Config } = JSON.parse(await docker('inspect', '--format', '{{json .}}', image)) as {
      Config: { User: string; Env: string[]; Volumes: object; Labels: Record<string, string> }
    }
    assert.equal(Config.User, 'node')
    assert.deepEqual(Object.keys(Config.Volumes), ['/data'])
    assert.equal(
      Config.Labels['org.opencontainers.image.licenses'],
      'MIT AND AGPL-3.0-only AND LGPL-3.0-or-later',
    )
    assert.deepEqual(
      Config.Env.filter(line => /PASS|SECRET|TOKEN|AMQP/i.test(line)),
      [],
    )
    const listing = await docker('run', '--rm', '--entrypoint', 'ls', image, '-A', '/app')
    assert.deepEqual(listing.split('\n').sort(), [
      'LICENSE',
      'bin',
      'dist',
      'ecosystem.config.cjs',
      'gen',
      'idl',
      'node_modules',
      'package.json',
      'sdk',
    ])
    const find = ['--rm', '--entrypoint', 'find', image, '/app', '/data', '-writable', '-not', '-type', 'l']
    assert.equal(await docker('run', ...find), '/data', 'the program is not writable, only the volume')
  })

  it('works as user 1000 on a fresh volume, read-only and without capabilities', SLOW, async t => {
    const container = await runContainer(t, HARDENED)
    await container.healthy()
    const pi = await run(container, { kind: 'calcpi', params: { digits: 5, method: 'wijngaarden' } })
    assert.equal(pi.result, '3.14159')
    assert.equal(await container.exec('stat', '-c', '%U %a', '/data'), 'node 750')
    assert.match(await container.exec('stat', '-c', '%U %a', '/data/pm2'), /^node 700$/)
  })

  it('makes thumbnails of an upload, read-only and without capabilities', SLOW, async t => {
    const container = await runContainer(t, HARDENED)
    await container.healthy()
    const { url } = container.door
    const body = new Blob([new Uint8Array(await inFormat(photo(400, 300), 'jpeg'))])
    const sent = await fetch(`${url}/uploads?name=photo.jpg`, { method: 'POST', body })
    const { id, type } = (await sent.json()) as { id: string; type: string }
    assert.deepEqual([sent.status, type], [201, 'image/jpeg'])
    const params = { image: { $upload: id }, sizes: [[64, 64]], fit: 'inside' }
    const task = await run(container, { kind: 'thumbnails', params })
    assert.equal(task.status, 'SUCCESS', JSON.stringify(task.error))
    const made = await fetch(`${url}/task/${task.id}/artifacts/64x64.jpg`)
    const bytes = Buffer.from(await made.arrayBuffer())
    assert.deepEqual([made.status, bytes.readUInt16BE()], [200, 0xffd8], 'a JPEG')
    const left = (): Promise<string> =>
      container.exec('find', '/data/scratch', '-type', 'f', '-not', '-name', 'owner')
    await until('nothing of the attempt is left', async () => (await left()) === '')
  })

  it(
    'works as another user on a folder of that user, and names owner and user of a folder it may not write',
    SLOW,
    async t => {
      const dir = makeFolder(t)
      chownSync(dir, 0, 0)
      const { code, words } = await refused('-v', `${dir}:/data`)
      assert.equal(code, 1)
      assert.match(
        words,
        /\/data belongs to user 0, group 0.* runs as user 1000, group 1000.*chown -R 1000:1000/,
      )
      chownSync(dir, 4711, 4711)
      const container = await runContainer(t, [...HARDENED, '--user', '4711:4711', '-v', `${dir}:/data`])
      await container.healthy()
      assert.equal((await run(container, { kind: 'sleep', params: { seconds: 0 } })).status, 'SUCCESS')
      const readOnly = await refused('--user', '4711:4711', '-v', `${dir}:/data:ro`)
      assert.equal(readOnly.code, 1)
      assert.match(readOnly.words, /read-only file system/)
    },
  )

  it(
    'ends with 1 and the reason when the settings or the kinds are wrong, or the volume is in use',
    SLOW,
    async t => {
      const settings = await refused('-e', 'CONCURRENCY=many', '-e', 'RETENTION=soon')
      assert.equal(settings.code, 1)
      assert.match(settings.words, /CONCURRENCY: .*\n.*RETENTION: /)
      const dir = makeFolder(t, { 'broken.ts': 'export default 1 +' })
      const options = ['-v', `${dir}:/kinds:ro`]
      const check = [await buildImage(), 'madhava', 'start', '--check']
      const kinds = await tryDocker(['run', '--rm', ...options, ...check])
      assert.equal(kinds.code, 1)
      assert.match(kinds.out, /broken\.ts/)
      chmodSync(dir, 0o700)
      const closed = await refused('-v', `${dir}:/kinds:ro`)
      assert.equal(closed.code, 1)
      assert.match(closed.words, /The folder of KINDS_DIR, \/kinds, cannot be read \(EACCES\)/)
      const volume = freshName()
      undo(t, () => tryDocker(['volume', 'rm', volume]))
      const first = await runContainer(t, ['-v', `${volume}:/data`])
      await first.healthy()
      const second = await refused('-v', `${volume}:/data`)
      assert.equal(second.code, 1)
      assert.match(second.words, /belongs to another start of Madhava/)
      await docker('rm', '-f', first.name)
    },
  )

  it('runs kinds of a mounted folder, with and without a package.json of their own', SLOW, async t => {
    const plain = makeFolder(t, {
      'typed.ts': kind('return answer', 'enum Answer { All = 42 }\nconst answer: number = Answer.All'),
      'plain.js': kind('return 1').replace(/: \{ defineKind.*?\}\)/, ')'),
      'imported.mts': imported("import { defineKind, z } from 'madhava'", 'export default', 3),
      'required.js': imported("const { defineKind, z } = require('madhava')", 'module.exports =', 4),
    })
    const own = makeFolder(t, {
      'package.json': '{ "type": "module", "dependencies": { "lucky": "1.0.0" } }',
      'node_modules/lucky/package.json': '{ "name": "lucky", "main": "index.js" }',
      'node_modules/lucky/index.js': 'module.exports = { number: 7 }',
      'lucky.ts': kind('return lucky.number', "import lucky from 'lucky'"),
    })
    for (const [dir, results] of [
      [plain, { typed: 42, plain: 1, imported: 3, required: 4 }],
      [own, { lucky: 7 }],
    ] as const) {
      const container = await runContainer(t, [...HARDENED, '-v', `${dir}:/kinds:ro`])
      await container.healthy()
      for (const [name, result] of Object.entries(results)) {
        const task = await run(container, { kind: name, params: {} })
        assert.deepEqual([task.status, task.result], ['SUCCESS', result], JSON.stringify(task.error))
      }
      await docker('rm', '-fv', container.name)
    }
  })

  it(
    'says why it is unhealthy when a process cannot start: in the check, in /readyz and in the log',
    SLOW,
    async t => {
      const dir = makeFolder(t, {
        'picky.mjs':
          "if (process.env.pm_exec_path?.endsWith('/worker/main.js')) throw new Error('not in this worker')",
      })
      const container = await runContainer(t, [
        ...['-e', 'NODE_OPTIONS=--import=/picky/picky.mjs'],
        ...['-v', `${dir}:/picky:ro`],
      ])
      await until(
        'it is unhealthy',
        async () => (await healthOf(container.name)).status === 'unhealthy',
        LONG_MS * 2,
      )
      const reason = /worker.*The last one said: .*not in this worker/
      assert.match((await healthOf(container.name)).words, reason)
      const { status, body } = await container.door.call('GET', '/readyz')
      assert.equal(status, 503)
      assert.match(JSON.stringify(body), reason)
      assert.match(await logsOf(container.name), /Error: not in this worker/)
      assert.match(await logsOf(container.name), /not complete: worker did not start/)
    },
  )

  it(
    'checks the presences where there is no api: healthy, and unhealthy with a frozen process',
    SLOW,
    async t => {
      const container = await runContainer(t, ['-e', 'ROLES=worker,rpc'])
      await container.healthy()
      await container.exec('pkill', '-STOP', '-f', 'madhava worker')
      await until(
        'it is unhealthy',
        async () => (await healthOf(container.name)).status === 'unhealthy',
        LONG_MS * 2,
      )
      assert.match((await healthOf(container.name)).words, /^worker: No beat for \d+ s/)
      await container.exec('pkill', '-CONT', '-f', 'madhava worker')
      await until(
        'it is healthy again',
        async () => (await healthOf(container.name)).status === 'healthy',
        LONG_MS,
      )
    },
  )

  it('leaves no zombie after a hundred restarts of the worker', SLOW, async t => {
    const container = await runContainer(t, HARDENED)
    await container.healthy()
    const pid = async (): Promise<string> =>
      (await tryDocker(['exec', container.name, 'pgrep', '-f', 'madhava worker'])).out.trim()
    // by the supervisor's own socket, as the dashboard does; ninety of them, and ten that die
    const restarts = `
      const { createProcesses } = await import('/app/dist/dashboard/processes/processes.js')
      const processes = createProcesses({ pm2Home: '/data/pm2', log: { info() {}, warn() {} }, timeoutMs: 20_000 })
      for (let n = 0; n < 15; n += 1) {
        const { outcome } = await processes.act('restart', 'worker')
        if (outcome !== 'done') throw new Error(outcome)
      }`
    for (let round = 0; round < 6; round += 1)
      await container.exec('node', '--input-type=module', '-e', restarts)
    for (let n = 0; n < 10; n += 1) {
      let before = ''
      await until('a worker runs', async () => {
        before = await pid()
        return /^\d+$/.test(before)
      })
      await container.exec('kill', '-9', before)
      await until('another one', async () => /^\d+$/.test(await pid()) && (await pid()) !== before, LONG_MS)
    }
    const states = (await container.exec('ps', '-eo', 'stat=,args=')).split('\n')
    assert.deepEqual(
      states.filter(line => line.startsWith('Z')),
      [],
    )
    // tini, the supervisor, four roles, and ps itself
    assert.equal(states.length, 7, states.join('\n'))
    await until('it is ready', async () => (await container.door.call('GET', '/readyz')).status === 200)
    assert.equal((await run(container, { kind: 'sleep', params: { seconds: 0 } })).status, 'SUCCESS')
  })

  it('keeps to the memory of the container: a greedy task fails alone', SLOW, async t => {
    const dir = makeFolder(t, {
      'greedy.ts': kind(
        'const kept: unknown[] = []; for (;;) { kept.push(new Array(10_000).fill(kept.length)); await new Promise(r => setImmediate(r)) }',
      ),
      'hungry.ts': kind(
        'const kept: Buffer[] = []; for (;;) { kept.push(Buffer.alloc(8 * 1024 ** 2, 1)); await new Promise(r => setTimeout(r, 5)) }',
      ),
    })
    const limits = ['--memory', '640m', '--memory-swap', '640m', '--cpus', '1.5']
    const kinds = ['-v', `${dir}:/kinds:ro`]
    const container = await runContainer(t, [...HARDENED, ...limits, ...kinds])
    await container.healthy()
    const { body } = await container.door.call('GET', '/')
    const { host, processes } = body as {
      host: { container: { cpuCores: number; memoryLimitBytes: number; memoryUsedBytes: number } }
      processes: { role: string; slots: number; pid: number }[]
    }
    assert.deepEqual([host.container.cpuCores, host.container.memoryLimitBytes], [1.5, 640 * MB])
    assert.ok(host.container.memoryUsedBytes > 50 * MB && host.container.memoryUsedBytes < 640 * MB)
    const workerOf = (all: typeof processes) => all.find(({ role }) => role === 'worker')
    assert.equal(workerOf(processes)?.slots, 2)
    const tasks = await Promise.all(
      [1, 2].map(() => run(container, { kind: 'greedy', params: {}, maxAttempts: 1 })),
    )
    for (const { status, error } of tasks) {
      assert.deepEqual([status, error?.code], ['FAILURE', 'OUT_OF_MEMORY'])
      assert.match(error?.message ?? '', /112 MB/)
    }
    const after = (await container.door.call('GET', '/')).body as { processes: typeof processes }
    assert.equal(workerOf(after.processes)?.pid, workerOf(processes)?.pid, 'the same worker goes on')
    assert.equal((await stateOf(container.name)).OOMKilled, false)

    // memory outside of the heap is bounded by the kernel alone, which ends the worker and nothing else
    const hungry = await run(container, { kind: 'hungry', params: {}, maxAttempts: 1 })
    assert.deepEqual([hungry.status, hungry.error?.code], ['FAILURE', 'WORKER_LOST'])
    await until(
      'the worker is there again',
      async () => (await container.door.call('GET', '/readyz')).status === 200,
    )
    assert.equal(
      await docker('inspect', '--format', '{{.RestartCount}} {{.State.Status}}', container.name),
      '0 running',
    )
    assert.equal((await run(container, { kind: 'sleep', params: { seconds: 0 } })).status, 'SUCCESS')
  })

  it('keeps its logs bounded, however much is written to its output', SLOW, async t => {
    // what a kind prints goes to the task's own log; this writes past that, as native code may
    const flood = `
      const piece = Buffer.from(('x'.repeat(999) + '\\n').repeat(50))
      for (let left = 30e6; left > 0; )
        try { left -= writeSync(1, piece) } catch (error) {
          if (error.code !== 'EAGAIN') throw error
          await new Promise(resolve => setTimeout(resolve, 5))
        }`
    const dir = makeFolder(t, { 'chatty.ts': kind(flood, "import { writeSync } from 'node:fs'") })
    const container = await runContainer(t, [
      ...['-v', `${dir}:/kinds:ro`],
      ...['--log-opt', 'max-size=1m', '--log-opt', 'max-file=2'],
    ])
    await container.healthy()
    assert.equal((await run(container, { kind: 'chatty', params: {} })).status, 'SUCCESS')
    const size = async (file: string): Promise<number> => {
      const { out } = await tryDocker(['exec', container.name, 'stat', '-c', '%s', `/data/logs/${file}`])
      return Number(out) || 0
    }
    await until('the log was cut', async () => (await size('worker.out.log.1')) > 0, LONG_MS)
    await until('what is left is bounded', async () => (await size('worker.out.log')) <= 16 * MB, LONG_MS)
    assert.ok((await size('worker.out.log.1')) <= 16 * MB)
    assert.ok((await logsOf(container.name)).length <= 2.5 * MB)
    assert.equal((await container.door.call('GET', '/readyz')).status, 200)
  })
})
