// The figures of a span: the last hour with each new sample, the last seven days asked for anew now and then.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { get } from './api.ts'
import { type Figures, type Sample, SPAN_MS, type Span, withSamples } from './figures.ts'
import { type Asked, useAsked } from './use-asked.ts'
import { useTopic } from './use-topic.ts'

/** An hour of samples; half a thousand points of a week are 20 minutes each. */
const POINTS: Readonly<Record<Span, number>> = { hour: 360, week: 504 }
const WEEK_AGAIN_MS = 120_000
/** Samples that are kept beside the answer. */
const MOST = 360

/** @param names the same array at every call */
export const useFigures = <Name extends string>(span: Span, names: readonly Name[]): Asked<Figures<Name>> => {
  const asked = useAsked(span, signal =>
    get<Figures<Name>>('/figures.json', {
      query: { span, points: POINTS[span], columns: names.join(',') },
      signal,
    }),
  )
  const [samples, setSamples] = useState<readonly Sample<Name>[]>([])
  useTopic('figures', {
    figures: ({ samples: told }: { samples: readonly Sample<Name>[] }) =>
      setSamples(before => [...before, ...told].slice(-MOST)),
  })
  const { again } = asked
  useEffect(() => {
    if (span !== 'week') return
    const timer = setInterval(() => {
      if (!document.hidden) again()
    }, WEEK_AGAIN_MS)
    return () => clearInterval(timer)
  }, [span, again])
  const { value } = asked
  const figures = useMemo(
    () => (value === null ? null : withSamples(names, value, span === 'hour' ? samples : [], SPAN_MS[span])),
    [value, span, samples, names],
  )
  return { ...asked, value: figures }
}
