// The REST API as one Hono app, without a port: routes, guards, headers and errors put together.
import { randomUUID } from 'node:crypto'
import { Hono, type MiddlewareHandler } from 'hono'
import type { Actor } from '../core/actor.ts'
import { auditedBy, auditedId } from '../core/audit-recorder.ts'
import { MadhavaError, toMadhavaError } from '../core/errors.ts'
import { createByteBudget } from '../platform/byte-budget.ts'
import type { Log } from '../platform/log.ts'
import { sendSecureHeaders } from '../platform/secure-headers.ts'
import { accountRoutes } from './accounts.ts'
import { artifactRoutes } from './artifacts.ts'
import { auditRoutes } from './audit.ts'
import { bulkRoutes } from './bulk.ts'
import { calcpiRoutes } from './calcpi.ts'
import { compress } from './compress.ts'
import { type ApiDeps, type ApiEnv, clientKeyIn } from './context.ts'
import { allowOrigins } from './cors.ts'
import { deadRoutes } from './dead.ts'
import { docsRoutes, documentRoutes } from './docs.ts'
import { guardRequests, SAFE_METHODS } from './guards.ts'
import { healthRoutes } from './health.ts'
import { createHttpMetrics } from './http-metrics.ts'
import { identify } from './identify.ts'
import { keyRoutes } from './keys.ts'
import { kindsRoutes } from './kinds.ts'
import { liveRoutes } from './live.ts'
import { metricsRoutes } from './metrics.ts'
import { signInRoutes } from './oidc.ts'
import { describedRoutes } from './openapi.ts'
import { operationOf } from './operation.ts'
import { peopleTaskRoutes } from './people-tasks.ts'
import { sendProblem, shownPath } from './problem.ts'
import { rpcRoutes } from './rpc.ts'
import { rpcDocsRoutes } from './rpc-docs.ts'
import { sessionRoutes } from './sessions.ts'
import { shareRoutes } from './share.ts'
import { statusRoutes } from './status.ts'
import { CALL_LIMITS, createStreams, LINK_LIMITS, SOCKET_LIMITS } from './streams.ts'
import { taskRoutes } from './task.ts'
import { taskLogRoutes } from './task-log.ts'
import { tasksRoutes } from './tasks.ts'
import { uploadRoutes } from './uploads.ts'
import { socketRoutes } from './ws/route.ts'

const HEADERS = {
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  referrerPolicy: 'no-referrer',
}
/** Hono's own middleware takes no dots, which many tracers write. */
const REQUEST_ID = /^[A-Za-z0-9._-]{1,64}$/

/** Gives the request its id, and writes one line about it when it is answered. */
const frame =
  (log: Log): MiddlewareHandler<ApiEnv> =>
  async (c, next) => {
    const start = performance.now()
    const given = c.req.header('x-request-id') ?? ''
    const requestId = REQUEST_ID.test(given) ? given : randomUUID()
    c.set('requestId', requestId)
    c.header('X-Request-Id', requestId)
    await next()
    const { status } = c.res
    // reads are many and change nothing; a GET that is answered with 202 created a task
    const level = SAFE_METHODS.includes(c.req.method) && status !== 202 ? 'debug' : 'info'
    const ms = Math.round(performance.now() - start)
    // nobody while a guard has refused it before it was asked who sends it
    const actor = c.get('actor') as Actor | undefined
    const who = actor?.account ? { actor: actor.account, via: actor.via } : {}
    log[level](
      { requestId, method: c.req.method, path: shownPath(c.req.path), status, ms, ...who },
      'request',
    )
  }

/** The bytes of all bodies that are under way, and of those of one client. */
const BODIES = { total: 64 * 1024 ** 2, perOwner: 32 * 1024 ** 2 }

/** What a request takes of them it gives back when it is answered. */
const holdBodies = (): MiddlewareHandler<ApiEnv> => {
  const bodies = createByteBudget(BODIES)
  return async (c, next) => {
    const hold = bodies.open(clientKeyIn(c))
    c.set('hold', hold)
    try {
      await next()
    } finally {
      hold.close()
    }
  }
}

/** Every known path answers OPTIONS, and 405 to the methods that it does not take. Call it after all routes. */
const closeRoutes = (app: Hono<ApiEnv>): void => {
  const methods = new Map<string, Set<string>>()
  const creating = new Set<string>()
  for (const { path, method, handler } of app.routes) {
    if (method === 'ALL') continue
    if (operationOf(handler)?.creates) creating.add(path)
    methods.set(path, (methods.get(path) ?? new Set()).add(method))
  }
  for (const [path, taken] of methods) {
    // GET that creates has no HEAD
    if (taken.has('GET') && !creating.has(path)) taken.add('HEAD')
    const allow = [...taken, 'OPTIONS'].join(', ')
    app.all(path, c => {
      c.header('Allow', allow)
      if (c.req.method === 'OPTIONS') return c.body(null, 204)
      throw new MadhavaError('METHOD_NOT_ALLOWED', `This address takes ${allow}`)
    })
  }
}

/** The app. `fetch` serves it; `request` tries it without a port. */
export const createApp = (deps: ApiDeps): Hono<ApiEnv> => {
  const { log, allowedHosts, corsOrigins = [] } = deps
  const app = new Hono<ApiEnv>()
  const http = createHttpMetrics()
  const streams = createStreams(deps.closing)
  app.use(
    '*',
    http.measure,
    frame(log),
    sendSecureHeaders(HEADERS),
    holdBodies(),
    compress(log),
    allowOrigins(corsOrigins),
    guardRequests(allowedHosts),
    identify(deps.access),
  )
  for (const routes of [
    statusRoutes,
    calcpiRoutes,
    tasksRoutes,
    bulkRoutes,
    taskRoutes(streams),
    peopleTaskRoutes,
    shareRoutes(createStreams(deps.closing, LINK_LIMITS)),
    taskLogRoutes(streams),
    artifactRoutes,
    uploadRoutes,
    liveRoutes(streams),
    socketRoutes(createStreams(deps.closing, SOCKET_LIMITS)),
    deadRoutes,
    kindsRoutes,
    accountRoutes,
    sessionRoutes,
    signInRoutes,
    keyRoutes,
    auditRoutes,
    healthRoutes,
    metricsRoutes(http),
    rpcRoutes(createStreams(deps.closing, CALL_LIMITS)),
    rpcDocsRoutes,
    docsRoutes,
  ])
    app.route('/', routes(deps))
  app.route(
    '/',
    documentRoutes(() => described, deps.version),
  )
  const described = describedRoutes(app)
  closeRoutes(app)
  app.notFound(c => sendProblem(c, new MadhavaError('NOT_FOUND', 'There is nothing at this address')))
  app.onError(async (thrown, c) => {
    const error = toMadhavaError(thrown)
    const refused = c.get('refused')
    if (refused !== undefined) {
      const target = auditedId(c.req.param('id') ?? '')
      await deps.audit.noteRefusal(auditedBy(c.get('actor')), refused, target, error)
    }
    if (error.code === 'INTERNAL')
      log.error(
        { requestId: c.get('requestId'), path: shownPath(c.req.path), error: thrown },
        'a request failed',
      )
    return sendProblem(c, error)
  })
  return app
}
