// runKind with a file in place of a kind: a module or a program, as a worker would have it.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { runKind } from '../../src/testing/testing.ts'
import { processesWith } from '../support/find-processes.ts'
import { requireService } from '../support/services.ts'
import { type Ends, undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const fileOf = (t: Ends, name: string, text: string, mode = 0o755): string => {
  const folder = mkdtempSync(path.join(tmpdir(), 'madhava-run-'))
  undo(t, () => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, name)
  writeFileSync(file, text, { mode })
  return file
}
const MODULE = `import { defineKind, z } from 'madhava'
export default defineKind({
  summary: 'Twice',
  params: z.strictObject({ n: z.int().default(2) }),
  result: z.int(),
  example: { n: 1 },
  run: ({ n }) => 2 * n,
})
`
const describing = (body: string, params = '{"type": "object"}'): string => `#!/bin/sh
if [ "$1" = --describe ]; then
  echo '{"summary": "x", "params": ${params}, "result": {}, "example": {}}'
  exit
fi
${body}
`

describe('runKind with a file', { timeout: 300_000 }, () => {
  it('runs a module by its path and by its URL', async t => {
    const file = fileOf(t, 'twice.mts', MODULE)
    assert.equal((await runKind<number>(file, { n: 4 })).result, 8)
    assert.equal((await runKind(pathToFileURL(file))).result, 4)
    assert.equal((await runKind(pathToFileURL(file).href)).result, 4)
    assert.equal((await runKind(path.relative(process.cwd(), file))).result, 4)
  })

  it('runs a program with everything that it does', async t => {
    const file = fileOf(
      t,
      'all.sh',
      describing(`read -r given
echo begun
echo '{"progress": {"percent": 50, "note": "half", "partial": [1]}}'
echo '{"checkpoint": {"at": 5}}'
echo '{"submit": {"kind": "other", "params": {"a": 1}, "key": "k"}}'
printf hello > out.txt
echo '{"artifact": {"path": "out.txt"}}'
echo oops >&2
echo '{"result": "done"}'`),
    )
    const run = await runKind(file)
    assert.equal(run.result, 'done')
    assert.deepEqual(
      run.progress.map(({ percent, note, partialResult }) => [percent, note, partialResult]),
      [[50, 'half', [1]]],
    )
    assert.deepEqual(run.checkpoints, [{ at: 5 }])
    assert.deepEqual(
      run.submitted.map(({ kind, params, options }) => [kind, params, options]),
      [['other', { a: 1 }, { key: 'k' }]],
    )
    assert.equal(run.artifacts['out.txt']?.content.toString(), 'hello')
    assert.deepEqual(run.log.map(({ text, level }) => `${level} ${text}`).sort(), ['info begun', 'warn oops'])
  })

  it('gives a program its params, resume and uploads', { skip: requireService('jq') }, async t => {
    const id = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
    const file = fileOf(
      t,
      'reads.sh',
      describing(
        `jq -c '{result: [.params.n, .resume, (.uploads | map(.name))]}'`,
        '{"type": "object", "properties": {"n": {"default": 7}, "file": {"x-upload": {}}}}',
      ),
    )
    const { result } = await runKind(
      file,
      { file: { $upload: id } },
      { resume: { at: 5 }, uploads: { [id]: { content: 'abc', name: 'a.txt' } } },
    )
    assert.deepEqual(result, [7, { at: 5 }, ['a.txt']])
  })

  it('rejects as a server would, and says what is wrong with the file', async t => {
    const sad = fileOf(t, 'sad.sh', describing('echo why >&2; exit 3'))
    await assert.rejects(runKind(sad), { message: 'sad.sh ended with exit code 3\nwhy' })
    const strict = fileOf(t, 'strict.sh', describing('', '{"type": "object", "required": ["n"]}'))
    await assert.rejects(runKind(strict), {
      code: 'KIND_INVALID',
      message: /^strict\.sh: its example does not fit/,
    })
    const plain = fileOf(t, 'plain.sh', describing(''), 0o644)
    await assert.rejects(runKind(plain), {
      code: 'KIND_INVALID',
      message: 'plain.sh: it is not executable. If it is a program: chmod +x plain.sh',
    })
    await assert.rejects(runKind('/nowhere/kind.py'), {
      code: 'KIND_INVALID',
      message: /it cannot be read \(ENOENT\)/,
    })
    await assert.rejects(runKind('/nowhere/kind.ts'), { code: 'KIND_INVALID', message: /^kind\.ts: / })
    await assert.rejects(runKind(fileOf(t, 'old.cjs', '')), { code: 'KIND_INVALID', message: /ends in \.ts/ })
    await assert.rejects(runKind(fileOf(t, 'Big.mjs', MODULE)), {
      code: 'KIND_INVALID',
      message: /must match/,
    })
  })

  it('ends a program that is cancelled', async t => {
    const mark = `601.${process.pid}`
    const file = fileOf(t, 'naps.sh', describing(`echo begun\nsleep ${mark}`))
    const cancel = new AbortController()
    const running = runKind(
      file,
      {},
      { signal: cancel.signal, onLog: () => cancel.abort(new Error('enough')) },
    )
    await assert.rejects(running, { message: 'enough' })
    await until('it is gone', () => processesWith(mark).length === 0)
  })
})
