// The examples of docs/rest.md, run as they stand against the whole bundle; and the client over a killed api.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createClient, type Task, type WatchEvent } from '../../src/client/client.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { freePort } from '../support/free-port.ts'
import { requireService } from '../support/services.ts'
import { until } from '../support/until.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOCS = readFileSync(path.join(ROOT, 'docs/rest.md'), 'utf8')

interface Example {
  language: string
  code: string
  /** What it prints; `...` stands for anything. */
  expected: string
}

/** Blocks of code, each with the text that follows it. */
const examples = [...DOCS.matchAll(/^```(sh|ts|python)\n([\s\S]*?)^```\n\n^```text\n([\s\S]*?)^```$/gm)].map(
  ([, language = '', code = '', expected = '']): Example => ({ language, code, expected }),
)
const of = (language: string): Example[] => examples.filter(example => example.language === language)

const pattern = (expected: string): RegExp =>
  new RegExp(
    `^${expected
      .trim()
      .split('...')
      .map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[\\s\\S]*?')}$`,
  )

const holds = (output: string, expected: string): void =>
  assert.ok(
    pattern(expected).test(output.trim()),
    `${output}\n--- is not what the document says:\n${expected}`,
  )

describe('the examples of docs/rest.md, and the client, against the bundle', { timeout: 600_000 }, () => {
  const { dataDir, remove } = makeDataDir()
  let folder: string
  let bundle: Bundle
  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'madhava-examples-'))
    // a port of its own, since the api has to come back where it was
    bundle = await startBundle(dataDir, { API_PORT: String(await freePort()) })
  })
  after(async () => {
    await bundle?.stop()
    rmSync(folder, { recursive: true, force: true })
    remove()
  })

  const run = async (program: string, args: string[], cwd: string): Promise<string> => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 300_000 })
    let [output, errors] = ['', '']
    child.stdout.on('data', data => {
      output += String(data)
    })
    child.stderr.on('data', data => {
      errors += String(data)
    })
    const [code] = await once(child, 'close')
    assert.equal(code, 0, `${output}\n${errors}`)
    return output
  }
  const here = (code: string): string => code.replaceAll('localhost:8000', new URL(bundle.api).host)

  it('finds them all', () => {
    assert.deepEqual(
      ['sh', 'ts', 'python'].map(language => of(language).length),
      [3, 1, 1],
    )
    assert.equal(
      (DOCS.match(/^```(sh|ts|python)$/gm) ?? []).length,
      examples.length,
      'each with what it prints',
    )
    assert.ok(pattern('a...d\n').test('abcd') && !pattern('a...d').test('abc'))
  })

  for (const [n, { code, expected }] of of('sh').entries())
    it(`curl, example ${n + 1}`, { skip: requireService('curl') || requireService('jq') }, async () => {
      const output = await run('bash', ['-euo', 'pipefail', '-c', here(code)], folder)
      holds(output, expected)
    })

  it('TypeScript', async () => {
    const [example] = of('ts')
    const file = path.join(folder, 'example.ts')
    writeFileSync(file, here(example?.code ?? ''))
    // as a module, wherever it stands
    writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}')
    const output = await run(process.execPath, ['--import', 'tsx', file], ROOT)
    holds(output, example?.expected ?? '')
  })

  it('Python', { skip: requireService('python') }, async () => {
    const [example] = of('python')
    const output = await run('/usr/bin/python3', ['-c', here(example?.code ?? '')], folder)
    holds(output, example?.expected ?? '')
  })

  it('the client waits and watches on over an api that is killed, and misses nothing', async () => {
    const client = createClient({ baseUrl: bundle.api })
    const ending = new AbortController()
    const told: WatchEvent[] = []
    const watching = (async () => {
      for await (const event of client.watchAll({ kind: 'sleep' }, { signal: ending.signal }))
        told.push(event)
    })().catch(() => {})
    await until('it is live', () => told.some(({ type }) => type === 'live'))
    const seconds = 4
    const { id } = await client.submit({ kind: 'sleep', params: { seconds } })
    const seen: Task[] = []
    const watched = (async () => {
      for await (const task of client.watch(id)) seen.push(task)
    })()
    const waiting = client.wait(id)
    await until('it runs', () => seen.some(({ status }) => status !== 'PENDING'))
    const before = await bundle.pidOf('api')
    process.kill(before, 'SIGKILL')
    // submitted while nobody is at the door
    const late = await client.submit({ kind: 'sleep', params: { seconds: 0.1 } })
    assert.notEqual(await bundle.pidOf('api'), before)
    await Promise.all([watched, client.wait(late.id)])
    assert.equal((await waiting).status, 'SUCCESS')
    assert.equal(seen.at(-1)?.status, 'SUCCESS')
    const order = seen.map(({ claim, rev }) => claim * 1e6 + rev)
    assert.deepEqual(
      order,
      [...new Set(order)].sort((a, b) => a - b),
      'nothing twice, nothing backwards',
    )
    const ends = (of: string) =>
      told.filter(event => event.type === 'task' && event.task.id === of && event.task.status === 'SUCCESS')
    await until('everybody is told of both ends', () => ends(id).length > 0 && ends(late.id).length > 0)
    assert.ok(!told.some(({ type }) => type === 'snapshot'), 'the cursor held')
    ending.abort()
    await watching
  })
})
