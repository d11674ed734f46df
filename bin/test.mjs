// `npm test`: types, style, build, then every test; with arguments only the test files whose path holds one of them.
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensureBuilt } from './build.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const wanted = process.argv.slice(2)
// A file that hangs must end as a failure, not hold up the run: a long test names itself in a variable of this form
const isLong = Object.keys(process.env).some(name => name.endsWith('_LONG'))
const FILE_TIMEOUT_MS = (isLong ? 60 : 10) * 60_000

/**
 * @param {string} command
 * @param {string[]} args
 */
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

// Node 20's runner does not expand patterns, so the files are listed here
const files = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter(name => name.endsWith('.test.ts'))
  .map(name => path.join('test', name))
  .filter(name => wanted.length === 0 || wanted.some(part => name.includes(part)))
  .sort()

if (files.length === 0) {
  console.error(`No test file's path holds ${wanted.join(' or ')}`)
  process.exit(1)
}
if (wanted.length === 0) run('npm', ['run', '--silent', 'check'])
ensureBuilt()
const options = ['--test-concurrency=2', `--test-timeout=${FILE_TIMEOUT_MS}`, '--test-reporter=spec']
run(process.execPath, ['--import', 'tsx', '--test', ...options, ...files])
