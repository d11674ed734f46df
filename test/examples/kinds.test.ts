// The examples as a whole: KINDS_DIR loads them, and each is short enough to be copied.
import assert from 'node:assert/strict'
import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { DEFAULT_KIND_SETTINGS } from '../../src/core/kind.ts'
import { loadKinds } from '../../src/load-kinds.ts'
import { requireService } from '../support/services.ts'
import { undo } from '../support/undo.ts'
import { FOLDER } from './around.ts'

const FILES = [
  'csv-stats.ts',
  'http-api.ts',
  'report.ts',
  'sha256.ts',
  'shell.ts',
  'sort-lines.sh',
  'top-words.py',
]
/** Without the one that this machine cannot run. */
const HERE = FILES.filter(name => !name.endsWith('.py') || requireService('python') === false)

describe('the example kinds', () => {
  it('load from any folder, with nothing beside them, and their examples fit', async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-kinds-'))
    undo(t, () => rm(folder, { recursive: true }))
    await cp(FOLDER, folder, { recursive: true })
    const { kinds, files } = await loadKinds({ kindsDir: folder, kindSettings: DEFAULT_KIND_SETTINGS })
    assert.deepEqual(
      kinds.troubles().map(({ file }) => file),
      FILES.filter(name => !HERE.includes(name)),
    )
    const theirs = kinds.names().filter(name => files.get(name)?.startsWith(folder))
    assert.deepEqual(
      theirs,
      HERE.map(name => name.replace(/\.\w+$/, '')),
    )
  })

  it('have 20 to 60 lines, open with their duty, and are all that the folder has', async () => {
    assert.deepEqual((await readdir(FOLDER)).sort(), FILES)
    for (const name of FILES) {
      const text = await readFile(path.join(FOLDER, name), 'utf8')
      const lines = text.trimEnd().split('\n')
      assert.ok(lines.length >= 20 && lines.length <= 60, `${name}: ${lines.length} lines`)
      assert.match(text, /^(?:\/\/|#!\/.*\n#) [A-Z]/)
    }
  })
})
