// Which kinds may use one thread after another: those whose files change nothing that others see.
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { createThreads } from '../../src/worker/pool/pool.ts'
import { startThread } from '../../src/worker/pool/thread.ts'
import { undo } from '../support/undo.ts'
import { openRunnerPlace } from './acts/places.ts'

const kind = (head = ''): string =>
  `${head}\nexport default ({ defineKind, z }) => defineKind({ summary: 's', params: z.any(), result: z.any(), example: 1, run: n => n })`

describe('a thread', { timeout: 300_000 }, () => {
  it('is used by one kind after another, modules and programs, unless a file changes what others see', async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true, force: true }))
    await writeFile(path.join(folder, 'one.mjs'), kind())
    await writeFile(path.join(folder, 'two.mjs'), kind())
    await writeFile(path.join(folder, 'global.mjs'), kind('globalThis.mine = 1'))
    const program = await openRunnerPlace('program')
    let started = 0
    const pool = createThreads({
      ...{ size: 1, memoryMb: 128 },
      start(options) {
        started += 1
        return startThread(options)
      },
    })
    undo(t, () => pool.close())
    let runs = 0
    const run = async (name: string): Promise<void> => {
      runs += 1
      const { outcome } = pool.run(
        {
          ...{ id: `run-${runs}`, attempt: 1, kind: name, params: {}, resume: null },
          ...(name === 'acts'
            ? { file: program.file, program: program.kind.program ?? '', params: { act: 'give', value: 1 } }
            : { file: path.join(folder, `${name}.mjs`) }),
          scratch: path.join(folder, `scratch-${runs}`),
        },
        { started() {}, progress() {}, log() {}, checkpoint() {}, submit: async () => assert.fail('none') },
      )
      assert.equal((await outcome).type, 'success', name)
    }
    for (const name of ['one', 'two', 'acts', 'one', 'acts', 'two']) await run(name)
    assert.equal(started, 1)
    for (const name of ['global', 'global', 'one']) await run(name)
    assert.equal(started, 2, 'the kind that changes a global keeps its thread, and leaves it to no other')
  })
})
