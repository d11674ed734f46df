// Times that clients write. All become UTC with milliseconds, as records have them, so that they compare as text. Pure.
import { z } from 'zod'

const toUtc = <T extends z.ZodType<string>>(schema: T) =>
  schema
    .transform(value => new Date(value as string).toISOString())
    // a zone can push it over the edge, where ISO-8601 no longer compares as text
    .refine(iso => /^\d/.test(iso), 'must lie in the years 0 to 9999')

/** A time with its zone. */
export const instant = toUtc(
  z.iso.datetime({ offset: true, error: 'must be an ISO-8601 time, such as 2026-01-31T12:00:00Z' }),
)

/** A day, which stands for its begin in UTC, or a time with its zone. */
export const dayOrInstant = toUtc(
  z.union(
    [z.iso.date(), z.iso.datetime({ offset: true })],
    'must be a day or a time with its zone: 2026-01-31 or 2026-01-31T12:00:00Z',
  ),
)
