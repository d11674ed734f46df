// The mirrors that modules are loaded from: what is copied, what is linked, and that a copy stays what it was.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, realpath, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { hostname, tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { silentLog } from '../../src/platform/log.ts'
import { createModuleCopies } from '../../src/platform/module-copies.ts'
import { createModuleMirror, MirrorError } from '../../src/platform/module-mirror.ts'
import { importModule } from '../../src/platform/modules.ts'
import { markOf, markPrefix } from '../../src/platform/process-mark.ts'
import { thisProcess } from '../../src/platform/process-proof.ts'
import { filesMeant, relativeImports } from '../../src/platform/relative-imports.ts'
import { undo } from '../support/undo.ts'

const HOUR_MS = 3_600_000

const put = async (folder: string, files: Record<string, string>): Promise<void> => {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true })
    await writeFile(path.join(folder, name), text)
  }
}
const folderOf = async (t: TestContext, files: Record<string, string> = {}): Promise<string> => {
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'madhava-mirror-')))
  undo(t, () => rm(folder, { recursive: true }))
  await put(folder, files)
  return folder
}
type Options = Parameters<typeof createModuleMirror>[1]
const mirrorOf = async (t: TestContext, options: Options = {}) => {
  const root = await folderOf(t)
  return { root, mirror: createModuleMirror(root, options) }
}
/** The copy of one module in a mirror of its own. */
const mirrored = async (t: TestContext, file: string) => {
  const { root, mirror } = await mirrorOf(t)
  const { file: copy, code } = await mirror.addModule(file)
  await mirror.finish()
  return { root, copy, code, load: () => importModule(copy) }
}
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

describe('relative imports', () => {
  it('are found in every form that loads a module', () => {
    const text = `
      import a from './a.js'; import type { B } from "../b.ts"; export * from './c'
      import './d.mjs'
      const e = await import('./e.js'), f = require('./f'), g = import(\`./g.js\`)
      new Worker(new URL('./h.js', import.meta.url)); import*as i from"./i.js"
      import z from 'zod'; import j from '.'; const k = await import(\`./\${name}.js\`)
      new URL('./data.bin', import.meta.url)`
    assert.deepEqual(relativeImports(text).toSorted(), [
      ...['.', '../b.ts', './a.js', './c', './d.mjs', './e.js', './f', './g.js', './h.js', './i.js'],
    ])
  })

  it('cost no more than their length, whatever they look like', () => {
    const started = performance.now()
    assert.deepEqual(relativeImports(`from${' '.repeat(200_000)}x`.repeat(5)), [])
    assert.ok(performance.now() - started < 20_000)
  })

  it('may mean a file of another ending, and one of a URL', () => {
    const [first = [], ...others] = filesMeant('/k', './a%20b.js?v=1')
    for (const file of ['/k/a b.js', '/k/a b.ts']) assert.ok(first.includes(file), file)
    assert.ok(others.flat().includes('/k/a b.js/index.js'))
  })
})

