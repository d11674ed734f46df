// The logs as JSON pages and as a download, for everybody who may look.
import { Readable } from 'node:stream'
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { MadhavaError } from '../../core/errors.ts'
import { openPlain } from '../../platform/plain-file.ts'
import { type DashboardEnv, requireRight } from '../access/caller.ts'
import { LOG_STREAMS, type LogStream, type Processes } from '../processes/processes.ts'
import { LEVELS } from './lines.ts'
import { readLogPage } from './pages.ts'
import { lookAtLog } from './place.ts'

export const LINES_MAX = 1_000

/** Query of GET /logs/{name}/{out|err}.json. */
export const logQuery = z.strictObject({
  before: z.string().max(40).optional().describe('the place that the page after it gave as `before`'),
  after: z.string().max(40).optional().describe('the place where the page before it ended'),
  at: z.iso
    .datetime({ offset: true })
    .optional()
    .describe('the lines around this moment, half of them before it'),
  limit: z.coerce.number().int().min(1).max(LINES_MAX).default(200).describe('how many lines'),
  search: z.string().min(1).max(200).optional().describe('only lines with this text, in any case'),
  level: z.enum(LEVELS).optional().describe('only lines of this level and above'),
  instance: z.coerce.number().int().min(0).optional().describe("PM2's number, where several share a name"),
})

/** `out.json` -> out */
const streamOf = (file: string, ending: string): LogStream | null =>
  LOG_STREAMS.find(stream => file === `${stream}${ending}`) ?? null

export const createLogRoutes = ({ processes }: { processes: Processes }): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()

  const page = async (c: Context, name: string, stream: LogStream) => {
    const query = logQuery.safeParse(c.req.query())
    if (!query.success)
      throw new MadhavaError(
        'BAD_REQUEST',
        query.error.issues.map(({ path, message }) => `${path.join('.') || 'query'}: ${message}`).join('; '),
      )
    if ([query.data.before, query.data.after, query.data.at].filter(each => each !== undefined).length > 1)
      throw new MadhavaError('BAD_REQUEST', 'Give one of before, after and at')
    const { instance = null, ...wanted } = query.data
    const file = await processes.logFile(name, stream, instance)
    return c.json({ name, stream, ...(await readLogPage(file, wanted, stream === 'err')) })
  }

  const download = async (c: Context, name: string, stream: LogStream) => {
    const file = await processes.logFile(name, stream, null)
    const parts = file === null ? null : await lookAtLog(file)
    if (!parts) throw new MadhavaError('NOT_FOUND', 'The supervisor keeps no such log')
    const saved = `${name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 50)}.${stream}.log`
    // its end is as of now: a log that grows has no end
    const pieces = [
      { file: parts.old, bytes: parts.oldBytes },
      { file: parts.file, bytes: parts.bytes },
    ].filter(({ bytes }) => bytes > 0)
    const read = async function* () {
      for (const { file: one, bytes } of pieces) {
        const { handle } = await openPlain(one)
        // closes the file at its end
        yield* handle.createReadStream({ start: 0, end: bytes - 1 })
      }
    }
    c.header('Content-Disposition', `attachment; filename="${saved}"`)
    c.header('Content-Type', 'text/plain; charset=utf-8')
    return c.body(Readable.toWeb(Readable.from(read())) as ReadableStream)
  }

  app.get('/logs/:name/:file', requireRight('look'), c => {
    const { name, file } = c.req.param()
    const asJson = streamOf(file, '.json')
    if (asJson) return page(c, name, asJson)
    const asText = streamOf(file, '.log')
    if (asText) return download(c, name, asText)
    throw new MadhavaError('NOT_FOUND')
  })
  return app
}
