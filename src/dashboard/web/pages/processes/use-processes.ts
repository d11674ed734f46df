// The processes, live.
import { useState } from 'preact/hooks'
import type { ProcessRow } from '../../state/answers.ts'
import { get } from '../../state/api.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'

export const getProcesses = async (signal?: AbortSignal): Promise<ProcessRow[]> => {
  const { processes } = await get<{ processes: ProcessRow[] }>('/processes.json', signal ? { signal } : {})
  return processes
}

/** `isStale`: the supervisor is away, and the rows are as they were last seen. */
export const useProcesses = (): { asked: Asked<ProcessRow[]>; isStale: boolean } => {
  const [isStale, setStale] = useState(false)
  const asked = useAsked('processes', getProcesses)
  useTopic('processes', {
    processes: (rows: ProcessRow[]) => {
      if (asked.value && !asked.problem) asked.change(() => rows)
      else asked.again()
    },
    topic: ({ code }: { code: string | null }) => setStale(code !== null),
  })
  return { asked, isStale }
}
