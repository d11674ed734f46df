// What it costs to run the four roles from the sources through tsx instead of from dist/: time and CPU until all are
// ready, and their memory. Both ways in turns, without a supervisor, whose part is the same.
import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median, quantile, show, table } from './figures.ts'
import { takePlace } from './place.ts'
import { cpuOf, pssOf } from './proc.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    times: { type: 'string', default: '5' },
    settle: { type: 'string', default: '3' },
    /** Starts of each way that are not counted: everything is in the file cache then, and compiled. */
    warm: { type: 'string', default: '1' },
  },
})
const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const ROLES = ['api', 'worker', 'rpc', 'dashboard']
const NODE_OPTIONS = ['--enable-source-maps', '--max-semi-space-size=4']

/** tsx keeps what it has compiled in the folder for temporary files: a fresh container has nothing there. */
const WAYS = [
  { name: 'dist/', tsx: false, cold: false },
  { name: 'tsx, compiled before', tsx: true, cold: false },
  { name: 'tsx, nothing compiled', tsx: true, cold: true },
] as const

interface Taken {
  readySeconds: number
  cpuSeconds: number
  pssBytes: number
  processes: number
}

/** The processes and their children: tsx keeps a compiler beside each process that has compiled something. */
const withChildren = (pids: readonly number[]): number[] => {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      parents.set(Number(name), Number(fields[1]))
    } catch {
      // it has just ended
    }
  }
  const all = new Set(pids)
  for (let before = 0; before !== all.size; ) {
    before = all.size
    for (const [pid, parent] of parents) if (all.has(parent)) all.add(pid)
  }
  return [...all]
}

const take = async (way: (typeof WAYS)[number], folder: string, warm: string): Promise<Taken> => {
  const temporary = way.cold ? path.join(folder, 'tmp') : warm
  for (const dir of [folder, temporary]) mkdirSync(dir, { recursive: true })
  const from = performance.now()
  const children: ChildProcess[] = ROLES.map(role =>
    fork(path.join(ROOT, way.tsx ? `src/${role}/main.ts` : `dist/${role}/main.js`), {
      cwd: folder,
      execArgv: [...NODE_OPTIONS, ...(way.tsx ? ['--import', import.meta.resolve('tsx')] : [])],
      env: {
        ...process.env,
        TMPDIR: temporary,
        DATA_DIR: path.join(folder, 'data'),
        API_PORT: '0',
        RPC_PORT: '0',
        DASHBOARD_PORT: '0',
        DASHBOARD_PASSWORD: 'of this benchmark',
      },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  )
  const ended = children.map(child => once(child, 'exit'))
  try {
    await Promise.all(
      children.map(child =>
        Promise.race([
          once(child, 'message'),
          once(child, 'exit').then(([code]) => Promise.reject(new Error(`a role ended with ${code}`))),
        ]),
      ),
    )
    const readySeconds = (performance.now() - from) / 1000
    const pids = children.map(({ pid }) => pid ?? 0)
    const cpuSeconds = cpuOf(withChildren(pids)).total
    await sleep(Number(options.settle) * 1000)
    // a child may end between being listed and being weighed
    const weights = withChildren(pids).flatMap(pid => {
      try {
        return [pssOf(pid)]
      } catch (error) {
        if (pids.includes(pid)) throw error
        return []
      }
    })
    const pssBytes = weights.reduce((sum, bytes) => sum + bytes, 0)
    return { readySeconds, cpuSeconds, pssBytes, processes: weights.length }
  } finally {
    for (const child of children) child.kill('SIGTERM')
    await Promise.all(ended)
  }
}

execFileSync(process.execPath, [path.join(ROOT, 'bin/build.mjs')], { stdio: 'inherit' })
const place = takePlace(options.dir)
console.log(place.machine)
const taken = new Map<string, Taken[]>(WAYS.map(({ name }) => [name, []]))
const warm = path.join(place.dir, 'warm')
for (let n = -Number(options.warm); n < Number(options.times); n += 1)
  for (const [number, way] of WAYS.entries()) {
    const one = await take(way, path.join(place.dir, `${n}.${number}`), warm)
    if (n >= 0) taken.get(way.name)?.push(one)
  }

const of = (name: string, field: keyof Taken): number[] => (taken.get(name) ?? []).map(one => one[field])
const ratio = (name: string, field: keyof Taken): string =>
  `${show(median(of(name, field)) / median(of('dist/', field)))} times`
console.log(`\nmedians of ${options.times}:\n`)
console.log(
  table([
    ['way', 'ready, s (least)', 'CPU to ready, s', 'PSS, MB', 'processes', 'ready', 'CPU', 'PSS'],
    ...WAYS.map(({ name }) => [
      name,
      `${show(median(of(name, 'readySeconds')))} (${show(quantile(of(name, 'readySeconds'), 0))})`,
      show(median(of(name, 'cpuSeconds'))),
      show(median(of(name, 'pssBytes')) / 1e6),
      show(median(of(name, 'processes'))),
      ratio(name, 'readySeconds'),
      ratio(name, 'cpuSeconds'),
      ratio(name, 'pssBytes'),
    ]),
  ]),
)
