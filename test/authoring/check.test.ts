// What is wrong with a folder of kinds, and which tasks no longer fit it: told without a server, whatever the files do.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { checkFolder } from '../../src/authoring/check-folder.ts'
import { checkWaiting, MISFITS_KEPT, type WaitingTask } from '../../src/authoring/check-waiting.ts'
import { createKindChecker, type KindChecker } from '../../src/authoring/checker.ts'
import { processesWith } from '../support/find-processes.ts'
import { type Ends, undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const kind = (params: string, example: string): string => `import { defineKind, z, upload } from 'madhava'
export default defineKind({
  summary: 'A kind',
  params: ${params},
  result: z.unknown(),
  example: ${example},
  run: () => null,
})
`
const TEXT = kind('z.strictObject({ text: z.string() })', `{ text: 'a' }`)
const PROGRAM = `#!/bin/sh
echo '{"summary": "A program", "params": {"type": "object", "required": ["n"]}, "result": {}, "example": {"n": 1}}'
`

const folderOf = (
  t: Ends,
  files: Readonly<Record<string, string>>,
  executable: readonly string[] = [],
): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madhava-check-'))
  undo(t, () => rmSync(folder, { recursive: true, force: true }))
  for (const [name, text] of Object.entries(files))
    writeFileSync(path.join(folder, name), text, { mode: executable.includes(name) ? 0o755 : 0o644 })
  return folder
}
const checkerOf = (t: Ends, options?: Parameters<typeof createKindChecker>[0]): KindChecker => {
  const checker = createKindChecker(options)
  undo(t, checker.close)
  return checker
}
const linesOf = (said: readonly { file: string; reason: string }[]): string[] =>
  said.map(({ file, reason }) => `${file}: ${reason}`)