describe('a mirror of modules', () => {
  for (const [what, ending, files] of [
    ['TypeScript', 'ts', { 'k.ts': "import { n } from './lib/n.ts'\nexport default n as number" }],
    ['a module', 'mjs', { 'k.mjs': "import { n } from './lib/n.mjs'\nexport default n" }],
    ['CommonJS', 'js', { 'k.js': "const { n } = require('./lib/n')\nmodule.exports = { default: n }" }],
  ] as const)
    it(`shows what has changed in what it imports: ${what}`, async t => {
      const folder = await folderOf(t, files)
      const own = path.join(folder, `k.${ending}`)
      const write = (n: number) =>
        put(folder, {
          [`lib/n.${ending}`]: ending === 'js' ? `module.exports = { n: ${n} }` : `export const n = ${n}`,
        })
      const innerOf = (loaded: unknown): unknown =>
        typeof loaded === 'object' && loaded !== null && 'default' in loaded ? loaded.default : loaded
      await write(1)
      const first = await mirrored(t, own)
      assert.equal(innerOf(await first.load()), 1)
      await write(2)
      const second = await mirrored(t, own)
      assert.equal(innerOf(await second.load()), 2)
      assert.notEqual(first.code, second.code)
      // one that was made before a change and is loaded after it
      await write(3)
      const third = await mirrored(t, own)
      await put(folder, { [`lib/n.${ending}`]: 'no code at all {', [`k.${ending}`]: '{' })
      assert.equal(innerOf(await third.load()), 3)
    })

  it('says of a module what sha256sum says', async t => {
    const alone = 'export default 1\n'
    const many = {
      'k.mjs': "import './b/c.mjs'\nimport '../kinds-of-others/d.mjs'\n",
      'b/c.mjs': "import '../a.mjs'",
    }
    const folder = await folderOf(t, {
      'kinds/alone.mjs': alone,
      'kinds-of-others/d.mjs': '',
      'kinds/a.mjs': '1',
    })
    await put(path.join(folder, 'kinds'), many)
    const kinds = path.join(folder, 'kinds')
    assert.equal((await mirrored(t, path.join(kinds, 'alone.mjs'))).code, sha256(alone))
    const list = execFileSync('sha256sum', ['../kinds-of-others/d.mjs', 'a.mjs', 'b/c.mjs', 'k.mjs'], {
      cwd: kinds,
    })
    assert.equal((await mirrored(t, path.join(kinds, 'k.mjs'))).code, sha256(String(list)))
  })

  it('leads to everything else where it lies: packages, data beside it, what a package is', async t => {
    const folder = await folderOf(t, {
      'package.json': '{ "type": "module" }',
      'node_modules/dependency/package.json':
        '{ "name": "dependency", "exports": "./main.js", "type": "module" }',
      'node_modules/dependency/main.js': 'export default "package"',
      'kinds/k.js': `
        import { readFileSync } from 'node:fs'
        import dependency from 'dependency'
        import { deep } from './lib/deep/deep.js'
        const read = name => readFileSync(new URL(name, import.meta.url), 'utf8')
        export default [dependency, deep, read('./texts/a.txt'), read('./lib/b.txt'), read('../c.txt')]`,
      'kinds/lib/deep/deep.js': 'export const deep = "deep"',
      'kinds/texts/a.txt': 'a',
      'kinds/lib/b.txt': 'b',
      'c.txt': 'c',
    })
    const { load, copy, root } = await mirrored(t, path.join(folder, 'kinds/k.js'))
    assert.deepEqual(await load(), ['package', 'deep', 'a', 'b', 'c'])
    assert.equal(copy, path.join(root, folder, 'kinds/k.js'))
    assert.ok(lstatSync(copy).isFile())
    assert.equal(readlinkSync(path.join(root, folder, 'node_modules')), path.join(folder, 'node_modules'))
  })

  it('follows links, as of a volume that Kubernetes mounts', async t => {
    const folder = await folderOf(t, {
      'kinds/..2024/k.mjs': "import { n } from './n.mjs'\nexport default n",
      'kinds/..2024/n.mjs': 'export const n = 1',
      'shared/s.mjs': 'export const s = 1',
      'kinds/uses.mjs':
        "import { s } from './link/s.mjs'\nimport { t } from './t.mjs'\nexport default [s, t]",
      'elsewhere/t.mjs': 'export const t = 1',
    })
    const kinds = path.join(folder, 'kinds')
    await symlink('..2024', path.join(kinds, '..data'))
    await symlink('..data/k.mjs', path.join(kinds, 'k.mjs'))
    await symlink(path.join(folder, 'shared'), path.join(kinds, 'link'))
    await symlink(path.join(folder, 'elsewhere/t.mjs'), path.join(kinds, 't.mjs'))
    const k = await mirrored(t, path.join(kinds, 'k.mjs'))
    const uses = await mirrored(t, path.join(kinds, 'uses.mjs'))
    await put(folder, { 'kinds/..2024/n.mjs': '{', 'shared/s.mjs': '{', 'elsewhere/t.mjs': '{' })
    assert.equal(await k.load(), 1)
    assert.deepEqual(await uses.load(), [1, 1])
  })

  it('takes a file that is imported twice, in a circle, or through a folder with a package.json', async t => {
    const folder = await folderOf(t, {
      'k.cjs': "const { a } = require('./a.cjs'); module.exports = [a, require('./lib')]",
      'a.cjs': "require('./k.cjs'); exports.a = 1",
      'lib/package.json': '{ "main": "./main.js" }',
      'lib/main.js': 'module.exports = 2',
    })
    const { load } = await mirrored(t, path.join(folder, 'k.cjs'))
    await put(folder, { 'a.cjs': '{', 'lib/main.js': '{' })
    assert.deepEqual(await load(), [1, 2])
  })

  it('does not take a package.json above itself for that of the originals', async t => {
    const folder = await folderOf(t, {
      'k.js': "module.exports = require('./n.js')",
      'n.js': 'module.exports = 1',
    })
    const above = await folderOf(t, { 'package.json': '{ "type": "module" }' })
    const root = path.join(above, 'mirror')
    await mkdir(root)
    const mirror = createModuleMirror(root)
    const { file } = await mirror.addModule(path.join(folder, 'k.js'))
    await mirror.finish()
    assert.equal(await importModule(file), 1)
  })

  it('is bounded, and says what is too much', async t => {
    const folder = await folderOf(t, {
      'k.mjs': "import './a.mjs'; import './b.mjs'",
      'a.mjs': '1',
      'b.mjs': `'${'x'.repeat(2_000)}'`,
    })
    const file = path.join(folder, 'k.mjs')
    const add = async (options: Options) => (await mirrorOf(t, options)).mirror.addModule(file)
    await assert.rejects(
      add({ limits: { modules: { files: 2 } } }),
      /imports more than 2 files by relative paths/,
    )
    await assert.rejects(add({ limits: { modules: { bytes: 1_000 } } }), /has more than .* MiB with all/)
    await assert.rejects(add({ limits: { bytes: 1_000 } }), /files of all kinds have more than/)
    const { mirror } = await mirrorOf(t, { limits: { links: 3 } })
    await put(folder, { c: '', d: '', e: '', f: '' })
    await mirror.addModule(file)
    await assert.rejects(
      mirror.finish(),
      error => error instanceof MirrorError && /3 entries/.test(error.message),
    )
    await assert.rejects((await mirrorOf(t)).mirror.addModule(path.join(folder, 'none.mjs')), {
      code: 'ENOENT',
    })
  })

  it('says it in one way when it cannot be made', async t => {
    const folder = await folderOf(t, { 'k.mjs': '1' })
    const mirror = createModuleMirror(path.join(folder, 'k.mjs'))
    await assert.rejects(mirror.addModule(path.join(folder, 'k.mjs')), MirrorError)
  })
})

