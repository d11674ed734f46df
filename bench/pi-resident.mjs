// The memory of a process that computes pi with the code as it is built and run, without what TypeScript adds.
// Arguments: digits, cores. Prints the bytes that were resident at the highest, and how many characters came out.
import { readFileSync } from 'node:fs'
import { ensureBuilt } from '../bin/build.mjs'

await ensureBuilt()
const { METHODS } = await import('../dist/kinds/lib/pi/methods.js')
const [digits, cores] = process.argv.slice(2).map(Number)
const { text } = await METHODS.wijngaarden.compute(digits, {
  signal: new AbortController().signal,
  paceMs: 0,
  cores: () => cores,
  resume: null,
  report() {},
  keep() {},
})
const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? []
console.log(JSON.stringify({ resident: Number(kilobytes) * 1024, characters: text.length }))
