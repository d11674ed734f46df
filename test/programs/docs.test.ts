// The programs of docs/any-language.md, as a reader would have them: from a folder with nothing beside them.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { DEFAULT_KIND_SETTINGS } from '../../src/core/kind.ts'
import { parseParams } from '../../src/core/kind-params.ts'
import type { Json } from '../../src/core/task.ts'
import { loadKinds } from '../../src/load-kinds.ts'
import { fileContext } from '../support/file-context.ts'
import { requireService } from '../support/services.ts'
import { undo } from '../support/undo.ts'

const PAGE = new URL('../../docs/any-language.md', import.meta.url)

/** Writes the page's file of this name into a folder of its own. */
const write = async (t: TestContext, name: string): Promise<string> => {
  const page = await readFile(PAGE, 'utf8')
  const found = new RegExp(`\`${name}\`[^\\n]*\\n\\n\`\`\`\\w+\\n(.*?)\`\`\``, 's').exec(page)
  const folder = await mkdtemp(path.join(tmpdir(), 'madhava-docs-'))
  undo(t, () => rm(folder, { recursive: true, force: true }))
  await writeFile(path.join(folder, name), found?.[1] ?? assert.fail(`the page has no ${name}`))
  await chmod(path.join(folder, name), 0o755)
  return folder
}
const run = async (t: TestContext, folder: string, kindName: string, params: Json) => {
  const { kinds } = await loadKinds({ kindsDir: folder, kindSettings: DEFAULT_KIND_SETTINGS })
  assert.deepEqual(kinds.troubles(), [])
  const kind = kinds.get(kindName)
  const context = fileContext({}, t)
  const result = await kind.run(await parseParams(kind, params), context.context)
  return { kind, result, ...context }
}

describe('the programs of docs/any-language.md', { timeout: 300_000 }, () => {
  it('sum.sh adds', { skip: requireService('jq') }, async t => {
    const { result, lines } = await run(t, await write(t, 'sum.sh'), 'sum', { text: '1 2 3' })
    assert.equal(result, 6)
    assert.deepEqual(lines, ['adding 1', 'adding 2', 'adding 3'])
  })

  it('longest.py finds the longest words', { skip: requireService('python') }, async t => {
    const folder = await write(t, 'longest.py')
    const { result, lines, steps } = await run(t, folder, 'longest', { words: ['to', 'be', 'a'] })
    assert.deepEqual([result, lines], [{ to: 2, be: 2 }, ['3 words read']])
    assert.equal(steps[2]?.note, 'word 3 of 3')
    await assert.rejects(run(t, folder, 'longest', { words: [] }), { code: 'PARAMS_INVALID' })
  })

  it('fetch-prices.py asks for each price once', { skip: requireService('python') }, async t => {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? '')
      response.end('{"price": 2.5}')
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    undo(t, () => server.close())
    process.env.PRICES_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    undo(t, () => delete process.env.PRICES_URL)
    const folder = await write(t, 'fetch-prices.py')
    const { kind, result } = await run(t, folder, 'fetch-prices', { symbols: ['A', 'B', 'A'] })
    assert.deepEqual(result, { A: 2.5, B: 2.5 })
    assert.deepEqual(asked, ['/A?day=today', '/B?day=today'])
    assert.deepEqual(
      [kind.maxAttempts, kind.rate, kind.retry, kind.limits],
      [
        5,
        '90/m',
        { retryOn: ['URLError'], delaySeconds: 1, factor: 2, maxDelaySeconds: 3600 },
        { softSeconds: 600, hardSeconds: null },
      ],
    )
  })

  it('upper.go writes in capitals', { skip: requireService('go') }, async t => {
    const folder = await write(t, 'upper.go')
    const built = spawnSync('go', ['build', '-o', 'upper', 'upper.go'], { cwd: folder, encoding: 'utf8' })
    assert.equal(built.status, 0, built.stderr)
    assert.equal((await run(t, folder, 'upper', { text: 'to be' })).result, 'TO BE')
  })
})
