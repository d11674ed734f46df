// Pages of tasks: the index names them, and the records decide.
import { fits } from '../../../core/filter.ts'
import { SORTS, sortKeyOf, USUAL_SORT } from '../../../core/sort.ts'
import type { TaskStore } from '../../../core/store.ts'
import type { TaskRecord } from '../../../core/task.ts'
import { turns } from '../../../core/turns.ts'
import { decodeSortKey, encodeSortKey } from '../../shared/page-cursor.ts'
import type { TaskMover } from '../claims/task-mover.ts'
import type { SafeId } from '../layout.ts'
import type { LiveIndex } from './live-index.ts'

/** A stretch of rows that do not fit takes as long as so many records. */
const STRETCH_RECORDS = 20

export const createLister = (deps: {
  liveIndex: Pick<LiveIndex, 'current'>
  mover: Pick<TaskMover, 'read'>
}): Pick<TaskStore, 'list'> => ({
  async list(filter, { limit, cursor, sort = USUAL_SORT }) {
    const { liveIndex, mover } = deps
    const { by } = SORTS[sort]
    const after = cursor === null ? null : decodeSortKey(cursor, by)
    const tasks: TaskRecord[] = []
    /** Where the next page goes on: only a task that was shown, since a cursor says which one it is. */
    let shown = after
    let walk = (await liveIndex.current()).walk(filter, sort, after)
    for (;;) {
      const { value: found } = walk.next()
      if (!found) return { tasks, next: null }
      if (found.fits && tasks.length >= limit) return { tasks, next: shown && encodeSortKey(shown, by) }
      const task = found.fits ? mover.read(found.id as SafeId) : null
      // the record may have moved on since: it then stands elsewhere in the list, or nowhere
      if (task && sortKeyOf(task, by)?.at === found.at && fits(task, filter)) {
        tasks.push(task)
        shown = found
      }
      const pause = turns.spend(found.fits ? 1 : STRETCH_RECORDS)
      if (!pause) continue
      await pause
      // the index has moved on meanwhile
      walk = (await liveIndex.current()).walk(filter, sort, found)
    }
  },
})
