// A chart over time: uPlot, loaded when the first one is shown, in the colours of the theme.
import { useEffect, useRef } from 'preact/hooks'
import type uPlot from 'uplot'
import { useCell } from '../state/cell.ts'
import { language, theme, zone } from '../state/preferences.ts'
import { useFormats } from '../texts/use-texts.ts'

/** Which custom property of the style sheet colours it. */
export type SeriesColour = 'accent' | 'good' | 'bad' | 'busy' | 'soft'

export interface ChartSeries {
  label: string
  values: readonly (number | null)[]
  colour: SeriesColour
  isFilled?: boolean
}

export interface ChartProps {
  /** What it shows, for those who do not see it. */
  label: string
  /** Milliseconds since 1970, rising. */
  at: readonly number[]
  series: readonly ChartSeries[]
  /** Pixels. */
  height?: number
  /** How a value is written. */
  format?: (value: number) => string
  /** The top of the scale; left out: the highest value. */
  max?: number
}

/** A colour of the theme as a canvas takes it: `rgb(1, 2, 3)`. */
const colourIn = (box: HTMLElement, name: string): string => {
  box.style.color = `var(--${name})`
  return getComputedStyle(box).color
}
/** The same, thin. */
const thin = (colour: string): string => colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)')

export const Chart = ({ label, at, series, height = 120, format, max }: ChartProps) => {
  const place = useRef<HTMLDivElement>(null)
  const f = useFormats()
  const [chosenTheme, lang, at_zone] = [useCell(theme), useCell(language), useCell(zone)]
  const data = useRef<uPlot.AlignedData>([[]])
  data.current = [at.map(ms => ms / 1000), ...series.map(({ values }) => [...values])]
  const plot = useRef<uPlot | null>(null)
  const shape = JSON.stringify([series.map(({ values: _, ...rest }) => rest), height, max])
  const write = useRef(format ?? f.number)
  write.current = format ?? f.number
  const clock = useRef(f)
  clock.current = f

  useEffect(() => {
    const box = place.current
    if (!box) return
    let isGone = false
    let watch: ResizeObserver | undefined
    const dark = matchMedia('(prefers-color-scheme: dark)')
    const make = async (): Promise<void> => {
      const { default: Plot } = await import('uplot')
      if (isGone) return
      plot.current?.destroy()
      const colourOf = (name: string): string => colourIn(box, name)
      const axis = { stroke: colourOf('soft'), font: '11px system-ui', size: 24, ticks: { show: false } }
      plot.current = new Plot(
        {
          width: box.clientWidth || 300,
          height,
          legend: { show: false },
          cursor: { y: false, points: { size: 6 } },
          scales: { y: { range: (_, _low, high) => [0, max ?? (high > 0 ? high * 1.1 : 1)] } },
          axes: [
            {
              ...axis,
              grid: { show: false },
              values: (_, ticks) => ticks.map(s => clock.current.time(s * 1000).slice(0, 5)),
            },
            {
              ...axis,
              size: 48,
              grid: { stroke: colourOf('line'), width: 1 },
              values: (_, ticks) => ticks.map(tick => write.current(tick)),
            },
          ],
          series: [
            {},
            ...series.map(({ label: name, colour, isFilled }) => ({
              label: name,
              stroke: colourOf(colour),
              width: 1.5,
              points: { show: false },
              ...(isFilled ? { fill: thin(colourOf(colour)) } : {}),
            })),
          ],
        },
        data.current,
        box,
      )
      watch = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height }))
      watch.observe(box)
    }
    void make()
    const remake = (): void => {
      void make()
    }
    dark.addEventListener('change', remake)
    return () => {
      isGone = true
      dark.removeEventListener('change', remake)
      watch?.disconnect()
      plot.current?.destroy()
      plot.current = null
    }
  }, [shape, chosenTheme, lang, at_zone])

  useEffect(() => {
    plot.current?.setData(data.current)
  }, [at, series])

  return <div ref={place} class="chart" role="img" aria-label={label} style={{ height: `${height}px` }} />
}
