// Cursors of the feed as clients see them: opaque text. What comes back from outside is checked before it is used.
import { z } from 'zod'
import { MadhavaError } from '../../../core/errors.ts'
import { CUT_KEPT_MS, type Positions } from '../log/journal.ts'

const LENGTH_MAX = 64 * 1024

const feedSchema = z.tuple([
  z.int().min(0),
  z.record(z.string().regex(/^[0-9a-f]{12}$/), z.tuple([z.int().min(0), z.int().min(0)])),
])

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const decode = <T>(cursor: string, schema: z.ZodType<T>): T => {
  if (cursor.length <= LENGTH_MAX) {
    try {
      const parsed = schema.safeParse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')))
      if (parsed.success) return parsed.data
    } catch {
      // not ours: refused below
    }
  }
  throw new MadhavaError('BAD_CURSOR')
}

export const encodeCursor = (positions: Positions, now: Date): string => encode([now.getTime(), positions])

/** @throws BAD_CURSOR, CURSOR_TOO_OLD */
export const decodeCursor = (cursor: string, now: Date): Positions => {
  const [madeAt, positions] = decode(cursor, feedSchema)
  if (now.getTime() - madeAt > CUT_KEPT_MS) throw new MadhavaError('CURSOR_TOO_OLD')
  return Object.fromEntries(Object.entries(positions))
}
