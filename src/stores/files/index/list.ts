// Pages of tasks, newest first: the index names them, and the records decide.
import { fits } from '../../../core/filter.ts'
import type { TaskStore } from '../../../core/store.ts'
import type { TaskRecord } from '../../../core/task.ts'
import { turns } from '../../../core/turns.ts'
import type { TaskMover } from '../claims/task-mover.ts'
import type { SafeId } from '../layout.ts'
import { decodePage, encodePage } from './cursor.ts'
import type { LiveIndex } from './live-index.ts'

/** A stretch of rows that do not fit takes as long as so many records. */
const STRETCH_RECORDS = 20

export const createLister = (deps: {
  liveIndex: Pick<LiveIndex, 'current'>
  mover: Pick<TaskMover, 'read'>
}): Pick<TaskStore, 'list'> => ({
  async list(filter, { limit, cursor }) {
    const { liveIndex, mover } = deps
    const after = cursor === null ? null : decodePage(cursor)
    const tasks: TaskRecord[] = []
    let last = after
    let places = (await liveIndex.current()).newest(filter, after)
    for (;;) {
      const { value: place } = places.next()
      if (!place) return { tasks, next: null }
      if (place.fits && tasks.length >= limit) return { tasks, next: last && encodePage(last) }
      last = place
      const task = place.fits ? mover.read(place.id as SafeId) : null
      if (task && fits(task, filter)) tasks.push(task)
      const pause = turns.spend(place.fits ? 1 : STRETCH_RECORDS)
      if (!pause) continue
      await pause
      // the index has moved on meanwhile
      places = (await liveIndex.current()).newest(filter, last)
    }
  },
})
