// The processes, live.
import { useEffect, useState } from 'preact/hooks'
import type { ProcessRow } from '../../state/answers.ts'
import { get } from '../../state/api.ts'
import { createCell } from '../../state/cell.ts'
import { type Asked, useAsked } from '../../state/use-asked.ts'
import { useTopic } from '../../state/use-topic.ts'

const getProcesses = async (signal?: AbortSignal): Promise<ProcessRow[]> => {
  const { processes } = await get<{ processes: ProcessRow[] }>('/processes.json', signal ? { signal } : {})
  return processes
}

/** As they were after the last order: the stream tells of it some time later. */
const afterOrder = createCell<ProcessRow[]>([])

/** Asks for the rows and shows them wherever rows are shown; none if they cannot be had. */
export const showProcessesNow = async (): Promise<readonly ProcessRow[]> => {
  const rows = await getProcesses().catch(() => null)
  if (rows) afterOrder.set(rows)
  return rows ?? []
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
  const { change } = asked
  useEffect(() => afterOrder.subscribe(() => change(() => afterOrder.get())), [change])
  return { asked, isStale }
}
