// The dashboard as an HTTP app: who may send requests, the headers of every answer, and how errors are shown. It opens
// no port and knows neither PM2 nor files.
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { ERRORS, MadhavaError, toMadhavaError } from '../core/errors.ts'
import type { SeenKindTrouble } from '../core/kind-trouble.ts'
import { createHostGuard } from '../platform/http-guards.ts'
import type { Log } from '../platform/log.ts'
import { sendSecureHeaders } from '../platform/secure-headers.ts'
import type { Figures } from './figures/recorder.ts'
import { createFigureRoutes } from './figures/routes.ts'
import { createLogin, type DashboardEnv, isProgram, readSession } from './login.ts'
import { createLoginLimit } from './login-limit.ts'
import type { Operator } from './operator.ts'
import type { Overview } from './overview/overview.ts'
import { createOverviewRoutes, type SettingInEffect } from './overview/routes.ts'
import { createProcessRoutes } from './process-routes.ts'
import type { Processes } from './processes.ts'
import type { Sessions } from './session.ts'
import { ASSETS } from './web/assets.ts'
import { messagePage } from './web/layout.ts'

export interface DashboardOptions {
  processes: Processes
  operator: Operator
  session: Sessions
  /** Kinds whose files cannot be used. */
  kindTroubles: () => Promise<SeenKindTrouble[]>
  figures: Pick<Figures, 'columns'>
  overview: () => Promise<Overview>
  /** The settings in effect, secrets masked. */
  settings: readonly SettingInEffect[]
  log: Log
  /** Further names that the Host header may have. */
  allowedHosts: readonly string[]
  /** Milliseconds of a monotonic clock, for counting login tries. */
  clock: () => number
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
export const createDashboard = ({
  processes,
  operator,
  session,
  kindTroubles,
  figures,
  overview,
  settings,
  log,
  allowedHosts,
  clock,
}: DashboardOptions): Hono<DashboardEnv> => {
  const app = new Hono<DashboardEnv>()
  const isAllowedHost = createHostGuard(allowedHosts)

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
    const formToken = c.get('session')?.formToken ?? null
    return c.html(messagePage({ title, text: text === title ? null : `${text}.`, formToken }), code)
  }
  app.onError((error, c) => answerError(c, toMadhavaError(error)))
  app.notFound(c => answerError(c, new MadhavaError('NOT_FOUND')))

  app.use(sendSecureHeaders(HEADERS), async (c, next) => {
    if (!isAllowedHost(c.req.header('host') ?? null)) throw new MadhavaError('HOST_NOT_ALLOWED')
    await next()
  })
  app.get('/livez', c => c.text('ok\n'))
  for (const { path, type, text } of Object.values(ASSETS))
    app.get(path, c => {
      // the same for everyone, and its address changes with its content
      c.header('Cache-Control', 'private, max-age=31536000, immutable')
      return c.body(text, 200, { 'Content-Type': type })
    })

  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new MadhavaError('BODY_TOO_LARGE')
      },
    }),
    readSession(session),
  )
  app.route('/', createLogin({ operator, session, limit: createLoginLimit({ clock }), log }))
  app.route('/', createProcessRoutes({ processes, session, kindTroubles, log }))
  app.route('/', createFigureRoutes({ figures }))
  app.route('/', createOverviewRoutes({ overview, settings }))
  return app
}
