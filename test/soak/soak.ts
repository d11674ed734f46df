// `npm run soak -- --minutes N [--seed S] [--rate R] [--keep]`: the whole bundle over a real RabbitMQ, with a proxy in
// between, under load, while everything is killed, frozen, wiped and cut at random. Ends with a report; the exit code
// is 1 when a promise was broken.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { TaskRecord } from '../../src/core/task.ts'
import { type Bundle, makeDataDir, startBundle } from '../support/bundle.ts'
import { freePort } from '../support/free-port.ts'
import { startRabbit } from '../support/rabbitmq.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { readEffects } from './effects.ts'
import { drawHarm, type Scene } from './harms.ts'
import { startLoad } from './load.ts'
import { breaches, type Recovery, type SoakReport, toMarkdown } from './report.ts'

const KINDS_DIR = fileURLToPath(new URL('./kinds/', import.meta.url))
/** Within this time after a harm is undone, everything must be well. */
const RECOVERY_MS = 120_000
/** Tasks may take so long to end after the last harm. */
const LAST_ENDS_MS = 300_000
const FINAL = ['SUCCESS', 'FAILURE', 'REVOKED']

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    rate: { type: 'string', default: '8' },
    report: { type: 'string' },
    keep: { type: 'boolean', default: false },
  },
})
const minutes = Number(values.minutes)
const seed = Number(values.seed)
const perSecond = Number(values.rate)
if (!(minutes > 0) || !Number.isInteger(seed) || !(perSecond > 0))
  throw new TypeError(
    'usage: npm run soak -- --minutes N [--seed WHOLE] [--rate PER_SECOND] [--report FILE] [--keep]',
  )

