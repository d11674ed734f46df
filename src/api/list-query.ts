// The filters of lists and the pages of GET /tasks, as a query says them.
import { z } from 'zod'
import type { TaskFilter } from '../core/store.ts'
import { STATUSES } from '../core/task.ts'
import { URL_LIMIT_BYTES } from './guards.ts'
import { defineQuery, switchParameter, textParameter } from './query.ts'

export const PAGE_LIMIT = { default: 50, highest: 200 } as const

/** Names: given several times, or several in one separated by commas. `known` are shown in the document. */
const words = (known?: readonly string[]) =>
  z.array(z.string().meta(known ? { enum: [...known] } : {})).transform(list =>
    list
      .flatMap(text => text.split(','))
      .map(word => word.trim())
      .filter(word => word !== ''),
  )

/** A day, or a time with its zone; a `+` that the query turned into a space is put back. */
const instant = z
  .string()
  .meta({ examples: ['2026-01-31', '2026-01-31T12:00:00Z'] })
  .transform(text => text.replace(/ (?=\d\d:?\d\d$)/, '+'))
  .pipe(
    z.union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      'must be a day or a time with its zone: 2026-01-31 or 2026-01-31T12:00:00Z',
    ),
  )
  .transform(value => new Date(value).toISOString())
  // a zone can push it over the edge, where ISO-8601 no longer compares as text
  .refine(iso => /^\d/.test(iso), 'must lie in the years 0 to 9999')

const filterShape = {
  status: words(STATUSES)
    .pipe(
      z.array(
        z
          .string()
          .toUpperCase()
          .pipe(z.enum(STATUSES, `must be out of ${STATUSES.join(', ')}`)),
      ),
    )
    .optional()
    .describe('in one of these statuses; several times, or several separated by commas'),
  kind: words()
    .pipe(z.array(z.string().max(63, 'is no name of a kind')).max(50, 'may name at most 50 kinds'))
    .optional()
    .describe('of one of these kinds; several times, or several separated by commas'),
  owner: textParameter(200).optional().describe('submitted by this owner'),
  parent: z.uuid('must be the id of a task').toLowerCase().optional().describe('children of this task'),
  q: textParameter(200).optional().describe('this text, ignoring case, in id, kind, title or description'),
  from: instant.optional().describe('created at this time or later: a day, or a time with its zone'),
  to: instant.optional().describe('created before this time'),
  errorCode: words()
    .pipe(z.array(z.string().max(63, 'is no code')).max(50, 'may name at most 50 codes'))
    .optional()
    .describe('whose error has one of these codes; several times, or several separated by commas'),
  error: textParameter(200).optional().describe('this text, ignoring case, in the message of the error'),
  finishedFrom: instant.optional().describe('ended at this time or later: a day, or a time with its zone'),
  finishedTo: instant.optional().describe('ended before this time'),
}

const LIMIT = `must be a whole number, 1 to ${PAGE_LIMIT.highest}`
const pageShape = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, LIMIT)
    .transform(Number)
    .refine(value => value >= 1 && value <= PAGE_LIMIT.highest, LIMIT)
    .optional()
    .describe(`tasks per page, 1 to ${PAGE_LIMIT.highest}; ${PAGE_LIMIT.default} when left out`),
  cursor: textParameter(1024).optional().describe('`next` of the page before'),
}

/** The filters of GET /alltasks. */
export const filterQuery = defineQuery(filterShape)
/** A page alone. */
export const plainPageQuery = defineQuery(pageShape)
/** The filters and the page of GET /tasks. */
export const pageQuery = defineQuery({ ...pageShape, ...filterShape })

/** The filters of GET /events, and where it begins. */
export const watchQuery = defineQuery({
  // a cursor of the feed has a place for every process that wrote
  since: textParameter(URL_LIMIT_BYTES)
    .optional()
    .describe('as `Last-Event-ID`, for who cannot send headers'),
  snapshot: switchParameter().describe(
    '1: all tasks that fit come first, when there is nothing to go on from',
  ),
  ...filterShape,
})

/** What bulk actions take beside the filters. */
export const bulkQuery = defineQuery({
  dryRun: switchParameter().describe('1: count, and change nothing'),
  all: switchParameter().describe('1: every task, where no filter is named'),
  cursor: pageShape.cursor,
  ...filterShape,
})

type FilterValues = ReturnType<typeof filterQuery.read>

const toFilter = ({ status, kind, owner, parent, q, from, to, ...end }: FilterValues): TaskFilter => ({
  ...(end.errorCode?.length ? { errorCodes: end.errorCode } : {}),
  ...(end.error === undefined ? {} : { errorText: end.error }),
  ...(end.finishedFrom === undefined ? {} : { finishedFrom: end.finishedFrom }),
  ...(end.finishedTo === undefined ? {} : { finishedTo: end.finishedTo }),
  ...(status?.length ? { statuses: status } : {}),
  ...(kind?.length ? { kinds: kind } : {}),
  ...(owner === undefined ? {} : { owner }),
  ...(parent === undefined ? {} : { parentId: parent }),
  ...(q === undefined ? {} : { text: q }),
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
})

/** @throws BAD_REQUEST */
export const parseFilter = (url: string): TaskFilter => toFilter(filterQuery.read(url))

/** @throws BAD_REQUEST */
export const parsePage = (url: string): { filter: TaskFilter; limit: number; cursor: string | null } => {
  const { limit, cursor, ...filter } = pageQuery.read(url)
  return { filter: toFilter(filter), limit: limit ?? PAGE_LIMIT.default, cursor: cursor ?? null }
}

/** @throws BAD_REQUEST */
export const parseWatch = (
  url: string,
): { filter: TaskFilter; since: string | undefined; snapshot: boolean } => {
  const { since, snapshot, ...filter } = watchQuery.read(url)
  return { filter: toFilter(filter), since, snapshot }
}

/** @throws BAD_REQUEST */
export const parseBulk = (
  url: string,
): { filter: TaskFilter; all: boolean; dryRun: boolean; cursor: string | null } => {
  const { dryRun, all, cursor, ...filter } = bulkQuery.read(url)
  return { filter: toFilter(filter), all, dryRun, cursor: cursor ?? null }
}
