// The exit codes: each where docs/console.md says so, and no other one.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createProgram } from '../../src/cli/build-program.ts'
import { EXIT, exitOf } from '../../src/cli/exit.ts'
import { ApiError, ConnectionError, UNEXPECTED_ANSWER } from '../../src/client/errors.ts'
import { type ConsoleFixture, openConsole } from './console-fixture.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const DOCS = readFileSync(`${ROOT}docs/console.md`, 'utf8')

let console_: ConsoleFixture
let closed: ConsoleFixture
before(async () => {
  console_ = await openConsole()
  closed = await openConsole({ anonymous: 'none', maxWaiting: 0 })
})
after(async () => {
  await console_.close()
  await closed.close()
})

const problem = (status: number, code = 'SOME_CODE') =>
  new ApiError({ type: 'x', title: 'x', status, detail: 'x', code })

describe('the exit codes', () => {
  it('are those that docs/console.md lists', () => {
    const rows = [...DOCS.matchAll(/^\| `(\d+)` \| (\w+) \|/gm)].map(([, code, name]) => [name, Number(code)])
    assert.deepEqual(Object.fromEntries(rows), EXIT)
  })

  it('say what an error means', () => {
    const codes = [400, 409, 422, 401, 403, 404, 429, 503, 507, 408, 502, 504].map(status =>
      exitOf(problem(status)),
    )
    assert.deepEqual(codes, [1, 1, 1, 4, 4, 3, 6, 6, 6, 6, 5, 5])
    assert.equal(exitOf(problem(404, UNEXPECTED_ANSWER)), 5)
    assert.equal(exitOf(new ConnectionError('x')), 5)
    assert.equal(exitOf(new Error('x')), 1)
  })

  it('are those of real commands', async () => {
    const code = async (...args: string[]) => (await console_.madhava(args)).code
    assert.equal(await code('tasks'), 0)
    assert.equal(await code('submit', 'calcpi', 'digits=-1'), 1)
    assert.equal(await code('tasks', '--nonsense'), 2)
    assert.equal(await code('nonsense'), 2)
    assert.equal(await code('--help'), 0)
    assert.equal(await code('--version'), 0)
    assert.equal(await code('task', '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'), 3)
    assert.equal((await closed.madhava(['tasks'])).code, 4)
  })

  it('come with a JSON document on standard error when --json is given', async () => {
    const error = async (...args: string[]) => {
      const { out, err } = await console_.madhava([...args, '--json'])
      assert.equal(out, '')
      return (JSON.parse(err) as { error: { code: string | null; exit: number } }).error
    }
    const refused = await error('submit', 'calcpi', 'digits=-1')
    assert.deepEqual([refused.code, refused.exit], ['PARAMS_INVALID', 1])
    assert.equal((await error('task', '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f')).exit, 3)
    assert.equal((await error('tasks', '--nonsense')).exit, 2)
  })
})

describe('the program', () => {
  it('shows its help and ends with 2 where there is no command and no terminal', async () => {
    const { code, out, err } = await console_.program([])
    assert.deepEqual([code, out], [2, ''])
    assert.match(err, /^Usage: madhava /m)
  })

  it('ends quietly when the reader of its output goes away', async () => {
    for (let n = 0; n < 300; n += 1) await console_.door.submit('echo', 'x'.repeat(200))
    const child = spawn(
      'bash',
      ['-c', `'${process.execPath}' bin/madhava.mjs tasks --all --json | head -1; echo "\${PIPESTATUS[0]}"`],
      { cwd: ROOT, env: console_.environment(), stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let [out, err] = ['', '']
    child.stdout.on('data', piece => {
      out += String(piece)
    })
    child.stderr.on('data', piece => {
      err += String(piece)
    })
    await once(child, 'close')
    const lines = out.trim().split('\n')
    assert.equal(lines.length, 2)
    assert.equal(err, '')
    // whether it still wrote when head had gone is for the system to say
    assert.ok(['0', '141'].includes(lines[1] ?? ''), lines[1])
  })

  it('has no colours where nobody looks, or nobody wants them', async () => {
    const { out } = await console_.program(['tasks', '--limit', '1'])
    assert.ok(!out.includes('\u001b'))
    const run = (env: Record<string, string>, ...args: string[]) =>
      console_.madhava(['tasks', '--limit', '1', ...args], { columns: 80, env })
    assert.ok((await run({ NO_COLOR: '' })).out.includes('\u001b['))
    assert.ok(!(await run({ NO_COLOR: '1' })).out.includes('\u001b'))
    assert.ok(!(await run({ NO_COLOR: '', TERM: 'dumb' })).out.includes('\u001b'))
    assert.ok(!(await run({ NO_COLOR: '' }, '--no-color')).out.includes('\u001b'))
  })
})

describe('docs/console.md', () => {
  it('has a row for each command, and no other', async () => {
    const { out } = await console_.madhava(['--help'])
    const section = out.slice(out.indexOf('Tasks:'))
    const commands = [...section.matchAll(/^ {2}([a-z-]+)/gm)]
      .map(([, name]) => name)
      .filter(name => name !== 'help')
    const rows = [...DOCS.matchAll(/^\| `madhava ([a-z-]+)[^`]*` \|/gm)].map(([, name]) => name)
    assert.deepEqual([...new Set(rows)].sort(), [...new Set(commands)].sort())
  })

  it('has the programs that the command runs as they are', async () => {
    const { out } = await console_.madhava(['--help'])
    const [, table = ''] = /PROGRAMS = \{([^}]*)\}/.exec(readFileSync(`${ROOT}bin/madhava.mjs`, 'utf8')) ?? []
    const programs = [...table.matchAll(/^ {2}'?([a-z-]+)'?:/gm)].map(([, name]) => name)
    const machine = out.slice(out.indexOf('This machine:'), out.indexOf('completion <shell>'))
    const shown = [...machine.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name)
    assert.deepEqual(shown.sort(), programs.sort())
  })

  it('names each option that every command takes', () => {
    const program = createProgram({ out: () => {}, err: () => {} })
    for (const { long } of program.options) assert.ok(DOCS.includes(`\`${long}`), long)
  })
})
