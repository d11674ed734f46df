// A kind that imports `madhava` gets the modules of the program that loads it, wherever it lies and whatever stands
// beside it: compiled, as a server runs, and from the sources, as tests run.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkExample, loadKind } from '../../src/core/kind.ts'
import { importModule } from '../../src/platform/modules.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const body = (more: string): string =>
  `defineKind({ summary: 's', params: z.strictObject({ a: z.int() }), result: z.int(), example: { a: 1 }, run: ({ a }) => ${more} })`
/** What it imports from a folder below imports the package for itself. */
const asModule = (ending: string): string => `import { defineKind, z } from 'madhava'
import { createClient } from 'madhava/client'
import { checked } from './lib/checked.${ending}'
if (typeof createClient !== 'function') throw new Error('no client')
export default ${body('checked(a)')}`
const AS_SCRIPT = `const { defineKind, z } = require('madhava')
const { createClient } = require('madhava/client')
if (typeof createClient !== 'function') throw new Error('no client')
module.exports = ${body('a')}`

const TYPES = ['none', 'module', 'commonjs'] as const
const filesIn = (type: (typeof TYPES)[number]): Record<string, string> => ({
  ...(type === 'none' ? {} : { 'package.json': JSON.stringify({ type }) }),
  'a.ts': asModule('ts'),
  'b.mts': asModule('mjs'),
  'c.mjs': asModule('mjs'),
  'd.js': type === 'module' ? asModule('mjs') : AS_SCRIPT,
  // Node sees by itself that it is a module
  ...(type === 'none' ? { 'e.js': asModule('mjs') } : {}),
  'lib/checked.ts': `import { z } from 'madhava'\nexport const checked = (a: unknown): number => z.int().parse(a)`,
  'lib/checked.mjs': `import { z } from 'madhava'\nexport const checked = a => z.int().parse(a)`,
  // another one is beside them, which nothing may load
  ...(type === 'none'
    ? {}
    : {
        'node_modules/madhava/package.json': JSON.stringify({
          ...{ name: 'madhava', type: 'module', exports: { '.': './wrong.js', './client': './wrong.js' } },
        }),
        'node_modules/madhava/wrong.js': 'throw new Error("this is the wrong copy")',
      }),
})
const KIND_FILE = /^[a-e]\.m?[jt]s$/

