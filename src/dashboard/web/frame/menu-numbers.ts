// The numbers in the menu of every page: how many tasks there are, how many things are to do, and how much
// cannot be run.
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
  /** Open items of the shared list. */
  todo: number
}

/** Null until it is known. */
export const deadCount = createCell<DeadCount | null>(null)

export const useMenuNumbers = (): void => {
  const f = useFormats()
  useTopic('dead', {
    dead: (now: DeadCount) => {
      deadCount.set(now)
      setMenuCount('tasks', f.number(now.all))
      setMenuCount('todo', now.todo === 0 ? null : f.number(now.todo))
      setMenuCount('dead', now.count === 0 ? null : `${f.number(now.count)}${now.isMore ? '+' : ''}`)
    },
  })
}
