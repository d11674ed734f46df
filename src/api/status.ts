// GET /: the machine, the processes, the queue and the tasks; for a browser a page with links. Never slow, and never
// fails because something that it tells about is away.
import { Hono } from 'hono'
import { seesAll } from '../core/policy.ts'
import { createStateReader, viewProcess } from '../core/state-reader.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { sendHome } from './home.ts'
import { JSON_TYPE, sendJson } from './json.ts'
import { describe, type Operation } from './operation.ts'
import { prefers } from './request-headers.ts'
import { hostStatus } from './schemas.ts'

const HTML_TYPE = 'text/html'

const getStatus: Operation = {
  id: 'getStatus',
  need: 'read',
  tag: 'server',
  summary: 'The machine, the processes, the queue and the tasks by status',
  description: `Who does not see all tasks gets the counts of those that they see, and null for the rest. With an Accept that prefers ${HTML_TYPE}, as browsers send it, a page for people with links instead.`,
  headers: { Accept: `${HTML_TYPE}: a page for people` },
  answers: {
    200: { description: 'As of now.', content: { [JSON_TYPE]: hostStatus, [HTML_TYPE]: null } },
  },
}

export const statusRoutes = ({ service, log, host, clock, version }: ApiDeps): Hono<ApiEnv> => {
  const readState = createStateReader(service, error => log.warn({ error }, 'the state cannot be read'))
  return new Hono<ApiEnv>().get('/', describe(getStatus), async c => {
    const actor = c.get('actor')
    const { state, trouble } = await readState(actor)
    // what the machine does tells what others do
    const isWhole = seesAll(actor)
    const now = clock()
    c.header('Vary', 'Accept', { append: true })
    if (prefers(c.req.header('accept'), HTML_TYPE, JSON_TYPE))
      return sendHome(c, { version, hostName: host.snapshot().name, state })
    return sendJson(c, {
      name: 'madhava',
      version,
      time: now.toISOString(),
      host: isWhole ? host.snapshot() : null,
      processes: (isWhole && state?.presences.map(presence => viewProcess(presence, now.getTime()))) || null,
      queue: (isWhole && state?.queue) || null,
      tasks: state?.counts ?? null,
      dead: state?.dead ?? null,
      troubles: trouble === null ? {} : { state: trouble },
    })
  })
}
