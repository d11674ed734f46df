// The lines of `top`: the machine, the processes, the counts, and the running tasks with bars. Pure.
import type { ServerStatus, TaskView } from '../../client/client.ts'
import { countLines, hostLines, processTable } from '../commands/status.ts'
import { idFor } from '../commands/task-table.ts'
import { barText } from '../terminal/bar.ts'
import { oneLine } from '../terminal/safe-text.ts'
import type { Style } from '../terminal/style.ts'
import { layTable } from '../terminal/table.ts'
import { cutTo } from '../terminal/width.ts'
import { agoText, clockText, durationText } from '../terminal/words.ts'
import type { Rates } from './rates.ts'

export interface TopState {
  server: string
  status: ServerStatus | null
  running: readonly TaskView[]
  rates: Rates
  /** What is wrong now. */
  trouble: string | null
}

const rateText = (rate: number | null): string =>
  rate === null ? '-' : `${rate.toFixed(rate < 10 ? 2 : 0)}/s`

/** At most `rows` lines of at most `columns` terminal columns. */
export const drawTop = (
  { server, status, running, rates, trouble }: TopState,
  {
    columns,
    rows,
    style,
    now,
    isPlain,
  }: { columns: number; rows: number; style: Style; now: Date; isPlain: boolean },
): string[] => {
  const cut = (line: string): string => cutTo(oneLine(line), columns)
  const head = cut(`madhava top   ${server}   ${clockText(now)}   q ends`)
  const lines = [style.bold(head)]
  if (trouble !== null) lines.push(style.red(cut(trouble)))
  if (!status) return lines.slice(0, rows)
  lines.push(...hostLines(status).map(cut))
  const processes = processTable(status, now, columns, style)
  if (processes.length > 0) lines.push('', ...processes)
  lines.push('', ...countLines(status, columns, style))
  lines.push(cut(`ended ${rateText(rates.ended)}   failed ${rateText(rates.failed)}   (the last minute)`), '')
  const barColumns = Math.max(6, Math.min(24, Math.floor(columns / 5)))
  const room = rows - lines.length - 1
  if (running.length === 0) lines.push(style.dim('Nothing runs.'))
  else
    lines.push(
      ...layTable(
        [
          { head: 'ID' },
          { head: 'KIND', min: 6 },
          { head: 'PROGRESS' },
          { head: '%', align: 'right' },
          { head: 'RUNS', align: 'right', drop: 3 },
          { head: 'LEFT', align: 'right', drop: 2 },
          { head: 'NOTE', min: 6, drop: 1 },
        ],
        running.slice(0, Math.max(1, room)).map(task => {
          const percent = task.progress?.percent ?? 0
          return [
            idFor(task.id, columns),
            task.kind,
            { text: barText(percent, barColumns, isPlain), paint: style.cyan },
            percent.toFixed(1),
            task.startedAt === null ? '' : agoText(task.startedAt, now),
            task.progress && task.progress.etaSeconds !== null ? durationText(task.progress.etaSeconds) : '',
            task.progress?.note ?? task.title ?? '',
          ]
        }),
        columns,
        style.bold,
      ),
    )
  return lines.slice(0, rows)
}
