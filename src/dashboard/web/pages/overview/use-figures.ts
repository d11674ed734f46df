// The figures of a span: the last hour with each new sample, the last seven days asked for anew now and then.
import { useEffect, useMemo, useState } from 'preact/hooks'
import { get } from '../../state/api.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'
import { type Figures, type Sample, SPAN_MS, type Span, withSamples } from './figures.ts'

/** An hour of samples; half a thousand points of a week are 20 minutes each. */
const POINTS: Readonly<Record<Span, number>> = { hour: 360, week: 504 }
const WEEK_AGAIN_MS = 120_000
/** Samples that are kept beside the answer. */
const MOST = 360

export const useFigures = (span: Span): Asked<Figures> => {
  const asked = useAsked(span, signal =>
    get<Figures>('/figures.json', { query: { span, points: POINTS[span] }, signal }),
  )
  const [samples, setSamples] = useState<readonly Sample[]>([])
  useTopic('figures', {
    figures: ({ samples: told }: { samples: readonly Sample[] }) =>
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
    () => (value === null ? null : withSamples(value, span === 'hour' ? samples : [], SPAN_MS[span])),
    [value, span, samples],
  )
  return { ...asked, value: figures }
}
