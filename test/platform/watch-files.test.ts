// Watched files: what an editor does with one, folders and files that come later, and files beside the folder.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { watchFiles } from '../../src/platform/watch-files.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const open = async (t: TestContext) => {
  const base = await mkdtemp(path.join(os.tmpdir(), 'madhava-watch-'))
  undo(t, () => rm(base, { recursive: true, force: true }))
  const at = (...names: string[]) => path.join(base, ...names)
  await mkdir(at('kinds'))
  await writeFile(at('kinds', 'a.ts'), '1')
  await writeFile(at('beside.ts'), '1')
  let changes = 0
  const watched = await watchFiles(at('kinds'), {
    ignores: name => name.endsWith('.test.ts'),
    onChange: () => {
      changes += 1
    },
    onError: error => {
      throw error
    },
  })
  undo(t, () => watched.close())
  /** Does it, and waits until it is told. */
  const told = async (what: string, does: () => Promise<unknown>): Promise<void> => {
    const before = changes
    await does()
    await until(`it is told: ${what}`, () => changes > before)
  }
  return { at, told, watched, changes: () => changes }
}

describe('watched files', { timeout: 300_000 }, () => {
  it('tell what is written, put in the place of another, made anew, and removed', async t => {
    const { at, told } = await open(t)
    await told('a write', () => writeFile(at('kinds', 'a.ts'), '2'))
    await told('another file in its place', async () => {
      await writeFile(at('elsewhere'), '3')
      await rename(at('elsewhere'), at('kinds', 'a.ts'))
    })
    await told('a write into that', () => writeFile(at('kinds', 'a.ts'), '4'))
    await told('a new file', () => writeFile(at('kinds', 'b.py'), '1'))
    await told('a folder that comes later', () => mkdir(at('kinds', 'lib', 'deep'), { recursive: true }))
    await told('a file in it', () => writeFile(at('kinds', 'lib', 'deep', 'c.ts'), '1'))
    await told('a write into that one', () => writeFile(at('kinds', 'lib', 'deep', 'c.ts'), '2'))
    await told('an end', () => rm(at('kinds', 'b.py')))
  })

  it('tell of files beside the folder, as long as they are wanted', async t => {
    const { at, told, watched, changes } = await open(t)
    watched.alsoWatch([at('beside.ts')])
    await told('a write', () => writeFile(at('beside.ts'), '2'))
    await told('another file in its place', async () => {
      await writeFile(at('elsewhere'), '3')
      await rename(at('elsewhere'), at('beside.ts'))
    })
    await told('a write into that', () => writeFile(at('beside.ts'), '4'))
    watched.alsoWatch([])
    const before = changes()
    await writeFile(at('beside.ts'), '5')
    // one event, however slow the machine
    await told('what is in the folder', () => mkdir(at('kinds', 'later')))
    assert.equal(changes(), before + 1)
  })

  it('leave out what is no source, and what the caller ignores', async t => {
    const { at, told, changes } = await open(t)
    for (const name of ['.swp', 'a.ts~', 'a.test.ts']) await writeFile(at('kinds', name), '1')
    await mkdir(at('kinds', 'node_modules'))
    await writeFile(at('kinds', 'node_modules', 'x.js'), '1')
    await told('a folder', () => mkdir(at('kinds', 'later')))
    assert.equal(changes(), 1)
  })

  it('are quiet once they are closed, twice if need be', async t => {
    const { at, watched, changes } = await open(t)
    await watched.close()
    await watched.close()
    await writeFile(at('kinds', 'a.ts'), '2')
    assert.equal(changes(), 0)
  })
})
