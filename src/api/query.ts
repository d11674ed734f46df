// Query strings -> typed values. Everything unknown, doubled or malformed is refused by name.
import { z } from 'zod'
import { MadhavaError } from '../core/errors.ts'
import type { TaskFilter } from '../core/store.ts'
import { STATUSES } from '../core/task.ts'

export const PAGE_LIMIT = { default: 50, highest: 200 } as const

type Values = Record<string, string[]>
export type Query = Record<string, string | string[] | undefined>

const refuse = (problems: { path: string; problem: string }[]): MadhavaError =>
  new MadhavaError(
    'BAD_REQUEST',
    `The query is malformed: ${problems.map(({ path, problem }) => `${path}: ${problem}`).join('; ')}`,
    { detail: { problems } },
  )

/**
 * The parameters of an address by name, empty ones left out.
 * @throws BAD_REQUEST naming what is not known, or given twice where once is meant
 */
export const parseQuery = (
  url: string,
  known: { once: readonly string[]; many?: readonly string[] },
): Values => {
  const many = known.many ?? []
  const values = new Map<string, string[]>()
  const problems = new Map<string, string>()
  for (const [name, value] of new URL(url).searchParams) {
    const path = name.slice(0, 64)
    if (!known.once.includes(name) && !many.includes(name)) {
      const all = [...known.once, ...many]
      problems.set(path, `is not known here${all.length > 0 ? `; known are ${all.join(', ')}` : ''}`)
    } else if (values.has(name) && !many.includes(name)) problems.set(path, 'may be given once')
    else values.set(name, [...(values.get(name) ?? []), value])
  }
  if (problems.size > 0)
    throw refuse([...problems].slice(0, 20).map(([path, problem]) => ({ path, problem })))
  return Object.fromEntries([...values].filter(([, list]) => list.some(value => value !== '')))
}

/** A value that may be given once; undefined when it is not. */
export const single = (values: Values, name: string): string | undefined => values[name]?.[0]

const words = z.array(z.string()).transform(list =>
  list
    .flatMap(text => text.split(','))
    .map(word => word.trim())
    .filter(word => word !== ''),
)

/** A day, or a time with its zone; a `+` that the query turned into a space is put back. */
const instant = z
  .tuple([z.string()])
  .transform(([text]) => text.replace(/ (?=\d\d:?\d\d$)/, '+'))
  .pipe(
    z.union(
      [z.iso.date(), z.iso.datetime({ offset: true })],
      'must be a day or a time with its zone: 2026-01-31 or 2026-01-31T12:00:00Z',
    ),
  )
  .transform(value => new Date(value).toISOString())
  // a zone can push it over the edge, where ISO-8601 no longer compares as text
  .refine(iso => /^\d/.test(iso), 'must lie in the years 0 to 9999')

const text = (max: number) =>
  z.tuple([z.string().max(max, `may have at most ${max} characters`)]).transform(([value]) => value)

const filterShape = {
  status: words
    .pipe(
      z.array(
        z
          .string()
          .toUpperCase()
          .pipe(z.enum(STATUSES, `must be out of ${STATUSES.join(', ')}`)),
      ),
    )
    .optional(),
  kind: words
    .pipe(z.array(z.string().max(63, 'is no name of a kind')).max(50, 'may name at most 50 kinds'))
    .optional(),
  owner: text(200).optional(),
  parent: z
    .tuple([z.uuid('must be the id of a task').toLowerCase()])
    .transform(([id]) => id)
    .optional(),
  q: text(200).optional(),
  from: instant.optional(),
  to: instant.optional(),
}
const LIMIT = `must be a whole number, 1 to ${PAGE_LIMIT.highest}`
const pageShape = {
  limit: z
    .tuple([z.string().regex(/^\d{1,3}$/, LIMIT)])
    .transform(([value]) => Number(value))
    .refine(value => value >= 1 && value <= PAGE_LIMIT.highest, LIMIT)
    .optional(),
  cursor: text(1024).optional(),
}

const MANY = ['status', 'kind'] as const
const FILTER_ONCE = ['owner', 'parent', 'q', 'from', 'to'] as const

const parseWith = <T extends z.ZodType>(schema: T, values: Values): z.output<T> => {
  const parsed = schema.safeParse(values)
  if (parsed.success) return parsed.data
  throw refuse(
    parsed.error.issues.map(issue => ({ path: String(issue.path[0] ?? 'query'), problem: issue.message })),
  )
}

const filterSchema = z.object(filterShape)
const pageSchema = z.object({ ...filterShape, ...pageShape })

const toFilter = ({
  status,
  kind,
  owner,
  parent,
  q,
  from,
  to,
}: z.output<typeof filterSchema>): TaskFilter => ({
  ...(status?.length ? { statuses: status } : {}),
  ...(kind?.length ? { kinds: kind } : {}),
  ...(owner === undefined ? {} : { owner }),
  ...(parent === undefined ? {} : { parentId: parent }),
  ...(q === undefined ? {} : { text: q }),
  ...(from === undefined ? {} : { from }),
  ...(to === undefined ? {} : { to }),
})

/** The filters of GET /alltasks. @throws BAD_REQUEST */
export const parseFilter = (url: string): TaskFilter =>
  toFilter(parseWith(filterSchema, parseQuery(url, { once: FILTER_ONCE, many: MANY })))

/** The filters and the page of GET /tasks. @throws BAD_REQUEST */
export const parsePage = (url: string): { filter: TaskFilter; limit: number; cursor: string | null } => {
  const values = parseQuery(url, { once: ['limit', 'cursor', ...FILTER_ONCE], many: MANY })
  const { limit, cursor, ...filter } = parseWith(pageSchema, values)
  return { filter: toFilter(filter), limit: limit ?? PAGE_LIMIT.default, cursor: cursor ?? null }
}
