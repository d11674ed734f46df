// The processes: which of them is not well, why, and start, stop and restart of one and all.

import type { Formats } from '../../format/formats.ts'
import { useKeys } from '../../frame/keys.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { StateBadge } from '../../parts/badge.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { useRowKeys } from '../../parts/use-row-keys.ts'
import { Link, navigate } from '../../router.tsx'
import { ACTIONS, type Action, type ProcessRow } from '../../state/answers.ts'
import { useCell } from '../../state/cell.ts'
import { mayOrder, me } from '../../state/me.ts'
import type { Texts } from '../../texts/texts.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { Condition } from './condition.tsx'
import { OrderButtons } from './order-buttons.tsx'
import { giveOrder, pendingOrders } from './orders.ts'
import { badgeOf, isWorking } from './process-row.ts'
import { Usage } from './usage.tsx'
import { useProcesses } from './use-processes.ts'
import { type UsageOf, useUsage } from './use-usage.ts'

export const pathOf = (name: string, stream?: string): string =>
  `/process/${encodeURIComponent(name)}${stream === undefined ? '' : `?stream=${stream}`}`

/** Its word, or what it is being told to do. */
export const ProcessBadge = ({ row }: { row: ProcessRow }) => {
  const [words, pending] = [useTexts().processes, useCell(pendingOrders)]
  const action = pending.get(row.name)
  if (action) return <StateBadge tone="busy">{words.pending[action]}</StateBadge>
  const { word, tone } = badgeOf(row)
  return <StateBadge tone={tone}>{words.states[word] ?? word}</StateBadge>
}

const columnsIn = (
  t: Texts,
  f: Formats,
  rows: readonly ProcessRow[],
  usageOf: UsageOf,
): Column<ProcessRow>[] => {
  const words = t.processes
  const heads = words.columns
  return [
    {
      key: 'name',
      head: heads.name,
      isHead: true,
      isWrapped: true,
      cell: row => (
        <>
          <Link class="title-link" href={pathOf(row.name)}>
            <SafeText text={row.name} />
          </Link>
          <small class="soft">
            {row.pid === null ? '' : ` ${t.log.pid} ${row.pid}`}
            {row.isDashboard ? ` · ${words.self}` : ''}
          </small>
          <Condition row={row} />
        </>
      ),
    },
    { key: 'state', head: heads.state, cell: row => <ProcessBadge row={row} /> },
    {
      key: 'uptime',
      head: heads.uptime,
      align: 'right',
      isMinor: true,
      cell: ({ uptimeMs }) => (uptimeMs === null ? '–' : f.duration(uptimeMs)),
    },
    {
      key: 'restarts',
      head: heads.restarts,
      align: 'right',
      isMinor: true,
      cell: ({ restarts }) => f.number(restarts),
    },
    ...(['cpu', 'memory'] as const).map(
      (what): Column<ProcessRow> => ({
        key: what,
        head: heads[what],
        align: 'right',
        isMinor: true,
        cell: row => <Usage row={row} what={what} values={usageOf(row, what)} />,
      }),
    ),
    {
      key: 'actions',
      head: <span class="unseen">{heads.actions}</span>,
      align: 'right',
      cell: row => (
        <span class="row-actions">
          <Link class="errors-link" href={pathOf(row.name, 'errors')} aria-label={words.errorsOf(row.name)}>
            {words.errors}
          </Link>
          <OrderButtons row={row} rows={rows} isSmall />
        </span>
      ),
    },
  ]
}

export const ProcessesPage = () => {
  const [t, f, who, pending] = [useTexts(), useFormats(), useCell(me), useCell(pendingOrders)]
  const words = t.processes
  const { asked, isStale } = useProcesses()
  const usageOf = useUsage()
  const rows = asked.value ?? []
  const { activeId } = useRowKeys(
    rows.map(({ pmId }) => String(pmId)),
    {
      open: id => {
        const row = rows.find(({ pmId }) => String(pmId) === id)
        if (row) navigate(pathOf(row.name))
      },
    },
  )
  const active = rows.find(({ pmId }) => String(pmId) === activeId)
  const order = (action: Action) => () => {
    if (active?.can[action] && mayOrder(who))
      void giveOrder(t, { action, name: active.name, rows, isByKey: true })
  }
  useKeys({
    s: { label: t.log.keys.start, run: order('start') },
    x: { label: t.log.keys.stop, run: order('stop') },
    r: { label: t.log.keys.restart, run: order('restart') },
  })
  const summary = words.summary(rows.filter(isWorking).length, rows.length)
  return (
    <>
      <PageHead
        title={t.menu.processes}
        note={rows.length === 0 ? undefined : isStale ? `${summary}, ${words.stale}` : summary}
      >
        {ACTIONS.map(action => (
          <button
            key={action}
            type="button"
            class={action === 'stop' ? 'button danger' : 'button'}
            title={mayOrder(who) ? undefined : t.frame.viewer}
            disabled={!mayOrder(who) || pending.has('') || rows.length === 0}
            onClick={() => void giveOrder(t, { action, name: null, rows })}
          >
            {words.all[action]}
          </button>
        ))}
      </PageHead>
      <WhenAsked asked={asked}>
        {found => (
          <>
            <Table
              label={words.table}
              columns={columnsIn(t, f, found, usageOf)}
              rows={found}
              idOf={({ pmId }) => String(pmId)}
              activeId={activeId}
            />
            <p class="idle-bar soft keys-hint">{words.hint}</p>
          </>
        )}
      </WhenAsked>
    </>
  )
}
