// What one turn of the door's event loop takes while it gives long answers: the most of CPU, and of time, and how long
// others wait meanwhile. No turn may take over 20 ms of CPU on an idle machine.

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
  options: { dir: { type: 'string' }, tasks: { type: 'string', default: '20000' } },
})

interface Way {
  method: string
  path: string
  headers?: Record<string, string>
  body?: Buffer | string
  /** How many at once. */
  times?: number
  /** The last words of an answer that does not end. */
  until?: string
}
const LIST = Buffer.from('\x80\x01\x00\x01\x00\x00\x00\x09listTasks\x00\x00\x00\x01\x00', 'latin1')
const NESTED = `{"kind":"sleep","params":[${Array(8_900).fill('['.repeat(58) + ']'.repeat(58))}]}`
const JSON_BODY = { 'content-type': 'application/json' }

const WAYS: Record<string, Way> = {
  'GET /alltasks': { method: 'GET', path: '/alltasks' },
  '20 of them': { method: 'GET', path: '/alltasks', times: 20 },
  'GET /alltasks, gzip': { method: 'GET', path: '/alltasks', headers: { 'accept-encoding': 'gzip' } },
  'GET /tasks?limit=200': { method: 'GET', path: '/tasks?limit=200' },
  'GET /tasks, a text that is not there': { method: 'GET', path: '/tasks?q=zzzz' },
  'GET /events?snapshot=1': { method: 'GET', path: '/events?snapshot=1', until: 'event: live' },
  'dry run over all': { method: 'POST', path: '/tasks/delete?all=1&dryRun=1' },
  'GET /dead': { method: 'GET', path: '/dead' },
  'listTasks over POST /rpc': {
    method: 'POST',
    path: '/rpc',
    headers: { 'content-type': 'application/x-thrift' },
    body: LIST,
  },
  'nested arrays, 1 MB': { method: 'POST', path: '/tasks', headers: JSON_BODY, body: NESTED },
}

/** Reads the answer to its end, and throws it away; answers its bytes. */
const ask = (address: string, { method, path, headers = {}, body, until }: Way): Promise<number> =>
  new Promise((resolve, reject) => {
    const request = http.request(`http://${address}${path}`, { method, headers, agent: false }, response => {
      let bytes = 0
      response.on('data', (part: Buffer) => {
        bytes += part.length
        if (until === undefined || !part.includes(until)) return
        response.destroy()
        resolve(bytes)
      })
      response.on('end', () => resolve(bytes))
      response.on('error', reject)
    })
    request.on('error', reject)
    request.end(body)
  })

const place = takePlace(options.dir)
console.log(place.machine)
const tasks = Number(options.tasks)
const dir = path.join(place.dir, `turns-${tasks}`)
fillFolder(dir, tasks, 'ended')
const door = await startPeer<Ask, Answer>('alltasks-door.ts', dir)
const { address } = await door.ask({ act: 'open' })
const health: Way = { method: 'GET', path: '/livez' }
const rows = [['while', 'MB', 'seconds', 'turn, CPU ms', 'turn, ms', '/livez, ms']]
for (const [name, way] of Object.entries(WAYS)) {
  // the index, and what V8 makes of the code, come with the first
  await ask(address, way)
  await door.ask({ act: 'watch' })
  const begun = performance.now()
  let over = false
  const answers = Promise.all(Array.from({ length: way.times ?? 1 }, () => ask(address, way))).finally(() => {
    over = true
  })
  let worst = 0
  while (!over) {
    const asked = performance.now()
    await ask(address, health)
    worst = Math.max(worst, performance.now() - asked)
  }
  const bytes = (await answers).reduce((sum, one) => sum + one, 0)
  const seconds = (performance.now() - begun) / 1000
  const { turn } = await door.ask({ act: 'turns' })
  rows.push([name, show(bytes / 1_000_000), show(seconds), show(turn.cpuMs), show(turn.ms), show(worst)])
}
await door.close()
rmSync(dir, { recursive: true, force: true })
console.log(`${show(tasks)} tasks; the longest turn of the loop, and the longest wait of another client`)
console.log(table(rows))
