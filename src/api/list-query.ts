// The filters of lists and the pages of GET /tasks, as a query says them.
import { z } from 'zod'
import {
  askedFilters,
  CURSOR_LIMIT,
  type FilterRow,
  PAGE_LIMIT,
  type TaskFilter,
  toFilter,
} from '../core/filter.ts'
import { toInstant } from '../core/instant.ts'
import { SORT_NAMES, type Sort, USUAL_SORT } from '../core/sort.ts'
import { STATUSES } from '../core/task.ts'
import { URL_LIMIT_BYTES } from './guards.ts'
import { defineQuery, switchParameter, textParameter } from './query.ts'

/** Names: given several times, or several in one separated by commas. `known` are shown in the document. */
export const words = (known?: readonly string[]) =>
  z.array(z.string().meta(known ? { enum: [...known] } : {})).transform(list =>
    list
      .flatMap(text => text.split(','))
      .map(word => (known ? word.trim().toUpperCase() : word.trim()))
      .filter(word => word !== ''),
  )

/** A day, or a time with its zone; a `+` that the query turned into a space is put back. */
export const instantParameter = toInstant(
  z
    .string()
    .meta({ examples: ['2026-01-31', '2026-01-31T12:00:00Z'] })
    .transform(text => text.replace(/ (?=\d\d:?\d\d$)/, '+'))
    .pipe(
      z.union(
        [z.iso.date(), z.iso.datetime({ offset: true })],
        'must be a day or a time with its zone: 2026-01-31 or 2026-01-31T12:00:00Z',
      ),
    ),
)

/** A filter as a query says it. */
const parameterOf = ({ value, compare, schema }: FilterRow): z.ZodType => {
  if (compare === 'from' || compare === 'before') return instantParameter
  return compare === 'in'
    ? words(value === 'status' ? STATUSES : undefined).pipe(schema as z.ZodType<unknown, string[]>)
    : schema
}
const filterShape = Object.fromEntries(
  askedFilters('query').map(({ name, row }) => [name, parameterOf(row).optional().describe(row.about)]),
)

const LIMIT = `must be a whole number, 1 to ${PAGE_LIMIT.highest}`
const pageShape = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, LIMIT)
    .transform(Number)
    .refine(value => value >= 1 && value <= PAGE_LIMIT.highest, LIMIT)
    .optional()
    .describe(`tasks per page, 1 to ${PAGE_LIMIT.highest}; ${PAGE_LIMIT.default} when left out`),
  cursor: textParameter(CURSOR_LIMIT).optional().describe('`next` of the page before'),
}

const sort = z
  .enum(SORT_NAMES, `must be one of ${SORT_NAMES.join(', ')}`)
  .optional()
  .describe(
    `the order: by this time of the task, with a minus the latest first; \`${USUAL_SORT}\` when left out.` +
      ' By `finishedAt` there are only tasks that have ended',
  )

const why = switchParameter().describe('1: each task that waits says why, in `waiting`')

/** The filters alone. */
export const filterQuery = defineQuery(filterShape)
/** The query of GET /alltasks. */
export const allQuery = defineQuery({ sort, why, ...filterShape })
/** A page alone. */
export const plainPageQuery = defineQuery(pageShape)
/** The filters and the page of GET /tasks. */
export const pageQuery = defineQuery({
  ...pageShape,
  sort,
  why,
  ...filterShape,
})

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

/** @throws BAD_REQUEST */
export const parseFilter = (url: string): TaskFilter => toFilter('query', filterQuery.read(url))

/** @throws BAD_REQUEST */
export const parseAll = (url: string): { filter: TaskFilter; sort: Sort; why: boolean } => {
  const { sort: order = USUAL_SORT, why: isAsked, ...filter } = allQuery.read(url)
  return { filter: toFilter('query', filter), sort: order, why: isAsked }
}

/** @throws BAD_REQUEST */
export const parsePage = (
  url: string,
): { filter: TaskFilter; limit: number; cursor: string | null; sort: Sort; why: boolean } => {
  const { limit, cursor, sort: order = USUAL_SORT, why: isAsked, ...filter } = pageQuery.read(url)
  return {
    filter: toFilter('query', filter),
    sort: order,
    limit: limit ?? PAGE_LIMIT.default,
    cursor: cursor ?? null,
    why: isAsked,
  }
}

/** @throws BAD_REQUEST */
export const parseWatch = (
  url: string,
): { filter: TaskFilter; since: string | undefined; snapshot: boolean } => {
  const { since, snapshot, ...filter } = watchQuery.read(url)
  return { filter: toFilter('query', filter), since, snapshot }
}

/** @throws BAD_REQUEST */
export const parseBulk = (
  url: string,
): { filter: TaskFilter; all: boolean; dryRun: boolean; cursor: string | null } => {
  const { dryRun, all, cursor, ...filter } = bulkQuery.read(url)
  return { filter: toFilter('query', filter), all, dryRun, cursor: cursor ?? null }
}
