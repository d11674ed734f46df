// Makes the plot of a chart with uPlot: axes as the reader writes them, gaps as gaps, colours of the theme.
import uPlot from 'uplot'
import type { Formats } from '../format/formats.ts'
import type { ChartSeries } from './chart-props.ts'

export type Data = uPlot.AlignedData

export interface PlotOptions {
  box: HTMLElement
  height: number
  series: readonly ChartSeries[]
  formats: Formats
  isUtc: boolean
  max: number | undefined
  isDuration: boolean
  syncKey: string | undefined
  /** How a value of the axis is written. */
  write: (value: number) => string
  /** Told where the cursor is: a place in the data, or null. */
  moved: (at: number | null) => void
}

const DAY_SECONDS = 86_400
/** Round durations in seconds: from milliseconds to days. */
const DURATIONS = [
  ...[0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30],
  ...[
    60,
    120,
    300,
    600,
    900,
    1800,
    3600,
    7200,
    14_400,
    28_800,
    DAY_SECONDS,
    2 * DAY_SECONDS,
    7 * DAY_SECONDS,
  ],
]

/** A colour of the theme as a canvas takes it: `rgb(1, 2, 3)`. */
const colourIn = (box: HTMLElement, name: string): string => {
  box.style.color = `var(--${name})`
  const { color } = getComputedStyle(box)
  box.style.color = ''
  return color
}
/** The same, thin. */
const thin = (colour: string): string => colour.replace(/^rgb\((.*)\)$/, 'rgba($1, 0.14)')

/** Values between two gaps, of which a line shows nothing. */
const lonely = (values: ArrayLike<number | null | undefined>): number[] =>
  Array.from({ length: values.length }, (_, at) => at).filter(
    at => values[at] != null && values[at - 1] == null && values[at + 1] == null,
  )

export const makePlot = (data: Data, options: PlotOptions): uPlot => {
  const { box, height, series, formats, isUtc, write, max, isDuration, syncKey, moved } = options
  const family = getComputedStyle(box).fontFamily
  const axis = {
    stroke: colourIn(box, 'soft'),
    font: `11px ${family}`,
    ticks: { show: false },
    gap: 4,
  }
  const line = colourIn(box, 'line')
  return new uPlot(
    {
      width: box.clientWidth || 300,
      height,
      // half a label of the last tick stands over
      padding: [6, 16, 0, 0],
      ...(isUtc ? { tzDate: seconds => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC') } : {}),
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: false, y: false },
        points: { size: 7 },
        ...(syncKey === undefined ? {} : { sync: { key: syncKey } }),
      },
      scales: {
        y: { range: (_, _low, high) => [0, max ?? (high > 0 ? high * 1.12 : 1)] },
      },
      axes: [
        {
          ...axis,
          size: 20,
          space: 58,
          grid: { show: false },
          values: (_, ticks, _axis, _space, step) =>
            ticks.map(seconds => {
              const clock = formats.clock(seconds * 1000)
              return step >= DAY_SECONDS || (clock === '00:00' && step >= 3600)
                ? formats.day(seconds * 1000)
                : clock
            }),
        },
        {
          ...axis,
          size: (_, texts) => 12 + 6.6 * Math.max(2, ...(texts ?? []).map(text => text.length)),
          space: 26,
          ...(isDuration ? { incrs: DURATIONS } : {}),
          grid: { stroke: line, width: 1 },
          values: (_, ticks) => ticks.map(tick => (tick === 0 ? '0' : write(tick))),
        },
      ],
      series: [
        {},
        ...series.map(({ label, colour, isFilled = false, isDashed = false }): uPlot.Series => {
          const stroke = colourIn(box, colour)
          return {
            label,
            stroke,
            width: 1.5,
            ...(isDashed ? { dash: [4, 3] } : {}),
            ...(isFilled ? { fill: thin(stroke) } : {}),
            points: {
              show: () => true,
              size: 4,
              fill: stroke,
              filter: (plot, at) => lonely(plot.data[at] ?? []),
            },
          }
        }),
      ],
      hooks: { setCursor: [plot => moved(plot.cursor.idx ?? null)] },
    },
    data,
    box,
  )
}
