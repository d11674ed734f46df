// Kinds that change under a worker: what runs goes on with the code that it began with, what begins gets the set in
// use, and nothing of a file counts before it is read again.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import pino from 'pino'
import { parseConfig } from '../../src/config.ts'
import { BLOBS } from '../../src/core/content.ts'
import { isFinal, type Json, type TaskRecord } from '../../src/core/task.ts'
import { decodeLog, logText } from '../../src/core/task-log.ts'
import { wire } from '../../src/wire.ts'
import { openWorker } from '../../src/worker/worker.ts'
import { makeDataDir } from '../support/bundle.ts'
import { newTaskOf } from '../support/new-task.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const OUTER = { timeout: 300_000 }
const CHILD = fileURLToPath(new URL('../support/wired-worker.ts', import.meta.url))

const PROBE = `
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { version } from './lib/version.mjs'
export default ({ defineKind, z }) => defineKind({
  summary: 'Says which code it is.',
  params: z.object({ gate: z.string().nullable() }),
  result: z.string(),
  example: { gate: null },
  async run({ gate }, { progress }) {
    if (gate === null) return version
    progress(1)
    while (!existsSync(gate)) await sleep(5)
    const { later } = await import('./lib/later.mjs')
    return version + ' ' + later
  },
})`
const kindThat = (body: string, more = ''): string => `
export default ({ defineKind, z }) => defineKind({
  summary: 'x', params: z.object({}), result: z.string(), example: {}, ${more} run() { ${body} },
})`

const folderOf = (t: TestContext): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madhava-reload-'))
  undo(t, () => rmSync(folder, { recursive: true }))
  mkdirSync(path.join(folder, 'lib'))
  return folder
}
const versionIs = (folder: string, n: number): void => {
  writeFileSync(path.join(folder, 'probe.mjs'), PROBE)
  writeFileSync(path.join(folder, 'lib/version.mjs'), `export const version = 'v${n}'`)
  writeFileSync(path.join(folder, 'lib/later.mjs'), `export const later = 'later${n}'`)
}
const isBroken = (folder: string): void => {
  for (const file of ['probe.mjs', 'lib/version.mjs', 'lib/later.mjs'])
    writeFileSync(path.join(folder, file), 'half a fi{')
}

const start = async (t: TestContext, folder: string) => {
  const { dataDir, remove } = makeDataDir()
  undo(t, remove)
  const config = parseConfig({
    DATA_DIR: dataDir,
    KINDS_DIR: folder,
    BUILT_IN_KINDS: 'sleep',
    DRAIN_SECONDS: '0',
  })
  const lines: { message: string; [name: string]: unknown }[] = []
  const log = pino(
    { level: 'debug', messageKey: 'message' },
    { write: line => void lines.push(JSON.parse(line)) },
  )
  const parts = await wire(config, log)
  const { scratchDir, kindSets, store } = parts
  const worker = openWorker({ ...config, slots: 3, cores: 3, scratchDir }, parts, log)
  await parts.announce('worker', worker.details)
  undo(t, () => worker.close().finally(parts.close))
  const submit = async (kind: string, params: Json = {}): Promise<string> => {
    const { task } = await store.create(
      newTaskOf({ kind, params, createdAt: new Date().toISOString() }),
      null,
    )
    parts.queue.announce({ id: task.id, kind })
    return task.id
  }
  const get = async (id: string): Promise<TaskRecord> => (await store.get(id)) ?? assert.fail(`no task ${id}`)
  const ended = async (id: string): Promise<TaskRecord> => {
    await until('it has ended', async () => isFinal((await get(id)).status))
    return get(id)
  }
  return {
    ...{ dataDir, scratchDir, kindSets, worker, store, lines, submit, get, ended },
    run: async (kind: string, params: Json = {}) => ended(await submit(kind, params)),
    reload: async () => kindSets.use(await kindSets.read()),
    mirrors: () =>
      readdirSync(path.join(scratchDir, `kinds-${store.instance}`))
        .filter(name => name !== 'owner')
        .map(Number),
    logOf: async (id: string) => {
      const found = await store.getBlob(id, BLOBS.log)
      const chunks: Buffer[] = []
      if (found) for await (const chunk of found.stream) chunks.push(chunk as Buffer)
      return logText(decodeLog(Buffer.concat(chunks).toString()))
    },
  }
}

