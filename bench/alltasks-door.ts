// A process of bench/alltasks.ts and bench/turns.ts: the REST door of a folder. It answers with its port, with what it
// weighs, and with what the longest turn of its loop took.

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openAccess } from '../src/access/open.ts'
import { openApi } from '../src/api/server.ts'
import { createAuditRecorder } from '../src/core/audit-recorder.ts'
import { createKinds } from '../src/core/kinds.ts'
import { createService } from '../src/core/service.ts'
import { silentLog } from '../src/platform/log.ts'
import { createEmbeddedQueue } from '../src/queues/embedded/open.ts'
import { openFilesStore } from '../src/stores/files/open.ts'
import { servePeer } from './peer.ts'
import { residentOf } from './proc.ts'

/** `settled`: after a collection of garbage. From `watch` to `turns` the turns of the loop are measured. */
export type Ask =
  | { act: 'open' }
  | { act: 'weigh' }
  | { act: 'settled' }
  | { act: 'watch' }
  | { act: 'turns' }
export interface Answer {
  address: string
  /** Resident bytes. */
  resident: number
  /** The most that one turn took: CPU of the process, with its other threads, and time. */
  turn: { cpuMs: number; ms: number }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
const log = silentLog()
const clock = () => new Date()
let [address, close] = ['', async () => {}]

const open = async (): Promise<void> => {
  const dataDir = process.argv[2] ?? ''
  const store = await openFilesStore({ dir: dataDir, clock, log })
  const queue = createEmbeddedQueue({ store, log, clock })
  const service = createService({ store, queue, kinds: createKinds([]), clock })
  const access = openAccess({
    documents: store.documents,
    feed: store,
    anonymous: 'full',
    registration: 'closed',
    clock,
    log,
  })
  const audit = createAuditRecorder({ trail: null, clock, onFailed: () => {} })
  const door = await openApi(
    { host: '127.0.0.1', port: 0, dataDir, roles: [], allowedHosts: [], version: '0' },
    { service, access, audit, store, queue, clock, isOwn: () => true },
    log,
  )
  address = door.address
  close = () =>
    door
      .close()
      .then(() => queue.close())
      .finally(() => store.close())
}

const turn = { cpuMs: 0, ms: 0 }
let watching = false
const watchTurns = (): void => {
  Object.assign(turn, { cpuMs: 0, ms: 0 })
  watching = true
  let [cpu, at] = [process.cpuUsage(), performance.now()]
  const step = (): void => {
    const [{ user, system }, now] = [process.cpuUsage(cpu), performance.now()]
    turn.cpuMs = Math.max(turn.cpuMs, (user + system) / 1000)
    turn.ms = Math.max(turn.ms, now - at)
    ;[cpu, at] = [process.cpuUsage(), now]
    if (watching) setImmediate(step)
  }
  setImmediate(step)
}

servePeer<Ask, Answer>(
  async ({ act }) => {
    if (act === 'open') await open()
    if (act === 'settled') collect()
    if (act === 'watch') watchTurns()
    if (act === 'turns') watching = false
    return { address, resident: residentOf('self').now, turn }
  },
  () => close(),
)
