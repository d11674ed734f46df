// Which files of a folder are programs: what is executable and no data, and nothing else.
import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { findPrograms } from '../../src/programs/program-files.ts'
import { undo } from '../support/undo.ts'

const SCRIPT = '#!/bin/sh\necho\n'

describe('the programs of a folder', () => {
  it('are its executable files, and links to such; what everybody has beside them is none', async t => {
    const folder = await mkdtemp(path.join(tmpdir(), 'madhava-programs-'))
    undo(t, () => rm(folder, { recursive: true }))
    const make = async (name: string, mode: number, text = SCRIPT): Promise<void> => {
      await writeFile(path.join(folder, name), text)
      await chmod(path.join(folder, name), mode)
    }
    // as on a disk that calls every file executable
    for (const name of [
      ...['README.md', 'data.csv', 'params.json', 'LICENSE', 'Makefile', 'kind.ts', 'kind.mjs', 'lib.so'],
      ...['.hidden.sh', '_shared.py', 'test_resize.py', 'resize_test.py', 'resize.test.sh', 'madhava.py'],
      ...['main.go', 'resize.sh~', '.env', 'conftest.py', 'kind.d.ts'],
    ])
      await make(name, 0o755)
    await make('resize.py', 0o755, '#!/usr/bin/env python3\n')
    await make('report.sh', 0o755)
    await make('thumb', 0o755)
    await make('tool.cjs', 0o755)
    await make('notes', 0o644)
    await make('forgotten.py', 0o644)
    await make('unsaid.rb', 0o755, 'puts 1\n')
    await mkdir(path.join(folder, 'sub.sh'))
    await symlink('/bin/true', path.join(folder, 'linked'))
    await symlink('/nowhere/at/all', path.join(folder, 'broken.py'))
    await symlink('/nowhere/at/all', path.join(folder, 'broken'))
    const { programs, refused } = await findPrograms(folder)
    assert.deepEqual(
      programs.map(({ name, file }) => [name, path.basename(file)]),
      [
        ['linked', 'linked'],
        ['report', 'report.sh'],
        ['resize', 'resize.py'],
        ['thumb', 'thumb'],
        ['tool', 'tool.cjs'],
      ],
    )
    const reasons = Object.fromEntries(refused.map(({ file, reason }) => [path.basename(file), reason]))
    assert.deepEqual(Object.keys(reasons).sort(), ['broken.py', 'forgotten.py', 'unsaid.rb'])
    assert.match(reasons['broken.py'] ?? '', /ENOENT/)
    assert.match(reasons['forgotten.py'] ?? '', /chmod \+x forgotten\.py/)
    assert.match(reasons['unsaid.rb'] ?? '', /#!/)
  })

  it('cannot be found where the folder cannot be read', async () => {
    await assert.rejects(findPrograms('/nowhere/at/all'), { code: 'ENOENT' })
  })
})
