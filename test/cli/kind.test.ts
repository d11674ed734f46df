// `madhava kind`: writes a kind whose test passes as it is, and checks a folder of kinds, with the tasks of a server.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { start as startMove } from '../../src/core/moves.ts'
import { requireService } from '../support/services.ts'
import { type Ends, undo } from '../support/undo.ts'
import { type ConsoleFixture, openConsole } from './console-fixture.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

let console_: ConsoleFixture
before(async () => {
  console_ = await openConsole()
})
after(() => console_.close())

/** A project in which this checkout is installed. */
const projectOf = (t: Ends, packageJson: object | null = { type: 'module' }): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madhava-new-'))
  undo(t, () => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(path.join(folder, 'node_modules'))
  symlinkSync(ROOT, path.join(folder, 'node_modules', 'madhava'))
  symlinkSync(path.join(ROOT, 'node_modules', 'tsx'), path.join(folder, 'node_modules', 'tsx'))
  if (packageJson) writeFileSync(path.join(folder, 'package.json'), JSON.stringify(packageJson))
  return folder
}
const run = (command: string, cwd: string) => {
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  return spawnSync('sh', ['-c', command], { cwd, encoding: 'utf8', env })
}
/** In the folder, as people do. */
const madhava = (cwd: string, ...args: string[]) => run(`node ${ROOT}bin/madhava.mjs ${args.join(' ')}`, cwd)
const kinds = (folder: string): string[] => readdirSync(path.join(folder, 'kinds')).sort()

const STRICT = `import { defineKind, z } from 'madhava'
export default defineKind({
  summary: 'Says it again',
  params: z.strictObject({ text: z.string().max(200_000) }),
  result: z.string(),
  example: { text: 'a' },
  run: ({ text }) => text,
})
`

describe('kind new', { timeout: 300_000 }, () => {
  const LANGUAGES: readonly [string, string[], string | false][] = [
    ['typescript', ['word-count.test.ts', 'word-count.ts'], false],
    ['js', ['word-count.js', 'word-count.test.js'], false],
    ['python', ['test_word_count.py', 'word-count.py'], requireService('python')],
    ['shell', ['word-count.sh', 'word-count.test.mjs'], requireService('jq')],
  ]
  for (const [language, files, skip] of LANGUAGES)
    it(`writes a kind in ${language} that the check takes, with a test that passes as it is`, {
      skip,
    }, async t => {
      const folder = projectOf(t)
      const made = madhava(folder, 'kind', 'new', 'word-count', '--lang', language, '--json')
      assert.equal(made.status, 0, made.stderr)
      const told = JSON.parse(made.stdout) as { files: string[]; test: string; needs: string[] }
      assert.deepEqual(kinds(folder), files)
      assert.deepEqual([told.files.map(file => path.basename(file)).sort(), told.needs], [files, []])
      const tested = run(told.test, folder)
      assert.equal(tested.status, 0, `${told.test}: ${tested.stdout}${tested.stderr}`)
      assert.match(tested.stdout + tested.stderr, /pass 2|Ran 2 tests/)
      const checked = madhava(folder, 'kind', 'check', '--json')
      assert.equal(checked.status, 0, checked.stdout + checked.stderr)
      const report = JSON.parse(checked.stdout) as { kinds: { name: string }[]; warnings: unknown[] }
      assert.deepEqual([report.kinds.map(({ name }) => name), report.warnings], [['word-count'], []])
      if (language === 'python' || language === 'shell')
        assert.equal(statSync(path.join(folder, told.files[0] ?? '')).mode & 0o111, 0o111)
      // a test that could not fail would be none
      const kind = path.join(folder, told.files[0] ?? '')
      writeFileSync(
        kind,
        readFileSync(kind, 'utf8')
          .replace(/words(: words| })/, 'words: 5$1')
          .replace('len(text.split())', '5')
          .replace('wc -w', 'wc -c'),
      )
      if (language !== 'typescript' && language !== 'js') assert.notEqual(run(told.test, folder).status, 0)
    })

  it('writes endings that Node takes for modules where the package says nothing, and says what is missing', async t => {
    const folder = projectOf(t, null)
    const made = madhava(folder, 'kind', 'new', 'word-count', '--dir', 'my/kinds')
    assert.equal(made.status, 0, made.stderr)
    assert.match(made.stdout, /^Test it: {2}node --import tsx --test my\/kinds\/word-count\.test\.mts$/m)
    assert.equal(run('node --import tsx --test my/kinds/word-count.test.mts', folder).status, 0)
    rmSync(path.join(folder, 'node_modules', 'tsx'))
    assert.match(madhava(folder, 'kind', 'new', 'two').stdout, /^The test needs npm install --save-dev tsx$/m)
    rmSync(path.join(folder, 'node_modules'), { recursive: true })
    assert.match(
      madhava(folder, 'kind', 'new', 'three').stdout,
      /^The test needs the package in this project/m,
    )
  })

  it('changes nothing that is there, in whatever language', async t => {
    const folder = projectOf(t)
    mkdirSync(path.join(folder, 'kinds'))
    for (const name of ['words.py', 'lines.test.ts', 'plain']) {
      writeFileSync(path.join(folder, 'kinds', name), 'mine')
      const { status, stderr } = madhava(folder, 'kind', 'new', name.split('.')[0] ?? '')
      assert.equal(status, 2)
      assert.match(stderr, new RegExp(`kinds/${name} is there already, and stays as it is`))
      assert.equal(readFileSync(path.join(folder, 'kinds', name), 'utf8'), 'mine')
    }
    assert.deepEqual(kinds(folder), ['lines.test.ts', 'plain', 'words.py'])
  })

  it('refuses a name that no kind may have, or that is taken, and a language that it does not know', async () => {
    const refused = async (args: string[], message: RegExp) => {
      const { code, err } = await console_.madhava(['kind', 'new', ...args])
      assert.equal(code, 2)
      assert.match(err, message)
    }
    await refused(['WordCount'], /lower case letters.*did you mean word-count\?/)
    await refused(['../../etc'], /did you mean etc\?/)
    await refused(['calcpi'], /Madhava has a kind calcpi of its own/)
    await refused(['a', '--lang', 'pyton'], /not pyton; did you mean python\?/)
  })
})

