// How many tasks there are by status, asked for now and then while the list is shown.
import { useEffect, useState } from 'preact/hooks'
import type { Status } from '../../../../client/task.ts'
import { get } from '../../state/api.ts'

export interface Counts {
  total: number
  byStatus: Record<Status, number>
  byKind: Record<string, Partial<Record<Status, number>>>
}

const EVERY_MS = 5_000

export const useCounts = (): Counts | null => {
  const [counts, setCounts] = useState<Counts | null>(null)
  useEffect(() => {
    let isGone = false
    const look = async (): Promise<void> => {
      if (document.hidden) return
      const { tasks } = await get<{ tasks: Counts | null }>('/api/').catch(() => ({ tasks: null }))
      if (!isGone && tasks) setCounts(tasks)
    }
    void look()
    const timer = setInterval(look, EVERY_MS)
    return () => {
      isGone = true
      clearInterval(timer)
    }
  }, [])
  return counts
}
