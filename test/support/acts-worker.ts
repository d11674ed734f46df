// A worker in a process of its own, which runs the kind `acts` on one of its runners until it is killed. Argument: JSON
// with `place`, `runner` and `folder`.

import { createKinds } from '../../src/core/kinds.ts'
import { createService } from '../../src/core/service.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createThreads } from '../../src/worker/pool/pool.ts'
import { createRunner } from '../../src/worker/runner.ts'
import { createScratch } from '../../src/worker/scratch.ts'
import { openRunnerPlace, type RunnerName } from '../worker/acts/places.ts'
import { kindSetsOf } from './kind-sets.ts'
import { createNotingQueue } from './noting-queue.ts'
import { openPlace, type StorePlace } from './store-place.ts'
import { tell } from './tell.ts'

const { place, runner, folder } = JSON.parse(process.argv[2] ?? '') as {
  place: StorePlace
  runner: RunnerName
  folder: string
}
const clock = (): Date => new Date()
const log = silentLog()
const store = await openPlace(place)
const { kind, file } = await openRunnerPlace(runner, folder)
const kinds = createKinds([kind])
const { queue } = createNotingQueue()
const scratch = createScratch({ dir: `${folder}/scratch`, store, storeId: '-', clock, log })
await scratch.sweep()
const worker = createRunner({
  ...{ store, kindSets: kindSetsOf(kinds, { acts: file }), scratch, clock, log, workerName: 'child' },
  threads: createThreads({ size: 1, memoryMb: 256 }),
  submitChild: createService({ store, queue, kinds, clock }).submitChild,
  progressEveryMs: 20,
})
process.stdin.on('end', () => process.exit(0)).resume()
await store.announce({
  role: 'worker',
  details: () => ({
    ...{
      address: null,
      slots: 1,
      running: worker.running(),
      counters: {},
      rssBytes: 0,
      cpu: 0,
      troubles: {},
    },
  }),
})
const taken = await worker.take()
tell({ taken: taken !== null })
await taken?.ended
tell({ ended: true })
