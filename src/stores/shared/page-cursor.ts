// The cursor of a page of tasks: the sort key of its last task, as opaque text. What comes back from outside is checked
// before it is used.
import { MadhavaError } from '../../core/errors.ts'
import type { SortKey, SortTime } from '../../core/sort.ts'

/** By the time of the order: a cursor of one is refused for the other. */
const MARK: Readonly<Record<SortTime, string>> = { createdAt: 'created', finishedAt: 'finished' }
const FORM =
  /^([a-z]+) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/
const LENGTH_MAX = 200

export const encodeSortKey = ({ at, id }: SortKey, by: SortTime): string =>
  Buffer.from(`${MARK[by]} ${at} ${id}`).toString('base64url')

/** @throws BAD_CURSOR */
export const decodeSortKey = (cursor: string, by: SortTime): SortKey => {
  const text = cursor.length > LENGTH_MAX ? '' : Buffer.from(cursor, 'base64url').toString()
  const [, mark, at, id] = FORM.exec(text) ?? []
  if (mark !== MARK[by] || at === undefined || id === undefined || Number.isNaN(Date.parse(at)))
    throw new MadhavaError('BAD_CURSOR')
  return { at, id }
}
