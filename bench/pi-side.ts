// A process of bench/pi.ts that computes with our engine, with the options of V8 that the bundle's processes have.
import { serialize } from 'node:v8'
import { binomial } from '../src/kinds/lib/binomial/binomial.ts'
import { BITS_PER_DIGIT, certainDigits } from '../src/kinds/lib/pi/decimals.ts'
import { METHODS, type MethodName } from '../src/kinds/lib/pi/methods.ts'
import { termsFor, WIJNGAARDEN } from '../src/kinds/lib/pi/series.ts'
import { block } from '../src/kinds/lib/pi/splitting.ts'
import { treePi } from '../src/kinds/lib/pi/tree.ts'
import { precisionFor } from '../src/kinds/lib/pi/truncation.ts'
import { servePeer } from './peer.ts'
import { surround } from './surround.ts'

export type Ask =
  | { act: 'method'; method: MethodName; digits: number; cores: number; times: number }
  /** In one thread: the mathematics in one go; cut into jobs; with progress and checkpoints besides. */
  | { act: 'bare' | 'jobs' | 'watched'; digits: number }
  /** From a signal in the middle of the work to the answer. */
  | { act: 'cancel'; digits: number; cores: number; at: number }
  | { act: 'binomial'; n: number; k: number; times: number }

export interface Answer {
  cpuMs: number
  wallMs: number
  tail: string
}

const timed = async (times: number, work: () => Promise<string> | string): Promise<Answer> => {
  const cpu = process.cpuUsage()
  const from = performance.now()
  let text = ''
  for (let i = 0; i < times; i++) text = await work()
  const wallMs = (performance.now() - from) / times
  const { user, system } = process.cpuUsage(cpu)
  return {
    cpuMs: (user + system) / 1000 / times,
    wallMs,
    tail: text.slice(-40),
  }
}

/** The mathematics alone, in one go. */
const bare = (digits: number): string => {
  const bits = Math.ceil(digits * BITS_PER_DIGIT) + 128
  const { q, t, tCut, qCut } = block(WIJNGAARDEN, 0, termsFor(WIJNGAARDEN, bits), precisionFor(bits), true)
  const value = (t << BigInt(bits + 3 + tCut - qCut)) / q
  return certainDigits({ bits: BigInt.asUintN(bits, value), size: bits, digits }, { bits: 128 }) ?? ''
}

const tree = async (digits: number, watched: boolean): Promise<string> => {
  let told = 0
  const around = watched
    ? surround(1, {
        report: (share, certain) => {
          told += share * (certain?.length ?? 1)
        },
        keep: state => {
          told += serialize(state).length
        },
      })
    : surround(1)
  const { text } = await treePi({ series: 'wijngaarden', digits, inlineDigits: digits }, around)
  if (watched && !(told > 0)) throw new Error('nothing was reported')
  return text
}

const cancel = async (digits: number, cores: number, at: number): Promise<Answer> => {
  const controller = new AbortController()
  let asked = Number.NaN
  const around = surround(cores, {
    signal: controller.signal,
    report: share => {
      if (share < at || !Number.isNaN(asked)) return
      // as a message does that comes at its own time: between two pieces of work
      asked = performance.now()
      setTimeout(() => controller.abort(new Error('cancelled')), 1)
    },
  })
  const failure = await METHODS.wijngaarden.compute(digits, around).then(
    () => null,
    (error: Error) => error,
  )
  const wallMs = performance.now() - asked
  return { cpuMs: 0, wallMs, tail: failure?.message ?? 'not cancelled' }
}

const act = async (ask: Ask): Promise<Answer> => {
  const around = surround(ask.act === 'method' ? ask.cores : 1)
  if (ask.act === 'method')
    return timed(ask.times, async () => (await METHODS[ask.method].compute(ask.digits, around)).text)
  if (ask.act === 'cancel') return cancel(ask.digits, ask.cores, ask.at)
  if (ask.act === 'binomial')
    return timed(ask.times, () => {
      const value = binomial(ask.n, ask.k)
      return ask.times === 1 ? value.toString() : ''
    })
  // compiling is not what is compared
  for (let i = 0; i < 3; i++) {
    bare(100_000)
    await tree(100_000, true)
  }
  return timed(1, () => (ask.act === 'bare' ? bare(ask.digits) : tree(ask.digits, ask.act === 'watched')))
}

servePeer(act, async () => {})
