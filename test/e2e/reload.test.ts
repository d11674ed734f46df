// Kinds that change while everything runs: `madhava dev`, POST /kinds/reload, SIGHUP, and kills on the way.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ApiError, createClient, type KindsReloaded } from '../../src/client/client.ts'
import { createRpcClient } from '../../src/client/rpc.ts'
import { makeDataDir, startBundle } from '../support/bundle.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Answers `said`, and what the file beside it says; with `held` it waits for a file of that name. */
const kindSaying = (said: string): string => `
import { existsSync } from 'node:fs'
import { word } from '../shared/word.ts'

export default ({ defineKind, z }) => defineKind({
  summary: 'Says something',
  params: z.strictObject({ held: z.string().nullable().default(null) }),
  result: z.string(),
  example: { held: null },
  async run({ held }, ctx) {
    ctx.progress(1, 'begun')
    while (held !== null && !existsSync(held)) await new Promise(resolve => setTimeout(resolve, 20))
    return '${said} ' + word
  },
})
`

const open = async (t: TestContext, program: string[], settings: Record<string, string> = {}) => {
  const base = await mkdtemp(path.join(os.tmpdir(), 'madhava-kinds-'))
  undo(t, () => rm(base, { recursive: true, force: true }))
  const at = (...names: string[]) => path.join(base, ...names)
  await mkdir(at('kinds'))
  await mkdir(at('shared'))
  /** As an editor does: another file in the place of the old one. */
  const write = async (name: string, text: string): Promise<void> => {
    await writeFile(at('new'), text)
    await rename(at('new'), at(...name.split('/')))
  }
  await write('kinds/say.ts', kindSaying('one'))
  await write('shared/word.ts', "export const word = 'first'\n")
  const { dataDir, remove } = makeDataDir()
  undo(t, remove)
  const bundle = await startBundle(dataDir, { KINDS_DIR: at('kinds'), ...settings }, ROOT, { program })
  undo(t, () => bundle.stop())
  const client = createClient({ baseUrl: bundle.api })
  const said = async (params: unknown = {}): Promise<unknown> => {
    const { id } = await bundle.submit({ kind: 'say', params })
    return (await client.wait(id)).result
  }
  const codeNow = async (): Promise<string | null> =>
    (await client.kinds()).find(({ name }) => name === 'say')?.code ?? null
  return { at, write, bundle, client, said, codeNow }
}

/** What the reload found, or the problems that it was dropped for. */
const outcomeOf = async (asked: Promise<KindsReloaded>): Promise<string[]> => {
  try {
    const { added, changed, removed } = await asked
    return Object.entries({ added, changed, removed }).flatMap(([what, names]) =>
      names.length > 0 ? [`${what} ${names.join()}`] : [],
    )
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'KINDS_NOT_LOADED') throw error
    return (error.problem.problems ?? []).map(({ path: file, problem }) => `${file}: ${problem}`)
  }
}

