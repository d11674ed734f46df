// The worker process: runs tasks, and sweeps.
import { readConfig } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { openWorker } from './worker.ts'

await runProcess('worker', readConfig, async (config, log) => {
  const parts = await wire(config, log)
  const worker = openWorker(config, parts, log)
  await parts.announce('worker', worker.details)
  return { close: () => worker.close().finally(parts.close) }
})
