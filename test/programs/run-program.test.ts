// What programs do that a worker did not ask for: each has a clear end, and nothing is left running.
import assert from 'node:assert/strict'
import { symlinkSync } from 'node:fs'
import { describe, it } from 'node:test'
import { MadhavaError } from '../../src/core/errors.ts'
import { ownSleep } from '../suites/runners.ts'
import { processesWith } from '../support/find-processes.ts'
import { until } from '../support/until.ts'
import { runShell } from './shell-program.ts'

const OUTER = { timeout: 300_000 }
const refusedAs = (code: string, message: RegExp) => ({ code, message })

describe('a program', OUTER, () => {
  it('reads one line with all that it needs, and then the end of its input', async t => {
    const id = '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f'
    const { outcome, lines } = runShell(t, 'cat; echo \'{"result": 1}\'', {
      params: { file: { $upload: id }, text: 'ä' },
      uploads: { [id]: { bytes: Buffer.from('abc'), name: '../x', type: 'text/plain' } },
      over: { resume: { at: 5 } },
    })
    assert.equal(await outcome, 1)
    const said = JSON.parse(lines[0] ?? '') as { uploads: Record<string, { path: string }> }
    const { path } = said.uploads[id] ?? assert.fail('no upload')
    assert.match(path, /madhava-attempt-.*upload-/)
    assert.deepEqual(said, {
      ...{ id, attempt: 1, params: { file: { $upload: id }, text: 'ä' }, resume: { at: 5 } },
      uploads: {
        [id]: {
          ...{ path, name: '../x', bytes: 3, type: 'text/plain' },
          sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
        },
      },
    })
  })

  it('does what its lines ask for, in their short forms and their long ones', async t => {
    const script = `
      echo text
      echo '{"progress": 5}'; echo '{"progress": {"percent": 6, "note": "n"}}'
      echo '{"log": "a"}'; echo '{"log": {"text": "b", "level": "debug"}}'
      echo '{"checkpoint": [1]}'
      printf 'content' > made.txt
      echo '{"artifact": {"path": "made.txt", "type": "text/plain"}}'
      echo '{"artifact": {"path": "made.txt", "name": "other.txt"}}'
      echo '{"result": 1}'; printf '{"result": {"last": true}}'`
    const { outcome, ...seen } = runShell(t, script)
    assert.deepEqual(await outcome, { last: true })
    assert.deepEqual(seen.steps, [
      { percent: 5, note: undefined },
      { percent: 6, note: 'n' },
    ])
    assert.deepEqual(seen.lines, ['text', 'a', 'b'])
    assert.deepEqual(seen.checkpoints, [[1]])
    assert.deepEqual(
      [...seen.artifacts.values()].map(({ name, content }) => [name, String(content)]),
      [
        ['made.txt', 'content'],
        ['other.txt', 'content'],
      ],
    )
  })

  it('is told of each wrong line once, and goes on', async t => {
    const script = `
      echo '{"progress": "x"}'; echo '{"progress": "x"}'
      echo '{"progress": {"percent": 1, "nope": 2}}'
      echo '{"progress": NaN}'
      echo '{"log": 5}'
      echo '{"submit": {"params": {}}}'
      echo '{"artifact": {"path": 5}}'
      printf '{"log": "\\377"}\\n'
      echo '{"log": "a", "time": 1}'
      printf '\\377\\376 no text\\n'
      echo '{"result": "fine"}'`
    const { outcome, lines } = runShell(t, script)
    assert.equal(await outcome, 'fine')
    const wanted = [
      /^progress left out: /,
      /^progress left out: .*unknown field "nope"/,
      /^progress left out: it is not JSON/,
      /^log left out: /,
      /^submit left out: kind/,
      /^artifact left out: path/,
      /^log left out: it is not UTF-8/,
      /has log and other fields/,
      /^\{"log": "a", "time": 1\}$/,
      /no text$/,
    ]
    assert.equal(lines.length, wanted.length, lines.join('\n'))
    for (const [at, words] of wanted.entries()) assert.match(lines[at] ?? '', words)
  })

  it('fails clearly where it ends badly, and with its own words where it has any', async t => {
    const ends: [string, ReturnType<typeof refusedAs>][] = [
      [
        'echo one >&2; echo two >&2; exit 3',
        refusedAs('EXIT_3', /^prog\.sh ended with exit code 3\none\ntwo$/),
      ],
      ['kill -9 $$', refusedAs('SIGKILL', /^prog\.sh was ended by SIGKILL/)],
      ['kill -SEGV $$', refusedAs('SIGSEGV', /ended by SIGSEGV/)],
      ['echo done', refusedAs('NO_RESULT', /without a result/)],
      ['exit 0', refusedAs('NO_RESULT', /without a result/)],
      [`echo '{"result": 1}'; exit 1`, refusedAs('EXIT_1', /exit code 1/)],
      [`echo '{"error": "no"}'`, refusedAs('PROGRAM_ERROR', /^no$/)],
      [`echo '{"error": "no"}'; echo '{"result": 1}'; exit 0`, refusedAs('PROGRAM_ERROR', /^no$/)],
      [`echo '{"error": {"message": "m", "code": "MINE"}}'; exit 7`, refusedAs('MINE', /^m$/)],
      [`echo '{"error": {"mesage": "m"}}'`, refusedAs('ERROR_INVALID', /wrong form: .*message/)],
      [`printf '{"result": {"a": 1'`, refusedAs('RESULT_INVALID', /is not JSON/)],
      [`echo '{"result": NaN}'`, refusedAs('RESULT_INVALID', /is not JSON/)],
      [`printf '{"result": "\\377"}'`, refusedAs('RESULT_INVALID', /not UTF-8/)],
      [`echo '{"result": 12345678901234567890}'`, refusedAs('RESULT_INVALID', /beyond 9007199254740991/)],
      [`echo '{"result": ${'['.repeat(70)}${']'.repeat(70)}}'`, refusedAs('RESULT_INVALID', /nests deeper/)],
      [
        `printf '{"result": "'; head -c 2000000 /dev/zero | tr '\\0' x; printf '"}\\n'`,
        refusedAs('RESULT_TOO_LARGE', /too large/),
      ],
    ]
    for (const [script, error] of ends) await assert.rejects(runShell(t, script).outcome, error, script)
    for (const [text, code] of [
      ['#!/no/such/interpreter\n', 'ENOENT'],
      ['#!/bin/sh\nexec /no/such/program\n', 'EXIT_127'],
    ] as const)
      await assert.rejects(runShell(t, text).outcome, { code })
  })

  it('says of an error whether another attempt helps, and more for programs', async t => {
    const script = `echo '{"error": {"message": "m", "code": "C", "retryable": false, "detail": {"a": [1]}}}'`
    await assert.rejects(runShell(t, script).outcome, { code: 'C', retryable: false, detail: { a: [1] } })
  })

  it('need not read its input, however much there is', async t => {
    const params = { text: 'x'.repeat(1_000_000) }
    assert.equal(await runShell(t, `echo '{"result": 1}'`, { params }).outcome, 1)
    const late = `echo '{"progress": 1}'; sleep 0.3; wc -c; echo '{"result": 2}'`
    const { outcome, lines } = runShell(t, late, { params })
    assert.equal(await outcome, 2)
    assert.ok(Number(lines[0]) > 1_000_000)
  })

  it('may print without end: the lines come, and a cancel is heard', async t => {
    const stop = new AbortController()
    let count = 0
    const log = (): void => {
      count += 1
      if (count === 100_000) stop.abort(new Error('cancelled'))
    }
    const { outcome } = runShell(t, 'yes', { over: { signal: stop.signal, log } })
    await assert.rejects(outcome, /cancelled/)
    // a line without an end as well
    const again = new AbortController()
    let length = 0
    const measure = (line: string): void => {
      length += line.length
      if (length > 1_000_000) again.abort(new Error('cancelled'))
    }
    const endless = runShell(t, `cat /dev/zero | tr '\\0' x`, {
      over: { signal: again.signal, log: measure },
    })
    await assert.rejects(endless.outcome, /cancelled/)
  })

  it('keeps no file from outside of its folder', async t => {
    const scripts = [
      `echo '{"artifact": {"path": "/etc/hostname"}}'`,
      `echo '{"artifact": {"path": "../../../../../../etc/hostname"}}'`,
      `ln -s /etc/hostname link; echo '{"artifact": {"path": "link"}}'`,
      `mkdir d; ln -s /etc d/e; echo '{"artifact": {"path": "d/e/hostname"}}'`,
      `echo '{"artifact": {"path": "."}}'`,
      `mkfifo f; echo '{"artifact": {"path": "f"}}'`,
      `echo '{"artifact": {"path": "gone"}}'`,
      `echo '{"artifact": {"path": "a\\u0000b"}}'`,
    ]
    for (const script of scripts) {
      const { outcome, artifacts } = runShell(t, `${script}; echo '{"result": 1}'`)
      await assert.rejects(outcome, { code: 'ARTIFACT_REFUSED' }, script)
      assert.equal(artifacts.size, 0)
    }
    const { outcome, artifacts } = runShell(
      t,
      `mkdir d; echo x > d/x; ln -s d/x l; echo '{"artifact": {"path": "l", "name": "x"}}'; echo '{"result": 1}'`,
    )
    assert.equal(await outcome, 1)
    assert.deepEqual([...artifacts.keys()], ['x'])
  })

  it('is told what came of its calls if it asks for answers, in any order', async t => {
    const submit = async (
      kind: string,
      _params: unknown,
      options: { key?: string } = {},
    ): Promise<string> => {
      if (kind === 'no') throw new MadhavaError('KIND_UNKNOWN', 'There is no kind no')
      return `child of ${options.key}`
    }
    const script = `read -r request
      echo '{"submit": {"kind": "yes", "key": "k", "ref": 1}}'; read -r one; echo "$one"
      echo '{"submit": {"kind": "no", "ref": "two"}}'; read -r two; echo "$two"
      echo x > f; echo '{"artifact": {"path": "f"}}'; read -r three; echo "$three"
      echo '{"artifact": {"path": "gone"}}'; read -r four; echo "$four"
      echo '{"result": 1}'`
    const { outcome, lines } = runShell(t, script, { answers: true, over: { submit } as never })
    assert.equal(await outcome, 1)
    assert.deepEqual(
      lines.map(line => JSON.parse(line) as unknown),
      [
        { submitted: { ref: 1, key: 'k', id: 'child of k' } },
        { refused: { ref: 'two', call: 'submit', code: 'KIND_UNKNOWN', message: 'There is no kind no' } },
        {
          kept: {
            ...{ name: 'f', type: 'application/octet-stream', bytes: 2 },
            sha256: '73cb3858a687a8494ca3323053016282f3dad39d42cf62ca4e79dda2aac7d9ac',
          },
        },
        {
          refused: {
            call: 'artifact',
            code: 'ARTIFACT_REFUSED',
            message: 'The file "gone" cannot be read (ENOENT)',
          },
        },
      ],
    )
    // who does not read them is not held up
    const deaf = `for n in $(seq 2000); do echo '{"submit": {"kind": "yes"}}'; done; echo '{"result": 2}'`
    assert.equal(await runShell(t, deaf, { answers: true, over: { submit } as never }).outcome, 2)
    // and who asks for none fails with what was refused
    await assert.rejects(
      runShell(t, `echo '{"submit": {"kind": "no"}}'; echo '{"result": 1}'`, { over: { submit } as never })
        .outcome,
      { code: 'KIND_UNKNOWN' },
    )
  })

  it('waits with its output while many children are being stored, and loses no line', async t => {
    let open = 0
    let most = 0
    const submit = async (): Promise<string> => {
      open += 1
      most = Math.max(most, open)
      await new Promise(resolve => setTimeout(resolve, 1))
      open -= 1
      return 'id'
    }
    const script = `for n in $(seq 3000); do echo '{"submit": {"kind": "a"}}'; done; echo '{"result": 1}'`
    assert.equal(await runShell(t, script, { over: { submit } }).outcome, 1)
    assert.ok(most <= 32, String(most))
  })

  it('takes everything of its group with it, also what holds its output open', async t => {
    const word = ownSleep()
    const script = `sleep ${word} & (trap '' TERM; sleep ${word}; sleep ${word}) & echo '{"result": 1}'`
    assert.equal(await runShell(t, script).outcome, 1)
    await until('nothing is left', () => processesWith(word).length === 0)
  })

  it('is a success if it was done before it was told to stop, and else what stopped it', async t => {
    for (const [script, ends] of [
      [`trap 'echo "{\\"result\\": 1}"; exit 0' TERM; echo up; while :; do sleep 0.05; done`, 1],
      [`trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done`, null],
      [`echo up; while :; do sleep 0.05; done`, null],
      [`trap '' TERM; echo up; while :; do sleep 0.05; done`, null],
    ] as const) {
      const stop = new AbortController()
      const log = (line: string): void => {
        if (line === 'up') stop.abort(new Error('cancelled'))
      }
      const { outcome } = runShell(t, script, { over: { signal: stop.signal, log } })
      if (ends === null) await assert.rejects(outcome, /cancelled/, script)
      else assert.equal(await outcome, ends)
    }
  })

  it('does not start when it was stopped before', async t => {
    const signal = AbortSignal.abort(new Error('too late'))
    const { outcome, lines } = runShell(t, 'echo started', { over: { signal } })
    await assert.rejects(outcome, /too late/)
    assert.deepEqual(lines, [])
  })

  it('is ended when all its processes together use more memory than they may', async t => {
    const word = ownSleep()
    // two of some 60 MB each, of which one alone would fit
    const hold = `head -c 60000000 /dev/zero | tail -c 60000000 | (sleep ${word}; cat) > /dev/null &`
    const { outcome } = runShell(t, `${hold} ${hold} sleep ${word}`, { memoryBytes: 100_000_000 })
    await assert.rejects(
      outcome,
      refusedAs('OUT_OF_MEMORY', /used 1\d\d MB; a task may use 96 \(TASK_MEMORY_MB\)/),
    )
    await until('nothing is left', () => processesWith(word).length === 0)
  })

  it('has a link in its folder followed only within it', async t => {
    const { outcome, folder } = runShell(t, `echo '{"artifact": {"path": "out"}}'; echo '{"result": 1}'`, {})
    symlinkSync('/etc/hostname', `${folder}/out`)
    await assert.rejects(outcome, { code: 'ARTIFACT_REFUSED' })
  })
})
