// One worker: whether it takes tasks and why not, what it runs, and how it is.
import type { ComponentChildren } from 'preact'
import type { TaskView } from '../../../../client/task.ts'
import { StateBadge } from '../../parts/badge.tsx'
import { Progress } from '../../parts/progress.tsx'
import { SafeText } from '../../parts/safe-text.tsx'
import { type Column, Table } from '../../parts/table.tsx'
import { Duration, RelativeTime, Time } from '../../parts/time.tsx'
import { Link } from '../../router.tsx'
import type { Tone } from '../../state/answers.ts'
import type { Texts } from '../../texts/texts.ts'
import { useFormats, useTexts } from '../../texts/use-texts.ts'
import { titleOf } from '../tasks/columns.tsx'

/** A process as GET / of the API shows it. */
export interface ProcessView {
  role: string
  instance: string
  host: string
  pid: number
  alive: boolean
  startedAt: string
  beatAt: string
  address: string | null
  slots: number
  running: string[]
  counters: Record<string, number>
  rssBytes: number
  /** 1 is one core. */
  cpu: number
  kinds?: string[]
  takesNone?: string
  kindsInTrouble?: { name: string; file: string; reason: string }[]
  troubles: Record<string, string>
}

export const stateOf = (
  { alive, troubles, takesNone }: ProcessView,
  words: Texts['workers'],
): { tone: Tone; text: string } => {
  if (!alive) return { tone: 'bad', text: words.silent }
  // the other kinds run
  if (Object.keys(troubles).join() === 'kinds') return { tone: 'busy', text: words.kindsTrouble }
  if (Object.keys(troubles).length > 0) return { tone: 'bad', text: words.inTrouble }
  return takesNone === undefined
    ? { tone: 'good', text: words.alive }
    : { tone: 'busy', text: words.takesNone }
}

interface RunningRow {
  id: string
  /** Null: not known, or it has just ended. */
  task: TaskView | null
}

const Running = ({
  ids,
  tasks,
  label,
}: {
  ids: readonly string[]
  tasks: ReadonlyMap<string, TaskView>
  label: string
}) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.workers.runningColumns
  const columns: Column<RunningRow>[] = [
    {
      key: 'task',
      head: words.task,
      isHead: true,
      isWrapped: true,
      cell: ({ id, task }) => (
        <Link class="title-link" href={`/task/${id}`}>
          <SafeText text={task ? titleOf(task, t) : id} />
        </Link>
      ),
    },
    {
      key: 'kind',
      head: words.kind,
      cell: ({ task }) =>
        task ? (
          <code>
            <SafeText text={task.kind} />
          </code>
        ) : (
          ''
        ),
    },
    {
      key: 'progress',
      head: words.progress,
      cell: ({ task }) => (task?.progress ? <Progress percent={task.progress.percent} /> : ''),
    },
    {
      key: 'ran',
      head: words.ran,
      align: 'right',
      cell: ({ task }) => (task?.startedAt ? <Duration from={task.startedAt} to={null} /> : '–'),
    },
    {
      key: 'attempt',
      head: words.attempt,
      align: 'right',
      isMinor: true,
      cell: ({ task }) => (task ? f.number(task.attempt) : '–'),
    },
    {
      key: 'claim',
      head: words.claim,
      align: 'right',
      isMinor: true,
      cell: ({ task }) => (task ? f.number(task.claim) : '–'),
    },
  ]
  const rows = ids.map((id): RunningRow => ({ id, task: tasks.get(id) ?? null }))
  return (
    <div class="stacked">
      <Table label={label} columns={columns} rows={rows} idOf={({ id }) => id} isCompact />
    </div>
  )
}

const Fact = ({ name, children }: { name: string; children: ComponentChildren }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)

const Facts = ({ worker }: { worker: ProcessView }) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.workers
  const counters = Object.entries(worker.counters).filter(([, count]) => count > 0)
  return (
    <dl class="facts">
      <Fact name={words.facts.beat}>
        <RelativeTime at={worker.beatAt} />
      </Fact>
      <Fact name={words.facts.memory}>{f.bytes(worker.rssBytes)}</Fact>
      <Fact name={words.facts.cpu}>{f.percent(worker.cpu * 100)}</Fact>
      <Fact name={words.facts.since}>
        <Time at={worker.startedAt} />
      </Fact>
      <Fact name={words.facts.kinds}>
        <span class="kind-names">
          {(worker.kinds ?? []).map(name => (
            <Link key={name} href={`/kinds?${new URLSearchParams({ kind: name })}`}>
              <SafeText text={name} />
            </Link>
          ))}
        </span>
      </Fact>
      <Fact name={words.facts.counters}>
        {counters.length === 0
          ? '–'
          : counters.map(([name, count]) => `${words.counters[name] ?? name} ${f.number(count)}`).join(' · ')}
      </Fact>
    </dl>
  )
}

export const WorkerCard = ({
  worker,
  tasks,
}: {
  worker: ProcessView
  tasks: ReadonlyMap<string, TaskView>
}) => {
  const [t, f] = [useTexts(), useFormats()]
  const words = t.workers
  const { tone, text } = stateOf(worker, words)
  const { slots, running, takesNone, troubles } = worker
  const busy = Math.min(running.length, slots)
  return (
    <section class="card block worker" aria-label={worker.instance} data-id={worker.instance}>
      <div class="block-head">
        <StateBadge tone={tone}>{text}</StateBadge>
        <h2>
          <SafeText text={worker.host} />{' '}
          <span class="soft">
            · {words.facts.pid} {worker.pid}
          </span>
        </h2>
        <code class="soft">
          <SafeText text={worker.instance} />
        </code>
        <span class="progress slots">
          <progress max={Math.max(1, slots)} value={busy} aria-label={words.slots} />
          <span class="progress-text">{words.slotWords(running.length, slots)}</span>
        </span>
      </div>
      {takesNone === undefined ? null : (
        <p class="note worker-note">
          <strong>{words.takesNone}:</strong> <SafeText text={takesNone} />
        </p>
      )}
      {Object.entries(troubles)
        // said below, kind by kind
        .filter(([part]) => part !== 'kinds' || !worker.kindsInTrouble?.length)
        .map(([part, reason]) => (
          <p key={part} class="note bad worker-note">
            <strong>
              <SafeText text={part} />:
            </strong>{' '}
            <SafeText text={reason} />
          </p>
        ))}
      {(worker.kindsInTrouble ?? []).length === 0 ? null : (
        <p class="note bad worker-note">
          <strong>{words.kindsInTrouble}:</strong>{' '}
          {(worker.kindsInTrouble ?? []).map(({ name, file, reason }) => (
            <span key={name} class="reason-words">
              <SafeText text={`${name} (${file}): ${reason}`} />
            </span>
          ))}
        </p>
      )}
      {running.length === 0 ? (
        <p class="soft">{words.nothing}</p>
      ) : (
        <Running ids={running} tasks={tasks} label={`${words.running}: ${f.number(running.length)}`} />
      )}
      <Facts worker={worker} />
    </section>
  )
}
