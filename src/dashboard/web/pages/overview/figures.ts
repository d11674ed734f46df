// The figures of the charts as columns, and how live samples are put to their end. Pure.

export type Span = 'hour' | 'week'
export const SPANS: readonly Span[] = ['hour', 'week']

export const FIGURE_NAMES = [
  'started',
  'succeeded',
  'failed',
  'waitP50',
  'waitP90',
  'runP50',
  'runP90',
  'queueDepth',
  'cpu',
  'memory',
  'disk',
  'load',
] as const
export type FigureName = (typeof FIGURE_NAMES)[number]

/** Columns of one length; `at` is in milliseconds since 1970, `everyMs` apart. Null: a gap. */
export type Figures = { everyMs: number; at: readonly number[] } & Readonly<
  Record<FigureName, readonly (number | null)[]>
>
export type Sample = { at: number } & Readonly<Record<FigureName, number | null>>

const columnsOf = (read: (name: FigureName) => (number | null)[]): Record<FigureName, (number | null)[]> =>
  Object.fromEntries(FIGURE_NAMES.map(name => [name, read(name)])) as Record<FigureName, (number | null)[]>

/**
 * The figures with newer samples at their end and as many of the oldest gone. A step without a sample is a gap; a
 * sample of a known step replaces it, and what is older than all is left out.
 */
export const withSamples = (figures: Figures, samples: readonly Sample[]): Figures => {
  const { everyMs } = figures
  const first = figures.at[0] ?? samples[0]?.at
  if (first === undefined || samples.length === 0) return figures
  const length = Math.max(1, figures.at.length)
  const placeOf = (at: number): number => Math.round((at - first) / everyMs)
  const lastPlace = Math.max(figures.at.length - 1, ...samples.map(({ at }) => placeOf(at)))
  // a browser that slept for long has nothing in common with what it knew
  const from = Math.max(0, lastPlace + 1 - length)
  const byPlace = new Map(samples.map(sample => [placeOf(sample.at), sample]))
  const places = Array.from({ length: lastPlace + 1 - from }, (_, step) => from + step)
  return {
    everyMs,
    at: places.map(place => first + place * everyMs),
    ...columnsOf(name =>
      places.map(place => {
        const sample = byPlace.get(place)
        return (sample ? sample[name] : figures[name][place]) ?? null
      }),
    ),
  }
}