describe('a mirror of programs', () => {
  it('has the program and the small files beside it', async t => {
    const folder = await folderOf(t, {
      'p.sh': '#!/bin/sh\n. "$(dirname "$0")/helper"\ncat "$(dirname "$0")/large"\n',
      helper: 'echo one',
      large: 'x'.repeat(2 * 1024 ** 2),
      '.env': 'SECRET=1',
      '__pycache__/helper.pyc': '',
    })
    const program = path.join(folder, 'p.sh')
    await chmod(program, 0o755)
    await utimes(program, new Date(0), new Date(0))
    const { root, mirror } = await mirrorOf(t)
    const { file, code } = await mirror.addProgram(program)
    await mirror.finish()
    assert.equal(code, sha256(readFileSync(program, 'utf8')))
    assert.equal(lstatSync(file).mtimeMs, 0)
    const copied = path.join(root, folder)
    assert.deepEqual((await readdir(copied)).toSorted(), ['.env', 'helper', 'large', 'p.sh'])
    for (const name of ['.env', 'large']) assert.ok(lstatSync(path.join(copied, name)).isSymbolicLink(), name)
    await put(folder, { 'p.sh': 'exit 1', helper: 'exit 1' })
    assert.match(execFileSync(file, { encoding: 'utf8', maxBuffer: 16 * 1024 ** 2 }), /^one\nx+$/)
  })
})

