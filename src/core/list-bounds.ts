// What the filter and the page of a list may hold, for every door. How a door writes them is its own affair.
import { z } from 'zod'
import { STATUSES } from './task.ts'

/** Tasks per page. */
export const PAGE_LIMIT = { default: 50, highest: 200 } as const
/** Characters of a cursor of a page. */
export const CURSOR_MAX = 1024

/** A text that may have so many characters. */
export const boundedText = (max: number) => z.string().max(max, `may have at most ${max} characters`)

const names = (what: string, several: string) =>
  z.array(z.string().max(63, `is no ${what}`)).max(50, `may name at most 50 ${several}`)

/** The values of a filter, those of the times apart. */
export const filterValues = {
  statuses: z
    .array(z.enum(STATUSES, `must be out of ${STATUSES.join(', ')}`))
    .max(50, 'may name at most 50 statuses'),
  kinds: names('name of a kind', 'kinds'),
  owner: boundedText(200),
  parentId: z.uuid('must be the id of a task').toLowerCase(),
  text: boundedText(200),
  errorCodes: names('code', 'codes'),
  errorText: boundedText(200),
}
