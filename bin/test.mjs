// `npm test`: types, style, build, then every test; with arguments only the test files whose path contains one of
// them. --keep-busy runs them while other processes keep every core busy: a test that passes then does not need a
// quick machine.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { ensureBuilt } from './build.mjs'
import { keepBusy } from './keep-busy.mjs'

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const isBusy = process.argv.includes('--keep-busy')
const wanted = process.argv.slice(2).filter(word => word !== '--keep-busy')
// A file that hangs must fail and not hold up the run. A run of long tests has a variable with this ending
const isLong = Object.keys(process.env).some(name => name.endsWith('_LONG'))
const FILE_TIMEOUT_MS = (isLong ? 120 : 60) * 60_000
/** How many files run at a time. Many wait for a broker, a browser or a process, so six keep two cores busy. */
const AT_A_TIME = 6

/** The slowest files, slowest first: started last, they would run alone at the end. */
const LONGEST = [
  'e2e/files',
  'stores/redis/redis',
  'access/stores',
  'faults/refusals',
  'kinds/thumbnails/hostile',
  'dashboard/access/settle-logins',
  'stores/files/files',
  'dashboard/access/operator',
  'stores/shared/export-import',
  'e2e/logins',
  'e2e/reload',
  'dashboard/files/thumbnails-page',
  'testing/start-madhava',
  'kinds/thumbnails/pictures',
  'worker/killed-files',
  'package/project',
  'e2e/supervisorctl',
  'e2e/todo',
  'e2e/audit',
  'faults/network',
  'faults/worker',
  'e2e/bundle',
  'dashboard/browser',
  'package/installed',
  'package/package',
  'package/project',
  'package/guide',
  'worker/runners',
  'sdk/python',
  'worker/reuse-check',
  'e2e/redis',
  'e2e/access',
  'e2e/killed-worker',
  'e2e/canaries',
  'e2e/quotas',
  'worker/sweeper',
  'stores/shared/export-import-redis',
  'faults/broker',
  'e2e/rabbitmq',
  'dashboard/overview-page',
  'dashboard/tasks-crowd',
  'dashboard/process-pages',
  'worker/threads',
  'worker/processes',
  'queues/rabbitmq/rabbitmq',
  'bench/programs',
  'queues/rabbitmq/dead-letters',
  'platform/serve',
  'stores/redis/faults',
  'stores/redis/sentinel',
  'faults/times',
  'faults/restart',
  'e2e/pi',
  'stores/files/power-cut',
  'stores/files/full-disk',
  'stores/files/fsck',
  'e2e/full-disk',
  'stores/files/writer',
  'api/browser',
  'dashboard/state-pages',
  'dashboard/tasks-page',
  'dashboard/new-task-page',
  'dashboard/task-page',
  'dashboard/processes/pm2',
  'e2e/rest',
  'cli/terminal',
  'worker/runner-ends',
].map(name => path.join('test', `${name}.test.ts`))

/** Folders of short tests that share a process each: starting one takes longer than most of their files. */
const TOGETHER = [
  'api',
  'cli',
  'client',
  'core',
  'dashboard',
  'dashboard/access',
  'dashboard/processes',
  'dashboard/web',
  'kinds',
  'platform',
  'queues',
  'rpc',
  'stores/files',
]
/**
 * What such a file must not do: a hook outside of a `describe` would apply to all files, and memory needs its own
 * process.
 */
const ALONE = /^(before|after|beforeEach|afterEach)\(|memoryUsage|cpuUsage|process\.(env\.\w+ = |chdir)/m

/**
 * @param {string} command
 * @param {string[]} args
 */
const run = (command, args) => {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit' })
  return status ?? 1
}
/**
 * @param {string} command
 * @param {string[]} args
 */
const mustRun = (command, args) => {
  const status = run(command, args)
  if (status !== 0) process.exit(status)
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

/**
 * The runner's arguments: the slowest files, then the groups, then the rest.
 * @param {string} folder for the files of the groups
 */
const arrange = folder => {
  const longest = LONGEST.filter(name => files.includes(name))
  const rest = files.filter(name => !longest.includes(name))
  const groups = TOGETHER.flatMap(name => {
    const members = rest.filter(
      file =>
        path.dirname(file) === path.join('test', name) &&
        !ALONE.test(readFileSync(path.join(root, file), 'utf8')),
    )
    if (members.length < 2) return []
    const file = path.join(folder, `${name.replaceAll('/', '-')}.mjs`)
    const urls = members.map(member => pathToFileURL(path.join(root, member)).href)
    writeFileSync(file, urls.map(url => `await import(${JSON.stringify(url)})\n`).join(''))
    return [{ file, members }]
  })
  const grouped = new Set(groups.flatMap(({ members }) => members))
  return [...longest, ...groups.map(({ file }) => file), ...rest.filter(file => !grouped.has(file))]
}

if (wanted.length === 0) mustRun('npm', ['run', '--silent', 'check'])
await ensureBuilt()
const folder = mkdtempSync(path.join(tmpdir(), 'madhava-tests-'))
const letGo = isBusy ? keepBusy() : () => {}
const options = [
  `--test-concurrency=${AT_A_TIME}`,
  `--test-timeout=${FILE_TIMEOUT_MS}`,
  // one destination for each reporter, in this order
  ...['--test-reporter=spec', '--test-reporter-destination=stdout'],
  ...['--test-reporter=./bin/slowest-files.mjs', '--test-reporter-destination=stdout'],
]
let status = 1
try {
  const preloads = ['--import', 'tsx', '--import', './test/support/cheap-passwords.ts']
  status = run(process.execPath, [...preloads, '--test', ...options, ...arrange(folder)])
} finally {
  letGo()
  rmSync(folder, { recursive: true, force: true })
}
process.exit(status)
