// How much cannot be run, and how many tasks there are, followed on every page for the menu.
import { createCell } from '../state/cell.ts'
import { useTopic } from '../state/use-topic.ts'
import { useFormats } from '../texts/use-texts.ts'
import { setMenuCount } from './menu-counts.ts'

export interface DeadCount {
  count: number
  /** There are more than were counted. */
  isMore: boolean
  /** Tasks of any status. */
  all: number
}

/** Null until it is known. */
export const deadCount = createCell<DeadCount | null>(null)

export const useDeadCount = (): void => {
  const f = useFormats()
  useTopic('dead', {
    dead: (now: DeadCount) => {
      deadCount.set(now)
      setMenuCount('tasks', f.number(now.all))
      setMenuCount('dead', now.count === 0 ? null : `${f.number(now.count)}${now.isMore ? '+' : ''}`)
    },
  })
}
