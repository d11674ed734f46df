// The figures of the charts as columns, and how live samples are put to their end. Pure.

export type Span = 'hour' | 'week'
export const SPANS: readonly Span[] = ['hour', 'week']
export const SPAN_MS: Readonly<Record<Span, number>> = { hour: 3_600_000, week: 604_800_000 }

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
 * The figures of all of a span, with newer samples at their end. A step that nobody sampled is a gap, also before the
 * first one. A sample of a known step replaces it.
 * @param spanMs how long the span is
 */
export const withSamples = (figures: Figures, samples: readonly Sample[], spanMs: number): Figures => {
  const { everyMs } = figures
  const first = figures.at[0] ?? samples[0]?.at
  if (first === undefined) return figures
  const placeOf = (at: number): number => Math.round((at - first) / everyMs)
  const byPlace = new Map(samples.map(sample => [placeOf(sample.at), sample]))
  const end = Math.max(figures.at.length, ...[...byPlace.keys()].map(place => place + 1))
  const length = Math.round(spanMs / everyMs)
  const places = Array.from({ length }, (_, step) => end - length + step)
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
