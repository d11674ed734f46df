// The reset of a password in a data folder: whether a password of a setting is still that of a bundle which runs.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, it } from 'node:test'
import { hashPassword } from '../../../src/access/passwords.ts'
import { openOperator } from '../../../src/dashboard/access/operator.ts'
import { resetLogin } from '../../../src/dashboard/access/reset-login.ts'
import { silentLog } from '../../../src/platform/log.ts'
import { createSharedClock } from '../../../src/platform/shared-clock.ts'
import { filesAdapter } from '../../../src/stores/files/adapter.ts'
import { openDocuments } from '../../../src/wire.ts'
import { details } from '../../suites/store/world.ts'
import { undo } from '../../support/undo.ts'

describe('the reset in a data folder', { timeout: 300_000 }, () => {
  it('is refused while a dashboard runs there, and takes a password away that is left over', async test => {
    const dir = await mkdtemp(path.join(tmpdir(), 'madhava-reset-'))
    const log = silentLog()
    const bundle = await filesAdapter({ dir }).open({ sharedClock: createSharedClock(Date.now), log })
    let isRunning = true
    const stop = async () => {
      if (isRunning) await bundle.close()
      isRunning = false
    }
    undo(test, async () => {
      await stop()
      await rm(dir, { recursive: true, force: true })
    })
    const hash = await hashPassword('correct horse')
    const configured = { ...hash, bundles: { before: '2020-01-01T00:00:00.000Z' } }
    const data = { role: 'operator', password: null, configured, changes: 1 }
    await bundle.documents.put('accounts', 'operator', { version: 1, expiresAt: null, data }, null)
    const reset = async (): Promise<string> => {
      const { documents, close, ...tool } = await openDocuments({ dataDir: dir, redis: null }, log)
      try {
        const password = await resetLogin(documents, tool)
        assert.equal(await openOperator(documents).verify('operator', password), true)
        return password
      } finally {
        await close()
      }
    }
    await bundle.announce({ role: 'dashboard', details: () => details() })
    await assert.rejects(reset(), /DASHBOARD_PASSWORD, which a bundle that runs here has/)
    await stop()
    assert.ok(await reset())
  })
})
