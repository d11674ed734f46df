// Reloads over a data folder.
import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { reloadSuite } from '../../suites/reload.ts'
import { undo } from '../../support/undo.ts'

reloadSuite('files', {
  async place(t) {
    const dir = await mkdtemp(path.join(os.tmpdir(), 'madhava-'))
    undo(t, () => rm(dir, { recursive: true, force: true }))
    return { adapter: 'files', dir }
  },
})
