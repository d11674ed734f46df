// What a process uses now, and how that went over the last hour: a number and a small chart.
import { Sparkline } from '../../parts/sparkline.tsx'
import type { ProcessRow } from '../../state/answers.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import type { Used } from './use-usage.ts'

/** Below a fifth of a core everything looks busy otherwise. */
const LEAST_CPU = 20
/** A chart that has just begun fills from the right: five minutes are as wide as it. */
const FIRST_SLOTS = 30

export interface UsageProps {
  row: ProcessRow
  what: Used
  values: readonly (number | null)[]
  /** Also the highest value. */
  isWhole?: boolean
}

export const Usage = ({ row, what, values, isWhole = false }: UsageProps) => {
  const [words, f] = [useTexts().processes, useFormats()]
  const write = (value: number): string => (what === 'cpu' ? f.percent(value, 1) : f.bytes(value))
  const now = row.pid === null ? '–' : write(what === 'cpu' ? row.cpuPercent : row.memoryBytes)
  const peak = Math.max(0, ...values.map(value => value ?? 0))
  const label = what === 'cpu' ? words.cpuOf(row.name, now) : words.memoryOf(row.name, now)
  const highest = peak > 0 ? words.peak(write(peak)) : null
  return (
    <span class="usage">
      <Sparkline
        label={highest === null ? label : `${label}, ${highest}`}
        values={values}
        slots={Math.max(FIRST_SLOTS, values.length)}
        least={what === 'cpu' ? LEAST_CPU : 1}
      />
      <span class="usage-now">{now}</span>
      {isWhole && highest !== null ? <span class="soft small peak">{highest}</span> : null}
    </span>
  )
}
