// Tasks as a table, a line or a list of facts.
import type { Task, TaskView } from '../../client/client.ts'
import type { Console } from '../console.ts'
import { shortId } from '../task-ids.ts'
import { manyLines, oneLine } from '../terminal/safe-text.ts'
import { paintOf, type Style } from '../terminal/style.ts'
import { type Column, layTable } from '../terminal/table.ts'
import { cutTo, padTo } from '../terminal/width.ts'
import { agoText, durationText, percentText, sizeText, timeText } from '../terminal/words.ts'

/** A terminal that is wide enough for whole ids. */
const WIDE = 110

const COLUMNS: readonly Column[] = [
  { head: 'ID' },
  { head: 'KIND', min: 6 },
  { head: 'STATUS' },
  { head: '%', align: 'right', drop: 3 },
  { head: 'AGE', align: 'right', drop: 2 },
  { head: 'OWNER', min: 6, drop: 5 },
  { head: 'TITLE', min: 8, drop: 1 },
]
const WHY: Column = { head: 'WAITS FOR', min: 10, drop: 4 }

export const idFor = (id: string, columns: number): string => (columns >= WIDE ? id : shortId(id))

/** The lines of a table of tasks. */
export const taskTable = (c: Pick<Console, 'out' | 'machine'>, tasks: readonly TaskView[]): string[] => {
  const { columns, style } = c.out
  const now = c.machine.clock()
  const whys = tasks.some(({ waiting }) => waiting !== undefined)
  const owners = tasks.some(({ ownerName }) => ownerName)
  const rows = tasks.map(task => [
    idFor(task.id, columns),
    task.kind,
    { text: task.status, paint: paintOf(style, task.status) },
    task.progress && task.status === 'PROGRESS' ? task.progress.percent.toFixed(1) : '',
    agoText(task.createdAt, now),
    ...(owners ? [task.ownerName ?? ''] : []),
    task.title ?? '',
    ...(whys ? [task.waiting?.detail ?? ''] : []),
  ])
  const shown = [...COLUMNS.filter(({ head }) => owners || head !== 'OWNER'), ...(whys ? [WHY] : [])]
  return layTable(shown, rows, columns, style.bold)
}

/** A change of a task on one line that fits the terminal. */
export const taskLine = (
  { kind, id, status, progress, title, error, updatedAt }: TaskView | Task,
  { columns, style, now }: { columns: number; style: Style; now: Date },
): string => {
  const percent = status === 'PROGRESS' && progress ? ` ${percentText(progress.percent)}` : ''
  const about = error && status === 'FAILURE' ? `${error.code}: ${error.message}` : (title ?? '')
  const head = `${timeText(updatedAt, now)}  ${idFor(id, columns)}  `
  const [plainKind, plainStatus] = [oneLine(kind), padTo(`${status}${percent}`, 8)]
  const plain = `${head}${plainKind}  ${plainStatus}  ${oneLine(about)}`.trimEnd()
  const cut = Number.isFinite(columns) ? cutTo(plain, columns) : plain
  return cut.startsWith(`${head}${plainKind}  ${plainStatus}`)
    ? `${style.dim(head)}${plainKind}  ${paintOf(style, status)(plainStatus)}${cut.slice(head.length + plainKind.length + 2 + plainStatus.length)}`
    : cut
}

const jsonOf = (value: unknown): string => {
  const text = JSON.stringify(value)
  return text.length <= 60 ? text : JSON.stringify(value, null, 2)
}

/** Everything that a record says, as lines `name  value`. */
export const taskFacts = (task: Task, { style, now }: { style: Style; now: Date }): string[] => {
  const { progress, error, waiting } = { waiting: null, ...task }
  const ran =
    task.startedAt === null
      ? null
      : (Date.parse(task.finishedAt ?? now.toISOString()) - Date.parse(task.startedAt)) / 1000
  const facts: [string, string | null][] = [
    ['id', task.id],
    ['kind', task.kind],
    ['title', task.title],
    ['description', task.description],
    ['status', task.status],
    [
      'progress',
      progress &&
        [
          percentText(progress.percent),
          progress.note,
          progress.etaSeconds === null ? null : `${durationText(progress.etaSeconds)} left`,
        ]
          .filter(Boolean)
          .join(', '),
    ],
    ['params', jsonOf(task.params)],
    [
      'result',
      task.result === null
        ? task.resultBytes === null
          ? null
          : `${sizeText(task.resultBytes)}: madhava result ${task.id}`
        : typeof task.result === 'string'
          ? cutTo(oneLine(task.result), 200)
          : jsonOf(task.result),
    ],
    ['error', error && `${error.code}: ${error.message}`],
    ['attempt', `${task.attempt} of ${task.maxAttempts}`],
    ['priority', String(task.priority)],
    ['created', timeText(task.createdAt, now)],
    ['not before', task.notBefore && timeText(task.notBefore, now)],
    ['expires', task.expiresAt && timeText(task.expiresAt, now)],
    ['started', task.startedAt && timeText(task.startedAt, now)],
    ['finished', task.finishedAt && timeText(task.finishedAt, now)],
    ['ran', ran === null || ran < 0 ? null : durationText(ran)],
    ['worker', task.worker],
    ['owner', task.owner],
    ['parent', task.parentId],
    [
      'artifacts',
      task.artifacts && task.artifacts.length > 0
        ? task.artifacts.map(({ name, bytes, type }) => `${name}  ${sizeText(bytes)}  ${type}`).join('\n')
        : null,
    ],
    ['waits', waiting],
  ]
  const present = facts.filter((fact): fact is [string, string] => fact[1] !== null && fact[1] !== '')
  const width = Math.max(...present.map(([name]) => name.length))
  return present.flatMap(([name, value]) => {
    const [first = '', ...rest] = manyLines(value).split('\n')
    const paint = name === 'status' ? paintOf(style, task.status) : (text: string) => text
    return [
      `${style.dim(padTo(name, width))}  ${paint(first)}`,
      ...rest.map(line => `${' '.repeat(width)}  ${line}`),
    ]
  })
}
