// The folder loader, on folders as users have them: with and without a package.json, TypeScript and JavaScript.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { importModule, loadModules, tryModules } from '../../src/platform/modules.ts'
import { undo } from '../support/undo.ts'

const MODULES = new URL('../../src/platform/modules.ts', import.meta.url).href

const folderOf = async (t: TestContext, files: Record<string, string>): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'madhava-modules-'))
  undo(t, () => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), text)
  }
  return folder
}

const call = (exported: unknown): unknown =>
  typeof exported === 'function' ? exported({ z: 1 }) : assert.fail(`no function: ${String(exported)}`)

const KIND = `
import { twice } from './lib/twice.ts'
enum Size { Small = 1 }
export default ({ z }: { z: unknown }) => ({ value: twice(Size.Small), z })
`
const TWICE = 'export const twice = (value: number): number => 2 * value'

describe('loadModules', () => {
  it('loads TypeScript with imports of its own from a folder without a package.json', async t => {
    const folder = await folderOf(t, { 'add.ts': KIND, 'lib/twice.ts': TWICE })
    const [found, ...others] = await loadModules(folder)
    assert.equal(others.length, 0)
    assert.equal(found?.name, 'add')
    assert.equal(found?.file, path.join(folder, 'add.ts'))
    assert.deepEqual(call(found?.exported), { value: 2, z: 1 })
  })

  it('loads them from folders with signs that mean something in a URL', async t => {
    for (const name of ['a?b', 'a#b', 'a%20b', "it's [a] {b} & é"]) {
      const folder = path.join(await folderOf(t, {}), name)
      await mkdir(path.join(folder, 'lib'), { recursive: true })
      await writeFile(path.join(folder, 'lib/twice.ts'), TWICE)
      for (const file of ['a.ts', 'b.mts']) await writeFile(path.join(folder, file), KIND)
      await writeFile(path.join(folder, 'c.mjs'), 'export default () => ({ value: 2, z: 1 })')
      const loaded = await loadModules(folder)
      assert.deepEqual(
        loaded.map(({ exported }) => call(exported)),
        [0, 1, 2].map(() => ({ value: 2, z: 1 })),
        name,
      )
    }
  })

  it('loads the same from a folder whose package.json says module', async t => {
    const folder = await folderOf(t, {
      'package.json': '{"type":"module"}',
      'add.ts': `${KIND}\nawait Promise.resolve()`,
      'lib/twice.ts': TWICE,
    })
    const [found] = await loadModules(folder)
    assert.deepEqual(call(found?.exported), { value: 2, z: 1 })
  })

  it('loads ts, mts, js and mjs in the order of their names, and the default export of each', async t => {
    const folder = await folderOf(t, {
      'd.ts.txt': 'not a module',
      'c.mjs': 'export default 3',
      'b.mts': 'export default 2 as number',
      'a.ts': 'const one: number = 1; export default one',
      'd.js': 'export default 4',
      'e.js': 'module.exports = { value: 5 }',
      'f.mjs': 'export const other = 6',
    })
    assert.deepEqual(
      (await loadModules(folder)).map(({ name, exported }) => [name, exported]),
      [
        ['a', 1],
        ['b', 2],
        ['c', 3],
        ['d', 4],
        ['e', { value: 5 }],
        ['f', undefined],
      ],
    )
  })

  it('leaves out declarations, tests, dotfiles and folders', async t => {
    const bad = 'throw new Error("must not be loaded")'
    const folder = await folderOf(t, {
      'real.mjs': 'export default 1',
      'real.d.ts': bad,
      'real.d.mts': bad,
      'real.test.ts': bad,
      'real.test.mjs': bad,
      '.hidden.js': bad,
      'sub/inner.js': bad,
      'folder.ts/inner.js': bad,
      'data.json': '{}',
    })
    assert.deepEqual(
      (await loadModules(folder)).map(found => found.name),
      ['real'],
    )
  })

  it('follows symbolic links to files', async t => {
    const folder = await folderOf(t, { 'kinds/.keep': '', 'elsewhere/real.mjs': 'export default 1' })
    await symlink(path.join(folder, 'elsewhere/real.mjs'), path.join(folder, 'kinds/linked.mjs'))
    assert.deepEqual(
      (await loadModules(path.join(folder, 'kinds'))).map(({ name, exported }) => [name, exported]),
      [['linked', 1]],
    )
  })

  it('names the file and the reason when one cannot be imported', async t => {
    for (const [name, text, reason] of [
      ['syntax.ts', 'export default {', /^syntax\.ts: /],
      ['syntax.mjs', 'export default {', /^syntax\.mjs: /],
      ['throws.mjs', 'throw new Error("no luck")', /^throws\.mjs: no luck$/],
      ['throws.ts', 'throw "words"', /^throws\.ts: words$/],
      ['missing.mjs', 'import "./not-there.mjs"', /^missing\.mjs: .*not-there/],
      [
        'package.ts',
        'import x from "no-such-package-at-all"; export default x',
        /^package\.ts: .*no-such-package/s,
      ],
    ] as const) {
      const folder = await folderOf(t, { [name]: text })
      await assert.rejects(loadModules(folder), (error: Error & { file?: string }) => {
        assert.match(error.message, reason)
        assert.equal(error.name, 'ModuleLoadError')
        assert.equal(error.file, path.join(folder, name))
        return true
      })
    }
  })

  it('rejects when the folder is not there', async () => {
    await assert.rejects(loadModules(path.join(tmpdir(), 'madhava-no-such-folder')), { code: 'ENOENT' })
  })

  it('loads files whose names have signs that mean something in a URL', async t => {
    const folder = await folderOf(t, { 'a b#c?d%20.mjs': 'export default 1' })
    assert.equal(await importModule(path.join(folder, 'a b#c?d%20.mjs')), 1)
  })
})

