// A chart with its title and the values under the cursor, or the newest; or the same as a table.
import { useState } from 'preact/hooks'
import { useFormats, useTexts } from '../texts/use-texts.ts'
import { Chart } from './chart.tsx'
import type { ChartProps } from './chart-props.ts'

export interface ChartCardProps extends Omit<ChartProps, 'label' | 'onCursor'> {
  title: string
  /** Beside the title: the unit. */
  note?: string
  /** The values as a table stand in the place of the chart. */
  isTable?: boolean
}

/** Rows of the table: more would be read by nobody. */
const ROWS = 12

const meanOf = (values: readonly (number | null)[]): number | null => {
  const known = values.filter(value => value !== null)
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length
}

const ChartTable = ({
  title,
  at,
  series,
  format,
}: Pick<ChartCardProps, 'title' | 'at' | 'series' | 'format'>) => {
  const [t, f] = [useTexts(), useFormats()]
  const write = format ?? f.number
  const steps = Math.max(1, Math.ceil(at.length / ROWS))
  const places = at.map((_, place) => place).filter(place => place % steps === 0)
  const stepMs = ((at[1] ?? 0) - (at[0] ?? 0)) * steps
  return (
    <table class="compact">
      <caption>{t.chart.means(title, f.duration(stepMs))}</caption>
      <thead>
        <tr>
          <th scope="col">{t.chart.from}</th>
          {series.map(({ label }) => (
            <th key={label} scope="col" class="right">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {places.map(place => (
          <tr key={place}>
            <th scope="row">{f.time(at[place] ?? 0)}</th>
            {series.map(({ label, values }) => {
              const value = meanOf(values.slice(place, place + steps))
              return (
                <td key={label} class="right">
                  {value === null ? '–' : write(value)}
                </td>
              )
            })}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

const Legend = ({ series, place, format }: Pick<ChartCardProps, 'series' | 'format'> & { place: number }) => {
  const f = useFormats()
  return (
    <p class="chart-legend small">
      {series.map(({ label, colour, values, isDashed }) => {
        const value = values[place] ?? null
        return (
          <span key={label} class="chart-key">
            <span class={`chart-line line-${colour}${isDashed ? ' dashed' : ''}`} /> {label}{' '}
            <strong>{value === null ? '–' : (format ?? f.number)(value)}</strong>
          </span>
        )
      })}
    </p>
  )
}

export const ChartCard = ({ title, note, isTable = false, ...chart }: ChartCardProps) => {
  const [t, f] = [useTexts(), useFormats()]
  const [cursor, setCursor] = useState<number | null>(null)
  const { at, series, format } = chart
  const place = cursor ?? at.length - 1
  const time = cursor === null ? null : f.time(at[cursor] ?? 0)
  const isEmpty = series.every(({ values }) => values.every(value => value === null))
  const only = series.length === 1 ? series[0] : undefined
  const value = only?.values[place] ?? null
  return (
    <figure class="card chart-card">
      <figcaption class="chart-head">
        <h2>{title}</h2>
        {note === undefined ? null : <span class="soft small">{note}</span>}
        <span class="chart-now small">
          {time === null || only ? null : <span class="soft">{time}</span>}
          {only ? <strong>{value === null ? '–' : (format ?? f.number)(value)}</strong> : null}
        </span>
      </figcaption>
      {isTable ? (
        <ChartTable {...{ title, at, series, ...(format ? { format } : {}) }} />
      ) : (
        <div class="chart-place">
          <Chart {...chart} label={title} onCursor={setCursor} />
          {/* the head of a small card has no room beside its value */}
          {time === null || !only ? null : <span class="chart-at soft small">{time}</span>}
          {isEmpty ? <p class="chart-none soft small">{t.chart.none}</p> : null}
        </div>
      )}
      {isTable || only ? null : <Legend {...{ series, place, ...(format ? { format } : {}) }} />}
    </figure>
  )
}
