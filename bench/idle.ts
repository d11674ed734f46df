// What the whole bundle uses when there is nothing to do: CPU over a minute, and memory.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { processesOf, startBundle } from '../test/support/bundle.ts'
import { show, table } from './figures.ts'
import { takePlace } from './place.ts'
import { cpuOf, pssOf } from './proc.ts'
import { fillFolder } from './sample-folder.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    seconds: { type: 'string', default: '60' },
    settle: { type: 'string', default: '10' },
    tasks: { type: 'string', default: '0' },
  },
})

const place = takePlace(options.dir)
console.log(place.machine)
const dataDir = path.join(place.dir, 'data')
const tasks = Number(options.tasks)
fillFolder(dataDir, tasks, 'ended')

/** The title that a role gives itself; PM2 runs inside of the start script. */
const roleOf = (pid: number): string => {
  const title = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  return /start\.mjs|pm2/i.test(title) ? 'supervisor' : title
}

const bundle = await startBundle(dataDir)
try {
  await sleep(Number(options.settle) * 1000)
  const before = cpuOf(processesOf(dataDir))
  const from = performance.now()
  await sleep(Number(options.seconds) * 1000)
  const pids = processesOf(dataDir)
  const after = cpuOf(pids)
  const seconds = (performance.now() - from) / 1000
  const percent = (cpu: number): string => show((cpu * 100) / seconds)
  const pss = pids.map(pssOf)
  console.log(`\n${show(tasks)} ended tasks, ${show(seconds)} s:\n`)
  console.log(
    table([
      ['process', 'CPU, % of one core', 'PSS, MB'],
      ...pids.map((pid, n) => [
        roleOf(pid),
        percent((after.byPid.get(pid) ?? 0) - (before.byPid.get(pid) ?? 0)),
        show((pss[n] ?? 0) / 1e6),
      ]),
      ['all', percent(after.total - before.total), show(pss.reduce((sum, bytes) => sum + bytes, 0) / 1e6)],
    ]),
  )
} finally {
  await bundle.stop()
}
