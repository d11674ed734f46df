// GET /: the machine, the processes, the queue and the tasks on one page. Never slow, and never fails because
// something that it tells about is away.
import { Hono } from 'hono'
import { toMadhavaError } from '../core/errors.ts'
import { whySilent } from '../core/readiness.ts'
import type { Actor, ServiceState } from '../core/service.ts'
import type { SeenPresence } from '../core/store.ts'
import type { ApiDeps, ApiEnv } from './context.ts'
import { sendJson } from './json.ts'

const STATE_MS = 500

/** A process that holds its socket and no longer beats is not called alive; `troubles.beat` says why. */
const viewProcess = ({ details: { timings: _, ...details }, ...presence }: SeenPresence, now: number) => {
  const silent = presence.alive ? whySilent(presence, now) : null
  return {
    role: presence.role,
    instance: presence.instance,
    host: presence.host,
    pid: presence.pid,
    alive: presence.alive && silent === null,
    startedAt: presence.startedAt,
    beatAt: presence.beatAt,
    ...details,
    ...(silent === null ? {} : { troubles: { ...details.troubles, beat: silent } }),
  }
}

/** The state, or why there is none in time. Requests that come while one is under way share it. */
export const createStateReader = ({ service, log }: ApiDeps) => {
  let underWay: Promise<ServiceState> | null = null
  return async (actor: Actor): Promise<{ state: ServiceState | null; trouble: string | null }> => {
    underWay ??= service.state(actor).finally(() => {
      underWay = null
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<null>(resolve => {
      timer = setTimeout(resolve, STATE_MS, null)
    })
    try {
      const state = await Promise.race([underWay, late])
      return { state, trouble: state ? null : `No answer within ${STATE_MS} ms` }
    } catch (error) {
      log.warn({ error }, 'the state cannot be read')
      return { state: null, trouble: toMadhavaError(error).message }
    } finally {
      clearTimeout(timer)
    }
  }
}

export const statusRoutes = (deps: ApiDeps): Hono<ApiEnv> => {
  const { host, clock, version } = deps
  const readState = createStateReader(deps)
  return new Hono<ApiEnv>().get('/', async c => {
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
      troubles: trouble === null ? {} : { state: trouble },
    })
  })
}
