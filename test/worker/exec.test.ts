// `ctx.exec`: what a command prints, how it ends, and that nothing of its group is left.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ExecError, type ExecOptions } from '../../src/core/exec.ts'
import { createOutputTail } from '../../src/platform/output-tail.ts'
import { createExec } from '../../src/worker/thread/exec.ts'
import { processesWith } from '../support/find-processes.ts'
import { until } from '../support/until.ts'

const OUTER = { timeout: 300_000 }
const skip = process.platform === 'linux' ? false : 'processes are found by /proc'

const setUp = () => {
  const lines: string[] = []
  const cancel = new AbortController()
  const exec = createExec({ signal: cancel.signal, log: line => lines.push(line), isOver: () => false })
  const sh = (script: string, options?: ExecOptions) => exec('sh', ['-c', script], options)
  const failure = (running: Promise<unknown>): Promise<ExecError> =>
    running.then(
      value => assert.fail(`it resolved: ${JSON.stringify(value)}`),
      (error: unknown) => (error instanceof ExecError ? error : assert.fail(String(error))),
    )
  return { lines, cancel, exec, sh, failure }
}

describe('ctx.exec', { skip }, () => {
  it('answers what a command printed, and logs its lines', OUTER, async () => {
    const { lines, sh, exec } = setUp()
    assert.deepEqual(await sh('echo one; printf "two\\nthree"; echo four >&2'), {
      code: 0,
      stdout: 'one\ntwo\nthree',
      stderr: 'four\n',
      truncated: false,
    })
    assert.deepEqual([...lines].sort(), ['four', 'one', 'three', 'two'])
    assert.equal((await exec('pwd', [], { cwd: '/', log: false })).stdout, '/\n')
    assert.equal(lines.length, 4, 'log: false')
    assert.equal((await exec('cat', [], { input: 'from us' })).stdout, 'from us')
    assert.equal((await exec('cat')).stdout, '', 'without input it reads nothing')
    assert.equal((await exec('true', [], { input: 'x'.repeat(1_000_000) })).code, 0, 'it may read none of it')
  })

  it('adds to the environment and takes away from it', OUTER, async () => {
    const { sh } = setUp()
    const { stdout } = await sh('printenv ADDED HOME; printenv PATH | wc -l', {
      env: { ADDED: 'added', HOME: undefined },
    })
    assert.match(stdout, /^added\n *1\n$/)
  })

  it('rejects with the exit code and the last lines that the command said', OUTER, async () => {
    const { sh, failure } = setUp()
    const error = await failure(sh('echo out; for n in 1 2 3 4 5 6 7; do echo "line $n" >&2; done; exit 3'))
    assert.deepEqual(
      [error.name, error.code, error.command, error.exitCode, error.signal, error.lastLines],
      ['ExecError', 'EXIT_3', 'sh', 3, null, ['line 3', 'line 4', 'line 5', 'line 6', 'line 7']],
    )
    assert.equal(error.message, 'sh ended with exit code 3\nline 3\nline 4\nline 5\nline 6\nline 7')
    assert.doesNotMatch(error.message, /for n in/, 'arguments may hold secrets')
    assert.deepEqual((await failure(sh('echo only here; exit 1'))).lastLines, ['only here'])
    assert.equal((await sh('exit 1', { codes: [0, 1] })).code, 1)
    assert.equal((await failure(sh('exit 0', { codes: [1] }))).code, 'EXIT_0')
  })

  it('says which signal ended a command, and what could not be started', OUTER, async () => {
    const { sh, exec, failure } = setUp()
    const killed = await failure(sh('kill -9 $$'))
    assert.deepEqual([killed.code, killed.exitCode, killed.signal], ['SIGKILL', null, 'SIGKILL'])
    const missing = await failure(exec('no-such-program-here'))
    assert.equal(missing.code, 'ENOENT')
    assert.match(missing.message, /no-such-program-here could not be started: there is no such program/)
    assert.match((await failure(exec('true', [], { cwd: '/no/such/folder' }))).message, /no such folder/)
    assert.equal((await failure(exec('/etc/passwd'))).code, 'EACCES')
    await assert.rejects(exec(''), /exec: the command must be a text/)
    await assert.rejects(exec('true', [], { timeout: -1 }), /exec: timeout/)
    await assert.rejects(exec('true', [], { tiemout: 1 } as ExecOptions), /exec: .*tiemout/)
  })

  it('leaves no timer and no listener behind, however it ends', OUTER, async () => {
    const { sh, failure, exec, cancel } = setUp()
    const timers = () => process.getActiveResourcesInfo().filter(type => type === 'Timeout').length
    const before = timers()
    await sh('true', { timeout: 600_000 })
    await failure(sh('exit 1', { timeout: 600_000, signal: cancel.signal }))
    await failure(sh('sleep 600', { timeout: 20, killAfter: 600_000 }))
    await failure(exec('no-such-program', [], { timeout: 600_000 }))
    assert.ok(timers() <= before, `${timers()} timers after ${before}`)
    assert.equal(getEventListeners(cancel.signal, 'abort').length, 0)
  })

  it('ends the whole group after the time', OUTER, async () => {
    const { sh, failure } = setUp()
    const word = `word-${randomUUID()}`
    const error = await failure(sh(`sh -c 'sleep 600; : ${word}' & wait`, { timeout: 300 }))
    assert.equal(error.code, 'EXEC_TIMEOUT')
    assert.match(error.message, /^sh took longer than 300 ms and was ended/)
    await until('nothing of it is left', () => processesWith(word).length === 0)
  })

  it('asks first, by SIGTERM, and ends by SIGKILL who is deaf to it', OUTER, async () => {
    const { lines, sh } = setUp()
    const word = `word-${randomUUID()}`
    const stop = async (running: Promise<unknown>, own: AbortController) => {
      await until('it is ready', () => lines.includes('ready'))
      own.abort(new Error('enough'))
      await assert.rejects(running, /enough/)
      await until('nothing of it is left', () => processesWith(word).length === 0)
      return lines.splice(0)
    }
    const [first, second] = [new AbortController(), new AbortController()]
    const asked = sh(`trap 'echo told; exit' TERM; echo ready; sleep 600 & wait; : ${word}`, {
      signal: first.signal,
    })
    assert.deepEqual(await stop(asked, first), ['ready', 'told'])
    const deaf = sh(`trap '' TERM; echo ready; while :; do sleep 1; : ${word}; done`, {
      signal: second.signal,
      killAfter: 100,
    })
    assert.deepEqual(await stop(deaf, second), ['ready'])
  })

  it(
    'ends the group on a cancel and on a signal of the kind, and rejects with the reason',
    OUTER,
    async () => {
      const { sh, cancel } = setUp()
      const word = `word-${randomUUID()}`
      const up = () => until('it runs', () => processesWith(word).length > 0)
      const own = new AbortController()
      const first = sh(`sleep 600; : ${word}`, { signal: own.signal })
      await up()
      own.abort(new Error('not needed'))
      await assert.rejects(first, /not needed/)
      const second = sh(`sleep 600; : ${word}`)
      await up()
      cancel.abort(new Error('cancelled'))
      await assert.rejects(second, /cancelled/)
      await until('nothing of it is left', () => processesWith(word).length === 0)
      await assert.rejects(sh('true'), /cancelled/, 'and nothing more is started')
    },
  )

  it('waits for nobody whom the command has left behind', OUTER, async () => {
    const { sh } = setUp()
    const word = `word-${randomUUID()}`
    // one that writes nowhere, and one that holds the output open
    for (const where of ['>/dev/null 2>&1', '']) {
      assert.equal((await sh(`sh -c 'sleep 600; : ${word}' ${where} & echo started`)).stdout, 'started\n')
      await until('it is ended', () => processesWith(word).length === 0)
    }
    const escaped = await sh(`setsid sh -c 'sleep 20; : ${word}' & echo started`)
    assert.equal(escaped.stdout, 'started\n')
    for (const pid of processesWith(word)) process.kill(pid, 'SIGKILL')
  })

  it('keeps the end of what is printed, and says that the beginning is missing', OUTER, async () => {
    const { lines, sh } = setUp()
    const { stdout, truncated } = await sh('seq 1 100000', { maxBytes: 1_000 })
    assert.deepEqual([stdout.length, truncated, stdout.endsWith('99999\n100000\n')], [1_000, true, true])
    assert.equal(lines.length, 100_000, 'every line went to the log, which keeps its own measure')
  })
})

