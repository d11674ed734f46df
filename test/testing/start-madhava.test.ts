// A whole Madhava for a test: it does what a server does, and leaves nothing behind, however the test ends.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { describe, it } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { createRpcClient } from '../../src/client/rpc.ts'
import { type StartedMadhava, type StartMadhavaOptions, startMadhava } from '../../src/testing/testing.ts'
import { processesOf } from '../support/bundle.ts'
import { processesWith } from '../support/find-processes.ts'
import { startRabbit } from '../support/rabbitmq.ts'
import { startRedis } from '../support/redis.ts'
import { requireService } from '../support/services.ts'
import { type Ends, undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const STARTED_BY = fileURLToPath(new URL('../support/started-by.ts', import.meta.url))

const WORDS = `import { defineKind, z } from 'madhava'
export default defineKind({
  summary: 'Counts words',
  params: z.strictObject({ text: z.string() }),
  result: z.strictObject({ words: z.int(), place: z.string().nullable() }),
  example: { text: 'to be' },
  run: ({ text }) => ({ words: text.split(' ').length, place: process.env.PLACE ?? null }),
})
`
const naps = (mark: string): string => `#!/bin/sh
if [ "$1" = --describe ]; then
  echo '{"summary": "Sleeps", "params": {"type": "object"}, "result": {}, "example": {}}'
  exit
fi
echo '{"progress": 1}'
sleep 600 ${mark}
`

const folderOf = (t: Ends, files: Readonly<Record<string, string>>): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madhava-kit-'))
  undo(t, () => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files))
    writeFileSync(path.join(folder, name), text, { mode: 0o755 })
  return folder
}
const start = async (t: Ends, options: StartMadhavaOptions = {}): Promise<StartedMadhava> => {
  const madhava = await startMadhava(options)
  undo(t, madhava.stop)
  return madhava
}
/** Without what a test does not look at. */
const QUICK = { builtInKinds: 'none', roles: ['api', 'worker'] } as const

const isOpen = async (port: number): Promise<boolean> => {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
/** Folders of started servers, of whatever test. */
const folders = (): string[] => readdirSync(tmpdir()).filter(name => name.startsWith('madhava-test-'))

/** A test process of its own. */
const startedBy = async (
  t: Ends,
  options: StartMadhavaOptions,
  then: 'stay' | 'work' | 'forget',
): Promise<{ child: ChildProcess; dataDir: string }> => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', STARTED_BY, JSON.stringify(options), then], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  undo(t, () => child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout }))
    return { child, dataDir: (JSON.parse(line) as { dataDir: string }).dataDir }
  throw new Error('it has said nothing')
}
const isGone = (dataDir: string): boolean => !existsSync(dataDir) && processesOf(dataDir).length === 0

