// The overview: what is wrong right now, tasks by status, the failures of the last day, and the charts.
import { useEffect } from 'preact/hooks'
import { useKeys } from '../../frame/keys.ts'
import { setMenuCount } from '../../frame/menu-counts.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { ProblemNote, WhenAsked } from '../../parts/states.tsx'
import { Link, useQuery } from '../../router.tsx'
import { get } from '../../state/api.ts'
import { type Overview, troubles } from '../../state/overview.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { MachineCharts, WorkCharts } from './charts.tsx'
import { Failures } from './failures.tsx'
import { SPANS, type Span } from './figures.ts'
import { Statuses } from './statuses.tsx'
import { Troubles } from './troubles.tsx'
import { useFigures } from './use-figures.ts'

/** The first answer is asked for; from then on the stream tells what is new. */
const useOverview = () => {
  const f = useFormats()
  const asked = useAsked('overview', signal => get<Overview>('/overview.json', { signal }))
  useTopic('overview', {
    overview(told: Overview) {
      if (asked.value === null || asked.problem !== null) asked.again()
      else asked.change(() => told)
    },
  })
  const { value } = asked
  useEffect(() => {
    if (value === null) return
    troubles.set(value.troubles)
    if (value.counts === null) return
    const total = Object.values(value.counts).reduce((sum, count) => sum + count, 0)
    setMenuCount('tasks', f.number(total))
  }, [value, f])
  return asked
}

const useSpan = (): [Span, (span: Span) => void] => {
  const [query, change] = useQuery()
  const span = SPANS.find(each => each === query.get('span')) ?? 'hour'
  return [span, next => change({ span: next === 'hour' ? null : next })]
}

const SpanSwitch = ({ span }: { span: Span }) => {
  const t = useTexts()
  const [query] = useQuery()
  const hrefOf = (to: Span): string => {
    const next = new URLSearchParams(query)
    if (to === 'hour') next.delete('span')
    else next.set('span', to)
    const text = next.toString()
    return text === '' ? '/' : `/?${text}`
  }
  return (
    <nav class="tabs" aria-label={t.overview.span}>
      {SPANS.map(each => (
        <Link key={each} href={hrefOf(each)} {...(each === span ? { 'aria-current': 'page' as const } : {})}>
          {t.overview.spans[each]}
        </Link>
      ))}
    </nav>
  )
}

export const OverviewPage = () => {
  const t = useTexts()
  const words = t.overview
  const asked = useOverview()
  const [span, setSpan] = useSpan()
  const { value: figures, problem, again } = useFigures(span)
  useKeys({
    h: { label: words.spans.hour, run: () => setSpan('hour') },
    w: { label: words.spans.week, run: () => setSpan('week') },
  })
  return (
    <>
      <PageHead title={t.menu.overview}>
        <SpanSwitch span={span} />
      </PageHead>
      <WhenAsked asked={asked}>
        {overview => (
          <>
            <Troubles overview={overview} />
            <Statuses counts={overview.counts} />
            {problem && !figures ? <ProblemNote problem={problem} again={again} /> : null}
            {figures ? <WorkCharts figures={figures} /> : null}
            {overview.failures && overview.failuresTotal ? (
              <Failures failures={overview.failures} total={overview.failuresTotal} again={asked.again} />
            ) : null}
            {figures ? <MachineCharts figures={figures} /> : null}
          </>
        )}
      </WhenAsked>
      <p class="soft small keys-hint">{words.hint}</p>
    </>
  )
}
