// Programs that are asked what they are: whatever they do, they are bounded, nothing is left, and the reason is said.
import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { DEFAULT_KIND_SETTINGS } from '../../src/core/kind.ts'
import { loadKinds } from '../../src/load-kinds.ts'
import { describeProgram } from '../../src/programs/describe.ts'
import { readDescription } from '../../src/programs/description.ts'
import { ownSleep } from '../suites/runners.ts'
import { processesWith } from '../support/find-processes.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'
import { writeProgram } from './shell-program.ts'

const OUTER = { timeout: 300_000 }
const good = {
  summary: 'Adds',
  params: { type: 'object', properties: { a: { type: 'integer' } } },
  result: {},
  example: { a: 1 },
}
const read = (change: object): unknown => readDescription(JSON.stringify({ ...good, ...change }))

describe('a program that is asked what it is', OUTER, () => {
  it('is believed what it prints, with its errors left out', async t => {
    const file = writeProgram(t, `echo warning >&2; [ "$1" = --describe ] && echo '{"a": 1}'`)
    assert.equal(await describeProgram(file), '{"a": 1}\n')
  })

  it('is refused with the reason, whatever it does', async t => {
    const cases: [string, RegExp][] = [
      [
        'echo first >&2; echo no such thing >&2; exit 4',
        /^--describe ended with exit code 4: first no such thing$/,
      ],
      ['kill -9 $$', /^--describe was ended by SIGKILL$/],
      ['yes', /^--describe prints more than 64 KiB$/],
      ['echo stuck >&2; sleep 1000', /^--describe is not done after 2 s: stuck$/],
      [`trap '' TERM; while :; do :; done`, /^--describe is not done after 2 s$/],
      [`printf '\\377'`, /not UTF-8/],
      ['#!/no/such/interpreter\n', /no such interpreter/],
    ]
    for (const [script, message] of cases) {
      const file = writeProgram(t, script)
      await assert.rejects(describeProgram(file, { ms: 2_000, bytes: 65_536 }), { message }, script)
    }
  })

  it('is not told the secrets of the process that asks', async t => {
    process.env.DASHBOARD_PASSWORD = 'secret'
    process.env.OF_THE_KINDS = 'known'
    undo(t, () => {
      delete process.env.DASHBOARD_PASSWORD
      delete process.env.OF_THE_KINDS
    })
    const file = writeProgram(
      t,
      'echo "$DASHBOARD_PASSWORD:$OF_THE_KINDS:$PYTHONUNBUFFERED"; echo "$PYTHONPATH"',
    )
    assert.match(await describeProgram(file), /^:known:1\n.*sdk\/python\n$/)
  })

  it('leaves nothing running, also not what has left its group', async t => {
    const word = ownSleep()
    const script = `sleep ${word} & setsid sleep ${word} & (setsid sh -c 'trap "" TERM; sleep ${word}; sleep ${word}' &) ; echo '{}'`
    assert.equal(await describeProgram(writeProgram(t, script)), '{}\n')
    assert.deepEqual(processesWith(word), [])
  })

  it('has its words checked one by one', () => {
    read({})
    read({
      maxAttempts: 3,
      retry: { delaySeconds: 1 },
      limits: { softSeconds: 5 },
      rate: '5/s',
      answers: true,
    })
    assert.match(JSON.stringify(read({ concurrency: 3 })), /"maxConcurrency":3/)
    for (const [change, reason] of [
      [{ sumary: 'x' }, /unknown field "sumary" \(did you mean "summary"\?\)/],
      [{ summary: '' }, /summary/],
      [{ params: [] }, /params/],
      [{ result: 5 }, /result/],
      [{ rate: 'often' }, /rate/],
      [{ concurrency: 1, maxConcurrency: 2 }, /another word/],
      [{ maxAttempts: 0 }, /maxAttempts/],
      [{ params: { type: 'objekt' } }, /^Error: its params: /],
      [{ result: { $ref: 'https://example.org' } }, /^Error: its result: /],
    ] as const)
      assert.throws(() => read(change), reason, JSON.stringify(change))
    assert.throws(() => readDescription(''), /prints nothing/)
    assert.throws(() => readDescription('hello\n{}'), /nothing else; it prints "hello"/)
    assert.throws(() => readDescription('[]'), /expected object/)
  })
})

describe('a folder with programs', OUTER, () => {
  it('has kinds of both sorts, and names what is broken beside them', async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    const make = async (name: string, text: string): Promise<void> => {
      await writeFile(path.join(folder, name), text)
      await chmod(path.join(folder, name), 0o755)
    }
    const says = (description: object): string => `#!/bin/sh\ncat <<'J'\n${JSON.stringify(description)}\nJ\n`
    await make('add.sh', says({ ...good, maxConcurrency: 2 }))
    await make('example.sh', says({ ...good, example: { a: 'one' } }))
    await make('twice.sh', says(good))
    await make('twice', says(good))
    await make('both.sh', says(good))
    await make(
      'both.mjs',
      'export default ({ defineKind, z }) => defineKind({ summary: "s", params: z.object({}), result: z.null(), example: {}, run: () => null })',
    )
    await make('calcpi.sh', says(good))
    await make('Odd Name.sh', says(good))
    await make('broken.py', `#!/usr/bin/env python3\nraise ValueError('it broke at ${folder}/secret')\n`)
    const { kinds, files } = await loadKinds({ kindsDir: folder, kindSettings: DEFAULT_KIND_SETTINGS })
    const theirs = kinds.names().filter(name => files.get(name)?.startsWith(folder))
    assert.deepEqual(theirs, ['add'])
    const { schemas, program, maxConcurrency } = kinds.get('add')
    assert.deepEqual(
      [schemas.params, JSON.parse(program ?? '').summary, maxConcurrency],
      [good.params, 'Adds', 2],
    )
    const reasons = Object.fromEntries(kinds.troubles().map(({ file, reason }) => [file, reason]))
    const words: Record<string, RegExp> = {
      'example.sh': /its example does not fit its params: a: must be integer/,
      'twice.sh': /2 files define the kind twice/,
      twice: /2 files define the kind twice/,
      'both.sh': /2 files define the kind both/,
      'both.mjs': /2 files define the kind both/,
      'calcpi.sh': /has a kind calcpi of its own/,
      'Odd Name.sh': /rename the file/,
      'broken.py': /exit code 1: .*ValueError: it broke at secret$/,
    }
    assert.deepEqual(Object.keys(reasons).sort(), Object.keys(words).sort())
    for (const [file, text] of Object.entries(words)) assert.match(reasons[file] ?? '', text, file)
  })

  it('waits for programs that hang side by side', async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    const word = ownSleep()
    for (let n = 0; n < 5; n += 1) {
      await writeFile(path.join(folder, `hangs-${n}.sh`), `#!/bin/sh\nsleep ${word}\n`)
      await chmod(path.join(folder, `hangs-${n}.sh`), 0o755)
    }
    const loading = loadKinds({ kindsDir: folder, kindSettings: DEFAULT_KIND_SETTINGS })
    await until('all of them hang at a time', () => processesWith(word).length >= 5)
    const { kinds } = await loading
    assert.equal(kinds.troubles().length, 5)
    await until('nothing is left', () => processesWith(word).length === 0)
  })
})
