// What running a program in a thread costs beside starting it bare, in turns: time of a run, of the first run of a
// thread, and memory of a thread that has run one. `npm run build && node bench/program-runs.mjs [--runs 60]
// [--threads 8]`. It measures what `npm start` runs: dist/, without a loader, with which threads are used less often.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'

const { values: options } = parseArgs({
  options: { runs: { type: 'string', default: '60' }, threads: { type: 'string', default: '8' } },
})
const { createThreads } = await import('../dist/worker/pool/pool.js')
const { describeProgram } = await import('../dist/programs/describe.js')

const DESCRIPTION = '{"summary": "s", "params": {}, "result": {}, "example": {}}'
const SCRIPT = `#!/bin/sh
[ "$1" = --describe ] && echo '${DESCRIPTION}' && exit
read -r request
echo '{"result": 1}'
`
const MODULE =
  'export default ({ defineKind, z }) => defineKind({ summary: "s", params: z.any(), result: z.any(), example: 1, run: () => 1 })'

const folder = mkdtempSync(path.join(tmpdir(), 'madhava-bench-'))
const file = path.join(folder, 'tiny.sh')
writeFileSync(file, SCRIPT)
chmodSync(file, 0o755)
writeFileSync(path.join(folder, 'tiny.mjs'), MODULE)
const program = await describeProgram(file)

let runs = 0
const run = async (pool, kind) => {
  const begun = performance.now()
  runs += 1
  const { outcome } = pool.run(
    {
      ...{ id: `run-${runs}`, attempt: 1, kind: `tiny-${kind}`, params: {}, resume: null },
      ...(kind === 'program' ? { file, program } : { file: path.join(folder, 'tiny.mjs') }),
      scratch: path.join(folder, `scratch-${runs}`),
    },
    { started() {}, progress() {}, log() {}, checkpoint() {}, submit: async () => ({ id: '' }) },
  )
  const { type } = await outcome
  if (type !== 'success') throw new Error(`a run ended with ${type}`)
  return performance.now() - begun
}
const bare = async () => {
  const begun = performance.now()
  const child = spawn(file, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end('{}\n')
  child.stdout.resume()
  child.stderr.resume()
  await once(child, 'close')
  return performance.now() - begun
}
const median = values => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
const privateMb = () =>
  Number(/^Private_Dirty:\s+(\d+)/m.exec(readFileSync('/proc/self/smaps_rollup', 'latin1'))?.[1] ?? 0) / 1024

console.log(`node ${process.version} on ${cpus().length} cores, load ${loadavg()[0]?.toFixed(1)}`)
const pool = createThreads({ size: 1, memoryMb: 256 })
const first = { module: await run(pool, 'module'), program: 0 }
first.program = await run(pool, 'program')
const times = { bare: [], program: [], module: [] }
for (let turn = 0; turn < Number(options.runs); turn += 1) {
  times.bare.push(await bare())
  times.program.push(await run(pool, 'program'))
  times.module.push(await run(pool, 'module'))
}
await pool.close()
console.log('| a run, ms | median |\n| --- | --- |')
for (const [name, values] of Object.entries(times)) console.log(`| ${name} | ${median(values).toFixed(2)} |`)
console.log(`| first program of a warm thread | ${first.program.toFixed(1)} |`)

const count = Number(options.threads)
for (const kind of ['module', 'program']) {
  const many = createThreads({ size: count, memoryMb: 256 })
  const before = privateMb()
  // all at a time, so that each thread has one
  await Promise.all(Array.from({ length: count }, () => run(many, kind)))
  console.log(`| MB of a thread after one ${kind} | ${((privateMb() - before) / count).toFixed(1)} |`)
  await many.close()
}
rmSync(folder, { recursive: true, force: true })
