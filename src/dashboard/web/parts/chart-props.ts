// What a chart is given.

/** Which custom property of the style sheet colours it. */
export type SeriesColour = 'accent' | 'good' | 'bad' | 'busy' | 'soft'

export interface ChartSeries {
  label: string
  /** Null: a gap. */
  values: readonly (number | null)[]
  colour: SeriesColour
  isFilled?: boolean
  isDashed?: boolean
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
  /** The top of the scale; left out: a little above the highest value. */
  max?: number
  /** The values are seconds, so the scale has steps of seconds, minutes and hours. */
  isDuration?: boolean
  /** Charts of one key show their cursors at the same time. */
  syncKey?: string
  /** Told where the cursor is: a place in `at`, or null. */
  onCursor?: (at: number | null) => void
}
