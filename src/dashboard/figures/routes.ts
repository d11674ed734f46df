// GET /figures.json: the figures of the last hour or week, as columns for charts.
import { Hono } from 'hono'
import { z } from 'zod'
import { MadhavaError } from '../../core/errors.ts'
import { type DashboardEnv, requireRight } from '../access/caller.ts'
import { COLUMN_NAMES, type ColumnName } from './columns.ts'
import type { Figures } from './recorder.ts'
import type { Span } from './rings.ts'

/** Query of GET /figures.json. */
export const figuresQuery = z.object({
  span: z.enum(['hour', 'week'] satisfies Span[]).default('hour'),
  points: z
    .string()
    .regex(/^[1-9]\d{0,4}$/)
    .transform(Number)
    .optional(),
  /** Comma-separated. */
  columns: z
    .string()
    .transform(text => text.split(','))
    .pipe(z.array(z.enum(COLUMN_NAMES as [ColumnName, ...ColumnName[]])))
    .optional(),
})

export const createFigureRoutes = ({ figures }: { figures: Pick<Figures, 'columns'> }): Hono<DashboardEnv> =>
  new Hono<DashboardEnv>().get('/figures.json', requireRight('look'), c => {
    const parsed = figuresQuery.safeParse(c.req.query())
    if (!parsed.success)
      throw new MadhavaError(
        'BAD_REQUEST',
        'span is hour or week, points a number from 1 on, columns names of figures',
      )
    const { span, points, columns } = parsed.data
    return c.json(figures.columns(span, points, columns))
  })