describe('startMadhava', { timeout: 600_000 }, () => {
  it('has its roles read the kinds once at the start, and again on request', async t => {
    const kinds = folderOf(t, { 'words.ts': WORDS })
    const madhava = await start(t, { kinds, builtInKinds: 'none' })
    const mirrors = (): string[] =>
      readdirSync(path.join(madhava.dataDir, 'scratch'))
        .filter(name => name.startsWith('kinds-'))
        .flatMap(name => readdirSync(path.join(madhava.dataDir, 'scratch', name)).map(n => `${name}/${n}`))
        .filter(name => !name.endsWith('/owner'))
    const count = async (): Promise<unknown> => {
      const { id } = await madhava.client.submit({ kind: 'words', params: { text: 'to be' } })
      return (await madhava.client.wait(id)).result
    }
    assert.equal(mirrors().length, 1)
    assert.deepEqual(await count(), { words: 2, place: null })

    writeFileSync(path.join(kinds, 'words.ts'), WORDS.replace("split(' ')", "split('')"))
    const { changed, processes } = await madhava.client.reloadKinds()
    assert.deepEqual(changed, ['words'])
    assert.deepEqual(processes.map(({ role }) => role).sort(), ['api', 'dashboard', 'rpc', 'worker'])
    assert.deepEqual(await count(), { words: 5, place: null })
    // each role has its own now, and none uses the first
    await until('the first reading is gone', () => !mirrors().some(name => name.endsWith('/1')))
    assert.equal(mirrors().length, 4)
  })

  it('runs every role with the kinds of a folder, by its URL too, and stops without a trace', async t => {
    const kinds = folderOf(t, { 'words.ts': WORDS })
    const madhava = await start(t, { kinds: pathToFileURL(kinds), env: { PLACE: 'here', MAX_DIGITS: '500' } })
    const { client, url, rpc, dashboardUrl, dataDir } = madhava
    const { id } = await client.submit({ kind: 'words', params: { text: 'to be or not' } })
    assert.deepEqual((await client.wait(id)).result, { words: 4, place: 'here' })
    await assert.rejects(client.submit({ kind: 'calcpi', params: { digits: 600 } }), {
      code: 'PARAMS_INVALID',
    })
    const thrift = createRpcClient(rpc)
    assert.equal((await thrift.get(id)).status, 'SUCCESS')
    await thrift.close()
    assert.equal((await fetch(`${dashboardUrl}/login`)).status, 200)
    const { processes } = (await (await fetch(url)).json()) as { processes: { role: string }[] }
    assert.deepEqual(processes.map(({ role }) => role).sort(), ['api', 'dashboard', 'rpc', 'worker'])
    assert.match(madhava.log(), /"role":"worker".*"message":"ready"/)
    assert.ok(existsSync(path.join(dataDir, 'tasks')))

    await Promise.all([madhava.stop(), madhava.stop()])
    assert.ok(isGone(dataDir))
    for (const port of [url, dashboardUrl].map(one => Number(new URL(one).port)).concat(rpc.port))
      assert.equal(await isOpen(port), false)
  })

  it('runs several at once, of some roles, each in a folder of its own', async t => {
    const [one, other] = await Promise.all([start(t, QUICK), start(t, { ...QUICK, roles: ['api', 'rpc'] })])
    assert.notEqual(one.dataDir, other.dataDir)
    assert.deepEqual([one.rpc.port, one.dashboardUrl, other.dashboardUrl], [0, '', ''])
    assert.notEqual(other.rpc.port, 0)
    assert.deepEqual(await one.client.kinds(), [])
    await other[Symbol.asyncDispose]()
    assert.ok(isGone(other.dataDir))
    assert.deepEqual(await one.client.kinds(), [])
  })

  it('refuses files of kinds that cannot be used, with the reasons, and starts with them where that is wanted', async t => {
    const kinds = folderOf(t, { 'words.ts': WORDS, 'half.mjs': 'export default { summary: 1' })
    const before = folders()
    await assert.rejects(startMadhava({ ...QUICK, kinds }), {
      code: 'KIND_INVALID',
      message: /a kind is in trouble:\n {2}half\.mjs: Unexpected end of input/,
    })
    assert.deepEqual(
      folders().filter(name => !before.includes(name) && !existsSync(path.join(tmpdir(), name, 'tasks'))),
      [],
    )
    const madhava = await start(t, { ...QUICK, kinds, allowBrokenKinds: true })
    await assert.rejects(madhava.client.submit({ kind: 'half' }), { code: 'KIND_IN_TROUBLE' })
  })

  it('says what is wrong with its options and its settings', async () => {
    const refused = (options: StartMadhavaOptions, message: RegExp, code = 'CONFIG_INVALID') =>
      assert.rejects(startMadhava({ ...QUICK, ...options }), { code, message })
    await refused({ kinds: '/nowhere/at/all' }, /kinds: there is no folder \/nowhere\/at\/all/)
    await refused({ env: { MAX_DIGIT: '3' } }, /MAX_DIGIT is no setting; did you mean MAX_DIGITS\?/)
    await refused({ env: { DATA_DIR: '/tmp' } }, /env must not have DATA_DIR/)
    await refused({ env: { STORE_URL: 'redis://x' } }, /use the option storeUrl/)
    await refused({ env: { MAX_DIGITS: 'x' } }, /MAX_DIGITS: must be a whole number/)
    await refused({ roles: [] }, /roles must be some of api, worker, rpc, dashboard/)
    await refused({ builtInKinds: ['calcpy'] }, /no built-in kind calcpy; did you mean calcpi\?/)
    await refused({ storeUrl: 'redis://127.0.0.1:1' }, /Redis cannot be reached/, 'STORE_UNAVAILABLE')
  })

  it('takes no setting from the machine or a .env', async t => {
    const folder = folderOf(t, { '.env': 'STORE_URL=redis://127.0.0.1:1\nANONYMOUS=none\n' })
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(
      process.execPath,
      [
        '--import',
        import.meta.resolve('tsx'),
        STARTED_BY,
        JSON.stringify({ roles: ['api'], builtInKinds: 'none' }),
      ],
      {
        cwd: folder,
        env: { ...env, STORE_URL: 'redis://127.0.0.1:1', HOST: '0.0.0.0' },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    undo(t, () => child.kill('SIGKILL'))
    for await (const line of createInterface({ input: child.stdout })) {
      const { url } = JSON.parse(line) as { url: string }
      assert.match(url, /^http:\/\/127\.0\.0\.1:/)
      assert.equal((await fetch(`${url}/tasks`)).status, 200)
      return
    }
    assert.fail('it has not started')
  })

  it('leaves nothing when the test process is killed, not even what a kind has started', async t => {
    const mark = `0.${process.pid}`
    const kinds = folderOf(t, { 'naps.sh': naps(mark) })
    const { child, dataDir } = await startedBy(t, { ...QUICK, kinds }, 'work')
    assert.equal(processesWith(mark).length > 0, true)
    child.kill('SIGKILL')
    await until('everything is gone', () => isGone(dataDir) && processesWith(mark).length === 0)
  })

  it('leaves nothing when the test process is killed while it starts', async t => {
    const before = folders()
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(process.execPath, ['--import', 'tsx', STARTED_BY], { env, stdio: 'ignore' })
    undo(t, () => child.kill('SIGKILL'))
    // those of other tests come and go
    const own = (): string[] =>
      folders().filter(name => !before.includes(name) && processesWith(path.join(tmpdir(), name)).length > 0)
    await until('its process has begun', () => own().length > 0)
    const [name = ''] = own()
    child.kill('SIGKILL')
    await until('everything is gone', () => isGone(path.join(tmpdir(), name)))
  })

  it('lets a test process end that has forgotten to stop it', async t => {
    const { child, dataDir } = await startedBy(t, QUICK, 'forget')
    if (child.exitCode === null) await once(child, 'exit')
    assert.equal(child.exitCode, 0)
    await until('everything is gone', () => isGone(dataDir))
  })

  it('says why it did not start when its process is killed, and ends with a process that is', async t => {
    const madhava = await start(t, QUICK)
    for (const pid of processesOf(madhava.dataDir)) process.kill(pid, 'SIGKILL')
    await until('it is gone', () => processesOf(madhava.dataDir).length === 0)
    await madhava.stop()
    assert.ok(isGone(madhava.dataDir))
  })

  it('takes what it has made out of a Redis', { skip: requireService('redis') }, async t => {
    const redis = await startRedis()
    undo(t, redis.remove)
    await redis.cli('SET', 'of-somebody-else', '1')
    const madhava = await start(t, { roles: ['api', 'worker'], builtInKinds: ['sleep'], storeUrl: redis.url })
    const { id } = await madhava.client.submit({ kind: 'sleep', params: { seconds: 0 } })
    assert.equal((await madhava.client.wait(id)).status, 'SUCCESS')
    assert.ok(Number(await redis.cli('DBSIZE')) > 1)
    await madhava.stop()
    assert.equal(await redis.cli('KEYS', '*'), 'of-somebody-else')

    const kept = await start(t, { ...QUICK, storeUrl: redis.url, env: { STORE_PREFIX: 'mine' } })
    await kept.stop()
    assert.match(await redis.cli('KEYS', 'mine:*'), /mine:/)
  })

  it('takes its queues out of a RabbitMQ', { skip: requireService('rabbitmq') }, async t => {
    const rabbit = await startRabbit()
    undo(t, rabbit.remove)
    const madhava = await start(t, { roles: ['api', 'worker'], builtInKinds: ['sleep'], amqpUrl: rabbit.url })
    const { id } = await madhava.client.submit({ kind: 'sleep', params: { seconds: 0 } })
    assert.equal((await madhava.client.wait(id)).status, 'SUCCESS')
    await until('the queue is there', async () =>
      /madhava-test-/.test(await rabbit.ctl('list_queues', 'name')),
    )
    await madhava.stop()
    assert.doesNotMatch(await rabbit.ctl('list_queues', 'name'), /madhava-test-/)
  })
})
