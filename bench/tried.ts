// What was tried for pi, beside what was kept: each pair in turns, in one process. Each must give the same digits.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { BITS_PER_DIGIT } from '../src/kinds/lib/pi/decimals.ts'
import { termsFor, WIJNGAARDEN } from '../src/kinds/lib/pi/series.ts'
import { shortPi } from '../src/kinds/lib/pi/short.ts'
import { block } from '../src/kinds/lib/pi/splitting.ts'
import { treePi } from '../src/kinds/lib/pi/tree.ts'
import { precisionFor } from '../src/kinds/lib/pi/truncation.ts'
import { median, show, spread, table } from './figures.ts'
import { takePlace } from './place.ts'
import { surround } from './surround.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    rounds: { type: 'string', default: '7' },
    most: { type: 'string', default: '1000000' },
  },
})
const [rounds, most] = [Number(options.rounds), Number(options.most)]
const place = takePlace(options.dir)
const cores = availableParallelism()
console.log(place.machine)

const around = surround(cores)

/** The first bits of pi, each node cut to what matters or to nothing less than all of it. */
const fraction = (digits: number, prec: (bits: number) => number): bigint => {
  const bits = Math.ceil(digits * BITS_PER_DIGIT) + 128
  const { q, t, tCut, qCut } = block(WIJNGAARDEN, 0, termsFor(WIJNGAARDEN, bits), prec(bits), true)
  return ((t << BigInt(bits + 3 + tCut - qCut)) / q) >> 100n
}
const tree = async (digits: number, inlineDigits: number): Promise<string> =>
  (await treePi({ series: 'wijngaarden', digits, inlineDigits }, around)).text

type Work = () => Promise<string> | string
interface Pair {
  what: string
  digits: number
  times: number
  kept: Work
  tried: Work
  /** Wall time where several threads share the work, else CPU. */
  wall?: boolean
}

const sizes = (list: readonly number[]): number[] => list.filter(digits => digits <= most)
const pairs: Pair[] = [
  ...sizes([300, 1_000, 3_000]).map(digits => ({
    what: 'term by term, beside a tree',
    digits,
    times: 50,
    kept: async () => (await shortPi(digits, around)).text,
    tried: () => tree(digits, digits),
  })),
  ...sizes([10_000, 100_000, 1_000_000]).map(digits => ({
    what: 'truncated, beside exact numbers',
    digits,
    times: 1,
    kept: () => fraction(digits, precisionFor).toString(36),
    tried: () => fraction(digits, () => Number.MAX_SAFE_INTEGER).toString(36),
  })),
  ...sizes([100_000, 200_000, 400_000, 1_000_000]).map(digits => ({
    what: `in the task's thread, beside ${cores} more (wall time)`,
    digits,
    times: 1,
    kept: () => tree(digits, digits),
    tried: () => tree(digits, 0),
    wall: true,
  })),
]

const time = async (work: Work, times: number, wall: boolean): Promise<{ ms: number; text: string }> => {
  const [cpu, from] = [process.cpuUsage(), performance.now()]
  let text = ''
  for (let n = 0; n < times; n += 1) text = await work()
  const { user, system } = process.cpuUsage(cpu)
  return { ms: (wall ? performance.now() - from : (user + system) / 1000) / times, text }
}

const rows = [['what', 'digits', 'kept, ms', 'other, ms', 'ratio, min / median / max']]
for (const { what, digits, times, kept, tried, wall = false } of pairs) {
  const [ours, others, ratios]: [number[], number[], number[]] = [[], [], []]
  // round 0 is for the compiler
  for (let round = 0; round <= rounds; round += 1) {
    const one = await time(kept, times, wall)
    const other = await time(tried, times, wall)
    assert.equal(one.text, other.text, what)
    if (round === 0) continue
    ours.push(one.ms)
    others.push(other.ms)
    ratios.push(one.ms / other.ms)
  }
  rows.push([what, digits.toLocaleString('en-US'), show(median(ours)), show(median(others)), spread(ratios)])
}
console.log(`\n${table(rows)}`)
process.exit(0)
