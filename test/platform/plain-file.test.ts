// Opening by name where something else may stand in the place of a file.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  isRealFolder,
  NotPlainError,
  openPlain,
  openPlainSync,
  readPlain,
  readPlainSync,
} from '../../src/platform/plain-file.ts'

describe('a file that is opened by its name', () => {
  let dir: string
  const at = (name: string) => path.join(dir, name)
  const socket = createServer()
  before(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'plain-'))
    writeFileSync(at('plain'), 'text')
    symlinkSync('plain', at('link'))
    symlinkSync('nowhere', at('dangling'))
    symlinkSync('/dev/zero', at('endless'))
    mkdirSync(at('folder'))
    symlinkSync('folder', at('folder-link'))
    execFileSync('mkfifo', [at('pipe')])
    await new Promise<void>(resolve => socket.listen(at('socket'), resolve))
  })
  after(() => {
    socket.close()
    rmSync(dir, { recursive: true, force: true })
  })

  it('is read when it is a regular file', async () => {
    assert.equal(readPlainSync(at('plain'), 4).toString(), 'text')
    assert.equal((await readPlain(at('plain'), 4))?.toString(), 'text')
    assert.equal(await readPlain(at('none'), 4), null)
    assert.throws(() => readPlainSync(at('none'), 4), { code: 'ENOENT' })
  })

  it('is refused without waiting when it is a link, a pipe, a folder, a socket or a device', async () => {
    for (const name of ['link', 'dangling', 'endless', 'folder', 'folder-link', 'pipe', 'socket']) {
      assert.throws(() => openPlainSync(at(name)), NotPlainError, name)
      await assert.rejects(openPlain(at(name)), NotPlainError, name)
      assert.throws(() => readPlainSync(at(name), 10), { code: 'EFTYPE' }, name)
      await assert.rejects(readPlain(at(name), 10), NotPlainError, name)
    }
    assert.throws(() => openPlainSync('/dev/zero'), NotPlainError)
  })

  it('is refused when it is larger than it may be, or has further names where it may not', async () => {
    assert.throws(() => readPlainSync(at('plain'), 3), { code: 'EFBIG' })
    await assert.rejects(readPlain(at('plain'), 3), { code: 'EFBIG' })
    linkSync(at('plain'), at('further'))
    assert.throws(() => openPlainSync(at('plain'), { oneName: true }), NotPlainError)
    closeSync(openPlainSync(at('plain')).fd)
    rmSync(at('further'))
    closeSync(openPlainSync(at('plain'), { oneName: true }).fd)
  })

  it('is in a real folder, and not behind a link to one', () => {
    assert.equal(isRealFolder(dir), true)
    for (const name of ['folder-link', 'plain', 'none', 'dangling'])
      assert.equal(isRealFolder(at(name)), false)
  })
})
