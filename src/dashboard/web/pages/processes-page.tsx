// The processes under the supervisor: what they do, and start, stop and restart of one and all.

import { PageHead } from '../frame/page-head.tsx'
import { askReader } from '../frame/question.tsx'
import { tell } from '../frame/toasts.tsx'
import { StateBadge, type Tone } from '../parts/badge.tsx'
import { SafeText } from '../parts/safe-text.tsx'
import { WhenAsked } from '../parts/states.tsx'
import { type Column, Table } from '../parts/table.tsx'
import { Link } from '../router.tsx'
import { get, ProblemError, post } from '../state/api.ts'
import { useCell } from '../state/cell.ts'
import { mayChange, me } from '../state/me.ts'
import { useAsked } from '../state/use-asked.ts'
import { useTopic } from '../state/use-topic.ts'
import type { Texts } from '../texts/texts.ts'
import { useFormats, useTexts } from '../texts/use-texts.ts'

export const ACTIONS = ['start', 'stop', 'restart'] as const
export type Action = (typeof ACTIONS)[number]

/** As /processes.json has it. */
export interface ProcessRow {
  name: string
  pmId: number
  state: string
  tone: Tone
  pid: number | null
  uptimeMs: number | null
  restarts: number
  cpuPercent: number
  memoryBytes: number
  isDashboard: boolean
  can: Record<Action, boolean>
}

/** Null: all of them. */
const act = async (t: Texts['processes'], action: Action, name: string | null): Promise<void> => {
  if (action !== 'start') {
    const [one, all] = [t.ask[action], t.ask[`${action}All`]]
    const confirm = name === null ? t.all[action] : t.actions[action]
    const title = name === null ? all : one(name)
    if (!(await askReader({ title, text: t.askText, confirm, isDanger: action === 'stop' }))) return
  }
  const path = name === null ? `/processes/${action}` : `/processes/${encodeURIComponent(name)}/${action}`
  try {
    const { outcome } = await post<{ outcome: string }>(path)
    tell(`${name ?? t.all[action]}: ${t.outcome[outcome] ?? outcome}`, outcome === 'done' ? 'good' : 'plain')
  } catch (error) {
    tell(error instanceof ProblemError ? error.message : String(error), 'bad')
  }
}

export const ProcessesPage = () => {
  const [t, f, who] = [useTexts(), useFormats(), useCell(me)]
  const words = t.processes
  const asked = useAsked('processes', async signal => {
    const { processes } = await get<{ processes: ProcessRow[] }>('/processes.json', { signal })
    return processes
  })
  useTopic('processes', {
    processes: (rows: ProcessRow[]) => (asked.value ? asked.change(() => rows) : asked.again()),
  })
  const columns: Column<ProcessRow>[] = [
    {
      key: 'name',
      head: words.columns.name,
      isHead: true,
      cell: ({ name, isDashboard }) => (
        <>
          <SafeText text={name} /> {isDashboard ? <small class="soft">{words.self}</small> : null}
        </>
      ),
    },
    {
      key: 'state',
      head: words.columns.state,
      cell: row => <StateBadge tone={row.tone}>{row.state}</StateBadge>,
    },
    { key: 'pid', head: words.columns.pid, align: 'right', isMinor: true, cell: ({ pid }) => pid ?? '–' },
    {
      key: 'uptime',
      head: words.columns.uptime,
      align: 'right',
      cell: ({ uptimeMs }) => (uptimeMs === null ? '–' : f.duration(uptimeMs)),
    },
    {
      key: 'restarts',
      head: words.columns.restarts,
      align: 'right',
      cell: ({ restarts }) => f.number(restarts),
    },
    {
      key: 'cpu',
      head: words.columns.cpu,
      align: 'right',
      isMinor: true,
      cell: ({ pid, cpuPercent }) => (pid === null ? '–' : f.percent(cpuPercent, 1)),
    },
    {
      key: 'memory',
      head: words.columns.memory,
      align: 'right',
      isMinor: true,
      cell: ({ pid, memoryBytes }) => (pid === null ? '–' : f.bytes(memoryBytes)),
    },
    {
      key: 'logs',
      head: words.columns.logs,
      cell: ({ name }) => (
        <span class="links">
          {(['out', 'err'] as const).map(stream => (
            <Link key={stream} href={`/process/${encodeURIComponent(name)}?stream=${stream}`}>
              {stream === 'out' ? words.output : words.errors}
            </Link>
          ))}
        </span>
      ),
    },
    {
      key: 'actions',
      head: <span class="unseen">{words.columns.actions}</span>,
      align: 'right',
      cell: ({ name, can }) => (
        <span class="row-actions">
          {ACTIONS.map(action => (
            <button
              key={action}
              type="button"
              class={action === 'stop' ? 'button small danger' : 'button small'}
              aria-label={`${words.actions[action]} ${name}`}
              disabled={!can[action] || !mayChange(who)}
              onClick={() => void act(words, action, name)}
            >
              {words.actions[action]}
            </button>
          ))}
        </span>
      ),
    },
  ]
  const rows = asked.value ?? []
  return (
    <>
      <PageHead
        title={t.menu.processes}
        note={words.summary(rows.filter(({ state }) => state === 'online').length, rows.length)}
      >
        {ACTIONS.map(action => (
          <button
            key={action}
            type="button"
            class={action === 'stop' ? 'button danger' : 'button'}
            disabled={!mayChange(who)}
            onClick={() => void act(words, action, null)}
          >
            {words.all[action]}
          </button>
        ))}
      </PageHead>
      <WhenAsked asked={asked}>
        {found => (
          <Table label={words.table} columns={columns} rows={found} idOf={({ pmId }) => String(pmId)} />
        )}
      </WhenAsked>
    </>
  )
}
