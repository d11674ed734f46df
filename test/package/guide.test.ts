// The guide of docs/extending.md as a reader follows it: every file that it shows lies in a project that has installed the
// package, is type-checked, and is run by the commands that it names.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import type { TaskRecord } from '../../src/core/task.ts'
import { type Bundle, processesOf, startBundle } from '../support/bundle.ts'
import { installProject, type Project } from '../support/installed.ts'
import { until } from '../support/until.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = readFileSync(path.join(ROOT, 'docs/extending.md'), 'utf8')
const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc')
const MADHAVA = 'node_modules/madhava/bin/madhava.mjs'
/** Files that are not in `kinds/`. */
const BESIDE = ['gather.ts', 'replay.ts', 'tsconfig.json']

/** The files of the page by their places in the project. */
const shown = (): Record<string, string> =>
  Object.fromEntries(
    [
      ...PAGE.matchAll(
        /`(?:kinds\/)?([a-z-]+(?:\.test)?\.(?:ts|sh|json))`[^`\n]*(?:`[^`]+`[^`\n]*)*:\n\n```\w+\n(.*?)```/gs,
      ),
    ].map(([, name = '', text = '']) => [BESIDE.includes(name) ? name : `kinds/${name}`, text]),
  )

describe('the guide of docs/extending.md', { timeout: 600_000 }, () => {
  const files = shown()
  let project: Project
  let bundle: Bundle
  let dataDir: string
  let shop: Server
  /** What the shop answers next; the last one for ever. */
  let answers: [status: number, body: string, headers?: Record<string, string>][] = []
  const asked: string[] = []

  before(async () => {
    project = installProject()
    project.write({ 'package.json': JSON.stringify({ type: 'module' }) })
    const made = project.node([MADHAVA, ...'kind new word-count'.split(' ')])
    assert.equal(made.status, 0, made.stderr)
    assert.ok(PAGE.includes('\nnpx madhava kind new word-count\n'))
    for (const name of ['kinds/word-count.ts', 'kinds/word-count.test.ts'])
      assert.ok(existsSync(path.join(project.folder, name)), name)
    project.write(files)
    for (const name of Object.keys(files))
      if (name.endsWith('.sh')) chmodSync(path.join(project.folder, name), 0o755)
    shop = createServer((request, response) => {
      asked.push(request.url ?? '')
      const [status, body, headers = {}] = (answers.length > 1 ? answers.shift() : answers[0]) ?? [500, '']
      response.writeHead(status, headers).end(body)
    }).listen(0, '127.0.0.1')
    await once(shop, 'listening')
    dataDir = path.join(project.folder, 'data')
    bundle = await startBundle(
      dataDir,
      { SHOP_URL: `http://127.0.0.1:${(shop.address() as AddressInfo).port}` },
      project.folder,
      { program: [MADHAVA, 'start', '--kinds', './kinds'] },
    )
  })
  after(async () => {
    await bundle?.stop()
    for (const pid of dataDir ? processesOf(dataDir) : []) process.kill(pid, 'SIGKILL')
    shop?.close()
    project?.remove()
  })

  /** Runs Node in the project without holding up this process, which is the shop. */
  const node = async (...args: string[]): Promise<{ code: number | null; out: string; err: string }> => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const child = spawn(process.execPath, args, {
      cwd: project.folder,
      env: { ...env, MADHAVA_URL: bundle.api, XDG_CONFIG_HOME: project.folder },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const said = { out: '', err: '' }
    child.stdout.on('data', data => {
      said.out += String(data)
    })
    child.stderr.on('data', data => {
      said.err += String(data)
    })
    const [code] = (await once(child, 'close')) as [number | null]
    return { code, ...said }
  }
  const madhava = (...args: string[]) => node(MADHAVA, ...args)
  const ended = async (body: object): Promise<TaskRecord> => {
    const { id } = await bundle.submit(body)
    await until('the task ends', async () => (await bundle.get(id)).finishedAt !== null, 60_000)
    return bundle.get(id)
  }

  it('shows files that type-check together, and all of them are tried here', () => {
    assert.deepEqual(Object.keys(files).sort(), [
      'gather.ts',
      'kinds/checksum.ts',
      'kinds/count-all.ts',
      'kinds/count-lines.sh',
      'kinds/fetch-order.ts',
      'kinds/pack.ts',
      'kinds/word-count.test.ts',
      'kinds/word-count.ts',
      'replay.ts',
      'tsconfig.json',
    ])
    const config = JSON.parse(files['tsconfig.json'] ?? '') as { include: string[] }
    project.write({ 'all.json': JSON.stringify({ ...config, include: [...config.include, '*.ts'] }) })
    const { status, stdout } = project.node([TSC, '-p', 'all.json'])
    assert.equal(stdout, '')
    assert.equal(status, 0)
  })

  it('begins with a kind and its test', async () => {
    const tests = await node('--import', 'tsx', '--test', 'kinds/word-count.test.ts')
    assert.equal(tests.code, 0, tests.out)
    assert.match(tests.out, /^# pass 3$/m)
    const { code, out, err } = await madhava('submit', 'word-count', 'texts=to be or not to be', '--watch')
    assert.equal(code, 0, err)
    assert.ok(PAGE.includes(`--watch\n${out.trim()}\n\`\`\`\n`), `the page shows something else than ${out}`)
  })

  it('runs commands, as a kind and as a script that describes itself', async () => {
    const { result } = await ended({ kind: 'checksum', params: { text: 'to be or not to be' } })
    assert.deepEqual(result, { checksum: 2814505409, bytes: 18 })
    project.write({ 'report.txt': 'one\ntwo\nthree\n' })
    const { code, out, err } = await madhava('submit', 'count-lines', 'file=@report.txt', '--watch')
    assert.deepEqual([code, out.trim()], [0, '3'], err)
  })

  it('asks an API again when it is busy, and not when it is wrong', async () => {
    answers = [
      [429, 'slowly', { 'retry-after': '1' }],
      [503, 'away'],
      [200, '{"total":3}'],
    ]
    const retry = { delaySeconds: 0, factor: 1, maxDelaySeconds: 0, retryOn: ['SHOP_BUSY'] }
    const order = { kind: 'fetch-order', params: { order: '17' } }
    const task = await ended({ ...order, retry })
    assert.deepEqual([task.status, task.result, task.attempt], ['SUCCESS', { total: 3 }, 3])
    assert.deepEqual([...new Set(asked)], ['/orders/17'])
    answers = [[404, 'no such order']]
    const { status, error, attempt } = await ended(order)
    assert.deepEqual([status, attempt], ['FAILURE', 1])
    assert.match(error?.message ?? '', /The shop answers 404: no such order/)
    const wrong = await madhava('submit', 'fetch-order', 'order=../secret')
    assert.equal(wrong.code, 1, 'params never become a path')
  })

  it('takes a file and gives one', async () => {
    const text = 'to be or not to be '.repeat(10_000)
    project.write({ 'report.txt': text })
    const { code, err } = await madhava('submit', 'pack', 'file=@report.txt', '--watch')
    assert.equal(code, 0, err)
    const id = (await bundle.all()).find(({ kind }) => kind === 'pack')?.id ?? ''
    const got = await madhava('download', id)
    assert.equal(got.code, 0, got.err)
    assert.equal(String(gunzipSync(readFileSync(path.join(project.folder, 'packed.gz')))), text)
  })

  it('spreads work over children, and gathers what they found', async () => {
    const { code, out, err } = await node('--import', 'tsx', 'gather.ts')
    assert.deepEqual([code, out], [0, '6 words\n'], err)
    assert.ok(PAGE.includes('prints `6 words`'))
    const [parent] = (await bundle.all()).filter(({ kind }) => kind === 'count-all')
    const children = (await bundle.all()).filter(({ parentId }) => parentId === parent?.id)
    assert.deepEqual(children.map(({ title }) => title).sort(), ['text 0', 'text 1'])
  })

  it('repeats a task without a server, from its params', async () => {
    const { id } = await ended({ kind: 'word-count', params: { texts: ['a b', 'c'] } })
    const { out, err } = await madhava('task', id, '--json')
    const { params } = JSON.parse(out || err) as { params: unknown }
    project.write({ 'params.json': JSON.stringify(params) })
    const replayed = await node('--import', 'tsx', 'replay.ts')
    assert.equal(replayed.code, 0, replayed.err)
    assert.match(replayed.out, /100 text 2 of 2\n2 texts counted \{ words: 3, perText: \[ 2, 1 \] \}/)
    const log = await madhava('log', id, '-f')
    assert.match(log.out, /2 texts counted/, log.err)
  })

  it('finds what fills a heap: the limit of a task, and what was in it', async () => {
    project.write({ 'params.json': JSON.stringify({ texts: ['a'] }) })
    const flags =
      /`node (--max-old-space-size=\d+ --heapsnapshot-near-heap-limit=1) --import tsx replay\.ts`/.exec(PAGE)
    const args = [
      ...(flags?.[1] ?? assert.fail('the page has no such command')).split(' '),
      '--import',
      'tsx',
    ]
    assert.equal((await node(...args, 'replay.ts')).code, 0)
    const limit = /TASK_MEMORY_MB` \| `(\d+)`/.exec(
      readFileSync(path.join(ROOT, 'docs/settings.md'), 'utf8'),
    )?.[1]
    assert.equal(args[0], `--max-old-space-size=${limit}`)
  })

  it('keeps the data in the folder of the project', () => {
    assert.ok(existsSync(path.join(dataDir, 'tasks')))
    assert.ok(existsSync(path.join(dataDir, 'logs/worker.out.log')))
  })
})
