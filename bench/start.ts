// How long `npm start` takes until the four processes are there, once everything is installed and built.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { processesOf } from '../test/support/bundle.ts'
import { until } from '../test/support/until.ts'
import { show, spread } from './figures.ts'
import { takePlace } from './place.ts'

const { values: options } = parseArgs({
  options: { dir: { type: 'string' }, times: { type: 'string', default: '5' } },
})
const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)))

/** Seconds from the command to the line that says that it is ready. */
const startOnce = async (dataDir: string): Promise<number> => {
  const from = performance.now()
  const child = spawn('npm', ['start', '--silent'], {
    cwd: ROOT,
    env: { ...process.env, DATA_DIR: dataDir, API_PORT: '0', RPC_PORT: '0', DASHBOARD_PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const closed = once(child, 'close')
  let ready = 0
  for await (const line of createInterface({ input: child.stdout })) {
    if (/Madhava is not complete/.test(line)) break
    if (!/Madhava is ready/.test(line)) continue
    ready = (performance.now() - from) / 1000
    break
  }
  child.stdout.resume()
  child.kill('SIGTERM')
  await closed
  await until('every process has ended', () => processesOf(dataDir).length === 0)
  if (ready === 0) throw new Error('it did not get ready')
  return ready
}

const place = takePlace(options.dir)
console.log(place.machine)
// builds what is stale, and has everything in the file cache
await startOnce(path.join(place.dir, 'first'))
const seconds: number[] = []
for (let n = 0; n < Number(options.times); n += 1) {
  seconds.push(await startOnce(path.join(place.dir, String(n))))
  console.log(`  ${show(seconds.at(-1) ?? 0)} s`)
}
console.log(`npm start to ready, s, min / median / max: ${spread(seconds)}`)
