// What GET /alltasks costs the door: memory above that of a door that has listed before, and time, by the number of
// tasks, as an array, as lines and packed.

import { rmSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Answer, Ask } from './alltasks-door.ts'
import { show, table } from './figures.ts'
import { startPeer } from './peer.ts'
import { takePlace } from './place.ts'
import { fillFolder } from './sample-folder.ts'

const { values: options } = parseArgs({
  options: { dir: { type: 'string' }, tasks: { type: 'string', default: '10000,100000' } },
})

const WAYS = {
  'one array': {},
  lines: { accept: 'application/x-ndjson' },
  'one array, gzip': { 'accept-encoding': 'gzip' },
}

/** Reads the answer to its end, and throws it away. */
const read = (
  url: string,
  headers: Record<string, string>,
): Promise<{ bytes: number; firstMs: number; ms: number }> =>
  new Promise((resolve, reject) => {
    const begun = performance.now()
    let [bytes, firstMs] = [0, 0]
    http
      .get(url, { headers }, response => {
        response.on('data', (part: Buffer) => {
          if (bytes === 0) firstMs = performance.now() - begun
          bytes += part.length
        })
        response.on('end', () => resolve({ bytes, firstMs, ms: performance.now() - begun }))
        response.on('error', reject)
      })
      .on('error', reject)
  })

const place = takePlace(options.dir)
console.log(place.machine)
const rows = [['tasks', 'as', 'MB sent', 'first byte, ms', 'seconds', 'door before, MB', 'at most more, MB']]
const mb = (bytes: number): string => show(bytes / 1_000_000)
for (const tasks of options.tasks.split(',').map(Number)) {
  const dir = path.join(place.dir, `alltasks-${tasks}`)
  fillFolder(dir, tasks, 'ended')
  const door = await startPeer<Ask, Answer>('alltasks-door.ts', dir)
  const { address } = await door.ask({ act: 'open' })
  const url = `http://${address}/alltasks`
  // the index, and what V8 makes of the code, come with the first list
  await read(url, {})
  for (const [way, headers] of Object.entries(WAYS)) {
    const before = (await door.ask({ act: 'settled' })).resident
    let most = before
    let reading = true
    const watch = (async () => {
      while (reading) {
        most = Math.max(most, (await door.ask({ act: 'weigh' })).resident)
        await new Promise(resolve => setTimeout(resolve, 20))
      }
    })()
    const { bytes, firstMs, ms } = await read(url, headers)
    reading = false
    await watch
    rows.push([show(tasks), way, mb(bytes), show(firstMs), show(ms / 1000), mb(before), mb(most - before)])
  }
  await door.close()
  rmSync(dir, { recursive: true, force: true })
}
console.log(table(rows))
