// A project that has installed the package: everything runs from there, in a folder with a space in its path, by a user
// who may not write into the package.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Bundle, processesOf, startBundle } from '../support/bundle.ts'
import { installProject, type Project } from '../support/installed.ts'
import { until } from '../support/until.ts'

/** Debian's `nobody`. */
const NOBODY = 65_534
const PICTURE = fileURLToPath(new URL('../../docs/screenshots/task-light-wide.webp', import.meta.url))

const kind = (name: string): string => `import { defineKind, z } from 'madhava'

export default defineKind({
  summary: 'Counts the words of a text',
  params: z.strictObject({ text: z.string() }),
  result: z.strictObject({ by: z.string(), words: z.int() }),
  example: { text: 'to be' },
  run: ({ text }) => ({ by: '${name}', words: text.split(' ').length }),
})
`
const TEST = `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKind } from 'madhava/testing'
import words from './words.mjs'

test('counts', async () => {
  const { result } = await runKind(words, { text: 'to be or not' })
  assert.deepEqual(result, { by: 'words', words: 4 })
})
`

describe('the installed package', { timeout: 600_000 }, () => {
  let project: Project
  let dataDir: string
  const start = (args: readonly string[] = [], more: Record<string, string> = {}): Promise<Bundle> =>
    startBundle(dataDir, more, project.folder, {
      program: ['node_modules/madhava/bin/madhava.mjs', 'start', ...args],
      user: NOBODY,
    })
  before(() => {
    project = installProject()
    project.write({
      'kinds/words.mjs': kind('words'),
      'kinds/typed.ts': kind('typed'),
      'kinds/words.test.mjs': TEST,
    })
    dataDir = path.join(project.folder, 'data')
    mkdirSync(dataDir)
    if (process.getuid?.() === 0) {
      chownSync(dataDir, NOBODY, NOBODY)
      // a temporary folder is its owner's alone
      chmodSync(path.dirname(project.folder), 0o755)
    }
  })
  after(() => {
    for (const pid of dataDir ? processesOf(dataDir) : []) process.kill(pid, 'SIGKILL')
    project?.remove()
  })

  const ended = async (bundle: Bundle, body: object) => {
    const { id } = await bundle.submit(body)
    await until('the task ends', async () => (await bundle.get(id)).finishedAt !== null, 60_000)
    return bundle.get(id)
  }

  it('runs kinds of the project that import it, and its own with their libraries; kill -9 leaves nothing', async () => {
    const bundle = await start(['--kinds', './kinds'])
    for (const name of ['words', 'typed']) {
      const { result, error } = await ended(bundle, { kind: name, params: { text: 'to be or not' } })
      assert.deepEqual([result, error], [{ by: name, words: 4 }, null])
    }
    const form = new FormData()
    form.set('file', new Blob([readFileSync(PICTURE)]), 'task.webp')
    const upload = (await (await fetch(`${bundle.api}/uploads`, { method: 'POST', body: form })).json()) as {
      id: string
    }
    const { artifacts, error } = await ended(bundle, {
      ...{ kind: 'thumbnails', params: { image: { $upload: upload.id } } },
    })
    assert.equal(error, null)
    assert.ok((artifacts ?? []).length > 0)
    for (const place of [`${bundle.api}/docs`, `${bundle.api}/docs/rpc`, `${bundle.dashboard}/login`])
      assert.equal((await fetch(place)).status, 200, place)
    await bundle.kill()
    assert.deepEqual(processesOf(dataDir), [])
  })

  it('goes on where it was, without the built-in kinds where they are not wanted, and says so', async () => {
    const bundle = await start(['--kinds', 'kinds'], { BUILT_IN_KINDS: 'none' })
    const { kinds } = (await (await fetch(`${bundle.api}/kinds`)).json()) as { kinds: { name: string }[] }
    assert.deepEqual(
      kinds.map(({ name }) => name),
      ['typed', 'words'],
    )
    const answer = await fetch(`${bundle.api}/calcpi/10`)
    const { code, detail } = (await answer.json()) as { code: string; detail: string }
    assert.deepEqual([answer.status, code], [422, 'KIND_UNKNOWN'])
    assert.match(detail, /There are typed, words/)
    assert.equal((await bundle.all()).length, 3, 'the tasks of before')
    assert.equal((await ended(bundle, { kind: 'words', params: { text: 'a' } })).status, 'SUCCESS')
    assert.equal((await bundle.stop()).code, 0)
  })

  it('runs with no kind at all', async () => {
    const bundle = await start([], { BUILT_IN_KINDS: 'none' })
    const answer = await fetch(`${bundle.api}/tasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'words', params: {} }),
    })
    const { detail } = (await answer.json()) as { detail: string }
    assert.equal(answer.status, 422)
    assert.match(detail, /There are none at all: KINDS_DIR names a folder/)
    assert.equal((await fetch(`${bundle.api}/readyz`)).status, 200)
    await bundle.stop()
  })

  it('ends with the npm that has started it, also behind the shell of a script', async () => {
    project.write({
      'package.json': JSON.stringify({ scripts: { start: 'madhava start --kinds kinds; true' } }),
    })
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const own = path.join(project.folder, 'own data')
    const ports = { API_PORT: '0', RPC_PORT: '0', DASHBOARD_PORT: '0' }
    const npm = spawn('npm', ['start'], {
      cwd: project.folder,
      env: { ...env, ...ports, DATA_DIR: own },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    npm.stdout.on('data', data => {
      output += String(data)
    })
    try {
      await until('it is ready', () => /Madhava is ready/.test(output), 60_000)
      npm.kill('SIGKILL')
      await until('every process is gone', () => processesOf(own).length === 0, 40_000)
    } finally {
      for (const pid of processesOf(own)) process.kill(pid, 'SIGKILL')
    }
  })

  it('has the other programs, and tests of kinds by node:test', () => {
    const madhava = (...args: string[]) => project.node(['node_modules/madhava/bin/madhava.mjs', ...args])
    const check = madhava('fsck')
    assert.equal(check.status, 0, check.stderr)
    assert.match(check.stdout, /^4 tasks, .*clean$/m)
    const exported = madhava('export')
    assert.equal(exported.status, 0, exported.stderr)
    assert.match(exported.stdout, /"type":"end","tasks":4/)
    assert.match(madhava('reset-password').stdout, /the login is operator, password \S+ /)
    const checked = madhava('start', '--check', '--kinds', 'kinds')
    assert.equal(checked.status, 0, checked.stderr)
    assert.match(checked.stdout, /^kinds: .*typed.*words$/m)
    const tests = project.node(['--test', 'kinds/words.test.mjs'])
    assert.equal(tests.status, 0, tests.stdout)
  })

  it('refuses a built-in kind that there is not, with what was meant', async () => {
    const { status, stderr } = project.node(['node_modules/madhava/bin/madhava.mjs', 'start'], {
      BUILT_IN_KINDS: 'sleep,calcpy',
    })
    assert.equal(status, 1)
    assert.match(
      stderr,
      /BUILT_IN_KINDS: there is no built-in kind calcpy; did you mean calcpi\? There are binomial, /,
    )
  })
})
