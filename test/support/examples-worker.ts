// A worker in a process of its own, which runs tasks of the example kinds until it is killed. Argument: JSON with
// `place`.

import { fileURLToPath } from 'node:url'
import { DEFAULT_KIND_SETTINGS } from '../../src/core/kind.ts'
import { createService } from '../../src/core/service.ts'
import { loadKinds } from '../../src/load-kinds.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createThreads } from '../../src/worker/pool/pool.ts'
import { createRunner } from '../../src/worker/runner.ts'
import { kindSetsOf } from './kind-sets.ts'
import { createNotingQueue } from './noting-queue.ts'
import { openPlace, type StorePlace } from './store-place.ts'
import { tell } from './tell.ts'

const { place } = JSON.parse(process.argv[2] ?? '') as { place: StorePlace }
const clock = (): Date => new Date()
const kindsDir = fileURLToPath(new URL('../../examples/kinds', import.meta.url))
const store = await openPlace(place)
const { kinds, files } = await loadKinds({ kindsDir, kindSettings: DEFAULT_KIND_SETTINGS })
const { queue } = createNotingQueue()
const runner = createRunner({
  ...{
    store,
    kindSets: kindSetsOf(kinds, Object.fromEntries(files)),
    workerName: 'child',
    clock,
    log: silentLog(),
  },
  threads: createThreads({ size: 1, memoryMb: 64 }),
  submitChild: createService({ store, queue, kinds, clock }).submitChild,
})
process.stdin.on('end', () => process.exit(0)).resume()
const nothing = { address: null, slots: 1, counters: {}, rssBytes: 0, cpu: 0, troubles: {} }
await store.announce({ role: 'worker', details: () => ({ ...nothing, running: runner.running() }) })
const taken = await runner.take()
tell({ taken: taken !== null })
await taken?.ended
tell({ ended: true })
