// How long a move takes to reach clients of the event streams: half of them at GET /events, half at the task's own.
// The moves are made by a process of their own, through the store, as a worker makes them; the api is the bundle's. Beside
// them one reader of the store's feed, without a door in between: what it sees later or earlier is the machine's doing.
import { get as httpGet } from 'node:http'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { silentLog } from '../src/platform/log.ts'
import { openFilesStore } from '../src/stores/files/open.ts'
import { startBundle } from '../test/support/bundle.ts'
import type { Ask, Made } from './feed-mover.ts'
import { median, quantile, show, table } from './figures.ts'
import { startPeer } from './peer.ts'
import { takePlace } from './place.ts'
import { cpuOf, residentOf } from './proc.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    clients: { type: 'string', default: '200' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '30' },
    warm: { type: 'string', default: '3' },
  },
})
const [clients, perSecond, seconds] = [Number(options.clients), Number(options.rate), Number(options.seconds)]
/** Moves before the streams of the task are open, and some to get warm, do not count. */
const WARM_MS = Number(options.warm) * 1000

interface Client {
  kind: 'feed' | 'all' | 'task'
  /** When each revision of the task came, by its number; the system's monotonic clock, ns. */
  arrivals: Map<number, bigint>
  close(): void
}

const place = takePlace(options.dir)
console.log(place.machine)
const dataDir = path.join(place.dir, 'data')
const bundle = await startBundle(dataDir, { ROLES: 'api' })
const mover = await startPeer<Ask, Made[]>('feed-mover.ts', dataDir)

const VERSION = /"id":"([0-9a-f-]{36})".*?"claim":\d+,"rev":(\d+)/g

const listen = (
  kind: Client['kind'],
  where: string,
  onTask: (id: string) => void = () => {},
): Promise<Client> =>
  new Promise((resolve, reject) => {
    const arrivals = new Map<number, bigint>()
    const request = httpGet(`${bundle.api}${where}`, { agent: false }, response => {
      if (response.statusCode !== 200) reject(new Error(`${where}: ${response.statusCode}`))
      let rest = ''
      response.setEncoding('latin1')
      response.on('data', (text: string) => {
        const at = process.hrtime.bigint()
        const whole = (rest + text).lastIndexOf('\n\n')
        for (const [, id = '', rev] of (rest + text).slice(0, Math.max(0, whole)).matchAll(VERSION)) {
          onTask(id)
          arrivals.set(Number(rev), at)
        }
        rest = (rest + text).slice(whole + 1)
      })
      response.on('error', () => {})
      resolve({ kind, arrivals, close: () => request.destroy() })
    })
    request.on('error', reject)
  })

let found: (id: string) => void = () => {}
const task = new Promise<string>(resolve => {
  found = resolve
})
const store = await openFilesStore({ dir: dataDir, clock: () => new Date(), log: silentLog() })
const ending = new AbortController()
const feed: Client = { kind: 'feed', arrivals: new Map(), close: () => ending.abort() }
const feeding = (async () => {
  for await (const change of store.changes(await store.cursor(), ending.signal))
    if (change.type === 'task') feed.arrivals.set(change.task.rev, process.hrtime.bigint())
})()
const half = Math.floor(clients / 2)
const open = await Promise.all(
  Array.from({ length: clients - half }, (_, n) => listen('all', '/events', n === 0 ? found : undefined)),
)
const moving = mover.ask({ act: 'progress', perSecond, seconds: seconds + WARM_MS / 1000, width: 1 })
const id = await task
open.push(...(await Promise.all(Array.from({ length: half }, () => listen('task', `/task/${id}/events`)))))
open.push(feed)
await sleep(WARM_MS)
const from = process.hrtime.bigint()
const apiPid = await bundle.pidOf('api')
const [apiBefore, ownBefore] = [cpuOf([apiPid]).total, cpuOf([process.pid]).total]
const made = await moving
await sleep(1_000)
const took = Number(process.hrtime.bigint() - from) / 1e9
const [apiCpu, ownCpu] = [cpuOf([apiPid]).total - apiBefore, cpuOf([process.pid]).total - ownBefore]

const counted = made.filter(({ issued }) => issued > from)
const rows = [
  [
    'stream',
    'clients',
    'events',
    'arrived',
    'from asked, median ms',
    'p99',
    'max',
    'from resolved, median ms',
    'p99',
  ],
]
let lost = 0
for (const kind of ['feed', 'all', 'task'] as const) {
  const asked: number[] = []
  const resolved: number[] = []
  let skipped = 0
  const group = open.filter(client => client.kind === kind)
  for (const { arrivals } of group)
    for (const move of counted) {
      const at = arrivals.get(move.rev)
      if (at === undefined) {
        // a later one tells as much
        if ([...arrivals.keys()].some(rev => rev > move.rev)) skipped += 1
        else lost += 1
        continue
      }
      asked.push(Number(at - move.issued) / 1e6)
      resolved.push(Number(at - move.resolved) / 1e6)
    }
  rows.push([
    { feed: 'the store alone', all: 'GET /events', task: 'GET /task/{id}/events' }[kind],
    show(group.length),
    show(group.length * counted.length),
    `${show(asked.length)}${skipped > 0 ? ` (${show(skipped)} merged)` : ''}`,
    ...[
      median(asked),
      quantile(asked, 0.99),
      quantile(asked, 1),
      median(resolved),
      quantile(resolved, 0.99),
    ].map(show),
  ])
}
console.log(`\n${show(clients)} clients, ${perSecond} moves a second for ${seconds} s:\n\n${table(rows)}`)
console.log(
  `\napi: ${show((apiCpu * 100) / took)} % of a core, ${show(residentOf(apiPid).now / 1e6)} MB resident; ` +
    `all clients together: ${show((ownCpu * 100) / took)} %`,
)
for (const client of open) client.close()
await feeding
await store.close()
await mover.close()
await bundle.stop()
if (lost > 0) {
  console.error(`${lost} events did not arrive`)
  process.exitCode = 1
}