describe('a folder of kinds that is checked', { timeout: 300_000 }, () => {
  it('has its kinds with their params, modules and programs alike', async t => {
    const folder = folderOf(
      t,
      {
        'words.ts': TEXT,
        'pack.mjs': kind(
          'z.strictObject({ file: upload() })',
          `{ file: { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' } }`,
        ),
        'count.sh': PROGRAM,
        'words.test.ts': 'throw 1',
        'notes.md': '#',
      },
      ['count.sh'],
    )
    const { kinds, troubles, warnings } = await checkFolder(folder, { checker: checkerOf(t) })
    assert.deepEqual(
      kinds.map(({ name, file, summary }) => [name, file, summary]),
      [
        ['count', 'count.sh', 'A program'],
        ['pack', 'pack.mjs', 'A kind'],
        ['words', 'words.ts', 'A kind'],
      ],
    )
    assert.deepEqual([troubles, warnings], [[], []])
    assert.deepEqual(kinds[0]?.params, { type: 'object', required: ['n'] })
  })

  it('is told of with every file that cannot be used, whatever that does to its process', async t => {
    const folder = folderOf(
      t,
      {
        'a-good.ts': TEXT,
        'half.mjs': 'export default { summary: 1',
        'exits.mjs': 'process.exit(3)',
        'kills.mjs': `process.kill(process.pid, 'SIGKILL')`,
        'no-example.ts': kind('z.strictObject({ n: z.int() })', `{ n: 'x' }`),
        'nothing.js': 'export const a = 1',
        'spins.mjs': 'for (;;);',
        'stray.mjs': `Promise.reject(new Error('nobody waits')); await new Promise(resolve => setTimeout(resolve, 1e6))`,
        'waits.mjs': 'await new Promise(resolve => setTimeout(resolve, 1e6))',
        'calcpi.mjs': TEXT,
        'Big.mjs': TEXT,
        'test-a.mjs': 'export const a = 1',
        'two.mjs': TEXT,
        'two.sh': PROGRAM,
        'plain.py': 'print(1)',
        'sad.sh': '#!/bin/sh\necho why >&2\nexit 4\n',
        'z-good.mjs': TEXT,
      },
      ['two.sh', 'sad.sh'],
    )
    const { kinds, troubles } = await checkFolder(folder, { checker: checkerOf(t, { answerMs: 10_000 }) })
    assert.deepEqual(
      kinds.map(({ name }) => name),
      ['a-good', 'z-good'],
    )
    const late = 'there is no answer after 10 s: does it wait or compute for ever?'
    const twice = '2 files define the kind two (two.mjs, two.sh); rename them'
    const lines = linesOf(troubles)
    const patterns = [
      /^Big\.mjs: the file's name is the kind's name and must match/,
      /^calcpi\.mjs: Madhava has a kind calcpi of its own; rename the file, or leave that one out with BUILT_IN_KINDS$/,
      /^exits\.mjs: it calls process\.exit\(3\)$/,
      /^half\.mjs: Unexpected end of input$/,
      /^kills\.mjs: it ends the process that loads it, with SIGKILL$/,
      /^no-example\.ts: its example does not fit its params: n: /,
      /^nothing\.js: it has no default export/,
      /^plain\.py: it is not executable\. If it is a kind: chmod \+x plain\.py/,
      /^sad\.sh: --describe ended with exit code 4: why$/,
      /^spins\.mjs: there is no answer/,
      /^stray\.mjs: nobody waits$/,
      /^test-a\.mjs: it has no default export.*\. If it is a test, name it NAME\.test\.ts/,
      /^two\.mjs: 2 files/,
      /^two\.sh: 2 files/,
      /^waits\.mjs: there is no answer/,
    ]
    assert.equal(lines.length, patterns.length, lines.join('\n'))
    for (const [at, pattern] of patterns.entries()) assert.match(lines[at] ?? '', pattern)
    assert.ok(lines.includes(`spins.mjs: ${late}`) && lines.includes(`two.sh: ${twice}`))
    for (const text of lines) assert.doesNotMatch(text, new RegExp(folder))
  })

  it('may have a kind of the name of a built-in one that is left out', async t => {
    const folder = folderOf(t, { 'calcpi.mjs': TEXT })
    const checker = checkerOf(t)
    assert.deepEqual((await checkFolder(folder, { checker, builtIn: 'sleep' })).troubles, [])
    assert.equal((await checkFolder(folder, { checker, builtIn: 'sleep, calcpi' })).troubles.length, 1)
  })

  it('is warned of where something looks like a kind and is none', async t => {
    const folder = folderOf(
      t,
      {
        'old.cjs': '',
        'page.tsx': '',
        tool: '#!/bin/sh\n',
        Count: PROGRAM,
        LICENSE: 'x',
        text: 'x',
        '_shared.sh': '#!/bin/sh\n',
        'data.json': '{}',
      },
      ['Count', 'LICENSE'],
    )
    symlinkSync('nowhere', path.join(folder, 'loose'))
    const { kinds, troubles, warnings } = await checkFolder(folder, { checker: checkerOf(t) })
    assert.deepEqual([kinds, troubles], [[], []])
    assert.deepEqual(linesOf(warnings), [
      'Count: it is no kind: a name with a capital and no ending is taken for a text; count would be one',
      'old.cjs: it is no kind: a module ends in .ts, .mts, .js or .mjs',
      'page.tsx: it is no kind: a module ends in .ts, .mts, .js or .mjs',
      'tool: it begins with #! and is not executable: chmod +x tool, if it is a kind',
    ])
  })

  it('leaves no process when the check is given up, also one that a program has become', async t => {
    const mark = `600.${process.pid}`
    const folder = folderOf(t, { 'slow.sh': `#!/bin/sh\nsleep ${mark}\n` }, ['slow.sh'])
    const checker = createKindChecker()
    undo(t, checker.close)
    const checking = checkFolder(folder, { checker })
    await until('it is asked', () => processesWith(mark).length > 0)
    checker.close()
    await checking.catch(() => {})
    await until('it is gone', () => processesWith(mark).length === 0)
  })
})

