// The order of the list as the address has it, by the API's own names. Pure.
import type { Sort } from '../../../../client/task.ts'

export const SORTS: readonly Sort[] = ['-createdAt', 'createdAt', '-finishedAt', 'finishedAt']
export const USUAL_SORT: Sort = '-createdAt'

/** By which time, and whether the latest comes first. */
export const readSort = (sort: Sort): { by: 'createdAt' | 'finishedAt'; isDescending: boolean } => {
  const isDescending = sort.startsWith('-')
  return { by: sort.endsWith('finishedAt') ? 'finishedAt' : 'createdAt', isDescending }
}

/** What the address says, or newest first. */
export const sortOf = (query: URLSearchParams): Sort =>
  SORTS.find(each => each === query.get('sort')) ?? USUAL_SORT
