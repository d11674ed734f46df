// A large file up and down over REST beside cp of the same file on the same disk, in turns. Both sides end with the bytes
// on the disk (cp with sync; an upload answers when it is durable). The resident size of the api is looked at meanwhile.
import { spawnSync } from 'node:child_process'
import { createHash, randomFillSync } from 'node:crypto'
import { closeSync, createReadStream, openSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { startBundle } from '../test/support/bundle.ts'
import { median, show, table } from './figures.ts'
import { takePlace } from './place.ts'
import { residentOf } from './proc.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    mb: { type: 'string', default: '256' },
    rounds: { type: 'string', default: '3' },
  },
})
const [MB, rounds] = [Number(options.mb), Number(options.rounds)]
const PIECE_MB = 4

const place = takePlace(options.dir)
console.log(place.machine)
const file = path.join(place.dir, 'file.bin')
const copy = path.join(place.dir, 'copy.bin')
const out = openSync(file, 'w')
// another piece each time, so that nothing can be told from the one before
for (let n = 0; n < MB; n += PIECE_MB)
  writeSync(out, randomFillSync(Buffer.allocUnsafe(Math.min(PIECE_MB, MB - n) * 1024 ** 2)))
closeSync(out)
const hash = createHash('sha256')
for await (const piece of createReadStream(file)) hash.update(piece as Buffer)
const sha256 = hash.digest('hex')

const bundle = await startBundle(path.join(place.dir, 'data'), {
  ROLES: 'api',
  UPLOAD_MAX_MB: String(MB + 1),
  DASHBOARD_PASSWORD: 'a password of a bench',
})
const api = await bundle.pidOf('api')

const run = (command: string, args: readonly string[]): { seconds: number; text: string } => {
  const begun = performance.now()
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command}: ${stderr}`)
  return { seconds: (performance.now() - begun) / 1000, text: stdout }
}
const settle = () => void run('sync', [])

const before = residentOf(api).now
const seconds: Record<'cp' | 'up' | 'read' | 'down', number[]> = { cp: [], up: [], read: [], down: [] }
for (let n = 0; n <= rounds; n += 1) {
  settle()
  const cp = run('sh', ['-c', 'cp "$1" "$2" && sync -d "$2"', 'sh', file, copy]).seconds
  const read = run('sh', ['-c', 'cat "$1" > /dev/null', 'sh', copy]).seconds
  rmSync(copy)
  settle()
  const up = run('curl', [
    '-sS',
    '--fail-with-body',
    '-X',
    'POST',
    '-T',
    file,
    `${bundle.api}/uploads?sha256=${sha256}`,
  ])
  const { id } = JSON.parse(up.text) as { id: string }
  const down = run('curl', [
    '-sS',
    '--fail-with-body',
    '-o',
    '/dev/null',
    `${bundle.api}/uploads/${id}/content`,
  ]).seconds
  run('curl', ['-sS', '--fail-with-body', '-X', 'DELETE', `${bundle.api}/uploads/${id}`])
  // the first round warms up
  if (n === 0) continue
  seconds.cp.push(cp)
  seconds.up.push(up.seconds)
  seconds.read.push(read)
  seconds.down.push(down)
}
const { highest } = residentOf(api)
await bundle.stop()

const rowOf = (what: string, times: readonly number[], beside: readonly number[]): string[] => [
  what,
  show(median(times)),
  show(MB / median(times)),
  show(median(times.map((each, n) => each / (beside[n] ?? Number.NaN)))),
]
console.log(
  table([
    [`${MB} MB, ${rounds} rounds`, 'seconds, median', 'MB/s', 'times the plain side'],
    rowOf('cp and sync', seconds.cp, seconds.cp),
    rowOf('upload (hashed, durable)', seconds.up, seconds.cp),
    rowOf('cat to nothing', seconds.read, seconds.read),
    rowOf('download', seconds.down, seconds.read),
  ]),
)
console.log(
  `The api's resident size: ${show(before / 1024 ** 2)} MB before, ${show(highest / 1024 ** 2)} MB at its highest.`,
)
