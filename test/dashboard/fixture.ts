// A dashboard over made-up processes, for tests: both logins, and requests as a browser and as a program send them.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Hono } from 'hono'
import type { Access } from '../../src/access/access.ts'
import { createWatch, type Watch } from '../../src/access/watch.ts'
import type { ApiEnv } from '../../src/api/context.ts'
import { MadhavaError } from '../../src/core/errors.ts'
import type { AccountRole } from '../../src/core/policy.ts'
import type { TaskStore } from '../../src/core/store.ts'
import { openEndedSessions } from '../../src/dashboard/access/ended-sessions.ts'
import type { Operator } from '../../src/dashboard/access/operator.ts'
import { createPeopleSessions } from '../../src/dashboard/access/people-sessions.ts'
import { type Who, whoIs } from '../../src/dashboard/access/rights.ts'
import { createSessions } from '../../src/dashboard/access/session.ts'
import { createDashboard, type DashboardOptions } from '../../src/dashboard/app.ts'
import { COLUMN_NAMES, type ColumnName } from '../../src/dashboard/figures/columns.ts'
import type { Span } from '../../src/dashboard/figures/rings.ts'
import type { KindFigures } from '../../src/dashboard/overview/kind-figures.ts'
import type { Overview } from '../../src/dashboard/overview/overview.ts'
import type { SettingInEffect } from '../../src/dashboard/overview/routes.ts'
import type { Processes } from '../../src/dashboard/processes/processes.ts'
import type { WebFiles } from '../../src/dashboard/web-files.ts'
import { silentLog } from '../../src/platform/log.ts'
import { createMemoryStore } from '../../src/stores/memory/open.ts'
import { person } from '../support/actors.ts'
import { NO_AUDIT } from '../support/audit-entries.ts'
import { createFakeAccess } from '../support/fake-access.ts'

export const PASSWORDS = { operator: 'correct horse', viewer: 'battery staple' } as const
export const SAME_SITE = {
  host: 'localhost:9001',
  origin: 'http://localhost:9001',
  'sec-fetch-site': 'same-origin',
}

/** A login without the hashing, which takes its time on purpose. */
export const plainLogin = (role: 'operator' | 'viewer'): Operator & { checks(): number } => {
  let checks = 0
  return {
    checks: () => checks,
    verify: async (name, password) => {
      checks += 1
      return name === role && password === PASSWORDS[role]
    },
    credential: async () => PASSWORDS[role],
  }
}

