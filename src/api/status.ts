// GET /: the machine, the processes, the queue and the tasks on one page. Never slow, and never fails because
// something that it tells about is away.
import { Hono } from 'hono'
import { createStateReader, viewProcess } from '../core/state-reader.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { sendJson } from './json.ts'
import { describe } from './operation.ts'
import { getStatus } from './server-operations.ts'

export const statusRoutes = ({ service, log, host, clock, version }: ApiDeps): Hono<ApiEnv> => {
  const readState = createStateReader(service, error => log.warn({ error }, 'the state cannot be read'))
  return new Hono<ApiEnv>().get('/', describe(getStatus), async c => {
    const { state, trouble } = await readState(c.get('actor'))
    const now = clock()
    return sendJson(c, {
      name: 'madhava',
      version,
      time: now.toISOString(),
      host: host.snapshot(),
      processes: state?.presences.map(presence => viewProcess(presence, now.getTime())) ?? null,
      queue: state?.queue ?? null,
      tasks: state?.counts ?? null,
      dead: state?.dead ?? null,
      troubles: trouble === null ? {} : { state: trouble },
    })
  })
}
