// The figures of the charts as columns, and how live samples are put to their end. Pure.

export type Span = 'hour' | 'week'
export const SPANS: readonly Span[] = ['hour', 'week']
export const SPAN_MS: Readonly<Record<Span, number>> = { hour: 3_600_000, week: 604_800_000 }

/** The roles whose processes have columns of their own. */
export const MEASURED_ROLES = ['api', 'worker', 'rpc', 'dashboard'] as const

/** Columns of one length; `at` is in milliseconds since 1970, `everyMs` apart. Null: a gap. */
export type Figures<Name extends string> = { everyMs: number; at: readonly number[] } & Readonly<
  Record<Name, readonly (number | null)[]>
>
export type Sample<Name extends string> = { at: number } & Readonly<Record<Name, number | null>>

/**
 * The figures of all of a span, with newer samples at their end. A step that nobody sampled is a gap, also before the
 * first one. A sample of a known step replaces it.
 * @param spanMs how long the span is
 */
export const withSamples = <Name extends string>(
  names: readonly Name[],
  figures: Figures<Name>,
  samples: readonly Sample<Name>[],
  spanMs: number,
): Figures<Name> => {
  const { everyMs } = figures
  const first = figures.at[0] ?? samples[0]?.at
  if (first === undefined) return figures
  const placeOf = (at: number): number => Math.round((at - first) / everyMs)
  const byPlace = new Map(samples.map(sample => [placeOf(sample.at), sample]))
  const end = Math.max(figures.at.length, ...[...byPlace.keys()].map(place => place + 1))
  const length = Math.round(spanMs / everyMs)
  const places = Array.from({ length }, (_, step) => end - length + step)
  const valueAt = (name: Name, place: number): number | null => {
    const sample = byPlace.get(place)
    const known: readonly (number | null)[] = figures[name]
    return (sample ? sample[name] : known[place]) ?? null
  }
  const columns = Object.fromEntries(
    names.map(name => [name, places.map(place => valueAt(name, place))]),
  ) as Record<Name, (number | null)[]>
  return { everyMs, at: places.map(place => first + place * everyMs), ...columns }
}
