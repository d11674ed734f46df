// The failures of the last day, alike ones together: how many, since when, the last one, and the way to all of them.
import { useMemo } from 'preact/hooks'
import { useKeys } from '../../frame/keys.ts'
import { SafeText } from '../../parts/safe-text.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { Time } from '../../parts/time.tsx'
import { useNearFocus } from '../../parts/use-near-focus.ts'
import { useRowKeys } from '../../parts/use-row-keys.ts'
import { Link, navigate, useQuery } from '../../router.tsx'
import type { FailureGroup, Overview } from '../../state/answers.ts'
import { useCell } from '../../state/cell.ts'
import { mayChange, me } from '../../state/me.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { useRetryGroup } from './use-retry-group.ts'

/** Groups that are shown before the reader asks for all. */
const FEW = 6
const DAY_MS = 86_400_000

const keyOf = ({ kind, error }: FailureGroup): string => JSON.stringify([kind, error.code, error.pattern])
const tasksOf = ({ filter }: FailureGroup): string => `/tasks?${new URLSearchParams(filter)}`
const allFailed = (): string =>
  `/tasks?${new URLSearchParams({ status: 'FAILURE', finishedFrom: new Date(Date.now() - DAY_MS).toISOString() })}`

/** Every error that a kind throws has it. */
const USUAL_CODE = 'KIND_FAILED'

const Message = ({ group }: { group: FailureGroup }) => {
  const { kind, error, example, count } = group
  // one by itself has nothing in common with others
  const text = (count === 1 ? null : error.pattern) ?? example.message
  return (
    <Link class="failure-link" href={tasksOf(group)} title={example.message}>
      <code>
        <SafeText text={kind} />
      </code>{' '}
      <SafeText text={text} />{' '}
      {error.code === USUAL_CODE && text !== '' ? null : (
        <span class="soft small">
          <SafeText text={error.code} />
        </span>
      )}
    </Link>
  )
}

export interface FailuresProps {
  failures: readonly FailureGroup[]
  total: NonNullable<Overview['failuresTotal']>
  /** Asks for the overview anew. */
  again: () => void
}

export const Failures = ({ failures, total, again }: FailuresProps) => {
  const [t, f, who] = [useTexts(), useFormats(), useCell(me)]
  const words = t.overview
  const [query, change] = useQuery()
  const isAll = query.get('failures') === 'all'
  const shown = isAll ? failures : failures.slice(0, FEW)
  const { working, run } = useRetryGroup(again)
  const { near, onFocusCapture } = useNearFocus<HTMLHeadingElement>()
  const groupOf = (key: string): FailureGroup | undefined => shown.find(group => keyOf(group) === key)
  const { activeId } = useRowKeys(shown.map(keyOf), {
    open: key => {
      const group = groupOf(key)
      if (group) navigate(tasksOf(group))
    },
  })
  const retry = (key: string | null): void => {
    const group = key === null ? undefined : groupOf(key)
    if (group && key !== null && mayChange(who)) run(key, group)
  }
  useKeys({ r: { label: words.retryKey, run: () => retry(activeId) } })

  const columns = useMemo((): Column<FailureGroup>[] => {
    const heads = words.columns
    return [
      {
        key: 'message',
        head: heads.message,
        isHead: true,
        isWrapped: true,
        cell: group => <Message group={group} />,
      },
      { key: 'count', head: heads.count, align: 'right', cell: ({ count }) => f.number(count) },
      { key: 'first', head: heads.first, align: 'right', cell: ({ firstAt }) => <Time at={firstAt} /> },
      {
        key: 'last',
        head: heads.last,
        align: 'right',
        isMinor: true,
        cell: ({ lastAt, example }) => (
          <Link href={`/task/${example.id}`} title={example.message}>
            <Time at={lastAt} />
          </Link>
        ),
      },
      ...(mayChange(who)
        ? [
            {
              key: 'retry',
              head: <span class="unseen">{heads.actions}</span>,
              align: 'right' as const,
              cell: (group: FailureGroup) => {
                const key = keyOf(group)
                return (
                  <button
                    type="button"
                    class="button small"
                    // not `disabled`, which would lose the focus
                    aria-disabled={working !== null}
                    aria-label={words.retryOf(group.count, group.kind)}
                    onClick={() => run(key, group)}
                  >
                    {working?.key === key ? working.text : words.retry}
                  </button>
                )
              },
            },
          ]
        : []),
    ]
  }, [words, f, who, working])

  return (
    <div class="failures" onFocusCapture={onFocusCapture}>
      <div class="section-head">
        <h2 ref={near} tabIndex={-1}>
          {words.failures}
        </h2>
        <span class="soft small">
          {total.count === 0 && total.isWhole ? words.noFailures : words.failed(total.count)}
          {total.isWhole ? '' : ` · ${words.notWhole}`}
        </span>
        {total.count > 0 ? (
          <Link class="section-link" href={allFailed()}>
            {words.seeAll}
          </Link>
        ) : null}
      </div>
      {failures.length > 0 ? (
        <Table label={words.failures} columns={columns} rows={shown} idOf={keyOf} activeId={activeId} />
      ) : null}
      {shown.length < failures.length ? (
        <button type="button" class="bare underlined" onClick={() => change({ failures: 'all' })}>
          {words.moreGroups(failures.length - shown.length)}
        </button>
      ) : null}
      {isAll && total.moreGroups > 0 ? <p class="soft small">{words.leftOut(total.moreGroups)}</p> : null}
    </div>
  )
}
