// The package as people get it: what is in it, and that each of its entries can be used, with its types, from modules
// of both sorts.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { installProject, type Project } from '../support/installed.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const ENTRIES = ['madhava', 'madhava/client', 'madhava/rpc', 'madhava/testing']
const TSC = path.join(ROOT, 'node_modules/typescript/bin/tsc')
const MIB = 1024 ** 2

const KIND = `import { defineKind, upload, z, type Artifact, type Json, type TaskContext } from 'madhava'

const tell = (ctx: TaskContext, text: string): void => ctx.log(text, 'warn')

export default defineKind({
  summary: 'Counts words',
  params: z.strictObject({ text: z.string(), times: z.int().default(1), file: upload({ maxBytes: 1000 }).optional() }),
  result: z.strictObject({ words: z.int(), bytes: z.int() }),
  example: { text: 'a b', times: 2 },
  async run({ text, times, file }, ctx) {
    tell(ctx, 'begun')
    const words: number = text.split(' ').length * times
    if (file) for await (const piece of (await ctx.upload(file)).stream()) ctx.log(String(piece))
    ctx.progress(50, 'half', { words } satisfies Json)
    const kept: Artifact = await ctx.artifact('words.txt', String(words))
    await ctx.exec('true', [], { timeout: 1000 })
    return { words, bytes: kept.bytes }
  },
})
`
const USE = `import { ApiError, createClient, type Task } from 'madhava/client'
import { createRpcClient, RpcError, type RpcTask } from 'madhava/rpc'
import { runKind, startMadhava } from 'madhava/testing'
import { z } from 'madhava'
import kind = require('./kind.KIND')

export const words = async (): Promise<number> => (await runKind(kind.default, { text: 'a' })).result.words
export const whole = async (): Promise<Task> => {
  const { client, stop } = await startMadhava({ kinds: './kinds', roles: ['api', 'worker'] })
  const task = await client.submit({ kind: 'word-count' })
  await stop()
  return task
}
export const ended = async (id: string): Promise<Task> => createClient({ baseUrl: 'http://localhost:8000' }).wait(id)
export const rpc = async (id: string): Promise<RpcTask> => createRpcClient({ port: 9000 }).get(id)
export const codeOf = (error: unknown): string =>
  error instanceof ApiError || error instanceof RpcError ? error.code : z.string().parse(error)
// @ts-expect-error a result has a type
export const wrong = async (): Promise<string> => (await runKind(kind.default, { text: 'a' })).result.words
`
const asModule = (text: string): string =>
  text.replace("import kind = require('./kind.KIND')", "import * as kind from './kind.KIND'")

const STRICT = {
  strict: true,
  skipLibCheck: false,
  noEmit: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
}

