// Files that appear whole or not at all: a failed write leaves nothing behind.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { createFile, replaceFile } from '../../src/platform/atomic-file.ts'
import { undo } from '../support/undo.ts'

const folderOf = async (t: TestContext): Promise<string> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'madhava-atomic-'))
  undo(t, () => rm(folder, { recursive: true }))
  return folder
}

describe('a file written aside', () => {
  it('takes the place of the old one, and nothing else is left', async t => {
    const folder = await folderOf(t)
    const file = path.join(folder, 'state')
    for (const text of ['old', 'new']) {
      await replaceFile(file, text)
      assert.deepEqual([await readFile(file, 'utf8'), await readdir(folder)], [text, ['state']])
    }
  })

  it('is removed if it cannot take that place', async t => {
    const folder = await folderOf(t)
    await mkdir(path.join(folder, 'state'))
    await assert.rejects(replaceFile(path.join(folder, 'state'), 'text'))
    await assert.rejects(createFile(path.join(folder, 'missing', 'state'), 'text'))
    assert.deepEqual(await readdir(folder), ['state'])
  })

  it('makes a new file for exactly one of many callers, and never replaces one', async t => {
    const folder = await folderOf(t)
    const file = path.join(folder, 'lock')
    const made = await Promise.all(['a', 'b', 'c', 'd'].map(text => createFile(file, text)))
    assert.equal(made.filter(Boolean).length, 1)
    const kept = await readFile(file, 'utf8')
    assert.equal(kept, ['a', 'b', 'c', 'd'][made.indexOf(true)])
    await writeFile(file, 'mine')
    assert.equal(await createFile(file, 'other'), false)
    assert.deepEqual([await readFile(file, 'utf8'), await readdir(folder)], ['mine', ['lock']])
  })
})
