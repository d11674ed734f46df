// The dashboard as an HTTP app: who may send requests, the headers of every answer, and how errors are shown. It opens
// no port and knows neither PM2 nor files.
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { ApiEnv } from '../api/context.ts'
import { ERRORS, MadhavaError, toMadhavaError } from '../core/errors.ts'
import { createHostGuard } from '../platform/http-guards.ts'
import type { Log } from '../platform/log.ts'
import { sendSecureHeaders } from '../platform/secure-headers.ts'
import { createApiMount } from './api-mount.ts'
import { createLogin, type DashboardEnv, isProgram, readSession } from './login.ts'
import { createLoginLimit } from './login-limit.ts'
import { createMeRoutes, type Installation } from './me-routes.ts'
import type { Operator } from './operator.ts'
import { languageOf, themeOf } from './page-look.ts'
import { createFileRoutes, createPageRoutes, sendPage } from './page-routes.ts'
import { messagePage } from './plain-pages.ts'
import { createProcessRoutes } from './process-routes.ts'
import type { Processes } from './processes.ts'
import type { Sessions } from './session.ts'
import { createStreamRoutes } from './stream/stream-routes.ts'
import type { Topics } from './stream/topic.ts'
import type { WebFiles } from './web-files.ts'

export interface DashboardOptions {
  processes: Processes
  operator: Operator
  session: Sessions
  /** The task API. */
  api: Pick<Hono<ApiEnv>, 'fetch'>
  /** What a page may follow. */
  topics: Topics
  web: WebFiles
  installation: Installation
  log: Log
  /** Further names that the Host header may have. */
  allowedHosts: readonly string[]
  /** Milliseconds of a monotonic clock, for counting login tries. */
  clock: () => number
  /** Fires when the server closes. */
  closing: AbortSignal
}

const MAX_BODY_BYTES = 64 * 1024

const HEADERS = {
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: ["'self'"],
    scriptSrc: ["'self'"],
    connectSrc: ["'self'"],
    imgSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
  // Not `no-referrer`: browsers would send `Origin: null` with every form, even our own.
  referrerPolicy: 'same-origin',
}

/** The whole app; `fetch` for a server, `request` for tests. */
export const createDashboard = (options: DashboardOptions): Hono<DashboardEnv> => {
  const { processes, operator, session, api, topics, web, installation, log, closing } = options
  const app = new Hono<DashboardEnv>()
  const isAllowedHost = createHostGuard(options.allowedHosts)

  const answerError = (c: Context<DashboardEnv>, error: MadhavaError): Response | Promise<Response> => {
    const { status, title } = ERRORS[error.code]
    if (status >= 500) log.error({ error, path: c.req.path }, 'a request failed')
    if (status === 429) c.header('Retry-After', '5')
    const code = status as ContentfulStatusCode
    const text = status === 500 ? 'The log of the dashboard has the reason' : error.message
    if (isProgram(c)) {
      const problem = { type: 'about:blank', title, status, code: error.code, detail: text }
      return c.body(JSON.stringify(problem), code, { 'Content-Type': 'application/problem+json' })
    }
    // in the frame, where the way back is
    if (error.code === 'NOT_FOUND' && c.get('session')) return sendPage(c, web, 404)
    const look = { web, language: languageOf(c), theme: themeOf(c) }
    return c.html(messagePage(look, title, text === title ? null : `${text}.`), code)
  }
  app.onError((error, c) => answerError(c, toMadhavaError(error)))
  app.notFound(c => answerError(c, new MadhavaError('NOT_FOUND')))

  app.use(sendSecureHeaders(HEADERS), async (c, next) => {
    if (!isAllowedHost(c.req.header('host') ?? null)) throw new MadhavaError('HOST_NOT_ALLOWED')
    await next()
  })
  app.get('/livez', c => c.text('ok\n'))
  app.route('/', createFileRoutes(web))

  app.use(readSession(session))
  // before the limit of bodies: the API has its own, since tasks may be large
  app.route('/', createApiMount({ api, session }))
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new MadhavaError('BODY_TOO_LARGE')
      },
    }),
  )
  app.route(
    '/',
    createLogin({ operator, session, limit: createLoginLimit({ clock: options.clock }), log, web }),
  )
  app.route('/', createMeRoutes({ installation }))
  app.route('/', createStreamRoutes({ topics, session, log, closing }))
  app.route('/', createProcessRoutes({ processes, session, log }))
  app.route('/', createPageRoutes(web))
  return app
}
