// The worker process: runs tasks, and sweeps.
import { setFlagsFromString } from 'node:v8'
import { readConfig } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { measureCapacity } from './capacity.ts'
import { openWorker } from './worker.ts'

// The young generation in ecosystem.config.cjs is meant for this thread. V8's options override the limits of every
// heap created while they are set, and a thread over its heap limit must end within little more.
for (const flag of ['--min-semi-space-size=0', '--max-semi-space-size=0']) setFlagsFromString(flag)

await runProcess('worker', readConfig, async (config, log) => {
  const capacity = await measureCapacity(config)
  log.info(capacity, 'what this worker may use')
  const parts = await wire(config, log, { writerThread: true })
  const { scratchDir } = parts
  const worker = openWorker({ ...config, ...config.files, ...capacity, scratchDir }, parts, log)
  await parts.announce('worker', worker.details)
  return { close: () => worker.close().finally(parts.close), reload: parts.reloadKinds }
})