describe('the tasks that wait for a folder of kinds', { timeout: 300_000 }, () => {
  const open = async (t: Ends, files: Record<string, string>, executable: string[] = []) => {
    const checker = checkerOf(t, { answerMs: 10_000 })
    const report = await checkFolder(folderOf(t, files, executable), { checker })
    return (tasks: AsyncIterable<WaitingTask>) => checkWaiting(tasks, { report, checker })
  }
  const task = (id: string, of: string, params: WaitingTask['params']): WaitingTask => ({
    ...{ id, kind: of, status: 'PENDING', params },
  })
  async function* from(tasks: readonly WaitingTask[]): AsyncGenerator<WaitingTask> {
    yield* tasks
  }

  it('are told of one by one where their params no longer fit, and by kind where nothing runs them', async t => {
    const check = await open(t, { 'words.ts': TEXT, 'count.sh': PROGRAM, 'half.mjs': 'export default {' }, [
      'count.sh',
    ])
    const { tasks, unfit, misfits, vanished } = await check(
      from([
        task('1', 'words', { text: 'a' }),
        task('2', 'words', { texts: ['a'] }),
        task('3', 'count', { n: 1 }),
        task('4', 'count', {}),
        task('5', 'gone', {}),
        task('6', 'gone', {}),
        task('7', 'half', {}),
        task('8', 'calcpi', { digits: 'whatever' }),
      ]),
    )
    assert.deepEqual([tasks, unfit], [8, 2])
    assert.deepEqual(misfits.map(({ id, kind: of }) => [id, of]).sort(), [
      ['2', 'words'],
      ['4', 'count'],
    ])
    assert.match(misfits.find(({ id }) => id === '2')?.reason ?? '', /no longer fit the kind: text: .*texts/)
    assert.deepEqual(vanished, [
      { kind: 'gone', tasks: 2, reason: 'no file of the folder is this kind' },
      { kind: 'half', tasks: 1, reason: 'its file cannot be used' },
    ])
  })

  it('need no bytes of the uploads that they name', async t => {
    const check = await open(t, {
      'pack.mjs': kind(
        'z.strictObject({ file: upload({ maxBytes: 10 }) })',
        `{ file: { $upload: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f' } }`,
      ),
    })
    const file = { $upload: '0190f3a1-7c5e-7b3a-9d2f-000000000000' }
    const { unfit } = await check(from([task('1', 'pack', { file }), task('2', 'pack', { file: 'a.txt' })]))
    assert.equal(unfit, 1)
  })

  it('may be many: the report counts all that do not fit, and keeps the first', async t => {
    const check = await open(t, { 'words.ts': TEXT })
    const count = 20_000
    async function* many(): AsyncGenerator<WaitingTask> {
      for (let n = 0; n < count; n += 1) yield task(String(n), 'words', { text: n % 2 === 0 ? 'a' : n })
    }
    const { tasks, unfit, misfits } = await check(many())
    assert.deepEqual([tasks, unfit, misfits.length], [count, count / 2, MISFITS_KEPT])
  })

  it('are told of where the check of a kind hangs or ends its process', async t => {
    const check = await open(t, {
      'hangs.mjs': kind(
        `z.strictObject({ how: z.string().refine(how => { if (how === 'exit') process.kill(process.pid, 'SIGKILL'); if (how === 'spin') for (;;); return true }) })`,
        `{ how: 'well' }`,
      ),
      'words.ts': TEXT,
    })
    const { misfits } = await check(
      from([task('1', 'hangs', { how: 'spin' }), task('2', 'words', { text: 1 })]),
    )
    assert.deepEqual(misfits.map(({ id }) => id).sort(), ['1', '2'])
    assert.match(misfits.find(({ id }) => id === '1')?.reason ?? '', /no answer after 10 s/)
    const again = await check(from([task('1', 'hangs', { how: 'exit' }), task('2', 'words', { text: 'a' })]))
    assert.deepEqual(
      again.misfits.map(({ reason }) => reason),
      ['it ends the process that loads it, with SIGKILL'],
    )
  })
})
