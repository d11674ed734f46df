// A time as clients write it -> ISO-8601 in UTC with milliseconds, which sorts as text in order of time.
import { z } from 'zod'

/** Any text that `Date` understands, checked before. Its zone can move it outside the years that sort as text. */
export const toInstant = <T extends z.ZodType<string>>(text: T) =>
  text
    .transform(value => new Date(value).toISOString())
    .refine(iso => /^\d/.test(iso), 'must lie in the years 0 to 9999')

/** A time with its zone. */
export const instant = toInstant(
  z.iso.datetime({ offset: true, error: 'must be an ISO-8601 time, such as 2026-01-31T12:00:00Z' }),
)
