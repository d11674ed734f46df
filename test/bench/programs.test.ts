// The benchmarks run at a small size, so that they still work on the day when somebody needs a number. BENCH_LONG=1 runs
// all of them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { requireService } from '../support/services.ts'

const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))
const LIMIT = { timeout: 300_000 }
const LONG = { ...LIMIT, skip: process.env.BENCH_LONG === '1' ? false : 'runs with BENCH_LONG=1' }

const run = async (program: string, args: string[]): Promise<string> => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', path.join('bench', program), ...args], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', data => {
      output += String(data)
    })
  const killed = setTimeout(() => child.kill('SIGTERM'), LIMIT.timeout - 10_000)
  const [code] = await once(child, 'close')
  clearTimeout(killed)
  assert.equal(code, 0, output)
  return output
}

/** The cells of the row that begins with these words. */
const row = (output: string, first: string): string[] => {
  const line = output.split('\n').find(text => text.startsWith(`| ${first}`))
  assert.ok(line, `no row begins with ${first}:\n${output}`)
  return line.split('|').map(cell => cell.trim())
}

describe('the benchmarks', () => {
  let dir = ''
  before(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'madhava-bench-test-'))
  })
  after(() => rmSync(dir, { recursive: true, force: true }))

  it('files: compares the store with plain writes, and proves that both wrote', LIMIT, async () => {
    const output = await run('files.ts', [
      ...['--dir', dir, '--rounds', '1', '--creates', '40', '--lives', '20', '--alone', '5', '--width', '8'],
    ])
    assert.match(output, /^node .* on /m)
    for (const what of ['creates/s, 8 in flight', 'lives/s (create', 'creates/s, one']) {
      const [plain, ours, ratio] = row(output, what)
        .slice(2, 5)
        .map(cell => Number(cell.split(' / ')[1]?.replaceAll(',', '')))
      assert.ok(plain && plain > 0 && ours && ours > 0 && ratio && ratio > 0, output)
    }
  })

  it('feed: every change that is made in one process arrives in the other', LIMIT, async () => {
    const output = await run('feed.ts', ['--dir', dir, '--seconds', '1', '--load', '1', '--width', '4'])
    for (const what of ['progress', 'creates', 'whole lives']) {
      const [made, arrived] = row(output, what).slice(2, 4)
      assert.notEqual(made, '0')
      assert.equal(arrived, made)
    }
  })

  it('live: every move reaches every client', LONG, async () => {
    const output = await run('live.ts', [
      ...['--dir', dir, '--clients', '6', '--rate', '20', '--seconds', '1', '--warm', '0.5'],
    ])
    for (const what of ['the store alone', 'GET /events', 'GET /task/{id}/events']) {
      const [clients, events, arrived = ''] = row(output, what).slice(2, 5)
      assert.equal(clients, what === 'the store alone' ? '1' : '3')
      const [came = 0, merged = 0] = [...arrived.matchAll(/\d+/g)].map(Number)
      assert.ok(Number(events) > 0)
      assert.equal(came + merged, Number(events), output)
    }
  })

  it('list: every process finds every task', LONG, async () => {
    const output = await run('list.ts', [
      ...['--dir', dir, '--tasks', '400', '--processes', '2', '--times', '2', '--claims', '5'],
    ])
    assert.equal(row(output, '400 | page of 50')[3], '50')
    assert.equal(row(output, '400 | counts')[3], '400')
    assert.equal(row(output, '400 | text, not found')[3], '0')
  })

  it('alltasks: sends every task, in each form', LIMIT, async () => {
    const output = await run('alltasks.ts', ['--dir', dir, '--tasks', '300'])
    for (const way of ['one array', 'lines', 'one array, gzip']) {
      const [sent] = row(output, `300 | ${way} |`).slice(3, 4)
      assert.ok(Number(sent) > 0.001, output)
    }
  })

  it('turns: measures the turns of every long answer', LONG, async () => {
    const output = await run('turns.ts', ['--dir', dir, '--tasks', '300'])
    for (const way of ['GET /alltasks |', '20 of them', 'dry run over all', 'listTasks'])
      assert.ok(Number(row(output, way)[4]) > 0, output)
  })

  it('pi: the same digits as PARI/GP, where that is installed', LONG, async () => {
    const output = await run('pi.ts', ['--dir', dir, '--rounds', '1', '--most', '1000'])
    for (const what of ['10 digits', '100 digits', '1,000 digits']) {
      const [ours, theirs] = row(output, what).slice(2, 4)
      assert.ok(Number(ours) > 0, output)
      assert.ok(theirs === '-' ? /gp is not installed/.test(output) : Number(theirs) > 0, output)
    }
    assert.match(output, /^\| C\(1,000,000, 1,000\) \|/m)
  })

  it('tried: each way gives the same digits', LONG, async () => {
    const output = await run('tried.ts', ['--dir', dir, '--rounds', '1', '--most', '1000'])
    assert.ok(Number(row(output, 'term by term, beside a tree | 1,000')[3]) > 0, output)
  })

  it('roles: all four get ready, from dist/ and through tsx', LONG, async () => {
    const output = await run('roles.ts', ['--dir', dir, '--times', '1', '--warm', '0', '--settle', '0'])
    for (const way of ['dist/', 'tsx, compiled before', 'tsx, nothing compiled'])
      assert.ok(Number(row(output, way)[4]) > 10 && Number(row(output, way)[5]) >= 4, output)
  })

  it('rpc: every call is answered as it should be, on every side', LONG, async () => {
    const output = await run('rpc.ts', ['--dir', dir, '--rounds', '1', '--seconds', '0.2'])
    for (const what of [
      'ping, 1 connection,',
      'ping, 32 connections',
      'submit, 1 ',
      'submit, 32',
      'get, 1 ',
      'get, 32',
    ]) {
      const rates = row(output, what).slice(2, 5)
      assert.ok(
        rates.every(cell => Number(cell.split(' / ')[1]?.replaceAll(',', '')) > 0),
        output,
      )
    }
  })

  it('dashboard: the list paints, filters and follows in Chromium', {
    ...LIMIT,
    skip: LONG.skip || requireService('chromium'),
  }, async () => {
    const output = await run('dashboard.ts', [
      ...['--dir', dir, '--tasks', '400', '--times', '1', '--seconds', '1'],
    ])
    for (const what of ['first paint of Tasks', 'first rows', 'rows of `status:failure`', 'all that match'])
      assert.ok(Number(row(output, what)[2]?.replaceAll(',', '')) > 0, output)
  })

  it('leaves nothing behind', () => {
    assert.deepEqual(readdirSync(dir), [])
  })

  it('redis: the store with some hundred tasks, and the bundle on it', {
    ...LIMIT,
    skip: LONG.skip || requireService('redis'),
  }, async () => {
    const output = await run('redis.ts', [
      ...['--dir', dir, '--records', '300', '--times', '3', '--claims', '4', '--rounds', '0'],
    ])
    assert.match(output, /^300 tasks: [\d,]+ bytes each in Redis/m)
    for (const what of ['first page', 'a page of 50', 'counts', 'agenda', 'claimNext']) row(output, what)
    assert.match(output, /^the bundle on it: \d+ MB in \d processes$/m)
  })
})