describe('a kind that imports madhava', { timeout: 300_000 }, () => {
  let root: string
  const files: string[] = []
  before(() => {
    root = mkdtempSync(path.join(tmpdir(), 'madhava-own-'))
    for (const type of TYPES)
      for (const [name, text] of Object.entries(filesIn(type))) {
        const file = path.join(root, `kinds ${type}`, name)
        mkdirSync(path.dirname(file), { recursive: true })
        writeFileSync(file, text)
        if (KIND_FILE.test(name)) files.push(file)
      }
  })
  after(() => rmSync(root, { recursive: true, force: true }))

  it('gets the very modules of the server, in each thread anew, from TypeScript and JavaScript of both sorts', () => {
    const program = path.join(root, 'program.mjs')
    const from = (name: string): string => JSON.stringify(path.join(ROOT, name))
    writeFileSync(
      program,
      `import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
if (isMainThread) {
  for (const file of JSON.parse(process.argv[2])) {
    const worker = new Worker(new URL(import.meta.url), { workerData: file })
    worker.on('message', text => console.log(text)).on('error', error => console.log(String(error)))
    await new Promise(resolve => worker.once('exit', resolve))
  }
} else {
  const own = await import(${from('dist/define-kind.js')})
  const { importModule } = await import(${from('dist/platform/modules.js')})
  const kind = await importModule(workerData)
  const isSame = kind.params.constructor === own.z.strictObject({}).constructor
  parentPort.postMessage(JSON.stringify([workerData, await kind.run({ a: 3 }), isSame]))
}`,
    )
    const { stdout, stderr } = spawnSync(process.execPath, [program, JSON.stringify(files)], {
      encoding: 'utf8',
      cwd: root,
    })
    assert.deepEqual(
      stdout.trim().split('\n'),
      files.map(file => JSON.stringify([file, 3, true])),
      stderr,
    )
    assert.doesNotMatch(stderr, /ExperimentalWarning/)
  })

  it('leaves its thread fit for other kinds: what finds the package is no change of shared objects', () => {
    const folder = path.join(root, 'threads')
    const program = path.join(root, 'threads.mjs')
    // when its thread began: no two began at the same time
    const kind = (imports: string, open: string, close: string): string =>
      `${imports}export default ${open}defineKind({ summary: 's', params: z.strictObject({}), result: z.number(), example: {}, run: () => performance.timeOrigin })${close}`
    const imported = kind(`import { defineKind, z } from 'madhava'\n`, '', '')
    const names = ['one.ts', 'two.mjs', 'three.ts', 'four.mjs']
    mkdirSync(folder)
    writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}')
    for (const name of names.slice(0, 3)) writeFileSync(path.join(folder, name), imported)
    writeFileSync(path.join(folder, 'four.mjs'), kind('', '({ defineKind, z }) => ', ''))
    writeFileSync(
      program,
      `import { createThreads } from ${JSON.stringify(path.join(ROOT, 'dist/worker/pool/pool.js'))}
const threads = createThreads({ size: 1, memoryMb: 128 })
const events = { started() {}, progress() {}, log() {}, checkpoint() {}, submit: async () => ({}) }
for (const name of ${JSON.stringify(names)}) {
  const request = { id: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f', attempt: 1, kind: name.split('.')[0], resume: null, params: {} }
  const { outcome } = threads.run({ ...request, file: ${JSON.stringify(`${folder}/`)} + name }, events)
  const end = await outcome
  console.log(end.result?.json ?? JSON.stringify(end))
}
await threads.close()`,
    )
    const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
    const ids = stdout.trim().split('\n')
    assert.match(ids[0] ?? '', /^[\d.]+$/, stdout + stderr)
    assert.deepEqual(
      ids,
      names.map(() => ids[0]),
    )
  })

  it('is a kind too where the server runs from its sources', async () => {
    for (const file of files) {
      const kind = loadKind('counted', await importModule(file), path.basename(file))
      await checkExample(kind, path.basename(file))
      assert.equal(await kind.run({ a: 3 }, {} as never), 3, file)
    }
  })

  it('is told as a kind in trouble when it asks for an entry that there is not', async () => {
    const file = path.join(root, 'other.mjs')
    writeFileSync(file, `import 'madhava/no-such-entry'\nexport default 1`)
    await assert.rejects(importModule(file), /^ModuleLoadError: other\.mjs: .*madhava/)
  })

  it('finds the entries that package.json has, and no others', () => {
    const { exports } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
      exports: Record<string, { default: string } | string>
    }
    const packed = Object.entries(exports).flatMap(([name, entry]) =>
      typeof entry === 'string'
        ? []
        : [[`madhava${name.slice(1)}`, entry.default.slice('./dist/'.length, -'.js'.length)]],
    )
    const text = readFileSync(path.join(ROOT, 'src/platform/own-package.ts'), 'utf8')
    const known = [...text.matchAll(/^ {2}'?(madhava[^':]*)'?: urlOf\('(.+)'\),$/gm)].map(
      ([, name, place]) => [name, place],
    )
    assert.deepEqual(known, packed)
    const { compilerOptions } = JSON.parse(readFileSync(path.join(ROOT, 'tsconfig.json'), 'utf8')) as {
      compilerOptions: { paths: Record<string, string[]> }
    }
    assert.deepEqual(
      compilerOptions.paths,
      Object.fromEntries(packed.map(([name, place]) => [name, [`./src/${place}.ts`]])),
    )
  })

  it('needs no hook where Node finds the server beside it, as in a project that has installed it', async () => {
    // what is linked there is this checkout, so a second copy would be another module
    const folder = path.join(root, 'project')
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true })
    mkdirSync(path.join(folder, 'kinds'))
    symlinkSync(ROOT, path.join(folder, 'node_modules/madhava'))
    const file = path.join(folder, 'kinds/a.mjs')
    writeFileSync(file, `import { defineKind, z } from 'madhava'\nexport default ${body('a')}`)
    const program = path.join(root, 'beside.mjs')
    writeFileSync(
      program,
      `const own = await import(${JSON.stringify(path.join(ROOT, 'dist/define-kind.js'))})
const { importModule } = await import(${JSON.stringify(path.join(ROOT, 'dist/platform/modules.js'))})
const kind = await importModule(${JSON.stringify(file)})
console.log(kind.params.constructor === own.z.strictObject({}).constructor)`,
    )
    const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' })
    assert.equal(stdout, 'true\n', stderr)
  })
})
