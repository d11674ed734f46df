// How fast pi and binomial coefficients are computed, side by side with PARI/GP, in turns, in one run.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { MethodName } from '../src/kinds/lib/pi/methods.ts'
import { median, show, spread, table } from './figures.ts'
import { gpVersion, timeInGp } from './gp.ts'
import { roleOptions, startPeer } from './peer.ts'
import type { Answer, Ask } from './pi-side.ts'
import { takePlace } from './place.ts'

const { values: options } = parseArgs({
  options: {
    dir: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    /** The most digits; 10000000 takes some minutes more. */
    most: { type: 'string', default: '1000000' },
  },
})
const rounds = Number(options.rounds)
const most = Number(options.most)
const cores = availableParallelism()
const place = takePlace(options.dir)
const gp = gpVersion()
console.log(place.machine)
console.log(gp ?? 'gp is not installed (Debian: pari-gp): ours alone')

const SUMALT = '4*sumalt(bench_k=0,(-1)^bench_k/(2*bench_k+1))'
/** What one side took in each round. */
interface Row {
  what: string
  ours: number[]
  theirs: number[]
}
const ratios = ({ ours, theirs }: Row): number[] => theirs.map((ms, n) => (ours[n] ?? Number.NaN) / ms)
const cell = (values: readonly number[]): string => (values.length === 0 ? '-' : show(median(values)))
const print = (title: string, rows: readonly Row[]): void => {
  console.log(`\n${title}\n`)
  console.log(
    table([
      ['what', 'ours, ms', 'PARI/GP, ms', 'ratio, min / median / max'],
      ...rows.map(row => [
        row.what,
        cell(row.ours),
        cell(row.theirs),
        row.theirs.length === 0 ? '-' : spread(ratios(row)),
      ]),
    ]),
  )
}
const ask = async (question: Ask): Promise<Answer> => {
  const side = await startPeer<Ask, Answer>('pi-side.ts')
  // what an optimising compiler has not seen yet is slow; GP has no such time
  const warm = question.act === 'method' && question.digits <= 100_000
  if (warm)
    for (let i = 0; i < 2; i++) await side.ask({ ...question, times: Math.min(question.times, 2_000) })
  const answer = await side.ask(question)
  await side.close()
  return answer
}
const pi = (digits: number, times: number, method: MethodName = 'wijngaarden', used = 1): Promise<Answer> =>
  ask({ act: 'method', method, digits, cores: used, times })

/** GP writes a rounded number with less than the digits we have: only what both have is compared. */
const sameDigits = (tail: string, theirs: string): void => {
  const common = theirs.replace(/\D/g, '').slice(4, 24)
  assert.ok(common.length >= 16 && tail.includes(common), `${tail} and ${theirs}`)
}

// CPU time, one thread
const sumalt: Row[] = []
for (const [digits, times] of [
  [10, 20_000],
  [100, 5_000],
  [1_000, 500],
  [10_000, 10],
  [100_000, 1],
] as const) {
  if (digits > most) continue
  const row: Row = { what: `${digits.toLocaleString('en-US')} digits`, ours: [], theirs: [] }
  for (let round = 0; round < (digits < 100_000 ? rounds : Math.min(rounds, 2)); round++) {
    const ours = await pi(digits, times)
    row.ours.push(ours.cpuMs)
    if (!gp) continue
    // a few digits more for both, so that the last ones that are compared are not rounded
    const theirs = timeInGp(SUMALT, digits, times, digits >= 40 ? SUMALT : '3')
    row.theirs.push(theirs.cpuMs)
    if (digits >= 40) sameDigits((await pi(digits + 40, 1)).tail + ours.tail, theirs.tail)
  }
  sumalt.push(row)
}
print("pi by Leibniz's series: `wijngaarden` and `sumalt`, CPU of one thread", sumalt)

const whole: Row[] = []
const spreadOut: Row[] = []
for (const digits of [10_000, 100_000, 1_000_000, 10_000_000]) {
  if (digits > most) continue
  const label = `${digits.toLocaleString('en-US')} digits`
  const row: Row = { what: label, ours: [], theirs: [] }
  const wide: Row = { what: `${label}, ${cores} cores, wall time`, ours: [], theirs: [] }
  for (let round = 0; round < (digits < 10_000_000 ? rounds : 1); round++) {
    const ours = await pi(digits, Math.max(1, Math.min(30, 3e5 / digits)))
    row.ours.push(ours.cpuMs)
    const both = digits > 200_000 ? await pi(digits, 1, 'wijngaarden', cores) : null
    if (both) wide.ours.push(both.wallMs)
    if (!gp) continue
    // GP keeps the constant: with more digits each time it has to begin anew
    const again = `default(realprecision,${digits}+20*bench_i);Str(Pi)`
    const theirs = timeInGp(again, digits, Math.max(1, Math.min(30, 3e6 / digits)), 'Pi')
    row.theirs.push(theirs.cpuMs)
    if (both) wide.theirs.push(theirs.wallMs)
    sameDigits(ours.tail, theirs.tail)
  }
  whole.push(row)
  if (wide.ours.length > 0) spreadOut.push(wide)
}
print("pi by Leibniz's series, and `Str(Pi)` by Chudnovsky's", [...whole, ...spreadOut])