describe('the end of an output', () => {
  const bytes = fc.uint8Array({ minLength: 0, maxLength: 40 }).map(chunk => Buffer.from(chunk))
  const text = fc.string({ unit: 'grapheme', maxLength: 60 })

  it('is whole signs of the last bytes, however they come in', () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(12)), fc.integer({ min: 1, max: 40 }), (whole, cuts, maxBytes) => {
        const all = Buffer.from(whole)
        const lines: string[] = []
        const tail = createOutputTail(maxBytes, line => lines.push(line))
        let at = 0
        for (const cut of [...cuts, all.length]) {
          tail.add(all.subarray(at, at + cut))
          at = Math.min(all.length, at + cut)
        }
        tail.end()
        assert.ok(Buffer.from(whole).toString().endsWith(tail.text()), JSON.stringify([whole, tail.text()]))
        const kept = Buffer.byteLength(tail.text())
        assert.ok(kept <= maxBytes && kept >= Math.min(all.length, maxBytes - 3), `${kept} of ${all.length}`)
        assert.equal(tail.truncated(), all.length > maxBytes)
        if (!whole.includes('\r'))
          assert.deepEqual(
            lines,
            whole.replace(/\n$/, '') === '' && !whole ? [] : whole.replace(/\n$/, '').split('\n'),
          )
      }),
    )
  })

  it('holds its bound for any bytes, and a line without an end is handed on in pieces', () => {
    fc.assert(
      fc.property(fc.array(bytes), fc.integer({ min: 1, max: 50 }), (chunks, maxBytes) => {
        const tail = createOutputTail(maxBytes, () => {})
        for (const chunk of chunks) tail.add(chunk)
        tail.end()
        // a byte that is no text shows as a sign of three
        assert.ok(Buffer.byteLength(tail.text()) <= 3 * maxBytes)
      }),
    )
    const lines: string[] = []
    const tail = createOutputTail(10, line => lines.push(line))
    for (let n = 0; n < 100; n++) tail.add(Buffer.from('😀'.repeat(50)))
    tail.end()
    assert.equal(lines.join(''), '😀'.repeat(5_000))
    assert.ok(lines.length > 1 && lines.every(line => line.length <= 4_000 && !/\ufffd/.test(line)))
  })

  it('hands on the last state of a line that is written over', () => {
    const lines: string[] = []
    const tail = createOutputTail(100, line => lines.push(line))
    tail.add(Buffer.from('10 %\r20 %\r30 %\ndone\r\nrest'))
    tail.end()
    assert.deepEqual(lines, ['30 %', 'done', 'rest'])
  })
})
