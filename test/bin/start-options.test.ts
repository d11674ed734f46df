// The command line of the start: what it does not know is refused before anything is installed or run.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'

const start = (args: string[], env: Record<string, string> = {}) =>
  spawnSync(process.execPath, ['bin/start.mjs', ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  })

describe('the command line of the start', () => {
  it('says how it is used, and its version', () => {
    const help = start(['--help'])
    assert.deepEqual([help.status, help.stderr], [0, ''])
    assert.match(help.stdout, /--check/)
    const version = start(['--version'])
    const { version: wanted } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    assert.deepEqual([version.status, version.stdout], [0, `${wanted}\n`])
  })

  it('refuses an option or a word that it does not know, with how it is used', () => {
    for (const args of [['--chek'], ['start'], ['--check=no']]) {
      const { status, stdout, stderr } = start(args)
      assert.deepEqual([status, stdout], [2, ''], args.join(' '))
      assert.match(stderr, /--check +prints/)
    }
  })

  it('takes options that stand for settings, and win over the environment', () => {
    const args = [
      '--check',
      '--data-dir',
      'some data',
      '--kinds',
      'examples/kinds',
      '--port',
      '8123',
      '--rpc-port=0',
    ]
    const { status, stdout, stderr } = start([...args, '--dashboard-port', '0'], {
      DATA_DIR: 'other',
      API_PORT: '1',
    })
    assert.equal(status, 0, stderr)
    for (const line of ['DATA_DIR=some data', 'KINDS_DIR=examples/kinds', 'API_PORT=8123', 'RPC_PORT=0'])
      assert.ok(stdout.includes(`\n${line}\n`), line)
    assert.match(stdout, /^kinds: .*csv-stats.*shell/m)
    const empty = start(['--kinds', ''])
    assert.equal(empty.status, 2)
    assert.match(empty.stderr, /^--kinds needs a value/)
    const wrong = start(['--check', '--port', 'x'])
    assert.notEqual(wrong.status, 0)
    assert.match(wrong.stderr, /API_PORT: must be a port/)
  })

  it('tells of an option that npm has kept for itself', () => {
    const { status, stderr } = start([], { npm_lifecycle_event: 'start', npm_config_check: 'true' })
    assert.equal(status, 2)
    assert.match(stderr, /npm start -- --check/)
    const kinds = start([], { npm_lifecycle_event: 'start', npm_config_data_dir: 'x' })
    assert.match(kinds.stderr, /npm start -- --data-dir/)
  })
})