describe('kinds that change while everything runs', { timeout: 900_000 }, () => {
  it('are in use as soon as they are saved, under madhava dev', async t => {
    const { at, write, bundle, client, said } = await open(t, ['bin/madhava.mjs', 'dev'])
    const tells = (text: string | RegExp) =>
      until(`it tells ${text}`, () => new RegExp(text).test(bundle.output()))
    await tells('are watched')
    assert.equal(await said(), 'one first')

    const held = await bundle.submit({ kind: 'say', params: { held: at('go on') } })
    await until('it has begun', async () => (await bundle.get(held.id)).status === 'PROGRESS')
    await write('kinds/say.ts', kindSaying('two'))
    await tells(/kinds \d\d:\d\d:\d\d changed say\n/)
    assert.equal(await said(), 'two first')
    await writeFile(at('go on'), '')
    const ended = await client.wait(held.id)
    assert.equal(ended.result, 'one first')

    await write('kinds/say.ts', 'export default ({ defineKind, z }) => (((')
    await tells(/the old code goes on:\n {2}say\.ts: /)
    assert.equal(await said(), 'two first')
    await write('kinds/say.ts', kindSaying('three'))
    await until('it is whole again', async () => (await said()) === 'three first')

    // what lies outside of the folder, in the place of what was there
    await write('shared/word.ts', "export const word = 'second'\n")
    await until('that is in use', async () => (await said()) === 'three second')
    await write('kinds/more.ts', kindSaying('more'))
    await tells(/added more\n/)
    await rm(at('kinds', 'more.ts'))
    await tells(/removed more\n/)
    const { code } = await bundle.stop()
    assert.equal(code, 0)
  })

  it('are read again by all processes or by none, through every API', async t => {
    const { at, write, bundle, client, said, codeNow } = await open(t, ['bin/start.mjs'])
    const [host = '', port = ''] = bundle.rpc.split(':')
    const rpc = createRpcClient({ host, port: Number(port) })
    undo(t, () => rpc.close())
    const first = await codeNow()
    await write('kinds/say.ts', kindSaying('two'))
    assert.equal(await said(), 'one first')
    const outcome = await client.reloadKinds()
    assert.deepEqual([outcome.added, outcome.changed, outcome.removed], [[], ['say'], []])
    assert.deepEqual(
      outcome.processes.map(({ role, isUsed }) => [role, isUsed]),
      ['api', 'dashboard', 'rpc', 'worker'].map(role => [role, true]),
    )
    assert.equal(await said(), 'two first')
    const second = await codeNow()
    assert.notEqual(second, first)

    await write('kinds/bad.ts', 'export default 1')
    await write('kinds/say.ts', kindSaying('three'))
    const problems = await outcomeOf(client.reloadKinds())
    assert.match(problems.join(), /^bad\.ts: /)
    await assert.rejects(rpc.reloadKinds(), { code: 'KINDS_NOT_LOADED' })
    assert.equal(await said(), 'two first')
    assert.equal(await codeNow(), second)

    await rm(at('kinds', 'bad.ts'))
    await write('kinds/also.ts', kindSaying('also'))
    const byRpc = await rpc.reloadKinds()
    assert.deepEqual([byRpc.added, byRpc.changed], [['also'], ['say']])
    assert.equal(await said(), 'three first')

    const text = await (await fetch(`${bundle.api}/metrics`)).text()
    assert.match(text, /madhava_events_total\{.*role="worker".*event="kinds_reloaded"\} 2/)
    assert.match(text, /madhava_events_total\{.*role="worker".*event="kinds_reloads_dropped"\} 2/)
    assert.match(text, /madhava_kinds_used_time_seconds\{.*role="worker".*\} \d/)

    await rm(at('kinds', 'also.ts'))
    assert.deepEqual(await outcomeOf(client.reloadKinds()), ['removed also'])
    await assert.rejects(client.submit({ kind: 'also', params: {} }), { code: 'KIND_UNKNOWN' })
  })

  it('are read again by SIGHUP to the start or to a role, and by the console', async t => {
    const { write, bundle, said } = await open(t, ['bin/start.mjs'])
    await write('kinds/say.ts', kindSaying('two'))
    process.kill(bundle.pid, 'SIGHUP')
    await until('the start has passed it on', async () => (await said()) === 'two first')
    await write('kinds/say.ts', kindSaying('three'))
    process.kill(await bundle.pidOf('worker'), 'SIGHUP')
    await until('the worker has asked all', async () => (await said()) === 'three first')

    const reload = async () => {
      const { NODE_TEST_CONTEXT: _, ...env } = process.env
      const child = spawn(process.execPath, ['bin/madhava.mjs', 'reload'], {
        cwd: ROOT,
        env: { ...env, MADHAVA_URL: bundle.api },
      })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', data => {
          output += String(data)
        })
      const [code] = (await once(child, 'close')) as [number]
      return { code, output }
    }
    await write('kinds/say.ts', kindSaying('four'))
    const good = await reload()
    assert.equal(good.code, 0, good.output)
    assert.match(good.output, /changed {2}say\n.*4 processes use what they have read/)
    await write('kinds/say.ts', 'nothing')
    const bad = await reload()
    assert.equal(bad.code, 1, bad.output)
    assert.match(bad.output, /The kinds stay as they are:\n {2}say\.ts: /)
    // nobody waits for this one: the log has the reason, and nothing has ended
    process.kill(bundle.pid, 'SIGHUP')
    await until('the log says it', () => /the kinds were not read again/.test(bundle.output()))
    assert.equal(await said(), 'four first')
  })

  it('lose no task when the worker is killed again and again meanwhile', async t => {
    const { write, bundle, client } = await open(t, ['bin/start.mjs'])
    const ids: string[] = []
    for (let round = 0; round < 3; round += 1) {
      for (let count = 0; count < 10; count += 1)
        ids.push((await bundle.submit({ kind: 'say', params: {}, maxAttempts: 20 })).id)
      await write('kinds/say.ts', kindSaying(`round ${round}`))
      const reloading = outcomeOf(client.reloadKinds())
      const pid = await bundle.pidOf('worker')
      process.kill(pid, 'SIGKILL')
      await reloading
      const isOther = (now: number): boolean => now !== pid
      await until('another worker runs', () => bundle.pidOf('worker').then(isOther, () => false))
    }
    for (const id of ids) {
      const { status, result } = await client.wait(id)
      assert.equal(status, 'SUCCESS')
      assert.match(String(result), /^(?:one|round \d) first$/)
    }
    // whatever came of the reloads: what is asked for now is what is used from now on
    await write('kinds/say.ts', kindSaying('last'))
    await until('it is used', async () => (await outcomeOf(client.reloadKinds())).join() === 'changed say')
    const { id } = await bundle.submit({ kind: 'say', params: {} })
    assert.equal((await client.wait(id)).result, 'last first')
  })
})
