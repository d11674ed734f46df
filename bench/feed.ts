// How long a change made in one process takes to reach a subscriber in another, and how many a second get through.
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { compareVersions } from '../src/core/task.ts'
import { silentLog } from '../src/platform/log.ts'
import { openFilesStore } from '../src/stores/files/open.ts'
import type { Ask, Made } from './feed-mover.ts'
import { median, quantile, show, table } from './figures.ts'
import { startPeer } from './peer.ts'
import { takePlace } from './place.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    seconds: { type: 'string', default: '30' },
    rate: { type: 'string', default: '20' },
    load: { type: 'string', default: '10' },
    width: { type: 'string', default: '64' },
  },
})
const ARRIVAL_MS = 60_000

interface Arrived {
  claim: number
  rev: number
  at: bigint
}

const place = takePlace(options.dir)
console.log(place.machine)
const store = await openFilesStore({ dir: place.dir, clock: () => new Date(), log: silentLog() })
const mover = await startPeer<Ask, Made[]>('feed-mover.ts', place.dir)

/** What came of each task, in the order of arrival. */
const arrivals = new Map<string, Arrived[]>()
let received = 0
const stop = new AbortController()
const subscribed = (async () => {
  for await (const change of store.changes(await store.cursor(), stop.signal)) {
    if (change.type !== 'task') continue
    received += 1
    const { id, claim, rev } = change.task
    const list = arrivals.get(id) ?? []
    arrivals.set(id, list)
    list.push({ claim, rev, at: process.hrtime.bigint() })
  }
})()

/** A change may be skipped when a later one of its task comes: that one tells as much. */
const arrivalOf = (made: Made): Arrived | undefined =>
  arrivals.get(made.id)?.find(arrived => compareVersions(arrived, made) >= 0)

const ms = (ns: bigint): number => Number(ns) / 1e6
const rows = [
  [
    'what',
    'changes',
    'arrived',
    'from asked, median ms',
    'p99',
    'max',
    'from resolved, median ms',
    'p99',
    'max',
  ],
]
let lost = 0

const phase = async (title: string, ask: Ask): Promise<void> => {
  arrivals.clear()
  received = 0
  const made = await mover.ask(ask)
  const deadline = performance.now() + ARRIVAL_MS
  while (performance.now() < deadline && !made.every(arrivalOf)) await sleep(50)
  const came = made.flatMap(one => {
    const arrived = arrivalOf(one)
    return arrived ? [{ ...one, at: arrived.at }] : []
  })
  lost += made.length - came.length
  const asked = came.map(({ issued, at }) => ms(at - issued))
  const resolved = came.map(({ resolved, at }) => ms(at - resolved))
  const figures = [asked, resolved].flatMap(list => [
    show(median(list)),
    show(quantile(list, 0.99)),
    show(quantile(list, 1)),
  ])
  rows.push([title, show(made.length), show(came.length), ...figures])
  if (ask.act !== 'load') return
  const first = quantile(
    made.map(({ issued }) => ms(issued)),
    0,
  )
  const lastMade = quantile(
    made.map(({ resolved }) => ms(resolved)),
    1,
  )
  const lastCame = quantile(
    came.map(({ at }) => ms(at)),
    1,
  )
  console.log(
    `under load: ${show((made.length * 1000) / (lastMade - first))} changes/s made, ` +
      `${show((received * 1000) / (lastCame - first))} entries/s received`,
  )
}

const [seconds, perSecond, width] = [Number(options.seconds), Number(options.rate), Number(options.width)]
await phase('warming up', { act: 'progress', perSecond: 100, seconds: 1, width })
rows.pop()
await phase(`progress, ${perSecond}/s`, { act: 'progress', perSecond, seconds, width })
await phase(`creates, ${perSecond}/s`, { act: 'creates', perSecond, seconds, width })
await phase(`whole lives, ${width} in flight`, {
  act: 'load',
  perSecond: 0,
  seconds: Number(options.load),
  width,
})

stop.abort()
await subscribed
await mover.close()
await store.close()
console.log(`\n${table(rows)}`)
if (lost > 0) {
  console.error(`${lost} changes did not arrive within ${ARRIVAL_MS / 1000} s`)
  process.exitCode = 1
}