/** In a process of its own, with the built code. */
const residentAt = (digits: number, lanes: number): number => {
  const program = fileURLToPath(new URL('pi-resident.mjs', import.meta.url))
  const output = execFileSync(process.execPath, [...roleOptions, program, String(digits), String(lanes)], {
    encoding: 'utf8',
  })
  const { resident, characters } = JSON.parse(output.trim().split('\n').at(-1) ?? '') as {
    resident: number
    characters: number
  }
  assert.equal(characters, digits + 2)
  return resident
}
if (most >= 1_000_000) {
  const megabytes = [1, cores].map(lanes => show(residentAt(1_000_000, lanes) / 1e6))
  console.log(
    `\nResident at 1,000,000 digits, at the highest, by one core and by ${cores}: ${megabytes.join(' and ')} MB`,
  )
}

const methods: Row[] = []
for (const method of ['wijngaarden', 'madhava', 'euler', 'cvz'] as const) {
  const row: Row = { what: method, ours: [], theirs: [] }
  const digits = Math.min(most, 10_000)
  for (let round = 0; round < rounds; round++) row.ours.push((await pi(digits, 3, method)).cpuMs)
  methods.push(row)
}
print(`the methods at ${Math.min(most, 10_000).toLocaleString('en-US')} digits, CPU`, methods)

const around: string[][] = []
for (const digits of [300_000, 1_000_000].filter(size => size <= most)) {
  const [cut, told]: [number[], number[]] = [[], []]
  for (let round = 0; round < 2 * rounds; round++) {
    const bare = await ask({ act: 'bare', digits })
    const jobs = await ask({ act: 'jobs', digits })
    const watched = await ask({ act: 'watched', digits })
    cut.push(100 * (jobs.cpuMs / bare.cpuMs - 1))
    told.push(100 * (watched.cpuMs / jobs.cpuMs - 1))
  }
  around.push([`${digits.toLocaleString('en-US')} digits`, spread(cut), spread(told)])
}
if (around.length > 0) {
  console.log('\nmore CPU, %, min / median / max\n')
  console.log(
    table([
      ['what', 'jobs, beside the mathematics in one go', 'progress and checkpoints, beside the jobs'],
      ...around,
    ]),
  )
}

const cancels: string[][] = []
for (const digits of [50_000, 200_000, 1_000_000, 10_000_000].filter(size => size <= most)) {
  const waits: number[] = []
  for (let round = 0; round < rounds; round++)
    for (const at of [0.1, 0.3, 0.6]) {
      const { wallMs, tail } = await ask({ act: 'cancel', digits, cores, at: digits > 1e6 ? at / 5 : at })
      assert.equal(tail, 'cancelled')
      waits.push(wallMs)
    }
  cancels.push([`${digits.toLocaleString('en-US')} digits`, spread(waits)])
}
if (cancels.length > 0) {
  console.log('\nfrom the signal to the answer\n')
  console.log(table([['what', 'ms, min / median / max'], ...cancels]))
}

const coefficients: Row[] = []
for (const [n, k, times] of [
  [1_000_000, 500_000, 10],
  [1_000_000, 1_000, 2_000],
  [1e12, 20_000, 20],
  [100_000, 50_000, 200],
] as const) {
  if (k > most) continue
  const row: Row = {
    what: `C(${n.toLocaleString('en-US')}, ${k.toLocaleString('en-US')})`,
    ours: [],
    theirs: [],
  }
  for (let round = 0; round < rounds; round++) {
    row.ours.push((await ask({ act: 'binomial', n, k, times })).cpuMs)
    if (gp) row.theirs.push(timeInGp(`binomial(${n},${k})`, 10, times, '1').cpuMs)
  }
  if (gp) {
    const { tail } = await ask({ act: 'binomial', n, k, times: 1 })
    assert.equal(timeInGp('1', 10, 1, `binomial(${n},${k})`).tail, tail)
  }
  coefficients.push(row)
}
if (coefficients.length > 0) print('binomial coefficients, CPU', coefficients)