describe('tryModules', () => {
  const tried = async (t: TestContext, files: Record<string, string>, limits = {}) => {
    const { loaded, failed } = await tryModules(await folderOf(t, files), limits)
    return {
      good: loaded.map(({ name }) => name),
      bad: Object.fromEntries(failed.map(({ name, error }) => [name, error.message])),
    }
  }

  it('says what is wrong with one file, and loads the others', async t => {
    const { good, bad } = await tried(t, {
      'a.mjs': 'export default 1',
      'b.mjs': 'throw new Error("no luck")',
      'c.ts': 'export default {',
      'd.mjs': 'import "no-such-package-at-all"',
      'e.mjs': 'export default 2',
      'f.mjs': 'throw null',
    })
    assert.deepEqual(good, ['a', 'e'])
    assert.deepEqual(Object.keys(bad), ['b', 'c', 'd', 'f'])
    assert.equal(bad.b, 'b.mjs: no luck')
    assert.match(bad.d ?? '', /no-such-package/)
  })

  it('does not wait for an import that never ends, nor for each of several', {
    timeout: 300_000,
  }, async t => {
    const begun = performance.now()
    const never = 'await new Promise(() => {}); export default 1'
    const { good, bad } = await tried(
      t,
      { 'a.mjs': never, 'b.mjs': never, 'c.mjs': never, 'd.mjs': 'export default 1' },
      { importMs: 3_000, turnMs: 20 },
    )
    assert.deepEqual([good, Object.keys(bad)], [['d'], ['a', 'b', 'c']])
    assert.equal(bad.a, 'a.mjs: its import is not done after 3 s: does it wait for something?')
    assert.ok(performance.now() - begun < 9_000, 'they are waited for side by side')
  })

  it('survives what would end the process: an exit, a rejected promise that nobody has, an error in a callback', async t => {
    const folder = await folderOf(t, {
      'a.mjs': 'process.exit(3)',
      'b.mjs': 'Promise.reject(new Error("left alone")); export default 1',
      'c.mjs': 'process.nextTick(() => { throw new Error("thrown later") }); export default 1',
      'd.mjs': 'export default 1',
    })
    // in a process of its own: the test runner has its own idea of such errors
    const program = `
      const { tryModules } = await import(${JSON.stringify(MODULES)})
      const { exit } = process
      const { loaded, failed } = await tryModules(${JSON.stringify(folder)})
      const left = ['unhandledRejection', 'uncaughtException'].map(name => process.listenerCount(name))
      console.log(JSON.stringify({ good: loaded.map(one => one.name), bad: failed.map(one => one.error.message), left, same: process.exit === exit }))`
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0, stderr)
    assert.deepEqual(JSON.parse(stdout), {
      good: ['d'],
      bad: ['a.mjs: it calls process.exit(3)', 'b.mjs: left alone', 'c.mjs: thrown later'],
      left: [0, 0],
      same: true,
    })
  })

  it('leaves the rest of a process that runs to its own handlers, and lets it end meanwhile', async t => {
    const folder = await folderOf(t, {
      'a.mjs': "Promise.reject(new Error('left alone')); export default 1",
      'b.mjs':
        "setTimeout(() => { throw new Error('thrown later') }); await new Promise(r => setTimeout(r, 50))",
      'c.mjs': 'await new Promise(() => {})',
    })
    const shutdown = new URL('../../src/platform/shutdown.ts', import.meta.url).href
    const program = `
      const { tryModules } = await import(${JSON.stringify(MODULES)})
      const { closeOnSignal } = await import(${JSON.stringify(shutdown)})
      setTimeout(() => Promise.reject(new Error('ours')), 10)
      const told = []
      process.on('unhandledRejection', error => told.push(error.message))
      process.once('uncaughtException', error => told.push(error.message))
      const { failed } = await tryModules(${JSON.stringify(folder)}, { importMs: 2_000, turnMs: 500 })
      const left = ['unhandledRejection', 'uncaughtException'].map(name => process.listenerCount(name))
      console.log(JSON.stringify({ told, left, bad: failed.map(one => one.error.message) }))
      const log = { info() {}, error() {}, fatal() {} }
      closeOnSignal({ log, drainMs: 100_000, close: async () => console.log('closed') })
      void tryModules(${JSON.stringify(folder)}, { importMs: 100_000 })
      process.kill(process.pid, 'SIGTERM')
      setInterval(() => {}, 1_000)`
    const { stdout, stderr, status } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '--eval', program],
      { encoding: 'utf8' },
    )
    assert.equal(status, 0, stderr)
    const [said = '', closed] = stdout.trim().split('\n')
    assert.deepEqual(JSON.parse(said), {
      told: ['ours'],
      left: [1, 1],
      bad: [
        'a.mjs: left alone',
        'b.mjs: thrown later',
        'c.mjs: its import is not done after 2 s: does it wait for something?',
      ],
    })
    assert.equal(closed, 'closed')
  })

  it('cannot read a link to nowhere, and says so', async t => {
    const folder = await folderOf(t, { 'a.mjs': 'export default 1' })
    await symlink(path.join(folder, 'none.mjs'), path.join(folder, 'b.mjs'))
    const { loaded, failed } = await tryModules(folder)
    assert.deepEqual([loaded[0]?.name, failed[0]?.name], ['a', 'b'])
  })
})
