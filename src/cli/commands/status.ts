// status: the machine, the processes, the queue and the tasks of a server.
import type { Command } from 'commander'
import type { ServerStatus } from '../../client/client.ts'
import type { Console } from '../console.ts'
import { oneLine } from '../terminal/safe-text.ts'
import { paintOf, type Style } from '../terminal/style.ts'
import { type Cell, layTable } from '../terminal/table.ts'
import { cutTo } from '../terminal/width.ts'
import { durationText, percentText, sizeText } from '../terminal/words.ts'

/** The machine in a line or two. */
export const hostLines = ({ host }: ServerStatus): string[] => {
  if (!host) return []
  const { cpu, memory, loadAverages, disks, container } = host
  const disk = disks.find(({ data }) => data) ?? disks[0]
  const limit =
    container && (container.cpuCores !== null || container.memoryLimitBytes !== null)
      ? `, of which a container may use ${[
          container.cpuCores === null ? null : `${container.cpuCores} cores`,
          container.memoryLimitBytes === null ? null : sizeText(container.memoryLimitBytes),
        ]
          .filter(Boolean)
          .join(' and ')}`
      : ''
  return [
    `${host.name}, up ${durationText(host.uptimeSeconds)}, ${cpu.cores} cores, ${sizeText(memory.totalBytes)}${limit}`,
    [
      `CPU ${cpu.loadPercent === null ? '?' : percentText(cpu.loadPercent)}`,
      `load ${loadAverages.map(one => one.toFixed(2)).join(' ')}`,
      `memory ${percentText(memory.usedPercent)}`,
      ...(disk ? [`disk ${percentText(disk.usedPercent)}, ${sizeText(disk.freeBytes)} free`] : []),
    ].join('   '),
  ]
}

export const processTable = (
  { processes }: ServerStatus,
  now: Date,
  columns: number,
  style: Style,
): string[] => {
  if (!processes) return []
  const rows: Cell[][] = processes.map(process => [
    process.role,
    String(process.pid),
    { text: process.alive ? 'alive' : 'away', paint: process.alive ? style.green : style.red },
    durationText(Math.max(0, (now.getTime() - Date.parse(process.startedAt)) / 1000)),
    percentText(process.cpu * 100),
    sizeText(process.rssBytes),
    process.role === 'worker' ? `${process.running.length}/${process.slots}` : '',
    [...Object.values(process.troubles), process.takesNone ?? ''].filter(Boolean).join('; ') ||
      (process.address ?? ''),
  ])
  return layTable(
    [
      { head: 'ROLE' },
      { head: 'PID', align: 'right', drop: 2 },
      { head: 'STATE' },
      { head: 'UP', align: 'right', drop: 3 },
      { head: 'CPU', align: 'right', drop: 1 },
      { head: 'MEMORY', align: 'right' },
      { head: 'RUNS', align: 'right' },
      { head: '', min: 8, drop: 4 },
    ],
    rows,
    columns,
    style.bold,
  )
}

/** How many tasks have which status, on as many lines as it takes. */
export const countLines = ({ tasks }: ServerStatus, columns: number, style: Style): string[] => {
  if (!tasks) return ['tasks  not known']
  const lines: { plain: string; painted: string }[] = [{ plain: 'tasks', painted: 'tasks' }]
  for (const [status, count] of Object.entries(tasks.byStatus)) {
    const word = `${oneLine(status)} ${count}`
    const painted = (count > 0 ? paintOf(style, status) : style.dim)(word)
    const last = lines.at(-1)
    if (last && `${last.plain}  ${word}`.length <= columns) {
      last.plain += `  ${word}`
      last.painted += `  ${painted}`
    } else lines.push({ plain: `       ${word}`, painted: `       ${painted}` })
  }
  return lines.map(({ painted }) => painted)
}

/** What the command shows. */
export const statusLines = (status: ServerStatus, columns: number, style: Style, now: Date): string[] => {
  const { queue, dead, troubles, version } = status
  const waiting = Object.entries(dead?.waiting ?? {})
  const cut = (line: string): string =>
    Number.isFinite(columns) ? cutTo(oneLine(line), columns) : oneLine(line)
  return [
    style.bold(cut(`Madhava ${version}`)),
    ...hostLines(status).map(cut),
    '',
    ...processTable(status, now, columns, style),
    ...(status.processes ? [''] : []),
    ...countLines(status, columns, style),
    ...(queue
      ? [
          cut(
            `queue  ${queue.name}, ${queue.status}${queue.depth === null ? '' : `, ${queue.depth} in it`}${queue.reason ? `: ${queue.reason}` : ''}`,
          ),
        ]
      : []),
    ...(waiting.length > 0
      ? [
          cut(
            `dead   wait for a worker with their kind: ${waiting.map(([kind, count]) => `${kind} ${count}`).join(', ')}`,
          ),
        ]
      : []),
    ...(dead?.messages ? [cut(`dead   ${dead.messages} messages that announce no task`)] : []),
    ...Object.entries(troubles).map(([what, why]) => style.red(cut(`${what}: ${why}`))),
  ]
}

export const addStatusCommand = (program: Command, c: Console): void => {
  program
    .command('status')
    .description('the machine, the processes, the queue and the tasks of the server')
    .action(async () => {
      const status = await (await c.client()).status({ signal: c.signal })
      if (c.isJson) return c.printJson(status)
      return c.print(statusLines(status, c.out.columns, c.out.style, c.machine.clock()).join('\n'))
    })
}
