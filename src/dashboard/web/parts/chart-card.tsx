// A chart with its title, a legend that has the values under the cursor or the newest, and the same as a table.
import { useState } from 'preact/hooks'
import { useFormats, useTexts } from '../texts/use-texts.ts'
import { Chart } from './chart.tsx'
import type { ChartProps } from './chart-props.ts'

export interface ChartCardProps extends Omit<ChartProps, 'label' | 'onCursor'> {
  title: string
  /** Beside the title: the unit. */
  note?: string
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

export const ChartCard = ({ title, note, ...chart }: ChartCardProps) => {
  const [t, f] = [useTexts(), useFormats()]
  const [cursor, setCursor] = useState<number | null>(null)
  const [isOpen, setOpen] = useState(false)
  const { at, series, format } = chart
  const write = format ?? f.number
  const place = cursor ?? at.length - 1
  const isEmpty = series.every(({ values }) => values.every(value => value === null))
  return (
    <figure class="card chart-card">
      <figcaption class="chart-head">
        <h2>{title}</h2>
        {note === undefined ? null : <span class="soft small">{note}</span>}
        <span class="soft small chart-time">{cursor === null ? '' : f.time(at[cursor] ?? 0)}</span>
      </figcaption>
      <div class="chart-place">
        <Chart {...chart} label={title} onCursor={setCursor} />
        {isEmpty ? <p class="chart-none soft small">{t.chart.none}</p> : null}
      </div>
      <div class="chart-legend small">
        {series.map(({ label, colour, values, isDashed }) => {
          const value = values[place] ?? null
          return (
            <span key={label} class="chart-key">
              <span class={`chart-line line-${colour}${isDashed ? ' dashed' : ''}`} /> {label}{' '}
              <strong>{value === null ? '–' : write(value)}</strong>
            </span>
          )
        })}
        <details class="chart-table" onToggle={event => setOpen(event.currentTarget.open)}>
          <summary class="soft" aria-label={t.chart.tableOf(title)}>
            {t.chart.table}
          </summary>
          {isOpen ? <ChartTable {...{ title, at, series, ...(format ? { format } : {}) }} /> : null}
        </details>
      </div>
    </figure>
  )
}
