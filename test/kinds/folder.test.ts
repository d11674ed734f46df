// A folder of kinds as users have them: what is broken in it is named with the reason, and the rest runs.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { DEFAULT_KIND_SETTINGS } from '../../src/core/kind.ts'
import { describeTroubles, publicReason, seenKindTroubles } from '../../src/core/kind-trouble.ts'
import { createKindReader, loadKinds } from '../../src/load-kinds.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createModuleCopies } from '../../src/platform/module-copies.ts'
import { undo } from '../support/undo.ts'

const kind = (change = ''): string =>
  `export default ({ defineKind, z }) => defineKind({ summary: 's', params: z.object({ n: z.number() }),
  result: z.number(), example: { n: 1 }, run: ({ n }) => n, ${change} })`

describe('a folder of kinds', () => {
  it('runs what is good, and names what is broken with a reason that has no path in it', async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    const files: Record<string, string> = {
      'good.mjs': kind(),
      'throws.mjs': `throw new Error('cannot open ${folder}/secret/file.txt and /etc/hidden/other.txt')`,
      'syntax.ts': 'export default {',
      'nothing.mjs': 'export const other = 1',
      'later.mjs': 'export default async () => 1',
      'function-throws.mjs': 'export default () => { throw new Error("it broke") }',
      'no-run.mjs': kind('run: 1'),
      'example.mjs': kind('example: { n: "one" }'),
      'schema.mjs': kind('params: z.object({ n: z.bigint().optional() }), example: {}'),
      'check-throws.mjs': kind('params: z.any().refine(() => { throw new Error("own check") })'),
      'twice.mjs': kind(),
      'twice.ts': kind(),
      'calcpi.mjs': kind(),
      'Bad Name.mjs': kind(),
    }
    for (const [name, text] of Object.entries(files)) await writeFile(path.join(folder, name), text)
    const { kinds, files: found } = await loadKinds({ kindsDir: folder, kindSettings: DEFAULT_KIND_SETTINGS })
    assert.deepEqual(kinds.names(), ['binomial', 'calcpi', 'good', 'manual', 'parse', 'sleep', 'thumbnails'])
    assert.deepEqual([...found.keys()].sort(), kinds.names())
    assert.doesNotMatch(found.get('calcpi') ?? '', /madhava-kinds-/)
    const reasons = Object.fromEntries(kinds.troubles().map(({ file, reason }) => [file, reason]))
    assert.deepEqual(
      Object.keys(reasons).sort(),
      Object.keys(files)
        .filter(name => name !== 'good.mjs')
        .sort(),
    )
    for (const [file, reason] of Object.entries(reasons)) {
      assert.ok(!reason.includes(folder) && !reason.includes('hidden'), `${file}: ${reason}`)
      assert.ok(
        reason.length <= 503 && !reason.startsWith(file) && !/[\n\r]/.test(reason),
        `${file}: ${reason}`,
      )
    }
    const words: Record<string, RegExp> = {
      'throws.mjs': /^cannot open secret\/file\.txt and other\.txt$/,
      'function-throws.mjs': /it broke/,
      'no-run.mjs': /run/,
      'example.mjs': /example/,
      'schema.mjs': /JSON Schema/,
      'check-throws.mjs': /own check/,
      'twice.mjs': /2 files define the kind twice \(twice\.mjs, twice\.ts\)/,
      'calcpi.mjs': /has a kind calcpi of its own/,
      'Bad Name.mjs': /rename the file/,
    }
    for (const [file, text] of Object.entries(words)) assert.match(reasons[file] ?? '', text, file)
  })

  it('is read where no copies can be made, the first time; later the set in use stays', async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    await mkdir(path.join(folder, 'kinds'))
    await writeFile(path.join(folder, 'kinds/good.mjs'), kind())
    await writeFile(path.join(folder, 'no-folder'), '')
    const copies = createModuleCopies({
      ...{ dir: path.join(folder, 'no-folder'), instance: 'me', storeId: 'store' },
      ...{ living: async () => new Set(), clock: () => new Date(), log: silentLog() },
    })
    const config = {
      kindsDir: path.join(folder, 'kinds'),
      kindSettings: DEFAULT_KIND_SETTINGS,
      builtInKinds: [],
    }
    const reader = createKindReader(config, copies, silentLog())
    const { kinds, files, codes } = await reader.read()
    assert.deepEqual(kinds.names(), ['good'])
    assert.equal(files.get('good'), path.join(folder, 'kinds/good.mjs'))
    assert.match(codes.get('good') ?? '', /^[\da-f]{64}$/)
    await assert.rejects(reader.read(), { code: 'KIND_INVALID', message: /cannot be copied .*ENOTDIR/ })
  })

  it('names a kind, and what is wrong with it, by the link and not by what it leads to', async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    await mkdir(path.join(folder, 'kinds'))
    await writeFile(path.join(folder, 'code.mjs'), kind())
    await writeFile(path.join(folder, 'bad.mjs'), "throw new Error('bad')")
    for (const [name, target] of [
      ['one', 'code'],
      ['two', 'code'],
      ['three', 'bad'],
    ])
      await symlink(path.join(folder, `${target}.mjs`), path.join(folder, 'kinds', `${name}.mjs`))
    const copies = createModuleCopies({
      ...{ dir: path.join(folder, 'scratch'), instance: 'me', storeId: 'store' },
      ...{ living: async () => new Set(), clock: () => new Date(), log: silentLog() },
    })
    undo(t, copies.close)
    const config = {
      kindsDir: path.join(folder, 'kinds'),
      kindSettings: DEFAULT_KIND_SETTINGS,
      builtInKinds: [],
    }
    const { kinds, codes } = await createKindReader(config, copies, silentLog()).read()
    assert.deepEqual(kinds.names(), ['one', 'two'])
    assert.equal(codes.get('one'), codes.get('two'))
    assert.deepEqual(kinds.troubles(), [{ name: 'three', file: 'three.mjs', reason: 'bad' }])
  })

  it('has the built-in kinds that are wanted, and frees the names of the others', async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    await writeFile(path.join(folder, 'calcpi.mjs'), kind())
    const load = (builtInKinds: readonly string[] | null) =>
      loadKinds({ kindsDir: folder, kindSettings: DEFAULT_KIND_SETTINGS, builtInKinds })
    const some = await load(['sleep', 'parse'])
    assert.deepEqual(some.kinds.names(), ['calcpi', 'parse', 'sleep'])
    assert.deepEqual([...some.builtIn].sort(), ['parse', 'sleep'])
    assert.match(some.files.get('calcpi') ?? '', /madhava-kinds-/)
    const none = await load([])
    assert.deepEqual([none.kinds.names(), none.builtIn.size], [['calcpi'], 0])
    await assert.rejects(load(['slep']), {
      code: 'CONFIG_INVALID',
      message: /^BUILT_IN_KINDS: there is no built-in kind slep; did you mean sleep\? There are binomial, /,
    })
    await assert.rejects(load(['no-such']), { message: /no-such\. There are binomial, / })
  })

  it('stops a start only where the folder itself cannot be read', async () => {
    await assert.rejects(
      loadKinds({ kindsDir: path.join(tmpdir(), 'madhava-no-such'), kindSettings: DEFAULT_KIND_SETTINGS }),
      { code: 'KIND_INVALID', message: /cannot be read \(ENOENT\)/ },
    )
  })
})

