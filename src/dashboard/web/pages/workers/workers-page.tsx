// The workers of the store, of this machine and of others: what each runs and why it takes none; and the processes
// beside them.
import { useEffect, useMemo } from 'preact/hooks'
import type { TaskView } from '../../../../client/task.ts'
import { PageHead } from '../../frame/page-head.tsx'
import { StateBadge } from '../../parts/badge.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { WhenAsked } from '../../parts/states.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { RelativeTime } from '../../parts/time.tsx'
import { Link } from '../../router.tsx'
import { get, ProblemError } from '../../state/api.ts'
import { useAsked } from '../../state/use-asked.ts'
import { useEvery } from '../../state/use-every.ts'
import { useTopic } from '../../state/use-topic.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { type ProcessView, stateOf, WorkerCard } from './worker-card.tsx'

/** Between two looks at how far the running tasks are. */
const TASKS_MS = 3_000
/** The most that one page of the API has. */
const RUNNING_MOST = 200

/** The tasks that run, by id, as long as the workers say that some do. */
const useRunning = (ids: readonly string[]): ReadonlyMap<string, TaskView> => {
  const asked = useAsked('running', async signal => {
    const query = { status: ['STARTED', 'PROGRESS'], limit: RUNNING_MOST }
    const { tasks } = await get<{ tasks: TaskView[] }>('/api/tasks', { query, signal })
    return new Map(tasks.map(task => [task.id, task]))
  })
  const all = ids.join()
  useEffect(() => {
    if (all !== '') asked.again()
  }, [all])
  useEvery(TASKS_MS, () => {
    if (all !== '') asked.again()
  })
  return useMemo(() => asked.value ?? new Map(), [asked.value])
}

const Others = ({ rows }: { rows: readonly ProcessView[] }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.workers
  const columns: Column<ProcessView>[] = [
    {
      key: 'role',
      head: words.otherColumns.role,
      isHead: true,
      cell: ({ role }) => <SafeText text={role} />,
    },
    {
      key: 'state',
      head: words.otherColumns.state,
      isWrapped: true,
      cell: process => {
        const { tone, text } = stateOf(process, words)
        return (
          <>
            <StateBadge tone={tone}>{text}</StateBadge>{' '}
            <SafeText
              text={Object.entries(process.troubles)
                .map(([part, reason]) => `${part}: ${reason}`)
                .join('; ')}
            />
          </>
        )
      },
    },
    { key: 'host', head: words.otherColumns.host, cell: ({ host }) => <SafeText text={host} /> },
    { key: 'pid', head: t.log.pid, align: 'right', isMinor: true, cell: ({ pid }) => pid },
    {
      key: 'address',
      head: words.otherColumns.address,
      isMinor: true,
      cell: ({ address }) => (address === null ? '–' : <SafeText text={address} />),
    },
    {
      key: 'memory',
      head: words.otherColumns.memory,
      align: 'right',
      isMinor: true,
      cell: ({ rssBytes }) => f.bytes(rssBytes),
    },
    {
      key: 'cpu',
      head: words.otherColumns.cpu,
      align: 'right',
      isMinor: true,
      cell: ({ cpu }) => f.percent(cpu * 100),
    },
    {
      key: 'beat',
      head: words.otherColumns.beat,
      align: 'right',
      cell: ({ beatAt }) => <RelativeTime at={beatAt} />,
    },
  ]
  return (
    <>
      <h2 class="part-head">{words.others}</h2>
      <div class="stacked">
        <Table label={words.others} columns={columns} rows={rows} idOf={({ instance }) => instance} />
      </div>
    </>
  )
}

const byPlace = (a: ProcessView, b: ProcessView): number =>
  `${a.host} ${a.startedAt} ${a.instance}` < `${b.host} ${b.startedAt} ${b.instance}` ? -1 : 1

export const WorkersPage = () => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.workers
  const asked = useAsked('workers', async signal => {
    const { processes, troubles } = await get<{
      processes: ProcessView[] | null
      troubles: Record<string, string>
    }>('/api/', { signal })
    if (processes) return processes
    throw new ProblemError({ code: 'STORE_UNAVAILABLE', status: 503, detail: troubles.state ?? '' })
  })
  useTopic('workers', {
    workers: (rows: ProcessView[]) => (asked.value ? asked.change(() => rows) : asked.again()),
  })
  const all = (asked.value ?? []).toSorted(byPlace)
  const workers = all.filter(({ role }) => role === 'worker')
  const others = all.filter(({ role }) => role !== 'worker')
  const running = workers.flatMap(worker => worker.running)
  const tasks = useRunning(running)
  const slots = workers.reduce((sum, worker) => sum + (worker.alive ? worker.slots : 0), 0)
  const hasLiving = workers.some(({ alive }) => alive)
  return (
    <>
      <PageHead
        title={t.menu.workers}
        note={
          asked.value ? words.summary(workers.length, f.number(running.length), f.number(slots)) : undefined
        }
      />
      <WhenAsked asked={asked}>
        {() => (
          <>
            {hasLiving ? null : (
              <div class="note bad no-worker" role="alert">
                <strong>{words.none}</strong> {words.noneText}{' '}
                <Link href="/processes">{t.menu.processes}</Link>
              </div>
            )}
            {workers.map(worker => (
              <WorkerCard key={worker.instance} worker={worker} tasks={tasks} />
            ))}
            {hasLiving ? <p class="soft page-line">{words.threads}</p> : null}
            {others.length > 0 ? <Others rows={others} /> : null}
          </>
        )}
      </WhenAsked>
    </>
  )
}
