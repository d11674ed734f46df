// The machine's load at a moment of the past, from the figures that the dashboard keeps.
import { get } from '../../state/api.ts'
import type { Figures } from '../../state/figures.ts'
import { useMay } from '../../state/rights.ts'
import { useAsked } from '../../state/use-asked.ts'

const NAMES = ['cpu', 'memory'] as const
type Load = Figures<(typeof NAMES)[number]>

/** Percent. */
export interface MachineLoad {
  cpu: number
  memory: number | null
}

/** The finer figures reach back an hour; the others are means of some minutes. */
const FINE_MS = 55 * 60_000
const WEEK_MS = 7 * 86_400_000
const WEEK_POINTS = 2000

const sampleAt = ({ at, everyMs, cpu, memory }: Load, moment: number): MachineLoad | null => {
  let best = -1
  for (const [place, time] of at.entries())
    if (best < 0 || Math.abs(time - moment) < Math.abs((at[best] ?? 0) - moment)) best = place
  const value = cpu[best]
  if (value === null || value === undefined) return null
  if (Math.abs((at[best] ?? 0) - moment) > everyMs * 2) return null
  return { cpu: value, memory: memory[best] ?? null }
}

/** @param moments ISO-8601; only as many figures are asked for as they need */
export const useLoad = (moments: readonly string[]): ((moment: string) => MachineLoad | null) => {
  const isAllowed = useMay('look')
  const ages = isAllowed ? moments.map(moment => Date.now() - Date.parse(moment)) : []
  const needs = {
    hour: ages.some(age => age < FINE_MS),
    week: ages.some(age => age > FINE_MS && age < WEEK_MS),
  }
  const ask = (span: 'hour' | 'week', isWanted: boolean, query: object) =>
    useAsked(`${span} ${isWanted} ${moments.at(-1)}`, async signal =>
      isWanted
        ? await get<Load>('/figures.json', { query: { span, columns: NAMES.join(','), ...query }, signal })
        : null,
    )
  const hour = ask('hour', needs.hour, {}).value
  const week = ask('week', needs.week, { points: WEEK_POINTS }).value
  return moment => {
    const ms = Date.parse(moment)
    return (hour && sampleAt(hour, ms)) ?? (week && sampleAt(week, ms)) ?? null
  }
}
