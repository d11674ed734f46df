// A task's own log as a topic: what comes after the line that the page has, live, also when the task is retried by hand
// after its end.
import type { Service } from '../../core/service.ts'
import { isFinal, versionOf } from '../../core/task.ts'
import type { LogEntry } from '../../core/task-log.ts'
import { pause, type Topic } from './topic.ts'

/** Lines that come one by one wait a moment for more. */
const CALM_MS = 250
/** How long one wait for a retry takes at most; it is asked again then. */
const WAIT_MS = 60_000

export interface LogNews {
  entries: LogEntry[]
  /** No more comes unless the task is retried by hand. */
  ended: boolean
}

/** `task-log:<id>`, or `task-log:<id>:<the number of the last line that the page has>`. */
export const taskLogTopic = (service: Pick<Service, 'followLog' | 'wait'>): Topic =>
  async function* ({ argument, since, actor, signal }) {
    const [id = '', line = '0'] = argument.split(':')
    let place = since ?? line
    while (!signal.aborted) {
      let known: string | null = null
      for await (const events of service.followLog(actor, id, place, signal)) {
        const last = events.at(-1)
        if (!last) continue
        place = last.cursor
        if (last.type === 'task') known = versionOf(last.task)
        const entries = events.flatMap(event => (event.type === 'entry' ? [event.entry] : []))
        yield [{ event: 'task-log', data: { entries, ended: known !== null } satisfies LogNews, place }]
        await pause(CALM_MS, signal)
      }
      while (known !== null && !signal.aborted) {
        const { task, changed } = await service.wait(actor, id, known, WAIT_MS, signal)
        if (changed) known = isFinal(task.status) ? versionOf(task) : null
      }
    }
  }
