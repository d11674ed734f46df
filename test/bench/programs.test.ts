// The benchmarks run at a small size, so that they still work on the day when somebody needs a number.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'

const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))))
const LIMIT = { timeout: 120_000 }

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

  it('list: every process finds every task', LIMIT, async () => {
    const output = await run('list.ts', [
      ...['--dir', dir, '--tasks', '400', '--processes', '2', '--times', '2', '--claims', '5'],
    ])
    assert.equal(row(output, '400 | page of 50')[3], '50')
    assert.equal(row(output, '400 | counts')[3], '400')
    assert.equal(row(output, '400 | text, not found')[3], '0')
  })

  it('pi: the same digits as PARI/GP, where that is installed', LIMIT, async () => {
    const output = await run('pi.ts', ['--dir', dir, '--rounds', '1', '--most', '1000'])
    for (const what of ['10 digits', '100 digits', '1,000 digits']) {
      const [ours, theirs] = row(output, what).slice(2, 4)
      assert.ok(Number(ours) > 0, output)
      assert.ok(theirs === '-' ? /gp is not installed/.test(output) : Number(theirs) > 0, output)
    }
    assert.match(output, /^\| C\(1,000,000, 1,000\) \|/m)
  })

  it('leaves nothing behind', () => {
    assert.deepEqual(readdirSync(dir), [])
  })
})
