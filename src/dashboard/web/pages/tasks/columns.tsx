// The columns of the list: what an operator decides by.
import { isFinal, type Sort } from '../../../../client/task.ts'
import { StatusBadge } from '../../parts/badge.tsx'
import { Progress } from '../../parts/progress.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { shortId } from '../../parts/short-id.ts'
import type { Column } from '../../parts/table.tsx'
import { Duration, RelativeTime, Time } from '../../parts/time.tsx'
import { whyInShort, whyInWords } from '../../parts/waiting-words.ts'
import { Link } from '../../router.tsx'
import type { Texts } from '../../texts/texts.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { readSort } from './order.ts'
import { SortHead } from './sort.tsx'
import type { Row } from './use-live-tasks.ts'

export const COLUMN_NAMES = [
  'status',
  'kind',
  'title',
  'progress',
  'ran',
  'outcome',
  'owner',
  'priority',
  'created',
  'finished',
] as const
export type ColumnName = (typeof COLUMN_NAMES)[number]
export const USUAL: readonly ColumnName[] = [
  'status',
  'kind',
  'title',
  'progress',
  'ran',
  'outcome',
  'created',
]

/** A title, or what stands for it. */
export const titleOf = (row: Pick<Row, 'title' | 'id'>, t: Texts): string =>
  row.title ?? `${t.tasks.untitled} ${shortId(row.id)}`

const ProgressCell = ({ row }: { row: Row }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.tasks
  if (row.revokeRequestedAt !== null && !isFinal(row.status)) return <>{words.toBeCancelled}</>
  if (row.status === 'PROGRESS' && row.progress) {
    const { percent, etaSeconds } = row.progress
    return (
      <Progress
        percent={percent}
        note={etaSeconds === null ? undefined : t.status.left(f.duration(etaSeconds * 1000))}
      />
    )
  }
  const isWaiting = row.status === 'RETRY' || row.status === 'PENDING'
  const isTimed = row.waiting?.reason === 'NOT_DUE' || row.waiting?.reason === 'RETRY_WAIT'
  if (isWaiting && row.waiting && !isTimed)
    return (
      <span class="soft" title={whyInWords(row.waiting, t, f)}>
        {whyInShort(row.waiting, t, f)}
      </span>
    )
  if (row.notBefore !== null && isWaiting)
    return (
      <span class="soft">
        {row.status === 'RETRY' ? t.why.short.retryWait : t.why.short.notDue}{' '}
        <RelativeTime at={row.notBefore} />
      </span>
    )
  return row.attempt > 1 ? <span class="soft">{words.attempt(row.attempt, row.maxAttempts)}</span> : null
}

const RanCell = ({ row }: { row: Row }) => {
  if (row.startedAt === null) return null
  return isFinal(row.status) ? (
    <Duration from={row.startedAt} to={row.finishedAt} />
  ) : row.status === 'STARTED' || row.status === 'PROGRESS' ? (
    <Duration from={row.startedAt} to={null} />
  ) : null
}

const OutcomeCell = ({ row }: { row: Row }) => {
  const [t, f] = [useTexts(), useFormats()]
  if (row.error && row.status !== 'SUCCESS')
    return (
      <span class="error-text" title={row.error.code}>
        <SafeText text={row.error.message} />
      </span>
    )
  if (row.status === 'PROGRESS' && row.progress?.note) return <SafeText text={row.progress.note} />
  if (row.resultBytes !== null) return <>{t.tasks.resultOf(f.bytes(row.resultBytes))}</>
  if (row.result === null) return null
  return <SafeText text={typeof row.result === 'string' ? row.result : JSON.stringify(row.result)} />
}

const NumberCell = ({ value }: { value: number }) => <>{useFormats().number(value)}</>

/** The same for every row, so rows that did not change are not drawn again. What is sorted by is always shown. */
export const columnsIn = (t: Texts, shown: readonly ColumnName[], sort: Sort): Column<Row>[] => {
  const heads = t.tasks.columns
  const { by, isDescending } = readSort(sort)
  const sorted = by === 'finishedAt' ? 'finished' : 'created'
  const direction = isDescending ? 'descending' : 'ascending'
  const all: Readonly<Record<ColumnName, Omit<Column<Row>, 'key' | 'head'>>> = {
    status: {
      cell: row => (
        <span class={row.isRemoved ? 'removed' : undefined}>
          <StatusBadge status={row.status} />
        </span>
      ),
    },
    kind: {
      isMinor: true,
      cell: ({ kind }) => (
        <code>
          <SafeText text={kind} />
        </code>
      ),
    },
    title: {
      isHead: true,
      isWrapped: true,
      cell: row => (
        <Link class={row.title === null ? 'title-link untitled' : 'title-link'} href={`/task/${row.id}`}>
          {/* whole, and as text */}
          <SafeText text={titleOf(row, t)} />
        </Link>
      ),
    },
    progress: { isMinor: true, cell: row => <ProgressCell row={row} /> },
    ran: { align: 'right', isMinor: true, cell: row => <RanCell row={row} /> },
    outcome: { isWide: true, isMinor: true, cell: row => <OutcomeCell row={row} /> },
    owner: {
      isMinor: true,
      cell: ({ owner, ownerName }) =>
        owner === null ? null : (
          <span title={owner}>
            <SafeText text={ownerName ?? owner} />
          </span>
        ),
    },
    priority: { align: 'right', isMinor: true, cell: ({ priority }) => <NumberCell value={priority} /> },
    created: {
      align: 'right',
      isMinor: sorted === 'finished',
      cell: ({ createdAt }) => <Time at={createdAt} />,
    },
    finished: {
      align: 'right',
      isMinor: sorted !== 'finished',
      cell: ({ finishedAt }) => (finishedAt === null ? null : <Time at={finishedAt} />),
    },
  }
  return COLUMN_NAMES.filter(name => shown.includes(name) || name === sorted).map(name => ({
    key: name,
    head:
      name === 'created' || name === 'finished' ? (
        <SortHead by={name === 'created' ? 'createdAt' : 'finishedAt'} text={heads[name]} />
      ) : (
        heads[name]
      ),
    ...(name === sorted ? { sorted: direction } : {}),
    ...all[name],
  }))
}