/** mulberry32. */
const createRandom = (start: number): (() => number) => {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
/** The same seed draws the same harms in the same order; when they strike is up to the machine. */
const random = createRandom(seed)
/** Apart, since how often the load draws depends on the doors. */
const loadRandom = createRandom(seed + 1)
const began = Date.now()
const say = (text: string): void =>
  console.log(`${((Date.now() - began) / 1000).toFixed(1).padStart(7)} s  ${text}`)

const { dataDir, remove } = makeDataDir()
const folder = path.join(dataDir, 'effects')
mkdirSync(folder)
const rabbit = await startRabbit()
const proxy = await startTcpProxy({ port: rabbit.port })
const settings = {
  AMQP_URL: `amqp://guest:guest@127.0.0.1:${proxy.port}/`,
  API_PORT: String(await freePort()),
  KINDS_DIR,
  CONCURRENCY: '6',
  LOG_LEVEL: 'info',
}
let bundle: Bundle = await startBundle(dataDir, settings)
const { api } = bundle
say(`the bundle is up: ${api}, data in ${dataDir}, seed ${seed}`)

const scene: Scene = {
  rabbit,
  proxy,
  random,
  pidOf: role => bundle.pidOf(role).catch(() => null),
  async restart(how) {
    if (how === 'SIGKILL') await bundle.kill()
    else await bundle.stop(how)
    bundle = await startBundle(dataDir, settings)
  },
}
const load = startLoad({ api, folder, perSecond, random: loadRandom })

/** Why not all is well, or null. */
const trouble = async (): Promise<string | null> => {
  try {
    const response = await fetch(`${api}/readyz`, { signal: AbortSignal.timeout(5_000) })
    const { checks } = (await response.json()) as {
      checks: Record<string, { status: string; reason?: string }>
    }
    const bad = Object.entries(checks).filter(([, { status }]) => status !== 'ok')
    return bad.length === 0 ? null : bad.map(([name, { reason }]) => `${name}: ${reason}`).join('; ')
  } catch (error) {
    return `no answer: ${error instanceof Error ? error.message : error}`
  }
}
const getTask = async (id: string): Promise<TaskRecord | null> => {
  try {
    const response = await fetch(`${api}/task/${id}`, { signal: AbortSignal.timeout(5_000) })
    return response.ok ? ((await response.json()) as TaskRecord) : null
  } catch {
    return null
  }
}

/** Waits until all checks are well and a task submitted now has run; null when that takes too long. */
const recover = async (): Promise<{ ms: number } | { why: string }> => {
  const from = performance.now()
  const probe = load.submit({ kind: 'effect', params: { folder, ms: 0 }, priority: 9 })
  let why: string | null = 'the probe was not answered'
  while (performance.now() - from < RECOVERY_MS) {
    const id = await Promise.race([probe, sleep(100).then(() => null)])
    const task = id === null ? null : await getTask(id)
    why = task?.status === 'SUCCESS' ? await trouble() : `the probe is ${task?.status ?? 'unknown'}`
    if (why === null) return { ms: performance.now() - from }
    await sleep(50)
  }
  return { why: why ?? '' }
}

const harms: Record<string, number> = {}
const recoveries: Recovery[] = []
const unrecovered: string[] = []
const deadline = began + minutes * 60_000
while (Date.now() < deadline) {
  await sleep(2_000 + random() * 6_000)
  const harm = drawHarm(random)
  harms[harm.name] = (harms[harm.name] ?? 0) + 1
  say(harm.name)
  await harm.run(scene)
  // now and then the next one strikes while this one is not yet mended
  if (random() < 0.25) continue
  const recovery = await recover()
  if ('ms' in recovery) recoveries.push({ harm: harm.name, ms: recovery.ms })
  else unrecovered.push(`${harm.name}: ${recovery.why}`)
  say(
    'ms' in recovery
      ? `  well again after ${(recovery.ms / 1000).toFixed(1)} s; ${load.accepted.size} submitted`
      : `  NOT WELL after ${RECOVERY_MS / 1000} s: ${recovery.why}`,
  )
}

say('no more harms; waiting for the last tasks')
await load.stop()
let tasks: TaskRecord[] = []
const lastEnds = Date.now() + LAST_ENDS_MS
while (Date.now() < lastEnds) {
  await sleep(1_000)
  tasks = await bundle.all().catch(() => [])
  const known = new Map(tasks.map(task => [task.id, task]))
  if ([...load.accepted].every(id => FINAL.includes(known.get(id)?.status ?? ''))) break
}
let lastTrouble = await trouble()
for (const until = Date.now() + RECOVERY_MS; lastTrouble !== null && Date.now() < until; ) {
  await sleep(100)
  lastTrouble = await trouble()
}
if (lastTrouble !== null) unrecovered.push(`at the end: ${lastTrouble}`)

const known = new Map(tasks.map(task => [task.id, task]))
const mine = [...load.accepted].flatMap(id => known.get(id) ?? [])
const effects = readEffects(folder)
const { unanswered, wrong } = load.counts()
const errors: Record<string, number> = {}
for (const name of readdirSync(path.join(dataDir, 'logs')))
  for (const line of readFileSync(path.join(dataDir, 'logs', name), 'utf8').split('\n')) {
    if (!/"level":"(?:error|fatal)"/.test(line)) continue
    const text = `${/"role":"(\w+)"/.exec(line)?.[1]}: ${/"message":"([^"]*)"/.exec(line)?.[1]}`
    errors[text] = (errors[text] ?? 0) + 1
  }
const byStatus: Record<string, number> = {}
for (const { status } of mine) byStatus[status] = (byStatus[status] ?? 0) + 1
const describe = (task: TaskRecord): string => `${task.id} (${task.status}, ${JSON.stringify(task.error)})`
const longestWait = (fits: (priority: number) => boolean): number =>
  mine.reduce((longest, { id, finishedAt, priority }) => {
    const dueAt = load.quick.get(id)
    if (dueAt === undefined || finishedAt === null || !fits(priority)) return longest
    return Math.max(longest, Date.parse(finishedAt) - dueAt)
  }, 0)

const report: SoakReport = {
  date: new Date(began).toISOString().slice(0, 10),
  command: `npm run soak -- --minutes ${minutes} --seed ${seed} --rate ${perSecond}`,
  versions: `Node ${process.version}`,
  minutes,
  seed,
  submitted: load.accepted.size,
  unanswered,
  byStatus,
  longestWaits: {
    urgent: longestWait(priority => priority === 9),
    others: longestWait(priority => priority < 9),
  },
  lost: [...load.accepted].filter(id => !known.has(id)),
  stuck: mine.filter(({ status }) => !FINAL.includes(status)).map(describe),
  failed: mine
    .filter(({ id, status }) => status === 'FAILURE' || (status === 'REVOKED' && !load.cancelled.has(id)))
    .map(describe),
  manyEnds: mine
    .filter(({ history }) => history.filter(({ status }) => FINAL.includes(status)).length !== 1)
    .map(({ id }) => id),
  wrongAnswers: wrong,
  effects: {
    ...effects,
    once: mine.filter(({ id }) => effects.once.has(id)).length,
    none: mine
      .filter(
        ({ id, status }) => status === 'SUCCESS' && !effects.once.has(id) && !effects.twice.includes(id),
      )
      .map(({ id }) => id),
  },
  harms,
  recoveries,
  unrecovered,
  errors,
}
const text = toMarkdown(report)
console.log(`\n${text}`)
console.log('errors in the logs:', errors)
if (values.report !== undefined) writeFileSync(values.report, text)
const broken = breaches(report)
console.log(broken.length === 0 ? 'every promise was kept' : `BROKEN:\n  ${broken.join('\n  ')}`)

await bundle.kill()
await proxy.close()
await rabbit.remove()
if (values.keep) console.log(`the data folder is kept: ${dataDir}`)
else remove()
process.exit(broken.length === 0 ? 0 : 1)
