// How fast the files store writes, beside a plain write + fsync + rename + fsync of the folder per record, in turns
// in one process. It knows the store by its port alone.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { start, succeed } from '../src/core/moves.ts'
import type { TaskStore } from '../src/core/store.ts'
import type { TaskRecord } from '../src/core/task.ts'
import { silentLog } from '../src/platform/log.ts'
import { openFilesStore } from '../src/stores/files/open.ts'
import { median, show, spread, table } from './figures.ts'
import { takePlace } from './place.ts'
import { newTask, RESULT, WORKER, wholeLife } from './sample.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    creates: { type: 'string', default: '10000' },
    lives: { type: 'string', default: '6000' },
    alone: { type: 'string', default: '200' },
    width: { type: 'string', default: '64' },
    only: { type: 'string' },
  },
})
const count = { creates: Number(options.creates), lives: Number(options.lives), alone: Number(options.alone) }
const width = Number(options.width)
const now = (): string => new Date().toISOString()

interface Measured {
  perSecond: number
  /** User and system time of the whole process, all threads. */
  cpuMicros: number
}

/** Runs `work` so many times, `lanes` at a time; what was written before is on the disk first. */
const measure = async (times: number, lanes: number, work: () => Promise<void>): Promise<Measured> => {
  spawnSync('sync')
  let left = times
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await work()
    }
  }
  const cpu = process.cpuUsage()
  const from = performance.now()
  await Promise.all(Array.from({ length: lanes }, lane))
  const seconds = (performance.now() - from) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { perSecond: times / seconds, cpuMicros: (user + system) / times }
}

/** What both sides can do; `finish` proves that it was done and closes. */
interface Side {
  create(): Promise<void>
  live(): Promise<void>
  /** As `live`, the task chosen by the store; null where there is nobody to choose. */
  liveByChoice: (() => Promise<void>) | null
  finish(lives: number): Promise<void>
}

const stateFile = (dir: string, id: string): string => path.join(dir, 'tasks', id.slice(-2), `${id}.json`)

/** One file per record, each write on its own; `indent` as the store writes, so that the bytes are the same. */
const openPlain = async (dir: string, indent: number): Promise<Side> => {
  const shards = Array.from({ length: 256 }, (_, n) => n.toString(16).padStart(2, '0'))
  for (const shard of shards) await mkdir(path.join(dir, 'tasks', shard), { recursive: true })
  let written = ''
  const write = async (task: TaskRecord): Promise<void> => {
    const file = stateFile(dir, task.id)
    const handle = await open(`${file}.tmp`, 'w', 0o640)
    await handle.writeFile(`${JSON.stringify(task, null, indent)}\n`)
    await handle.sync()
    await handle.close()
    await rename(`${file}.tmp`, file)
    const folder = await open(path.dirname(file), 'r')
    await folder.sync()
    await folder.close()
    written = file
  }
  return {
    create: () => write(newTask()),
    async live() {
      for (const task of wholeLife()) await write(task)
    },
    liveByChoice: null,
    async finish() {
      if (written === '') return
      const task = JSON.parse(await readFile(written, 'utf8')) as TaskRecord
      assert.equal(stateFile(dir, task.id), written)
    },
  }
}

const openOurs = async (dir: string): Promise<Side & { store: TaskStore }> => {
  const store = await openFilesStore({ dir, clock: () => new Date(), log: silentLog() })
  // with its index up, as in every process that has been running for a while
  await store.counts()
  const ended: string[] = []
  const finishLife = async (claimed: TaskRecord | null): Promise<void> => {
    assert.ok(claimed, 'a task that is waiting was not given out')
    await store.move(claimed.id, claimed.claim, succeed(RESULT, null, now()))
    ended.push(claimed.id)
  }
  return {
    store,
    create: async () => {
      await store.create(newTask(), null)
    },
    async live() {
      const { task } = await store.create(newTask(), null)
      await finishLife(await store.claim(task.id, start(WORKER, now())))
    },
    async liveByChoice() {
      await store.create(newTask(), null)
      await finishLife(await store.claimNext({ kinds: ['calcpi'], now: now() }, start(WORKER, now())))
    },
    async finish(lives) {
      // what was acknowledged stands in the files of every sort of store
      assert.equal((await store.counts()).byStatus.SUCCESS, lives)
      for (let n = 0; n < ended.length; n += Math.ceil(ended.length / 50)) {
        const text = await readFile(stateFile(dir, ended[n] ?? ''), 'utf8')
        assert.equal((JSON.parse(text) as TaskRecord).status, 'SUCCESS')
      }
      await store.close()
    },
  }
}

