// One owner of a data folder at a time, and nothing that a start leaves behind.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { silentLog } from '../../../src/platform/log.ts'
import { openInstances } from '../../../src/stores/files/claims/instances.ts'
import { lockFolder } from '../../../src/stores/files/folder-lock.ts'
import { openFilesStore } from '../../../src/stores/files/open.ts'
import { details } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'

describe('the lock of a data folder', () => {
  const setUp = (test: TestContext) => {
    const dir = mkdtempSync(path.join(os.tmpdir(), 'madhava-lock-'))
    undo(test, () => rmSync(dir, { recursive: true, force: true }))
    const clock = () => new Date()
    return {
      dir,
      lock: (patienceMs = 0) => lockFolder({ dir, clock, log: silentLog(), patienceMs }),
      openStore: () => openFilesStore({ dir, clock, log: silentLog() }),
      locks: () =>
        readdirSync(path.join(dir, 'run'))
          .filter(name => name.startsWith('lock.'))
          .sort(),
    }
  }

  it('is refused while its owner lives, and such a start leaves nothing behind', async test => {
    const { lock, locks, dir } = setUp(test)
    const owner = await lock()
    const before = readdirSync(path.join(dir, 'run')).sort()
    const sockets = () => process.getActiveResourcesInfo().filter(name => name === 'PipeServerWrap').length
    const open = sockets()
    for (let n = 0; n < 3; n += 1) await assert.rejects(lock(), { code: 'DATA_DIR_IN_USE' })
    assert.equal((await owner.presences()).length, 1)
    assert.deepEqual(readdirSync(path.join(dir, 'run')).sort(), before)
    assert.equal(sockets(), open)
    await owner.release()
    await owner.release()
    const next = await lock()
    assert.equal((await next.presences()).length, 1)
    assert.deepEqual(locks(), ['lock.1', 'lock.2'])
    await next.release()
  })

  it('keeps the lock before its own: a listing that misses the new one still finds it', async test => {
    const { lock, locks } = setUp(test)
    for (const expected of [['lock.1'], ['lock.1', 'lock.2'], ['lock.2', 'lock.3'], ['lock.3', 'lock.4']]) {
      const owner = await lock()
      assert.deepEqual(locks(), expected)
      await owner.release()
    }
  })

  it('waits for what an earlier start left running, only so long', async test => {
    const { lock, openStore } = setUp(test)
    const left = await openStore()
    await left.announce({ role: 'worker', details: () => details() })
    await assert.rejects(lock(), { code: 'DATA_DIR_IN_USE' })
    const waiting = lock(60_000)
    await left.close()
    await (await waiting).release()
  })

  it('is in the way of no other start before it is taken', async test => {
    const { lock, dir } = setUp(test)
    await (await lock()).release()
    // of a start that has said that it is there, and has not come to the lock yet
    const instances = await openInstances({
      folder: path.join(dir, 'run'),
      host: 'h',
      clock: () => new Date(),
      log: silentLog(),
    })
    undo(test, () => instances.leave())
    await instances.announce({ role: 'supervisor', details: () => details() })
    await (await lock()).release()
  })

  it('goes to one of many that start at once', async test => {
    const { lock } = setUp(test)
    const starts = await Promise.allSettled(Array.from({ length: 4 }, () => lock()))
    const owners = starts.filter(start => start.status === 'fulfilled')
    assert.equal(owners.length, 1)
    for (const start of starts)
      if (start.status === 'rejected') assert.equal(start.reason.code, 'DATA_DIR_IN_USE')
    for (const { value } of owners) await value.release()
  })
})
