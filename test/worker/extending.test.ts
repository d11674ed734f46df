// The example of docs/extending.md is loaded and run as a reader would have it: from a folder with nothing beside it.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { describe, it } from 'node:test'
import { serialize } from 'node:v8'
import { gunzipSync } from 'node:zlib'
import { loadKind } from '../../src/core/kind.ts'
import { parseParams } from '../../src/core/kind-params.ts'
import { loadModules } from '../../src/platform/modules.ts'
import { createThreads } from '../../src/worker/pool/pool.ts'
import { undo } from '../support/undo.ts'

const example = async (which: string): Promise<{ name: string; text: string }> => {
  const page = await readFile(new URL('../../docs/extending.md', import.meta.url), 'utf8')
  for (const [, name = '', text = ''] of page.matchAll(/`(?:kinds\/)?([a-z-]+\.ts)`:\n\n```ts\n(.*?)```/gs))
    if (name === which) return { name, text }
  return assert.fail(`the page has no example ${which} any more`)
}

describe('the example in docs/extending.md', () => {
  it('loads from a folder of its own, runs, and resumes', { timeout: 300_000 }, async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    const { name, text } = await example('word-count.ts')
    await writeFile(path.join(folder, name), text)
    const [found] = await loadModules(folder)
    assert.ok(found, 'the file was not found')
    const kind = loadKind(found.name, found.exported, name)
    const params = await parseParams(kind, kind.example)
    const pool = createThreads({ size: 1, memoryMb: 128 })
    undo(t, () => pool.close())
    const run = (resume: Uint8Array | null) => {
      const percents: number[] = []
      const lines: string[] = []
      const { outcome } = pool.run(
        {
          id: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f',
          attempt: 1,
          kind: kind.name,
          file: found.file,
          params,
          resume,
        },
        {
          started() {},
          progress: report => percents.push(report.percent),
          log: more => lines.push(...more.map(({ text }) => text)),
          checkpoint() {},
          submit: async () => assert.fail('the example submits nothing'),
        },
      )
      return { outcome, percents, lines }
    }
    const first = run(null)
    assert.deepEqual(await first.outcome, {
      type: 'success',
      result: { form: 'inline', json: '{"words":10,"perText":[6,4]}' },
    })
    assert.equal(first.percents.at(-1), 100)
    assert.deepEqual(first.lines, ['2 texts counted'])
    const resumed = await run(serialize([100])).outcome
    assert.ok(resumed.type === 'success' && resumed.result.form === 'inline', JSON.stringify(resumed))
    assert.deepEqual(JSON.parse(resumed.result.json), { words: 104, perText: [100, 4] })
  })
  it('reads an upload and keeps an artifact', { timeout: 300_000 }, async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    const { name, text } = await example('pack.ts')
    const file = path.join(folder, name)
    await writeFile(file, text)
    const [found] = await loadModules(folder)
    const kind = loadKind('pack', found?.exported, name)
    const { properties } = kind.schemas.params as { properties: { file: Record<string, unknown> } }
    assert.deepEqual(properties.file['x-upload'], { maxBytes: 10_000_000_000 })
    const pool = createThreads({ size: 1, memoryMb: 128 })
    undo(t, () => pool.close())
    const upload = Buffer.from('to be or not to be '.repeat(100_000))
    const kept: Uint8Array[] = []
    const { outcome } = pool.run(
      {
        id: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f',
        attempt: 1,
        kind: kind.name,
        file,
        params: await parseParams(kind, kind.example),
        resume: null,
      },
      {
        started() {},
        progress() {},
        log() {},
        checkpoint() {},
        submit: async () => assert.fail('the example submits nothing'),
        files: {
          async keep({ name: as, type }, bytes) {
            for (let piece = await bytes.next(); piece; piece = await bytes.next()) kept.push(piece)
            return { name: as, bytes: Buffer.concat(kept).length, type: String(type), sha256: '' }
          },
          find: async () => ({ name: null, bytes: upload.length, type: 'text/plain', sha256: '' }),
          read: async () => Readable.from([upload]),
          scratchMade() {},
        },
      },
    )
    const ended = await outcome
    assert.ok(ended.type === 'success' && ended.result.form === 'inline', JSON.stringify(ended))
    const packed = Buffer.concat(kept)
    assert.deepEqual(JSON.parse(ended.result.json), { before: upload.length, after: packed.length })
    assert.ok(gunzipSync(packed).equals(upload))
  })
  it('runs a command', { timeout: 300_000 }, async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    const { name, text } = await example('checksum.ts')
    const file = path.join(folder, name)
    await writeFile(file, text)
    const [found] = await loadModules(folder)
    const kind = loadKind('checksum', found?.exported, name)
    const pool = createThreads({ size: 1, memoryMb: 128 })
    undo(t, () => pool.close())
    const lines: string[] = []
    const { outcome } = pool.run(
      {
        id: '0190f3a1-7c5e-7b3a-9d2f-1a2b3c4d5e6f',
        attempt: 1,
        kind: kind.name,
        file,
        params: await parseParams(kind, kind.example),
        resume: null,
      },
      {
        started() {},
        progress() {},
        log: more => lines.push(...more.map(({ text }) => text)),
        checkpoint() {},
        submit: async () => assert.fail('the example submits nothing'),
      },
    )
    assert.deepEqual(await outcome, {
      type: 'success',
      result: { form: 'inline', json: '{"checksum":2814505409,"bytes":18}' },
    })
    assert.deepEqual(lines, ['2814505409 18'])
  })
})
