// The worker process: runs tasks, and sweeps.
import { readConfig } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { measureCapacity } from './capacity.ts'
import { openWorker } from './worker.ts'

await runProcess('worker', readConfig, async (config, log) => {
  const capacity = await measureCapacity(config)
  log.info(capacity, 'what this worker may use')
  const parts = await wire(config, log, { scribeThread: true })
  const worker = openWorker({ ...config, ...capacity }, parts, log)
  await parts.announce('worker', worker.details)
  return { close: () => worker.close().finally(parts.close) }
})