describe('the reason of a kind in trouble', () => {
  it('contains no folder of this machine, is bounded, and is on one line', () => {
    for (const [text, shown] of [
      [
        "Cannot find module '/a/b/c.mjs' imported from /a/b/d.mjs",
        "Cannot find module 'c.mjs' imported from d.mjs",
      ],
      ['file:///home/me/x.ts:3\n  syntax', 'x.ts:3 syntax'],
      ['see https://example.org/a/b and 1/2', 'see https://example.org/a/b and 1/2'],
      ['x'.repeat(501), `${'x'.repeat(500)}...`],
    ] as const)
      assert.equal(publicReason(text), shown)
  })

  it('is listed once, with the roles of all living processes that report it', () => {
    const one = { name: 'a', file: 'a.ts', reason: 'r' }
    const of = (role: string, alive = true) =>
      ({ role, alive, details: { kindsInTrouble: [one] } }) as unknown as Parameters<
        typeof seenKindTroubles
      >[1][0]
    assert.deepEqual(seenKindTroubles([one], [of('worker'), of('rpc'), of('worker'), of('api', false)]), [
      { ...one, roles: ['rpc', 'worker'] },
    ])
    assert.deepEqual(seenKindTroubles([], [of('api', false)]), [])
    const many = Array.from({ length: 7 }, (_, n) => ({ ...one, file: `${n}.ts` }))
    assert.equal(describeTroubles(many), '0.ts: r; 1.ts: r; 2.ts: r; 3.ts: r; 4.ts: r; and 2 more')
  })
})