describe('the package', { timeout: 600_000 }, () => {
  let project: Project
  before(() => {
    project = installProject()
  })
  after(() => project?.remove())

  it('has what runs, its types and the docs, and is small', () => {
    const names = project.files.map(file => file.path)
    const wanted = [
      ...['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json', 'ecosystem.config.cjs', '.env.example'],
      ...['bin/madhava.mjs', 'bin/start.mjs', 'bin/fsck.mjs', 'idl/rpcinterface.thrift', 'gen/package.json'],
      ...['dist/web/index.html', 'dist/api/web/docs.mjs', 'docs/extending.md', 'examples/kinds/shell.ts'],
    ]
    assert.deepEqual(
      wanted.filter(name => !names.includes(name)),
      [],
    )
    // the tests of examples/project are part of what it shows
    const needless =
      /^(?!examples\/).*(?:^|\/)(?:src|test|bench|screenshots)\/|node_modules\/|\.(?:map|webp|png|tsx)$|^dist\/\./
    assert.deepEqual(
      names.filter(name => needless.test(name)),
      [],
    )
    const unpacked = project.files.reduce((sum, { size }) => sum + size, 0)
    assert.ok(readFileSync(project.tarball).length < 2 * MIB, 'the tarball')
    assert.ok(unpacked < 6 * MIB, `unpacked ${unpacked}`)
  })

  it('has a file for every relative import of what it runs', () => {
    const root = path.join(project.folder, 'node_modules/madhava')
    const names = new Set(project.files.map(file => file.path))
    const missing = [...names]
      .filter(name => /\.m?js$|\.d\.ts$/.test(name) && !name.startsWith('dist/web/'))
      .flatMap(name =>
        [...readFileSync(path.join(root, name), 'utf8').matchAll(/(?:from |import\()'(\.[^']+)'/g)].map(
          ([, target = '']) => ({ name, target: path.join(path.dirname(name), target) }),
        ),
      )
      // a declaration stands beside its module; gen/js has the compiler's own
      .filter(
        ({ name, target }) => !names.has(name.endsWith('.d.ts') ? target.replace(/\.js$/, '.d.ts') : target),
      )
      // comments name the types of the sources, and what loads TypeScript is for the sources alone
      .filter(({ name, target }) => !target.startsWith('src/') && !/\/boot[\w-]*\.mjs$/.test(name))
    assert.deepEqual(missing, [])
  })

  it('passes publint', async () => {
    const { messages } = await publint({
      pkgDir: path.join(project.folder, 'node_modules/madhava'),
      pack: false,
      strict: true,
    })
    const pkg = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Record<string, unknown>
    assert.deepEqual(
      messages.map(message => formatMessage(message, pkg)),
      [],
    )
  })

  it('has types that are right for every way to resolve them, but for those that an ESM package cannot serve', async () => {
    const analysis = await checkPackage(createPackageFromTarballData(readFileSync(project.tarball)))
    assert.ok(analysis.types)
    const problems = analysis.problems.filter(
      problem =>
        // node10 knows no exports; a require is given a module, which Node can load
        !('resolutionKind' in problem && problem.resolutionKind === 'node10') &&
        problem.kind !== 'CJSResolvesToESM',
    )
    assert.deepEqual(problems, [])
    assert.deepEqual(Object.keys(analysis.entrypoints).sort(), [
      ...['.', './client', './package.json', './rpc', './testing'],
    ])
  })

  for (const [type, module] of [
    ['module', 'nodenext'],
    ['commonjs', 'nodenext'],
    ['module', 'bundler'],
  ] as const)
    it(`type-checks strictly in a project of type ${type} with module ${module}, with nothing else installed`, () => {
      const name = `types-${type}-${module}`
      const use = type === 'module' ? asModule(USE) : USE
      const compilerOptions =
        module === 'bundler'
          ? { ...STRICT, target: 'es2023', module: 'esnext', moduleResolution: 'bundler' }
          : { ...STRICT, target: 'es2023', module }
      project.write({
        [`${name}/package.json`]: JSON.stringify({ type }),
        [`${name}/tsconfig.json`]: JSON.stringify({ compilerOptions, include: ['*.ts'] }),
        [`${name}/kind.ts`]: KIND,
        [`${name}/use.ts`]: use.replaceAll('./kind.KIND', module === 'bundler' ? './kind' : './kind.js'),
      })
      const { status, stdout } = project.node([TSC, '-p', name])
      assert.equal(stdout, '')
      assert.equal(status, 0)
    })

  it('is loaded by import and by require, with the same values', () => {
    project.write({
      'both.mjs': `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
for (const name of ${JSON.stringify(ENTRIES)}) {
  const [imported, required] = [await import(name), require(name)]
  const names = Object.keys(imported)
  if (names.length === 0 || names.some(each => imported[each] !== required[each])) throw new Error(name)
  console.log(name, names.join(' '))
}`,
      'require.cjs': `for (const name of ${JSON.stringify(ENTRIES)}) if (Object.keys(require(name)).length === 0) throw new Error(name)
const { runKind } = require('madhava/testing')
const { defineKind, z } = require('madhava')
const kind = defineKind({ summary: 's', params: z.strictObject({ a: z.int() }), result: z.int(), example: { a: 1 }, run: ({ a }) => a + 1 })
runKind(kind, { a: 2 }).then(({ result }) => console.log('result', result))`,
    })
    const both = project.node(['both.mjs'])
    assert.equal(both.status, 0, both.stderr)
    assert.match(both.stdout, /^madhava ExecError defineKind upload z$/m)
    assert.match(both.stdout, /^madhava\/testing runKind startMadhava$/m)
    const required = project.node(['require.cjs'])
    assert.equal(required.status, 0, required.stderr)
    assert.equal(required.stdout, 'result 3\n')
  })

  it('has declarations beside its entries and what they need, and of nothing else', () => {
    const declared = project.files.filter(file => file.path.endsWith('.d.ts'))
    assert.ok(declared.length < 50, String(declared.length))
    assert.ok(declared.reduce((sum, { size }) => sum + size, 0) < 150_000)
    const declarations = readdirSync(path.join(project.folder, 'node_modules/madhava/dist'), {
      recursive: true,
      encoding: 'utf8',
    }).filter(name => name.endsWith('.d.ts'))
    for (const name of declarations)
      assert.doesNotMatch(
        readFileSync(path.join(project.folder, 'node_modules/madhava/dist', name), 'utf8'),
        /from ['"](?:thrift|node-int64|hono|pm2)/,
        name,
      )
  })
})
