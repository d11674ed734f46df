// A worker in a process of its own, which runs the kind `filer` until it is killed. Argument: JSON with `place`.

import { fileURLToPath } from 'node:url'
import { loadKind } from '../../src/core/kind.ts'
import { createKinds } from '../../src/core/kinds.ts'
import { createService } from '../../src/core/service.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createThreads } from '../../src/worker/pool/pool.ts'
import { createRunner } from '../../src/worker/runner.ts'
import filer from '../worker/filer.ts'
import { kindSetsOf } from './kind-sets.ts'
import { createNotingQueue } from './noting-queue.ts'
import { openPlace, type StorePlace } from './store-place.ts'
import { tell } from './tell.ts'

const { place } = JSON.parse(process.argv[2] ?? '') as { place: StorePlace }
const clock = (): Date => new Date()
const store = await openPlace(place)
const kinds = createKinds([loadKind('filer', filer, 'filer.ts')])
const { queue } = createNotingQueue()
const runner = createRunner({
  store,
  kindSets: kindSetsOf(kinds, { filer: fileURLToPath(new URL('../worker/filer.ts', import.meta.url)) }),
  threads: createThreads({ size: 1, memoryMb: 64 }),
  submitChild: createService({ store, queue, kinds, clock }).submitChild,
  workerName: 'child',
  clock,
  log: silentLog(),
})
process.stdin.on('end', () => process.exit(0)).resume()
await store.announce({
  role: 'worker',
  details: () => ({
    ...{
      address: null,
      slots: 1,
      running: runner.running(),
      counters: {},
      rssBytes: 0,
      cpu: 0,
      troubles: {},
    },
  }),
})
const taken = await runner.take()
tell({ taken: taken !== null })
