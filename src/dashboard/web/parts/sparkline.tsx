// A small chart without axes: how something went lately. The number beside it says how it is now.

export interface SparklineProps {
  /** What it shows, for those who do not see it. */
  label: string
  /** The newest is the last, at the right edge. Null is a gap. */
  values: readonly (number | null)[]
  /** How many values are as wide as the chart. */
  slots: number
  /** The top of the scale is at least this. */
  least: number
}

const [WIDTH, HEIGHT] = [100, 24]

/** The values as runs without gaps, each with its place from the right. */
const runsOf = (values: readonly (number | null)[], slots: number): [number, number][][] => {
  const shown = values.slice(-slots)
  const runs: [number, number][][] = [[]]
  for (const [at, value] of shown.entries()) {
    if (value === null) runs.push([])
    else runs.at(-1)?.push([WIDTH - ((shown.length - 1 - at) * WIDTH) / Math.max(1, slots - 1), value])
  }
  return runs.filter(run => run.length > 0)
}

const round = (value: number): number => Math.round(value * 10) / 10

export const Sparkline = ({ label, values, slots, least }: SparklineProps) => {
  const top = Math.max(least, ...values.map(value => value ?? 0)) * 1.1
  const heightOf = (value: number): number => HEIGHT - 1 - (value / top) * (HEIGHT - 2)
  return (
    <svg
      class="spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      {runsOf(values, slots).map((run, at) => {
        const line = run.map(([x, value]) => `${round(x)},${round(heightOf(value))}`).join(' ')
        const [first, last] = [run[0]?.[0] ?? 0, run.at(-1)?.[0] ?? 0]
        return (
          <g key={at}>
            <polygon points={`${round(first)},${HEIGHT} ${line} ${round(last)},${HEIGHT}`} />
            <polyline points={line} vector-effect="non-scaling-stroke" />
          </g>
        )
      })}
    </svg>
  )
}
