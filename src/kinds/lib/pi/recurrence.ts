// Runs a computation step by step, for the methods that are linear in their terms: pauses, progress, checkpoints.
import type { MethodContext } from './engine.ts'
import { createPauses } from './pauses.ts'

/** The whole state of a computation: integers, by name. */
export type NumbersByName = Record<string, bigint>

export interface Recurrence<N extends NumbersByName> {
  method: string
  digits: number
  guardBits: number
  steps: number
  begin(): N
  /** Step k = 0, 1, …; changes the numbers. */
  step(numbers: N, k: number): void
  /** Share of the work before step k. */
  share(k: number): number
}

interface SavedRecurrence<N> {
  format: 1
  method: string
  digits: number
  guardBits: number
  next: number
  numbers: N
}

/** Between two checkpoints; each holds a few numbers as long as the result. */
const KEEP_EVERY_MS = 2_000
/** With few digits, reading the clock at every step would slow it down. */
const STEPS_PER_LOOK = 16

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

const readState = <N extends NumbersByName>(
  resume: unknown,
  recurrence: Recurrence<N>,
): SavedRecurrence<N> | null => {
  if (!isRecord(resume) || resume.format !== 1 || !isRecord(resume.numbers)) return null
  const { method, digits, guardBits, steps } = recurrence
  const { next, numbers } = resume
  const same = resume.method === method && resume.digits === digits && resume.guardBits === guardBits
  if (!same || !Number.isSafeInteger(next) || (next as number) < 0 || (next as number) > steps) return null
  const names = Object.keys(recurrence.begin())
  const whole = names.every(name => typeof numbers[name] === 'bigint')
  return whole && Object.keys(numbers).length === names.length
    ? (resume as unknown as SavedRecurrence<N>)
    : null
}

/** The numbers after the last step. @throws the signal's reason */
export const runRecurrence = async <N extends NumbersByName>(
  recurrence: Recurrence<N>,
  context: MethodContext,
): Promise<N> => {
  const { method, digits, guardBits, steps } = recurrence
  const state: SavedRecurrence<N> = readState(context.resume, recurrence) ?? {
    format: 1,
    method,
    digits,
    guardBits,
    next: 0,
    numbers: recurrence.begin(),
  }
  const pauses = createPauses(context.signal, context.paceMs, recurrence.share(state.next))
  const stride = context.paceMs > 0 ? 1 : STEPS_PER_LOOK
  let keptAt = performance.now()
  while (state.next < steps) {
    for (const end = Math.min(steps, state.next + stride); state.next < end; state.next++)
      recurrence.step(state.numbers, state.next)
    const share = recurrence.share(state.next)
    context.report(share, null)
    const pause = pauses.pause(share)
    if (pause) await pause
    if (performance.now() - keptAt >= KEEP_EVERY_MS) {
      context.keep(state)
      keptAt = performance.now()
    }
  }
  return state.numbers
}
