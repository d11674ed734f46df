// The overview: what is wrong right now, tasks by status, the failures of the last day, and the charts.
import { useEffect } from 'preact/hooks'
import { useKeys } from '../../frame/keys.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { ProblemNote, WhenAsked } from '../../parts/states.tsx'
import { Link, useQuery } from '../../router.tsx'
import type { Overview } from '../../state/answers.ts'
import { get } from '../../state/api.ts'
import { SPANS, type Span } from '../../state/figures.ts'
import { troubles } from '../../state/overview.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useFigures } from '../../state/use-figures.ts'
import { useTopic } from '../../state/use-topic.ts'
import { useTexts } from '../../texts/use-texts.ts'
import { FIGURE_NAMES, MachineCharts, WorkCharts } from './charts.tsx'
import { Failures } from './failures.tsx'
import { Statuses } from './statuses.tsx'
import { Troubles } from './troubles.tsx'

/** The first answer is asked for; from then on the stream tells what is new. */
const useOverview = () => {
  const asked = useAsked('overview', signal => get<Overview>('/overview.json', { signal }))
  useTopic('overview', {
    overview(told: Overview) {
      if (asked.value === null || asked.problem !== null) asked.again()
      else asked.change(() => told)
    },
  })
  const { value } = asked
  useEffect(() => {
    if (value !== null) troubles.set(value.troubles)
  }, [value])
  return asked
}

/** What the address says of the charts. The usual stands in no address. */
const useLook = () => {
  const [query, change] = useQuery()
  const span: Span = SPANS.find(each => each === query.get('span')) ?? 'hour'
  const isTable = query.get('show') === 'tables'
  const valuesOf = (look: { span: Span; isTable: boolean }) => ({
    span: look.span === 'hour' ? null : look.span,
    show: look.isTable ? 'tables' : null,
  })
  return {
    span,
    isTable,
    change: (look: Partial<{ span: Span; isTable: boolean }>) => change(valuesOf({ span, isTable, ...look })),
    hrefOf(look: Partial<{ span: Span; isTable: boolean }>): string {
      const next = new URLSearchParams(query)
      for (const [name, value] of Object.entries(valuesOf({ span, isTable, ...look })))
        if (value === null) next.delete(name)
        else next.set(name, value)
      const text = next.toString()
      return text === '' ? '/' : `/?${text}`
    },
  }
}

const LookSwitch = ({ look: { span, isTable, hrefOf } }: { look: ReturnType<typeof useLook> }) => {
  const words = useTexts().overview
  return (
    <nav class="tabs" aria-label={words.span}>
      {SPANS.map(each => (
        <Link
          key={each}
          href={hrefOf({ span: each })}
          {...(each === span ? { 'aria-current': 'page' as const } : {})}
        >
          {words.spans[each]}
        </Link>
      ))}
      <Link href={hrefOf({ isTable: !isTable })}>{isTable ? words.asCharts : words.asTables}</Link>
    </nav>
  )
}

export const OverviewPage = () => {
  const t = useTexts()
  const words = t.overview
  const asked = useOverview()
  const look = useLook()
  const { span, isTable } = look
  const { value: figures, problem, again } = useFigures(span, FIGURE_NAMES)
  useKeys({
    h: { label: words.spans.hour, run: () => look.change({ span: 'hour' }) },
    w: { label: words.spans.week, run: () => look.change({ span: 'week' }) },
    v: { label: isTable ? words.asCharts : words.asTables, run: () => look.change({ isTable: !isTable }) },
  })
  return (
    <>
      <PageHead title={t.menu.overview}>
        <LookSwitch look={look} />
      </PageHead>
      <WhenAsked asked={asked}>
        {overview => (
          <>
            <Troubles overview={overview} />
            <Statuses counts={overview.counts} />
            {problem && !figures ? <ProblemNote problem={problem} again={again} /> : null}
            {figures ? <WorkCharts figures={figures} isTable={isTable} /> : null}
            {overview.failures && overview.failuresTotal ? (
              <Failures failures={overview.failures} total={overview.failuresTotal} again={asked.again} />
            ) : null}
            {figures ? <MachineCharts figures={figures} isTable={isTable} /> : null}
          </>
        )}
      </WhenAsked>
      <p class="soft small keys-hint">{words.hint}</p>
    </>
  )
}
