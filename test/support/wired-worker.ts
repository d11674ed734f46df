// A worker in a process of its own, wired as the real one is, which says a word when it runs. Settings: the environment.
import { readConfig } from '../../src/config.ts'
import { createLog } from '../../src/platform/log.ts'
import { wire } from '../../src/wire.ts'
import { openWorker } from '../../src/worker/worker.ts'

const config = readConfig()
const log = createLog('worker', config.logLevel)
const parts = await wire(config, log)
const { scratchDir } = parts
const worker = openWorker({ ...config, ...config.files, slots: 1, cores: 1, scratchDir }, parts, log)
await parts.announce('worker', worker.details)
process.once('SIGTERM', () => void worker.close().finally(parts.close))
process.stdout.write('runs\n')