export const basic = (name: string, password: string): { authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`,
})

const NO_FIGURES = Object.fromEntries(COLUMN_NAMES.map(name => [name, []])) as unknown as Record<
  ColumnName,
  (number | null)[]
>
export const OVERVIEW: Overview = {
  time: '2030-01-01T00:00:00.000Z',
  troubles: [{ code: 'STORE_AWAY', level: 'error', params: { reason: 'gone' }, link: '/processes' }],
  counts: null,
  queue: { name: 'embedded', status: 'ready', depth: null, waiting: 0 },
  failures: [
    {
      kind: 'calcpi',
      error: { code: 'KIND_FAILED', pattern: null },
      count: 1,
      firstAt: '2030-01-01T00:00:00.000Z',
      lastAt: '2030-01-01T00:00:00.000Z',
      example: { id: 'a', message: 'no' },
      filter: { status: 'FAILURE' },
    },
  ],
  failuresTotal: { count: 1, moreGroups: 0, isWhole: true },
}
export const SETTINGS: SettingInEffect[] = [
  { name: 'HOST', value: 'x', default: 'y', source: '.env', meaning: 'where', isSecret: false },
]

export const KIND_FIGURES: KindFigures = {
  since: '2030-01-01T00:00:00.000Z',
  kinds: [
    { name: 'calcpi', waiting: 1, running: 0, failures: 2, runs: { count: 3, p50: 0.5, p90: 1.5 } },
    { name: 'echo', waiting: null, running: null, failures: null, runs: null },
  ],
  isWhole: true,
}

/** Pages' files as the build leaves them, without a build. */
export const WEB: WebFiles = {
  files: new Map([
    [
      '/assets/main-abc.js',
      {
        type: 'text/javascript',
        plain: Buffer.from('plain'),
        br: Buffer.from('br'),
        gzip: Buffer.from('gz'),
      },
    ],
    ['/assets/icon-abc.svg', { type: 'image/svg+xml', plain: Buffer.from('<svg/>') }],
  ]),
  html: '<!doctype html><html lang="en" data-theme="system"><div id="app"></div>',
  style: '/assets/main-abc.css',
  icon: '/assets/icon-abc.svg',
}
export const INSTALLATION = {
  name: 'production',
  host: 'machine',
  version: '1.2.3',
  startedAt: '2030-01-01T00:00:00.000Z',
}

const noLogins = (): Access =>
  createFakeAccess({
    calls: {
      logIn: async () => {
        throw new MadhavaError('LOGIN_WRONG')
      },
    },
  }).access

const KEY = Buffer.alloc(32, 1)

/** The logins of accounts at a dashboard. @param access left out: there are none */
export const peopleOf = (access: Access = noLogins(), clock: () => number = Date.now) => ({
  access,
  people: createPeopleSessions({ access, key: KEY, clock, steady: clock }),
  now: clock,
})

/** Somebody with an account of this name, which is its id too. */
export const whoNamed = (name: string, role: AccountRole): Who => {
  const who = whoIs(person(name, role, 'dashboard'))
  assert.ok(who)
  return who
}

/** Tells what is open that a login has ended. @param feed left out: it tells nothing */
export const watchOf = (
  feed: Pick<TaskStore, 'cursor' | 'changes'> = createMemoryStore({ clock: () => new Date() }),
): Watch => createWatch({ feed, clock: () => new Date() })

/** What a dashboard needs that a test says nothing about. */
export const madeUpParts = () => ({
  ...peopleOf(),
  watching: watchOf(),
  figures: { columns: (span: Span) => ({ span, everyMs: 10_000, at: [], ...NO_FIGURES }) },
  overview: async () => OVERVIEW,
  kindFigures: async () => KIND_FIGURES,
  settings: SETTINGS,
  api: new Hono<ApiEnv>().get('/readyz', c => c.json({ ok: true, checks: {} })),
  topics: {},
  audit: NO_AUDIT,
  web: WEB,
  installation: INSTALLATION,
  closing: new AbortController().signal,
})

type More = Partial<DashboardOptions> & { processes: Processes }

export const createDashboardFixture = async (more: More) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'madhava-dashboard-'))
  let now = Date.UTC(2030, 0, 1)
  const clock = (): number => now
  const [operator, viewer] = [plainLogin('operator'), plainLogin('viewer')]
  const app = createDashboard({
    operator,
    viewer,
    ...madeUpParts(),
    ...peopleOf(more.access, clock),
    sessions: createSessions({
      key: KEY,
      credential: async login => PASSWORDS[login],
      ended: openEndedSessions(createMemoryStore({ clock: () => new Date(now) }).documents),
      clock,
      log: silentLog(),
    }),
    log: silentLog(),
    allowedHosts: [],
    clock,
    ...more,
  })

  const get = (where: string, headers: Record<string, string> = {}) =>
    app.request(where, { headers: { host: 'localhost:9001', ...headers } })
  const post = (where: string, body: string, headers: Record<string, string> = {}) =>
    app.request(where, { method: 'POST', body, headers: { host: 'localhost:9001', ...headers } })

  return {
    app,
    folder,
    operator,
    viewer,
    get,
    post,
    pass(ms: number) {
      now += ms
    },
    /** Logs in by the form; answers the headers of a page's own requests. */
    async enter(role: 'operator' | 'viewer') {
      const answer = await post(
        '/login',
        new URLSearchParams({ name: role, password: PASSWORDS[role] }).toString(),
        { ...SAME_SITE, 'content-type': 'application/x-www-form-urlencoded' },
      )
      assert.equal(answer.status, 303)
      const cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
      const me = (await (await get('/me.json', { cookie })).json()) as { csrf: string }
      return { cookie, token: me.csrf, own: { ...SAME_SITE, cookie, 'x-csrf-token': me.csrf } }
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

/** Processes that do nothing; tests replace what they look at. */
export const noProcesses = (more: Partial<Processes> = {}): Processes => ({
  list: async () => [],
  act: async () => ({ outcome: 'done' }),
  actAll: async () => ({ outcome: 'done' }),
  logFile: async () => null,
  ...more,
})
