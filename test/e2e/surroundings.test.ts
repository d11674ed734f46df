// A bundle in surroundings that mean something to the tools it is made of: signs in its path, variables that PM2 would
// obey, and an output that nobody reads any more.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { it } from 'node:test'
import { makeDataDir, startBundle } from '../support/bundle.ts'
import { undo } from '../support/undo.ts'
import { until } from '../support/until.ts'

const OBEYED = { uid: '99', watch: 'true', autorestart: 'false', kill_timeout: '1', PM2_SILENT: 'true' }
const CHECKOUT = ['bin', 'dist', 'gen', 'src', 'ecosystem.config.cjs', 'package.json', 'package-lock.json']

it('a bundle starts from any path and environment, and outlives the reader of its output', {
  timeout: 600_000,
}, async t => {
  const { dataDir, remove } = makeDataDir()
  undo(t, remove)
  const root = path.join(dataDir, "my apps' #1", 'old.json')
  mkdirSync(root, { recursive: true })
  for (const name of [...CHECKOUT, 'tsconfig.json', 'tsconfig.build.json'])
    cpSync(name, path.join(root, name), { recursive: true })
  symlinkSync(path.resolve('node_modules'), path.join(root, 'node_modules'))
  const bundle = await startBundle(dataDir, { ...OBEYED, NODE_ENV: 'production' }, root)
  undo(t, () => bundle.kill())

  bundle.stopReading()
  // the supervisor has lines to print at each of these
  let worker = 0
  await until('a worker is there', async () => {
    worker = await bundle.pidOf('worker').catch(() => 0)
    return worker > 0
  })
  process.kill(worker, 'SIGKILL')
  const { id } = await bundle.submit({ kind: 'calcpi', params: { digits: 5 } })
  await until('another worker runs the task', () => bundle.stateFile(id).status === 'SUCCESS', 60_000)
  assert.notEqual(await bundle.pidOf('worker'), worker)
})
