// A process's log as a topic: its new lines as they are written, filtered as the page is.
import { z } from 'zod'
import { MadhavaError } from '../../core/errors.ts'
import { LEVELS } from '../logs/lines.ts'
import { liveLines } from '../logs/live.ts'
import { LOG_STREAMS, type LogStream, type Processes } from '../processes/processes.ts'
import { pause, type Topic } from './topic.ts'

/** Lines that come one by one wait a moment for more. */
const CALM_MS = 150

const question = z.strictObject({
  after: z.string().max(40).optional(),
  search: z.string().min(1).max(200).optional(),
  level: z.enum(LEVELS).optional(),
  instance: z.coerce.number().int().min(0).optional(),
})

/** `<name>:<out|err>?<query>`, the name as in a URL. @throws BAD_REQUEST */
const readArgument = (argument: string) => {
  const [, name = '', stream, query = ''] = /^([^:?]+):([a-z]+)(?:\?(.*))?$/.exec(argument) ?? []
  const asked = question.safeParse(Object.fromEntries(new URLSearchParams(query)))
  if (!LOG_STREAMS.some(each => each === stream) || !asked.success)
    throw new MadhavaError('BAD_REQUEST', 'A log is asked for as log:<name>:<out|err>?<query>')
  return { name: decoded(name), stream: stream as LogStream, ...asked.data }
}

const decoded = (name: string): string => {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/**
 * `log:<name>:<out|err>`, with `after`, `level`, `search` and `instance` as a query behind it: `after` of a page goes on
 * where that page ended. Its event `log` is `LiveLines`.
 */
export const logTopic = (processes: Pick<Processes, 'logFile'>): Topic =>
  async function* ({ argument, since, signal }) {
    const { after, ...asked } = readArgument(argument)
    for await (const step of liveLines(processes, { ...asked, after: since ?? after, signal })) {
      yield [{ event: 'log', data: step, place: step.after }]
      await pause(CALM_MS, signal)
    }
  }
