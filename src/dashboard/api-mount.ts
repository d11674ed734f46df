// The task API under /api: the same app that the api process serves, behind the dashboard's own login. It runs in this
// process, so the pages work while the api process does not.
import { type Context, Hono } from 'hono'
import type { ApiEnv } from '../api/context.ts'
import { takesLongBody } from '../api/uploads.ts'
import { MadhavaError } from '../core/errors.ts'
import { type DashboardEnv, requireRight, requireToken, whoOf } from './access/caller.ts'
import { type Deed, demandRight } from './access/rights.ts'

const PREFIX = '/api'
const READING = ['GET', 'HEAD']

interface OpenAddress {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: RegExp
  deed: Deed
}

const open = (method: OpenAddress['method'], path: string, deed: Deed): OpenAddress => ({
  method,
  path: new RegExp(`^${path}$`),
  deed,
})

/**
 * What the pages need. Nothing else is there: GET /calcpi, which changes something, or what gives a login to who sends
 * a name and a password. What an actor sees and may change behind an address, core/policy.ts decides.
 */
const OPEN: readonly OpenAddress[] = [
  ...[
    '/',
    '/tasks',
    '/alltasks',
    '/events',
    '/kinds',
    '/dead',
    '/task/[^/]+(?:/(?:result|why|log|events|artifacts/[^/]+))?',
    '/uploads(?:/[^/]+(?:/content)?)?',
  ].map(path => open('GET', path, 'tasks.look')),
  open('GET', '/task/[^/]+/shares', 'tasks.change'),
  ...[
    '/tasks(?:/(?:cancel|retry|delete))?',
    '/task/[^/]+/(?:retry|share|complete)',
    '/dead/[^/]+/replay',
    '/uploads(?:/[^/]+/finish)?',
  ].map(path => open('POST', path, 'tasks.change')),
  ...['/uploads/[^/]+', '/task/[^/]+'].map(path => open('PATCH', path, 'tasks.change')),
  ...['/task/[^/]+', '/task/[^/]+/share/[^/]+', '/dead/[^/]+', '/uploads/[^/]+'].map(path =>
    open('DELETE', path, 'tasks.change'),
  ),
  open('POST', '/kinds/reload', 'processes.change'),
  // which processes work, with reasons
  open('GET', '/readyz', 'look'),

  ...['/me', '/sessions', '/keys'].map(path => open('GET', path, 'account')),
  open('PUT', '/me/password', 'account'),
  open('POST', '/keys', 'account'),
  // not `current`: the way out of the dashboard is its own
  ...['/sessions/[a-z0-9]{16}', '/keys/[^/]+'].map(path => open('DELETE', path, 'account')),

  ...['/accounts', '/invitations', '/audit'].map(path => open('GET', path, 'accounts.change')),
  open('PATCH', '/accounts/[^/]+', 'accounts.change'),
  open('POST', '/invitations', 'accounts.change'),
  ...['/accounts/[^/]+', '/invitations/[^/]+'].map(path => open('DELETE', path, 'accounts.change')),
]

/**
 * What a request to the REST API is when it comes by way of the dashboard; null: it cannot.
 * @param path as the API sees it: without the dashboard's prefix
 */
export const deedOfApi = ({ method, path }: { method: string; path: string }): Deed | null => {
  const asked = method === 'HEAD' ? 'GET' : method
  return OPEN.find(one => one.method === asked && one.path.test(path))?.deed ?? null
}

/**
 * The request as the API sees it. A body that the API reads from Node's own stream is left out: a request around it
 * would begin to read the same stream, and what it takes first would be missing in the upload.
 */
const forwarded = (url: URL, c: Context<DashboardEnv>): Request => {
  const { raw } = c.req
  const { incoming } = (c.env ?? {}) as { incoming?: unknown }
  if (incoming === undefined || !takesLongBody(url.pathname)) return new Request(url, raw)
  return new Request(url, { method: raw.method, headers: raw.headers })
}

export interface ApiMountOptions {
  api: Pick<Hono<ApiEnv>, 'fetch'>
}

export const createApiMount = ({ api }: ApiMountOptions): Hono<DashboardEnv> =>
  new Hono<DashboardEnv>().all(
    `${PREFIX}/*`,
    requireRight('account'),
    (c, next) => (READING.includes(c.req.method) ? next() : requireToken(c, next)),
    c => {
      const url = new URL(c.req.url)
      url.pathname = url.pathname.slice(PREFIX.length) || '/'
      const deed = deedOfApi({ method: c.req.method, path: url.pathname })
      if (deed === null) throw new MadhavaError('NOT_FOUND')
      const who = whoOf(c)
      demandRight(who, deed)
      return api.fetch(forwarded(url, c), {
        ...(c.env as object),
        actor: who.actor,
        watch: c.get('watch'),
      })
    },
  )
