// A process of bench/alltasks.ts: the REST door of a folder. It answers with its port, and with what it weighs.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { openApi } from '../src/api/door.ts'
import { createKinds } from '../src/core/kind.ts'
import { createService } from '../src/core/service.ts'
import { silentLog } from '../src/platform/log.ts'
import { createEmbeddedQueue } from '../src/queues/embedded.ts'
import { openFilesStore } from '../src/stores/files/open.ts'
import { servePeer } from './peer.ts'
import { residentOf } from './proc.ts'

/** `settled`: after a collection of garbage. */
export type Ask = { act: 'open' } | { act: 'weigh' } | { act: 'settled' }
export interface Answer {
  address: string
  /** Resident bytes. */
  resident: number
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
  const door = await openApi(
    { host: '127.0.0.1', port: 0, dataDir, roles: [], allowedHosts: [], version: '0' },
    { service, store, queue, clock, isOwn: () => true },
    log,
  )
  address = door.address
  close = () =>
    door
      .close()
      .then(() => queue.close())
      .finally(() => store.close())
}

servePeer<Ask, Answer>(
  async ({ act }) => {
    if (act === 'open') await open()
    if (act === 'settled') collect()
    return { address, resident: residentOf('self').now }
  },
  () => close(),
)
