// What a process uses now, and how that went: a number and a small chart.
import { Sparkline } from '../../parts/sparkline.tsx'
import type { ProcessRow } from '../../state/answers.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { samplesOf } from './samples.ts'

/** Below a fifth of a core everything looks busy otherwise. */
const LEAST_CPU = 20
/** A chart that has just begun fills from the right: a minute is as wide as it. */
const FIRST_SLOTS = 30

export interface UsageProps {
  row: ProcessRow
  what: 'cpu' | 'memory'
  /** Also the highest value. */
  isWhole?: boolean
}

export const Usage = ({ row, what, isWhole = false }: UsageProps) => {
  const [words, f] = [useTexts().processes, useFormats()]
  const write = (value: number): string => (what === 'cpu' ? f.percent(value, 1) : f.bytes(value))
  const values = samplesOf(row.pmId)[what]
  const now = row.pid === null ? '–' : write(what === 'cpu' ? row.cpuPercent : row.memoryBytes)
  const label = what === 'cpu' ? words.cpuOf(row.name, now) : words.memoryOf(row.name, now)
  const peak = Math.max(0, ...values.map(value => value ?? 0))
  return (
    <span class="usage">
      <Sparkline
        label={label}
        values={values}
        slots={Math.max(FIRST_SLOTS, values.length)}
        least={what === 'cpu' ? LEAST_CPU : 1}
      />
      <span class="usage-now">{now}</span>
      {isWhole && peak > 0 ? <span class="soft small peak">{words.peak(write(peak))}</span> : null}
    </span>
  )
}
