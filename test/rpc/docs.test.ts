// The examples of docs/rpc.md run as they are printed and print what is printed below them; only the ports, and where the
// client lies, are put in.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { start, succeed } from '../../src/core/moves.ts'
import { RPC_LIMITS } from '../../src/rpc/limits.ts'
import { requireService } from '../support/services.ts'
import { type Bench, openBench } from './fixture.ts'
import { openHttp } from './http.ts'

const run = promisify(execFile)
const TIMEOUT = { timeout: 300_000 }
const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const text = await readFile(join(ROOT, 'docs/rpc.md'), 'utf8')
/** Each example, and what it prints. */
const examples = [...text.matchAll(/```(python|ts)\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/g)].map(
  ([, language = '', code = '', printed = '']) => ({ language, code, printed }),
)
const python = requireService('thrift') || requireService('thrift-python')

describe('the limits of docs/rpc.md', () => {
  it('are those of the door', () => {
    const rows = new Map(
      [...text.matchAll(/^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
        ([, what = '', much = '', beyond = '']) => [what, `${much}; ${beyond}`],
      ),
    )
    const MIB = 1024 * 1024
    const limits = RPC_LIMITS
    const said: Record<string, string[]> = {
      'a message or a frame': [`${limits.messageBytes / MIB} MiB`],
      'the name of a method': [`${limits.nameBytes} bytes`],
      'elements of a list, set or map': [limits.elements.toLocaleString('en')],
      nesting: [`${limits.depth};`],
      connections: [`${limits.connections}, ${limits.perAddress} of one address`],
      'messages in progress': [
        `${limits.heldBytes / MIB} MiB over all`,
        `${limits.heldPerAddress / MIB} MiB of one`,
      ],
      'a silent connection': [`${limits.idleMs / 1000} s;`],
      'one message from its first to its last byte': [`${limits.messageMs / 1000} s;`],
      'one call': [`${limits.callMs / 1000} s;`],
      'answers that a client does not read': [
        `${limits.unreadBytes / 1024} KiB`,
        `${limits.unreadTotalBytes / MIB} MiB wait over all`,
      ],
      '`listTasks`': [`the newest ${limits.listedTasks.toLocaleString('en')}`],
    }
    for (const [what, words] of Object.entries(said))
      for (const word of words)
        assert.ok(rows.get(what)?.includes(word), `${what}: ${word}, not ${rows.get(what)}`)
  })
})

describe('the examples of docs/rpc.md', () => {
  let bench: Bench
  let http: Awaited<ReturnType<typeof openHttp>>
  let folder: string
  let worker: NodeJS.Timeout
  beforeEach(async () => {
    bench = await openBench()
    http = await openHttp(bench)
    folder = await mkdtemp(join(tmpdir(), 'rpc-docs-'))
    const work = async (): Promise<void> => {
      const now = new Date().toISOString()
      const task = await bench.store.claimNext({ kinds: ['calcpi'], now }, start('w', now))
      if (task) await bench.store.move(task.id, task.claim, succeed('3.1415926535', null, now))
    }
    worker = setInterval(() => void work(), 20)
  })
  afterEach(async () => {
    clearInterval(worker)
    await http.close()
    await bench.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** The code with the ports of this test. */
  const placed = (code: string): string =>
    code.replaceAll('9000', String(bench.door.address.port)).replaceAll('8000', String(http.address.port))

  it('are all here', () => {
    assert.deepEqual(
      examples.map(({ language }) => language),
      ['python', 'python', 'python', 'ts', 'python', 'python'],
    )
    assert.equal([...text.matchAll(/```(?:python|ts)\n/g)].length, examples.length, 'each prints something')
  })

  for (const [i, { language, code, printed }] of examples.entries())
    it(`number ${i + 1}, in ${language}, prints what it says`, {
      skip: language === 'python' && python,
    }, async () => {
      const file = join(folder, language === 'python' ? 'example.py' : 'example.mts')
      await writeFile(file, placed(code))
      if (language === 'python') {
        const command = /```sh\n(thrift .*)\n```/.exec(text)?.[1] ?? assert.fail('no command')
        await run('sh', ['-c', command.replace(' . idl/', ` ${folder} idl/`)], { cwd: ROOT, ...TIMEOUT })
      }
      const [program, ...args] =
        language === 'python' ? ['/usr/bin/python3', file] : [process.execPath, '--import', 'tsx', file]
      const { stdout } = await run(program ?? '', args, { cwd: ROOT, ...TIMEOUT })
      assert.equal(stdout, printed)
    })
})