describe('the mirrors of a process', () => {
  const open = (dir: string, over: { instance?: string; living?: string[]; clock?: () => Date } = {}) =>
    createModuleCopies({
      dir,
      instance: over.instance ?? 'me',
      living: async () => new Set(over.living ?? []),
      storeId: 'store',
      clock: over.clock ?? (() => new Date()),
      log: silentLog(),
    })

  it('have folders of their own, which texts do not show', async t => {
    const dir = path.join(await folderOf(t), "a b?#%'(c)")
    const folder = await folderOf(t, { 'k.mjs': 'throw new Error(import.meta.url)' })
    const copies = open(dir)
    undo(t, copies.close)
    for (const number of [1, 2]) {
      const mirror = await copies.open()
      const { file } = await mirror.addModule(path.join(folder, 'k.mjs'))
      await mirror.finish()
      assert.equal(file, path.join(dir, 'kinds-me', String(number), folder, 'k.mjs'))
      const error = await importModule(file).then(
        () => assert.fail('it is loaded'),
        (thrown: Error) => copies.plainError((thrown as { cause?: unknown }).cause) as Error,
      )
      assert.equal(error.message, `file://${folder}/k.mjs`)
      assert.ok(!String(error.stack).includes('kinds-me'), error.stack)
      await mirror.remove()
      assert.deepEqual(await readdir(path.join(dir, 'kinds-me')), ['owner'])
    }
    await copies.close()
    assert.deepEqual(await readdir(dir), [])
  })

  it('are swept when their process is dead, and not before', async t => {
    const dir = await folderOf(t)
    const { space } = thisProcess()
    const dead = markOf(markPrefix('store'), 'worker', 0).replace(/:\d+:/, ':4194303:')
    await put(dir, {
      'kinds-dead/owner': `${dead}\n${hostname()}\n`,
      'kinds-dead/1/home/k.mjs': '',
      'kinds-alive/owner': `${dead}\n${hostname()}\n`,
      'kinds-mine/owner': `${markOf(markPrefix('store'), 'worker', 0)}\n${hostname()}\n`,
      'kinds-young/1/k.mjs': '',
      'kinds-old/1/k.mjs': '',
      'else/owner': `${dead}\n${hostname()}\n`,
    })
    const outside = await folderOf(t, { kept: '' })
    await symlink(outside, path.join(dir, 'kinds-link'))
    await symlink(outside, path.join(dir, 'kinds-dead/1/link'))
    await utimes(path.join(dir, 'kinds-old'), new Date(0), new Date(0))
    await open(dir, { living: ['alive'] }).sweep()
    const left = (await readdir(dir)).toSorted()
    assert.deepEqual(left, [
      ...[
        'else',
        'kinds-alive',
        ...(space === null ? ['kinds-dead'] : []),
        'kinds-link',
        'kinds-mine',
        'kinds-young',
      ],
    ])
    assert.deepEqual(await readdir(outside), ['kept'])
  })

  it('stay while the process touches them, also where nothing proves that it lives', async t => {
    const dir = await folderOf(t)
    const copies = open(dir)
    undo(t, copies.close)
    await copies.open()
    await rm(path.join(dir, 'kinds-me/owner'))
    await open(dir, { instance: 'other', clock: () => new Date(Date.now() + HOUR_MS) }).sweep()
    assert.deepEqual(await readdir(dir), ['kinds-me'])
    await open(dir, { instance: 'other', clock: () => new Date(Date.now() + 25 * HOUR_MS) }).sweep()
    assert.deepEqual(await readdir(dir), [])
  })
})
