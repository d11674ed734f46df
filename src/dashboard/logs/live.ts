// The live lines of a process's log as a page shows them, filtered as the page is: for the stream of events.

import type { LogStream, Processes } from '../processes/processes.ts'
import { followLog } from './follow.ts'
import { type LineFilter, matches, type PlacedLine, readLine } from './lines.ts'

export interface LiveLines {
  /** Oldest first. Empty where the filter let none through: `after` moves all the same. */
  lines: PlacedLine[]
  /** The place behind them: give it as `after` to go on without a lost or doubled line. */
  after: string
  /** The log was cut before these lines, and others may be missing. */
  gap: boolean
}

export interface LiveOptions extends LineFilter {
  name: string
  stream: LogStream
  /** PM2's number, where several processes share the name. */
  instance?: number | null | undefined
  /** `after` of a page of the log, or of the last lines; left out: the end of the log. */
  after?: string | undefined
  signal: AbortSignal
}

/**
 * Ends when the signal fires.
 * @throws SUPERVISOR_UNAVAILABLE, NOT_FOUND, BAD_CURSOR at the first step
 */
export async function* liveLines(
  processes: Pick<Processes, 'logFile'>,
  { name, stream, instance = null, after, signal, ...filter }: LiveOptions,
): AsyncGenerator<LiveLines> {
  const file = await processes.logFile(name, stream, instance)
  if (file === null) return
  for await (const step of followLog(file, { after, signal })) {
    const lines = step.lines
      .map((bytes, at) => ({ id: step.places[at] ?? step.after, ...readLine(bytes) }))
      .filter(line => matches(line, filter, stream === 'err'))
    yield { lines, after: step.after, gap: step.gap }
  }
}
