// The kind parse as a worker runs it: its params, its progress, its settings, and nothing left in the thread.
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { DEFAULT_KIND_SETTINGS, loadKind } from '../../../src/core/kind.ts'
import { parseParams } from '../../../src/core/kind-params.ts'
import { BAD_PORTS } from '../../../src/kinds/lib/parse/bad-ports.ts'
import { PARSE_CODES, RETRYABLE } from '../../../src/kinds/lib/parse/parse-error.ts'
import { USER_AGENT } from '../../../src/kinds/lib/parse/request.ts'
import kindOfParse from '../../../src/kinds/parse.ts'
import { createThreads } from '../../../src/worker/pool/pool.ts'
import { contextWith } from '../../support/task-context.ts'
import { plain, serve, serveRaw } from './rude-server.ts'

const FILE = fileURLToPath(new URL('../../../src/kinds/parse.ts', import.meta.url))
const root = (name: string): string => readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8')
const kindWith = (...parseAllow: string[]) =>
  loadKind('parse', kindOfParse, 'parse.ts', { ...DEFAULT_KIND_SETTINGS, parseAllow })

describe('the kind parse', () => {
  it('fills in its params, and refuses what is no page of the web before the task is stored', async () => {
    const kind = kindWith()
    assert.deepEqual(await parseParams(kind, { url: 'https://example.org/' }), kind.example)
    for (const url of [
      '',
      'x',
      '/x',
      'ftp://a.test/',
      'file:///etc/passwd',
      'http://u:p@a.test/',
      `http://a.test/${'x'.repeat(2_048)}`,
      1,
    ])
      await assert.rejects(() => parseParams(kind, { url }), { code: 'PARAMS_INVALID' }, `${url}`)
    for (const more of [
      { maxBytes: 0 },
      { maxBytes: 16_777_217 },
      { timeoutSeconds: 0 },
      { timeoutSeconds: 121 },
      { robots: 1 },
      { userAgent: 'x' },
    ])
      await assert.rejects(() => parseParams(kind, { url: 'http://a.test/', ...more }), {
        code: 'PARAMS_INVALID',
      })
  })

  it('gives a result that fits its schema, and reports its stages without ever going back', async () => {
    const server = await serve((request, response) => {
      if (request.url === '/') response.writeHead(302, { location: '/page' }).end()
      else response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<title>x</title>')
    })
    after(() => server.close())
    const kind = kindWith(`127.0.0.1:${server.port}`)
    const told: [number, string][] = []
    const progress = (percent: number, note = ''): void => void told.push([percent, note.split(' ')[0] ?? ''])
    const params = await parseParams(kind, { url: `${server.url}/` })
    const result = await kind.run(params, contextWith({ progress }))
    assert.deepEqual(kind.result.parse(result), result)
    assert.deepEqual(
      told.map(([, stage]) => stage).filter((stage, n, all) => stage !== all[n - 1]),
      ['resolving', 'connecting', 'waiting', 'resolving', 'connecting', 'waiting', 'receiving', 'parsing'],
    )
    const percents = told.map(([percent]) => percent)
    assert.deepEqual(
      percents,
      percents.toSorted((a, b) => a - b),
    )
    const nothing = kindWith()
    await assert.rejects(async () => nothing.run(params, contextWith({})), { code: 'PARSE_REFUSED' })
  })

  it('leaves nothing in its thread, whether it succeeds, fails, is refused or runs out of time', {
    timeout: 300_000,
  }, async () => {
    const pages = await serve((_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<title>x</title>あいう'),
    )
    const silent = await serveRaw(() => undefined)
    const broken = await serveRaw(socket =>
      socket.end(plain('not compressed at all', 'content-type: text/html\r\ncontent-encoding: gzip')),
    )
    const folder = mkdtempSync(path.join(tmpdir(), 'madhava-parse-'))
    // the kind as it is, which also says in which thread it ran
    const file = path.join(folder, 'spy.mts')
    writeFileSync(
      file,
      `import { threadId } from 'node:worker_threads'
import parse from ${JSON.stringify(FILE)}
export default tools => {
  const kind = parse(tools)
  const run = async (params, ctx) => {
    const end = await kind.run(params, ctx).then(({ title }) => title, ({ code }) => code)
    return { end, threadId }
  }
  return { ...kind, result: tools.z.any(), run }
}`,
    )
    const settings = { ...DEFAULT_KIND_SETTINGS, parseAllow: ['127.0.0.1'] }
    const pool = createThreads({ size: 1, memoryMb: 256, settings })
    after(async () => {
      await Promise.all([pool.close(), pages.close(), silent.close(), broken.close()])
      rmSync(folder, { recursive: true })
    })
    let runs = 0
    const run = async (url: string, timeoutSeconds = 60): Promise<{ end: string; threadId: number }> => {
      const id = `0190f3a1-7c5e-7b3a-9d2f-${String(runs++).padStart(12, '0')}`
      const params = { url, robots: false, maxBytes: 10_000, timeoutSeconds }
      const { outcome } = pool.run(
        { id, attempt: 1, kind: 'spy', file, params, resume: null },
        {
          started() {},
          progress() {},
          log() {},
          checkpoint() {},
          submit: async () => assert.fail('it submits nothing'),
        },
      )
      const end = await outcome
      assert.ok(end.type === 'success' && end.result.form === 'inline', JSON.stringify(end))
      return JSON.parse(end.result.json)
    }
    const first = await run(pages.url)
    const ends = [first.end]
    for (const [url, seconds] of [
      [pages.url],
      [broken.url],
      ['http://[::1]/'],
      ['http://0x7f.1:25/'],
      [`${pages.url.replace('127.0.0.1', 'localhost')}/`],
      [silent.url, 1],
      [pages.url.replace('http', 'https')],
      [pages.url],
    ] as const) {
      const { end, threadId } = await run(url, seconds)
      ends.push(end)
      assert.equal(threadId, first.threadId, `a new thread after ${ends.at(-2)}`)
    }
    assert.deepEqual(ends, [
      'x',
      'x',
      'PARSE_ENCODING',
      'PARSE_REFUSED',
      'PARSE_URL',
      ends[5] === 'x' ? 'x' : 'PARSE_REFUSED',
      'PARSE_TIMEOUT',
      'PARSE_TLS',
      'x',
    ])
  })

  it('has each code in its docs with what it says, and the docs have no other', () => {
    const page = root('docs/parse.md')
    const rows = [...page.matchAll(/^\| `(PARSE_[A-Z_]+)` \| (.*?) \| (yes|no) \|$/gm)]
    assert.deepEqual(
      rows.map(([, code, text, again]) => [code, text, again]),
      Object.entries(PARSE_CODES).map(([code, text]) => [
        code,
        text,
        (RETRYABLE as string[]).includes(code) ? 'yes' : 'no',
      ]),
    )
    assert.equal(USER_AGENT, `Madhava/${JSON.parse(root('package.json')).version.split('.')[0]}`)
    assert.ok(BAD_PORTS.has(25) && !BAD_PORTS.has(80) && !BAD_PORTS.has(443) && !BAD_PORTS.has(8_080))
  })
})
