// What comes before waiting tasks, and what their kinds have room for, in memory.
import { countBefore, type Line, type LineFields, type LineQuery } from '../../core/line.ts'
import type { TaskRecord } from '../../core/task.ts'
import { roomOf } from './kind-limits.ts'

interface Present {
  /** All due tasks, in order. */
  due: readonly TaskRecord[]
  /** Taken permits of rates. */
  permits: ReadonlySet<string>
  runningOf(kind: string): number
}

export const lineOf = async (
  tasks: readonly LineFields[],
  { now, kinds, limits, most }: LineQuery,
  { due, permits, runningOf }: Present,
): Promise<Line> => {
  const line = due.filter(({ kind }) => kinds?.includes(kind) ?? true)
  const rooms = [...limits].map(([kind, limit]) => {
    const running = runningOf(kind)
    return [kind, roomOf(permits, { kind, limits: limit, running, nowMs: Date.parse(now) })] as const
  })
  return {
    before: await countBefore(tasks, line, most, () => undefined),
    rooms: new Map(rooms),
    closed: null,
  }
}
