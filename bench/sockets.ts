// How long a move takes to reach WebSockets, and what a socket costs. The moves are made by a process of their own,
// through the store, as a worker makes them; the api is the bundle's; all clients are in this process. With --told some
// of the sockets are told of each move, as in a service where each person has tasks of their own; without it all are.
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import WebSocket from 'ws'
import { createClient } from '../src/client/client.ts'
import { startBundle } from '../test/support/bundle.ts'
import type { Ask, Made } from './feed-mover.ts'
import { median, quantile, show, table } from './figures.ts'
import { startPeer } from './peer.ts'
import { takePlace } from './place.ts'
import { cpuOf, residentOf } from './proc.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    sockets: { type: 'string', default: '1000' },
    told: { type: 'string' },
    rate: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '20' },
    warm: { type: 'string', default: '3' },
  },
})
const [count, perSecond, seconds] = [Number(options.sockets), Number(options.rate), Number(options.seconds)]
const told = options.told === undefined ? count : Number(options.told)
const WARM_MS = Number(options.warm) * 1000
/** One account may have 256. */
const PER_ACCOUNT = 200
const PASSWORD = 'a password of a bench'

const place = takePlace(options.dir)
console.log(place.machine)
const dataDir = path.join(place.dir, 'data')
const bundle = await startBundle(dataDir, { ROLES: 'api', DASHBOARD_PASSWORD: PASSWORD })
const mover = await startPeer<Ask, Made[]>('feed-mover.ts', dataDir)
const apiPid = await bundle.pidOf('api')

const { token } = await createClient({ baseUrl: bundle.api }).logIn('operator', PASSWORD)
const admin = createClient({ baseUrl: bundle.api, key: token })
const tokens: string[] = []
for (let n = 0; n * PER_ACCOUNT < count; n += 1) {
  const name = `viewer-${n}`
  await admin.createAccount({ name, password: PASSWORD, role: 'viewer' })
  tokens.push((await createClient({ baseUrl: bundle.api }).logIn(name, PASSWORD)).token)
}

const before = residentOf(apiPid).now
const REV = /"claim":\d+,"rev":(\d+)/
/** When each revision of the task came, by its number; the system's monotonic clock, ns. */
const arrivals: Map<number, bigint>[] = []
const open = (n: number): Promise<WebSocket> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(`${bundle.api.replace('http', 'ws')}/ws`, {
      headers: { authorization: `Bearer ${tokens[Math.floor(n / PER_ACCOUNT)]}` },
      perMessageDeflate: false,
    })
    const mine = new Map<number, bigint>()
    arrivals.push(mine)
    socket.on('message', data => {
      const text = String(data)
      const rev = REV.exec(text)?.[1]
      if (rev !== undefined) mine.set(Number(rev), process.hrtime.bigint())
      if (text.includes('"live"') && text.includes('"all"')) resolve(socket)
    })
    socket.once('open', () => {
      const filter = n < told ? {} : { q: 'of somebody else' }
      socket.send(JSON.stringify({ type: 'subscribe', on: 'all', filter }))
    })
    socket.once('error', reject)
  })
const sockets: WebSocket[] = []
for (let n = 0; n < count; n += 50)
  sockets.push(...(await Promise.all(Array.from({ length: Math.min(50, count - n) }, (_, k) => open(n + k)))))
await sleep(1_000)
const perSocket = (residentOf(apiPid).now - before) / count

const moving = mover.ask({ act: 'progress', perSecond, seconds: seconds + WARM_MS / 1000, width: 1 })
await sleep(WARM_MS)
const from = process.hrtime.bigint()
const [apiBefore, ownBefore] = [cpuOf([apiPid]).total, cpuOf([process.pid]).total]
const made = await moving
await sleep(1_000)
const took = Number(process.hrtime.bigint() - from) / 1e9
const [apiCpu, ownCpu] = [cpuOf([apiPid]).total - apiBefore, cpuOf([process.pid]).total - ownBefore]

const counted = made.filter(({ issued }) => issued > from)
const [asked, resolved]: [number[], number[]] = [[], []]
let [merged, lost] = [0, 0]
for (const mine of arrivals.slice(0, told)) {
  const last = Math.max(...mine.keys())
  for (const move of counted) {
    const at = mine.get(move.rev)
    if (at === undefined) {
      // a later one tells as much
      if (last > move.rev) merged += 1
      else lost += 1
      continue
    }
    asked.push(Number(at - move.issued) / 1e6)
    resolved.push(Number(at - move.resolved) / 1e6)
  }
}
const rows = [
  [
    'sockets',
    'told of each',
    'events',
    'merged',
    'from asked, median ms',
    'p99',
    'from resolved, median ms',
    'p99',
  ],
  [
    show(count),
    show(told),
    show(asked.length),
    show(merged),
    ...[median(asked), quantile(asked, 0.99), median(resolved), quantile(resolved, 0.99)].map(show),
  ],
]
console.log(`\n${perSecond} moves a second for ${seconds} s:\n\n${table(rows)}`)
console.log(
  `\napi: ${show((apiCpu * 100) / took)} % of a core, ${show(residentOf(apiPid).now / 1e6)} MB resident, ` +
    `${show(perSocket / 1e3)} kB a socket; all clients together: ${show((ownCpu * 100) / took)} %`,
)
for (const socket of sockets) socket.terminate()
await mover.close()
await bundle.stop()
if (lost > 0) {
  console.error(`${lost} events did not arrive`)
  process.exitCode = 1
}
