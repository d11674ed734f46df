// The limits of a kind: whether one more task of it may begin.
import { type KindLimits, permitsAt } from '../../core/kind-limits.ts'
import { type KindRoom, PERMITS_MAX } from '../../core/line.ts'

interface Asked {
  kind: string
  limits: KindLimits
  running: number
  nowMs: number
}

/** A permit, the time of the next one, or that as many run as may. `permits` are those that were taken. */
export const permitOf = (
  permits: Set<string>,
  { kind, limits, running, nowMs }: Asked,
): { giveBack(): void } | number | 'full' => {
  const { maxConcurrency, rate } = limits
  if (maxConcurrency !== null && running >= maxConcurrency) return 'full'
  if (!rate) return { giveBack() {} }
  const { oldest, newest, nextAtMs } = permitsAt(rate, nowMs)
  // those of later times were taken before the clock went back
  for (const permit of permits) {
    const [, of, number] = /^(.*)\.(\d+)$/.exec(permit) ?? []
    if (of === kind && Number(number) > newest + 1) permits.delete(permit)
  }
  for (let number = oldest; number <= newest; number += 1) {
    const permit = `${kind}.${number}`
    if (permits.has(permit)) continue
    permits.add(permit)
    return { giveBack: () => permits.delete(permit) }
  }
  return nextAtMs
}

/** What the limits leave. Nothing is taken. */
export const roomOf = (
  permits: ReadonlySet<string>,
  { kind, limits: { maxConcurrency, rate }, running, nowMs }: Asked,
): KindRoom => {
  const { oldest, newest } = rate ? permitsAt(rate, nowMs) : { oldest: 0, newest: -1 }
  let free = 0
  for (let number = oldest; number <= newest && free < PERMITS_MAX; number += 1)
    if (!permits.has(`${kind}.${number}`)) free += 1
  return { running: maxConcurrency === null ? null : running, permits: rate ? free : null }
}
