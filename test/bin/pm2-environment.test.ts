// What surrounds PM2: a path with a space is no command, and a variable of the environment is no setting of PM2's.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'node:test'

const run = (script: string, env: Record<string, string> = {}): unknown => {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `import { createRequire } from 'node:module'
import { clearEnvironment, fixScriptPaths } from './bin/pm2-environment.mjs'
const require = createRequire(process.cwd() + '/bin/')
process.env.PM2_HOME = '/tmp/none'
${script}`,
    ],
    { encoding: 'utf8', env: { ...process.env, ...env } },
  )
  assert.equal(stderr, '')
  return JSON.parse(stdout)
}

describe('what surrounds PM2', () => {
  it('leaves a script as it is whose path holds a space', () => {
    const verified = run(`fixScriptPaths(require)
const common = require('pm2/lib/Common.js')
const confs = ['/my apps/api/main.js', '/apps/rpc/main.js'].map((script, at) => ({ name: 'n' + at, script, merge_logs: true }))
console.log(JSON.stringify(common.verifyConfs(confs).map(({ script, args }) => [script, args ?? null])))`)
    assert.deepEqual(verified, [
      ['/my apps/api/main.js', null],
      ['/apps/rpc/main.js', null],
    ])
  })

  it('takes the kind of a configuration from its name, not from the folders above', () => {
    assert.equal(
      run(`fixScriptPaths(require)
console.log(JSON.stringify(require('pm2/lib/Common.js').isConfigFile('/old.json/x.yml/ecosystem.config.cjs')))`),
      'js',
    )
  })

  it('takes out of the environment what PM2 would obey, and nothing else', () => {
    const hostile = {
      ...{ uid: '0', watch: 'true', autorestart: 'false', kill_timeout: '1', name: 'x', status: 'stopped' },
      ...{
        PM2_SILENT: 'true',
        PM2_KILL_SIGNAL: 'SIGKILL',
        pm_id: '3',
        NODE_APP_INSTANCE: '1',
      },
    }
    const kept = { HOST: '::1', OPENAI_KEY: 'k', NODE_ENV: 'production', LANG: 'C' }
    const left = run(
      `clearEnvironment(require)
console.log(JSON.stringify(process.env))`,
      { ...hostile, ...kept },
    ) as Record<string, string>
    for (const name of Object.keys(hostile)) assert.equal(left[name], undefined, name)
    for (const [name, value] of Object.entries(kept)) assert.equal(left[name], value)
  })
})