describe('kind check', { timeout: 300_000 }, () => {
  const folderOf = (t: Ends, files: Record<string, string>): string => {
    const folder = mkdtempSync(path.join(tmpdir(), 'madhava-check-'))
    undo(t, () => rmSync(folder, { recursive: true, force: true }))
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
    return folder
  }

  it('prints the kinds with their params, what is wrong and what looks odd, and ends with 1 if something is', async t => {
    const folder = folderOf(t, { 'again.ts': STRICT, 'old.cjs': '' })
    const fine = await console_.madhava(['kind', 'check', folder])
    assert.deepEqual([fine.code, fine.err], [0, ''])
    assert.match(fine.out, /^again +again\.ts +text +Says it again$/m)
    assert.match(fine.out, /^warning {2}old\.cjs: it is no kind/m)
    writeFileSync(path.join(folder, 'half.mjs'), '\u001b[31m export default {')
    const wrong = await console_.madhava(['kind', 'check', folder])
    assert.equal(wrong.code, 1)
    assert.match(wrong.out, /^wrong {4}half\.mjs: /m)
    const { code, out } = await console_.madhava(['kind', 'check', folder, '--json'])
    const report = JSON.parse(out) as { folder: string; troubles: { file: string }[]; waiting: unknown }
    assert.deepEqual(
      [code, report.folder, report.troubles[0]?.file, report.waiting],
      [1, folder, 'half.mjs', null],
    )
  })

  it('takes the folder of KINDS_DIR, and refuses one that is not there', async t => {
    const folder = folderOf(t, { 'again.ts': STRICT })
    const { code, out } = await console_.madhava(['kind', 'check'], { env: { KINDS_DIR: folder } })
    assert.equal(code, 0)
    assert.match(out, /^again /m)
    const { code: none, err } = await console_.madhava(['kind', 'check', '/nowhere/at/all'])
    assert.equal(none, 2)
    assert.match(err, /There is no folder \/nowhere\/at\/all/)
    const both = ['kind', 'check', folder, '--url', console_.url, '--server', console_.url]
    assert.equal((await console_.madhava(both)).code, 2)
  })

  it('reads the tasks of a server that may still run, and names those whose params no longer fit', async t => {
    const server = await openConsole()
    undo(t, server.close)
    const folder = folderOf(t, { 'echo.ts': STRICT })
    const submit = async (params: string): Promise<string> =>
      (await server.madhava(['submit', 'echo', '--params', '-'], { input: params })).out.trim()
    // the second is longer than what a list shows of it
    const fits = [await submit('{"text":"a"}'), await submit(JSON.stringify({ text: 'a'.repeat(100_000) }))]
    const fine = await server.madhava(['kind', 'check', folder, '--url', server.url])
    assert.equal(fine.code, 0, fine.out + fine.err)
    assert.match(fine.out, /: 2 tasks may still run, the params of all fit\.$/m)

    const unfit = [await submit('"hello"'), await submit(JSON.stringify({ texts: 'a'.repeat(100_000) }))]
    const running = await submit('[]')
    await server.door.store.claim(running, startMove('worker', new Date().toISOString()))
    const ended = await submit('1')
    assert.equal((await server.madhava(['cancel', ended])).code, 0)
    const calcpi = await server.madhava(['submit', 'calcpi', 'digits=10'])
    assert.equal(calcpi.code, 0)
    const { code, out } = await server.madhava(['kind', 'check', folder, '--server', server.url, '--json'], {
      env: { BUILT_IN_KINDS: 'sleep' },
    })
    const { waiting } = JSON.parse(out) as {
      waiting: {
        tasks: number
        unfit: number
        misfits: { id: string; kind: string; status: string; reason: string }[]
        vanished: { kind: string; tasks: number }[]
      }
    }
    assert.equal(code, 1)
    assert.deepEqual([waiting.tasks, waiting.unfit], [6, 3])
    assert.deepEqual(waiting.misfits.map(({ id }) => id).sort(), [...unfit, running].sort())
    assert.deepEqual(waiting.misfits.find(({ id }) => id === running)?.status, 'STARTED')
    for (const { id, reason } of waiting.misfits) {
      assert.ok(!fits.includes(id))
      assert.match(reason, /no longer fit the kind/)
    }
    assert.deepEqual(
      waiting.vanished.map(({ kind, tasks }) => [kind, tasks]),
      [['calcpi', 1]],
    )
    const people = await server.madhava(['kind', 'check', folder, '--url', server.url])
    assert.equal(people.code, 1)
    assert.match(people.out, new RegExp(`^unfit +${unfit[0]} +echo +PENDING +`, 'm'))
  })

  it('ends with the code of the server that cannot be reached or does not let it read', async t => {
    const folder = folderOf(t, { 'again.ts': STRICT })
    assert.equal((await console_.madhava(['kind', 'check', folder, '--url', 'http://127.0.0.1:1'])).code, 5)
    const closed = await openConsole({ anonymous: 'none' })
    undo(t, closed.close)
    assert.equal((await console_.madhava(['kind', 'check', folder, '--url', closed.url])).code, 4)
  })
})
