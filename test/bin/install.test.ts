// What the start asks npm for: the compiler too, whatever the user's environment says. npm itself is played.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { it } from 'node:test'
import { undo } from '../support/undo.ts'

for (const [what, hasSources] of [
  ['a checkout gets all packages, the compiler too, with NODE_ENV=production', true],
  ['an image without sources gets only what runs', false],
] as const)
  it(what, t => {
    const root = mkdtempSync(path.join(tmpdir(), 'madhava-install-'))
    undo(t, () => rmSync(root, { recursive: true, force: true }))
    for (const name of ['bin/install.mjs', 'package-lock.json']) cpSync(name, path.join(root, name))
    if (hasSources) mkdirSync(path.join(root, 'src'))
    const npm = path.join(root, 'npm')
    writeFileSync(npm, `#!/bin/sh\necho "$@" > "${root}/asked"\n`)
    chmodSync(npm, 0o755)
    const { status } = spawnSync(process.execPath, [path.join(root, 'bin/install.mjs')], {
      env: { ...process.env, PATH: `${root}:${process.env.PATH}`, NODE_ENV: 'production' },
    })
    assert.equal(status, 0)
    const asked = readFileSync(path.join(root, 'asked'), 'utf8')
    assert.match(
      asked,
      hasSources ? /^ci --include=dev --include=optional --include=prod / : /^ci --omit=dev /,
    )
  })

it('a package without a lockfile is installed already, wherever what it needs lies', t => {
  const root = mkdtempSync(path.join(tmpdir(), 'madhava-install-'))
  undo(t, () => rmSync(root, { recursive: true, force: true }))
  cpSync('bin/install.mjs', path.join(root, 'bin/install.mjs'))
  const npm = path.join(root, 'npm')
  writeFileSync(npm, '#!/bin/sh\nexit 1\n')
  chmodSync(npm, 0o755)
  const { status } = spawnSync(process.execPath, [path.join(root, 'bin/install.mjs')], {
    env: { ...process.env, PATH: `${root}:${process.env.PATH}` },
  })
  assert.equal(status, 0)
})
