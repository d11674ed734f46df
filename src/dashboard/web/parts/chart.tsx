// A chart over time: uPlot, loaded when the first one is shown, in the colours of the theme. The cursor follows the
// mouse and the arrow keys, and a screen reader hears the values under it.
import { useEffect, useRef, useState } from 'preact/hooks'
import type uPlot from 'uplot'
import { useCell } from '../state/cell.ts'
import { language, theme, zone } from '../state/preferences.ts'
import { useFormats, useTexts } from '../texts/use-texts.ts'
import type { Data } from './chart-plot.ts'
import type { ChartProps } from './chart-props.ts'

export type { ChartProps, ChartSeries, SeriesColour } from './chart-props.ts'

/** The values at a place, as a sentence. */
const useValueText = ({ at, series, format }: ChartProps, cursor: number | null): string => {
  const [t, f] = [useTexts(), useFormats()]
  const place = cursor ?? at.length - 1
  const time = at[place]
  if (time === undefined) return t.chart.none
  const values = series.map(({ label, values: of }) => {
    const value = of[place] ?? null
    return `${label} ${value === null ? t.chart.gap : (format ?? f.number)(value)}`
  })
  return `${f.time(time)}: ${values.join(', ')}`
}

/** A step of the cursor by a key; undefined for any other key. */
const stepOf = (key: string, place: number, last: number): number | null | undefined => {
  const leap = Math.max(1, Math.round(last / 12))
  const steps: Readonly<Record<string, number | null>> = {
    ArrowLeft: place - 1,
    ArrowRight: place + 1,
    ArrowDown: place - 1,
    ArrowUp: place + 1,
    PageDown: place - leap,
    PageUp: place + leap,
    Home: 0,
    End: last,
    Escape: null,
  }
  const step = steps[key]
  return step === null || step === undefined ? step : Math.min(last, Math.max(0, step))
}

export const Chart = (props: ChartProps) => {
  const { label, at, series, height = 120, format, max, isDuration = false, syncKey, onCursor } = props
  const place = useRef<HTMLDivElement>(null)
  const f = useFormats()
  const [cursor, setCursor] = useState<number | null>(null)
  const [chosenTheme, lang, chosenZone] = [useCell(theme), useCell(language), useCell(zone)]
  const plot = useRef<uPlot | null>(null)
  const text = useValueText(props, cursor)
  // what the plot asks for when it draws, always the newest
  const latest = useRef({ data: [[]] as Data, write: format ?? f.number, onCursor })
  latest.current = {
    data: [at.map(ms => ms / 1000), ...series.map(({ values }) => [...values])] as Data,
    write: format ?? f.number,
    onCursor,
  }
  const shape = JSON.stringify([
    series.map(({ values: _, ...rest }) => rest),
    height,
    max,
    isDuration,
    syncKey,
  ])

  useEffect(() => {
    const box = place.current
    if (!box) return
    let isGone = false
    const make = async (): Promise<void> => {
      const { makePlot } = await import('./chart-plot.ts')
      if (isGone) return
      plot.current?.destroy()
      plot.current = makePlot(latest.current.data, {
        ...{ box, height, series, formats: f, isUtc: chosenZone === 'utc', isDuration, max, syncKey },
        write: value => latest.current.write(value),
        moved(to) {
          setCursor(to)
          latest.current.onCursor?.(to)
        },
      })
    }
    const remake = (): void => void make()
    remake()
    const watch = new ResizeObserver(() => {
      const width = box.clientWidth
      if (plot.current && width > 0 && width !== plot.current.width) plot.current.setSize({ width, height })
    })
    watch.observe(box)
    const dark = matchMedia('(prefers-color-scheme: dark)')
    dark.addEventListener('change', remake)
    return () => {
      isGone = true
      dark.removeEventListener('change', remake)
      watch.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [shape, chosenTheme, lang, chosenZone])

  useEffect(() => plot.current?.setData(latest.current.data), [at, series])

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const [shown, last] = [plot.current, at.length - 1]
    const to = stepOf(event.key, cursor ?? last, last)
    if (!shown || to === undefined) return
    event.preventDefault()
    const left = to === null ? -10 : shown.valToPos((at[to] ?? 0) / 1000, 'x')
    shown.setCursor({ left, top: 0 })
  }

  return (
    <div
      ref={place}
      class="chart"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, at.length - 1)}
      aria-valuenow={cursor ?? Math.max(0, at.length - 1)}
      aria-valuetext={text}
      onKeyDown={onKeyDown}
      onBlur={() => plot.current?.setCursor({ left: -10, top: -10 })}
      style={{ height: `${height}px` }}
    />
  )
}
