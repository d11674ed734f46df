// The kinds: what can be asked for, how it does, and which files cannot be used; and one of them with all of it.
import { useMemo } from 'preact/hooks'
import type { KindList, KindRow, KindTroubleRow } from '../../format/kind-list.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { StateBadge } from '../../parts/badge.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { Empty, WhenAsked } from '../../parts/states.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { useRowKeys } from '../../parts/use-row-keys.ts'
import { Link, navigate, useQuery } from '../../router.tsx'
import type { KindFigure, KindFigures } from '../../state/answers.ts'
import { useKinds } from '../../state/kinds.ts'
import { useMay } from '../../state/rights.ts'
import type { Texts } from '../../texts/texts.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { failuresAddress, figureOf, goneKinds, useKindFigures, waitingAddress } from './kind-figures.ts'
import { KindSection } from './kind-section.tsx'
import { useReload } from './reload.tsx'

const kindAddress = (name: string): string => `/kinds?${new URLSearchParams({ kind: name })}`

interface Row {
  name: string
  /** Null: only tasks have it. */
  kind: KindRow | null
  figure: KindFigure | null
  since: string
}

/** `2 · 10/s`, with dashes for what is not limited. */
const limitsOf = ({ maxConcurrency, rate }: KindRow): string =>
  maxConcurrency === null && rate === null ? '–' : `${maxConcurrency ?? '–'} · ${rate ?? '–'}`

/** Columns that count the tasks of all. */
const FIGURES = ['waiting', 'running', 'p50', 'p90', 'failures']

const useColumns = (): Column<Row>[] => {
  const [t, f, seesFigures] = [useTexts(), useFormats(), useMay('look')]
  return useMemo(() => {
    const words: Texts['kinds'] = t.kinds
    const count = (value: number | null | undefined): string =>
      value === null || value === undefined ? '–' : f.number(value)
    const columns: Column<Row>[] = [
      {
        key: 'kind',
        head: words.columns.kind,
        isHead: true,
        cell: ({ name, kind }) =>
          kind ? (
            <Link class="title-link" href={kindAddress(name)}>
              <SafeText text={name} />
            </Link>
          ) : (
            <>
              <SafeText text={name} /> <StateBadge tone="bad">{words.noWorker}</StateBadge>
            </>
          ),
      },
      {
        key: 'summary',
        head: words.columns.summary,
        isWrapped: true,
        isMinor: true,
        cell: ({ kind }) => (kind ? <SafeText text={kind.summary} /> : words.noFile),
      },
      {
        key: 'waiting',
        head: words.columns.waiting,
        align: 'right',
        cell: ({ name, figure }) =>
          figure?.waiting ? (
            <Link href={waitingAddress(name)}>{f.number(figure.waiting)}</Link>
          ) : (
            count(figure?.waiting)
          ),
      },
      {
        key: 'running',
        head: words.columns.running,
        align: 'right',
        cell: ({ figure }) => count(figure?.running),
      },
      {
        key: 'p50',
        head: words.columns.p50,
        align: 'right',
        isMinor: true,
        cell: ({ figure }) => (figure?.runs ? f.duration(figure.runs.p50 * 1000) : '–'),
      },
      {
        key: 'p90',
        head: words.columns.p90,
        align: 'right',
        isMinor: true,
        cell: ({ figure }) => (figure?.runs ? f.duration(figure.runs.p90 * 1000) : '–'),
      },
      {
        key: 'failures',
        head: words.columns.failures,
        align: 'right',
        cell: ({ name, figure, since }) =>
          figure?.failures ? (
            <Link class="failed-link" href={failuresAddress(name, since)}>
              {f.number(figure.failures)}
            </Link>
          ) : (
            count(figure?.failures)
          ),
      },
      {
        key: 'limits',
        head: words.columns.limits,
        align: 'right',
        isMinor: true,
        cell: ({ kind }) => (kind ? limitsOf(kind) : '–'),
      },
    ]
    return columns.filter(({ key }) => seesFigures || !FIGURES.includes(key))
  }, [t, f, seesFigures])
}

const Troubles = ({ rows }: { rows: readonly KindTroubleRow[] }) => {
  const t = useTexts()
  const words = t.kinds
  const seenBy: Column<KindTroubleRow> = {
    key: 'roles',
    head: words.roles,
    cell: ({ roles }) => roles.join(', '),
  }
  const columns: Column<KindTroubleRow>[] = [
    {
      key: 'name',
      head: words.columns.kind,
      isHead: true,
      cell: ({ name }) => (
        <span class="error-text">
          <SafeText text={name} />
        </span>
      ),
    },
    {
      key: 'file',
      head: words.file,
      isWrapped: true,
      cell: ({ file }) => (
        <code>
          <SafeText text={file} />
        </code>
      ),
    },
    { key: 'reason', head: words.reason, isWrapped: true, cell: ({ reason }) => <SafeText text={reason} /> },
    ...(rows.some(({ roles }) => roles.length > 0) ? [seenBy] : []),
  ]
  return (
    <>
      <h2 class="part-head">
        {words.troubleTitle} <span class="soft">{words.troubleText}</span>
      </h2>
      <div class="stacked">
        <Table
          label={words.troubleTitle}
          columns={columns}
          rows={rows}
          idOf={({ name, file }) => `${name} ${file}`}
        />
      </div>
    </>
  )
}

const List = ({ list, figures }: { list: KindList; figures: KindFigures | null }) => {
  const t = useTexts()
  const rows = useMemo(() => {
    const rowOf = (name: string, kind: KindRow | null): Row => ({
      ...{ name, kind },
      ...{ figure: figureOf(figures, name), since: figures?.since ?? '' },
    })
    return [
      ...goneKinds(figures, list).map(name => rowOf(name, null)),
      ...list.kinds.map(kind => rowOf(kind.name, kind)),
    ]
  }, [list, figures])
  const { activeId } = useRowKeys(
    rows.map(({ name }) => name),
    {
      open: name =>
        navigate(rows.some(row => row.name === name && row.kind) ? kindAddress(name) : waitingAddress(name)),
    },
  )
  if (rows.length === 0) return <Empty text={t.kinds.none} />
  return (
    <Table
      label={t.kinds.table}
      columns={useColumns()}
      rows={rows}
      idOf={({ name }) => name}
      activeId={activeId}
    />
  )
}

export const KindsPage = () => {
  const t = useTexts()
  const words = t.kinds
  const [query] = useQuery()
  const [asked, figures] = [useKinds(), useKindFigures()]
  const reload = useReload(asked.again)
  const name = query.get('kind')
  const chosen = asked.value?.kinds.find(kind => kind.name === name)
  if (chosen) return <KindSection key={chosen.name} kind={chosen} figures={figures.value} />
  const isUnknown =
    name !== null && asked.value !== null && !asked.value.trouble.some(one => one.name === name)
  return (
    <>
      <PageHead title={t.menu.kinds} note={asked.value ? words.counts(asked.value.kinds.length) : undefined}>
        {reload.button}
      </PageHead>
      {reload.note}
      <WhenAsked asked={asked}>
        {list => (
          <>
            {isUnknown ? (
              <p class="note bad" role="alert">
                {t.problems.KIND_UNKNOWN} <SafeText text={name ?? ''} />
              </p>
            ) : null}
            {list.trouble.length > 0 ? <Troubles rows={list.trouble} /> : null}
            <List list={list} figures={figures.value} />
            {figures.value && !figures.value.isWhole ? (
              <p class="soft page-line">{words.partFailures}</p>
            ) : null}
          </>
        )}
      </WhenAsked>
    </>
  )
}