describe('a worker whose kinds are read again', OUTER, () => {
  it('goes on with the code that an attempt began with, and says which', async t => {
    const folder = folderOf(t)
    versionIs(folder, 1)
    const { submit, get, ended, run, reload, kindSets, mirrors } = await start(t, folder)
    const gate = path.join(folder, 'gate')
    const first = await submit('probe', { gate })
    await until('it runs', async () => (await get(first)).status === 'PROGRESS')
    const code = kindSets.current().codes.get('probe')
    assert.match(code ?? '', /^[\da-f]{64}$/)

    isBroken(folder)
    const second = await submit('probe', { gate })
    await until('it runs', async () => (await get(second)).status === 'PROGRESS')
    assert.equal((await run('probe', { gate: null })).result, 'v1', 'an edited file is read by nobody')
    versionIs(folder, 2)
    assert.equal((await run('probe', { gate: null })).result, 'v1')

    await reload()
    const after = await run('probe', { gate: null })
    const newCode = kindSets.current().codes.get('probe')
    assert.equal(after.result, 'v2')
    assert.notEqual(newCode, code)
    assert.deepEqual(
      after.attempts?.map(each => each.code),
      [newCode],
    )
    assert.deepEqual(mirrors(), [1, 2], 'what runs keeps its mirror')

    versionIs(folder, 3)
    writeFileSync(gate, '')
    for (const id of [first, second]) {
      const { result, attempts } = await ended(id)
      assert.equal(result, 'v1 later1')
      assert.deepEqual(
        attempts?.map(each => each.code),
        [code],
      )
    }
    await until('the old mirror is gone', () => mirrors().length === 1)
    assert.equal((await run('probe', { gate: null })).result, 'v2')
  })

  it('claims new kinds at once and removed ones no longer, with the limits of the set in use', async t => {
    const folder = folderOf(t)
    const put = (name: string, text: string) => writeFileSync(path.join(folder, name), text)
    put('goes.mjs', kindThat("return 'goes'"))
    put('stays.mjs', kindThat("return 'stays'"))
    const { submit, get, run, ended, reload, worker, store, kindSets } = await start(t, folder)
    const own = async () => (await store.presences()).find(each => each.instance === store.instance)?.details
    assert.deepEqual(worker.details().kinds, ['goes', 'sleep', 'stays'])

    rmSync(path.join(folder, 'goes.mjs'))
    put('comes.mjs', kindThat("return 'comes'"))
    put('broken.mjs', 'half a fi{')
    put('stays.mjs', kindThat("return 'stays'", "maxConcurrency: 1, rate: '1000/s',"))
    const comes = await submit('comes')
    assert.equal((await run('goes')).result, 'goes')
    assert.equal((await get(comes)).status, 'PENDING')
    await reload()
    assert.equal((await ended(comes)).result, 'comes')
    assert.deepEqual(worker.details().kinds, ['comes', 'sleep', 'stays'])
    assert.deepEqual(worker.details().kindLimits, { stays: { maxConcurrency: 1, rate: '1000/s' } })
    assert.equal((await run('stays')).result, 'stays')
    assert.deepEqual(
      kindSets.kinds.troubles().map(({ file }) => file),
      ['broken.mjs'],
    )
    await until('the presence says so', async () => (await own())?.kindsInTrouble?.[0]?.name === 'broken')
    assert.match((await own())?.kindsCode ?? '', /^[\da-f]{12}$/)
    const left = await submit('goes')
    await run('comes')
    assert.equal((await get(left)).status, 'PENDING')
  })

  it('names the files where they lie', async t => {
    const folder = folderOf(t)
    const file = path.join(folder, 'fails.mjs')
    writeFileSync(file, kindThat('throw new Error(import.meta.url)'))
    writeFileSync(path.join(folder, 'broken.mjs'), "import './none.mjs'")
    const { run, logOf, lines, kindSets } = await start(t, folder)
    const task = await run('fails')
    assert.ok(task.error?.message.includes(`file://${file}`), task.error?.message)
    const log = await logOf(task.id)
    assert.ok(log.includes(file), log)
    assert.ok(!`${log}${JSON.stringify(task)}`.includes('kinds-'), log)
    const told = JSON.stringify(lines.filter(({ level }) => Number(level) >= 40))
    assert.ok(!told.includes('kinds-'), told)
    assert.match(kindSets.kinds.troubles()[0]?.reason ?? '', /none\.mjs/)
  })

  it('is no larger after many readings', async t => {
    const folder = folderOf(t)
    versionIs(folder, 0)
    const { run, reload, mirrors } = await start(t, folder)
    const threadsNow = () => (existsSync('/proc/self/task') ? readdirSync('/proc/self/task').length : 0)
    await run('probe', { gate: null })
    const before = threadsNow()
    for (let n = 1; n <= 50; n += 1) {
      versionIs(folder, n)
      await reload()
      // a thread takes its time to come up from the sources
      if (n % 5 === 0) assert.equal((await run('probe', { gate: null })).result, `v${n}`)
    }
    await until('the old mirrors are gone', () => mirrors().length === 1)
    await until('the old threads are gone', () => threadsNow() < before + 5)
  })

  it('keeps the set in use where another one cannot be read, and one that is dropped leaves nothing', async t => {
    const folder = folderOf(t)
    versionIs(folder, 1)
    const { run, kindSets, mirrors } = await start(t, folder)
    versionIs(folder, 2)
    kindSets.drop(await kindSets.read())
    await until('its mirror is gone', () => mirrors().length === 1)
    assert.equal((await run('probe', { gate: null })).result, 'v1')
    rmSync(folder, { recursive: true })
    await assert.rejects(kindSets.read(), { code: 'KIND_INVALID' })
    assert.equal((await run('probe', { gate: null })).result, 'v1')
    assert.deepEqual(mirrors().length, 1)
    mkdirSync(folder)
  })

  it('leaves no mirror when it closes, and the next start removes those of one that was killed', async t => {
    const folder = folderOf(t)
    versionIs(folder, 1)
    const { dataDir, remove } = makeDataDir()
    undo(t, remove)
    const scratch = path.join(dataDir, 'scratch')
    const mirrorsThere = () => readdirSync(scratch).filter(name => name.startsWith('kinds-'))
    const open = async (signal: NodeJS.Signals) => {
      const child = spawn(process.execPath, ['--import', 'tsx', CHILD], {
        env: { ...process.env, DATA_DIR: dataDir, KINDS_DIR: folder, LOG_LEVEL: 'error' },
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      undo(t, () => child.kill('SIGKILL'))
      await once(child.stdout, 'data')
      const there = mirrorsThere()
      const exited = once(child, 'exit')
      child.kill(signal)
      await exited
      return there
    }
    assert.equal((await open('SIGKILL')).length, 1)
    const [killed = ''] = mirrorsThere()
    assert.notEqual(killed, '')
    const { length } = await open('SIGTERM')
    assert.ok(length === 1 || length === 2)
    assert.deepEqual(mirrorsThere(), process.platform === 'linux' ? [] : [killed])
  })
})
