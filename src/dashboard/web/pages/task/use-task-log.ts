// The log of a task as state: what is there, then what comes, by the number of the last line.
import { useState } from 'preact/hooks'
import type { LogEntries, LogEntry } from '../../../../client/task.ts'
import { get } from '../../state/api.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'
import { withNews } from './log-lines.ts'

interface Shown {
  entries: LogEntry[]
  /** The number of the last line when the page asked: from there on it is told. */
  from: number
}

export const useTaskLog = (id: string): { asked: Asked<Shown>; ended: boolean } => {
  const [ended, setEnded] = useState(false)
  const asked = useAsked(id, async signal => {
    const log = await get<LogEntries>(`/api/task/${id}/log`, { query: { format: 'json' }, signal })
    setEnded(log.ended)
    return { entries: withNews([], log.entries), from: log.last }
  })
  const from = asked.value?.from ?? null
  useTopic(from === null ? null : `task-log:${id}:${from}`, {
    'task-log': (news: { entries: LogEntry[]; ended: boolean }) => {
      setEnded(news.ended)
      if (news.entries.length > 0)
        asked.change(shown => ({ ...shown, entries: withNews(shown.entries, news.entries) }))
    },
  })
  return { asked, ended }
}