type Phase = 'creates' | 'lives' | 'alone' | 'choice'
const PHASES: Record<Phase, { title: string; run: (side: Side) => Promise<Measured> | null }> = {
  creates: {
    title: `creates/s, ${width} in flight`,
    run: side => measure(count.creates, width, side.create),
  },
  lives: {
    title: `lives/s (create, claim, final), ${width} in flight`,
    run: side => measure(count.lives, width, side.live),
  },
  choice: {
    title: 'lives/s by claimNext, the creates above still waiting',
    run: side => side.liveByChoice && measure(count.lives, width, side.liveByChoice),
  },
  alone: { title: 'creates/s, one at a time', run: side => measure(count.alone, 1, side.create) },
}

/** How many spaces the store's state files are indented by. */
const indentOf = async (dir: string): Promise<number> => {
  const { store, finish } = await openOurs(dir)
  const { task } = await store.create(newTask(), null)
  const text = await readFile(stateFile(dir, task.id), 'utf8')
  await finish(0)
  return /^\{\n( *)/.exec(text)?.[1]?.length ?? 0
}

const place = takePlace(options.dir)
console.log(place.machine)
const indent = await indentOf(path.join(place.dir, 'probe'))
const phases = (Object.keys(PHASES) as Phase[]).filter(name => !options.only || options.only === name)
if (phases.length === 0) throw new Error(`--only takes one of ${Object.keys(PHASES).join(', ')}`)
const results = new Map<Phase, { plain: Measured[]; ours: Measured[] }>(
  phases.map(name => [name, { plain: [], ours: [] }]),
)

// round 0 warms both sides up and is not counted
for (let round = 0; round <= Number(options.rounds); round += 1) {
  const plain = await openPlain(path.join(place.dir, `plain-${round}`), indent)
  const ours = await openOurs(path.join(place.dir, `ours-${round}`))
  for (const name of phases) {
    const result = results.get(name)
    const phase = PHASES[name]
    const a = await phase.run(plain)
    const b = await phase.run(ours)
    if (round === 0 || !result || !b) continue
    if (a) result.plain.push(a)
    result.ours.push(b)
    console.log(`  round ${round}, ${phase.title}: ${a ? show(a.perSecond) : '-'} and ${show(b.perSecond)}`)
  }
  await ours.finish(count.lives * phases.filter(name => name === 'lives' || name === 'choice').length)
  await plain.finish(count.lives)
}

const rates = (list: Measured[]): string =>
  list.length === 0 ? '' : spread(list.map(({ perSecond }) => perSecond))
const cpu = (list: Measured[]): string =>
  list.length === 0 ? '' : show(median(list.map(({ cpuMicros }) => cpuMicros)))
console.log()
console.log(
  table([
    [
      'min / median / max',
      'plain',
      'store',
      'ratio of each pair',
      'CPU us each, plain',
      'CPU us each, store',
    ],
    ...phases.map(name => {
      const { plain, ours } = results.get(name) ?? { plain: [], ours: [] }
      const ratios = plain.map((a, n) => (ours[n]?.perSecond ?? Number.NaN) / a.perSecond)
      return [
        PHASES[name].title,
        rates(plain),
        rates(ours),
        ratios.length === 0 ? '' : spread(ratios),
        cpu(plain),
        cpu(ours),
      ]
    }),
  ]),
)
