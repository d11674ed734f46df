// The dashboard as an HTTP app: who may send requests, the headers of every answer, and how errors are shown. It opens
// no port and knows neither PM2 nor files.
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Access } from '../access/access.ts'
import { createLoginLimit, type LoginLimit } from '../access/login-limit.ts'
import type { Watch } from '../access/watch.ts'
import type { ApiEnv } from '../api/context.ts'
import { shownPath } from '../api/problem.ts'
import type { AuditRecorder } from '../core/audit-recorder.ts'
import { ERRORS, MadhavaError, toMadhavaError } from '../core/errors.ts'
import { createHostGuard } from '../platform/http-guards.ts'
import type { Log } from '../platform/log.ts'
import { sendSecureHeaders } from '../platform/secure-headers.ts'
import { createAccounts } from './access/accounts.ts'
import { type DashboardEnv, isProgram, readCaller } from './access/caller.ts'
import { createLogin, waitOf } from './access/login.ts'
import { createLoginDoor } from './access/login-door.ts'
import { createLoginWatches } from './access/login-watch.ts'
import { createMe, type Installation } from './access/me.ts'
import { createOidc } from './access/oidc.ts'
import type { Operator } from './access/operator.ts'
import { createPeoplePasswords } from './access/people-passwords.ts'
import type { PeopleSessions } from './access/people-sessions.ts'
import { createRegister } from './access/register.ts'
import type { Sessions } from './access/session.ts'
import { createApiMount } from './api-mount.ts'
import type { Figures } from './figures/recorder.ts'
import { createFigureRoutes } from './figures/routes.ts'
import { createLogRoutes } from './logs/routes.ts'
import { createDocumentRoute } from './openapi.ts'
import type { KindFigures } from './overview/kind-figures.ts'
import type { Overview } from './overview/overview.ts'
import { createOverviewRoutes, type SettingInEffect } from './overview/routes.ts'
import { languageOf, themeOf } from './page-look.ts'
import { createFileRoutes, createPageRoutes, sendPage } from './page-routes.ts'
import { messagePage } from './plain-pages.ts'
import { createProcessActions } from './processes/actions.ts'
import { createProcessOrders } from './processes/orders.ts'
import type { Processes } from './processes/processes.ts'
import { createProcessRoutes } from './processes/routes.ts'
import { createSharedRoutes } from './shared-routes.ts'
import { createStreamRoutes } from './stream/stream-routes.ts'
import type { Topics } from './stream/topic.ts'
import { pageAt } from './web/paths.ts'
import type { WebFiles } from './web-files.ts'
import { createXmlRpc } from './xml-rpc/routes.ts'

export interface DashboardOptions {
  processes: Processes
  operator: Operator
  /** Who sees all and changes nothing; left out: nobody. */
  viewer?: Operator | null
  installation: Installation
  /** Of the built-in logins. */
  sessions: Sessions
  /** Everybody else. */
  access: Access
  people: PeopleSessions
  /** Tells what is open that a built-in login has ended. */
  watching: Watch
  /** What counts the tries of an address; left out: one of its own. */
  limit?: LoginLimit
  /** Writes who has changed what. */
  audit: AuditRecorder
  /** The task API. */
  api: Pick<Hono<ApiEnv>, 'fetch'>
  /** What a page may follow. */
  topics: Topics
  web: WebFiles
  figures: Pick<Figures, 'columns'>
  overview: () => Promise<Overview>
  kindFigures: () => Promise<KindFigures>
  /** The settings in effect, secrets masked. */
  settings: readonly SettingInEffect[]
  log: Log
  /** Further names that the Host header may have. */
  allowedHosts: readonly string[]
  /** Milliseconds of a monotonic clock, for counting login tries. */
  clock: () => number
  /** The store's time, milliseconds since 1970. */
  now: () => number
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
  const {
    processes,
    operator,
    viewer = null,
    installation,
    sessions,
    access,
    people,
    audit,
    web,
    log,
    clock,
  } = options
  const app = new Hono<DashboardEnv>()
  const accounts = createAccounts({
    operator,
    viewer,
    people: createPeoplePasswords({ access, sessions: people }),
    limit: options.limit ?? createLoginLimit({ clock }),
    audit,
    log,
    clock,
  })
  const isAllowedHost = createHostGuard(options.allowedHosts)

  const answerError = (c: Context<DashboardEnv>, error: MadhavaError): Response | Promise<Response> => {
    const { status, title } = ERRORS[error.code]
    if (status >= 500) log.error({ error, path: shownPath(c.req.path) }, 'a request failed')
    if (status === 429) c.header('Retry-After', String(waitOf(error) ?? 5))
    // no WWW-Authenticate: a browser would ask by itself, keep the password, and send it from pages of other sites
    const code = status as ContentfulStatusCode
    const text = status === 500 ? 'The log of the dashboard has the reason' : error.message
    if (isProgram(c)) {
      const problem = { type: 'about:blank', title, status, code: error.code, detail: text }
      return c.body(JSON.stringify(problem), code, { 'Content-Type': 'application/problem+json' })
    }
    // in the frame, where the way back is
    if (c.get('session') && c.req.method === 'GET') {
      if (error.code === 'NOT_FOUND') return sendPage(c, web, 404)
      if (error.code === 'FORBIDDEN' && pageAt(c.req.path)) return sendPage(c, web, 403)
    }
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

  const logins = createLoginWatches({
    watching: options.watching,
    sessions,
    credential: accounts.credential,
  })
  app.route('/', createSharedRoutes({ access, api: options.api, web }))
  app.use(readCaller({ sessions, people, accounts, access, logins }))
  // before the limit of bodies: the API has its own, since tasks may be large
  app.route('/', createApiMount({ api: options.api }))
  app.use(
    bodyLimit({
      maxSize: MAX_BODY_BYTES,
      onError: () => {
        throw new MadhavaError('BODY_TOO_LARGE')
      },
    }),
  )
  const { now } = options
  const door = createLoginDoor({ access, logins, people, web, now })
  app.route('/', createLogin({ accounts, sessions, door, audit, log }))
  app.route('/', createOidc({ access, door }))
  app.route('/', createRegister({ access, web }))
  app.route('/', createMe({ installation }))
  const orders = createProcessOrders({ processes, audit, log })
  app.route('/', createProcessActions({ orders, log }))
  app.route('/', createXmlRpc({ processes, orders, audit, version: installation.version, log }))
  app.route('/', createLogRoutes({ processes }))
  app.route('/', createDocumentRoute(installation.version))
  app.route('/', createProcessRoutes({ processes }))
  app.route('/', createFigureRoutes({ figures: options.figures }))
  const { overview, kindFigures, settings } = options
  app.route('/', createOverviewRoutes({ overview, kindFigures, settings }))
  app.route('/', createStreamRoutes({ topics: options.topics, log, closing: options.closing }))
  app.route('/', createPageRoutes(web))
  return app
}
