// Opens the dashboard: operator, viewer, sessions, PM2, the task API, the app and its port.

import type { Access } from '../access/access.ts'
import type { LoginLimit } from '../access/login-limit.ts'
import { createWatch } from '../access/watch.ts'
import { createApp } from '../api/app.ts'
import { takesLongBody } from '../api/uploads.ts'
import type { Semaphore } from '../core/async/semaphore.ts'
import type { AuditRecorder } from '../core/audit-recorder.ts'
import { isMadhavaError, MadhavaError } from '../core/errors.ts'
import { hostAndPort } from '../platform/address.ts'
import type { Log } from '../platform/log.ts'
import { type HttpDoor, serveHttp } from '../platform/serve.ts'
import { openEndedSessions } from './access/ended-sessions.ts'
import { keepSettings } from './access/keep-settings.ts'
import { openOperator } from './access/operator.ts'
import { createPeopleSessions } from './access/people-sessions.ts'
import { createSessions } from './access/session.ts'
import { ensureSessionKey } from './access/session-key.ts'
import { type SettleOptions, settleLogins } from './access/settle-logins.ts'
import { createDashboard } from './app.ts'
import { figuresTopic } from './figures/topic.ts'
import { type OverviewParts, openOverview } from './overview/open.ts'
import type { SettingInEffect } from './overview/routes.ts'
import { overviewTopics } from './overview/topics.ts'
import { createProcesses } from './processes/processes.ts'
import { showRow } from './processes/row.ts'
import { healthTopic } from './stream/health-topic.ts'
import { logTopic } from './stream/log-topic.ts'
import { deadTopic, workersTopic } from './stream/store-topics.ts'
import { taskLogTopic } from './stream/task-log-topic.ts'
import { allTasksTopic, oneTaskTopic } from './stream/task-topics.ts'
import { statePolled } from './stream/topic.ts'
import { KINDS_OF_PAGES } from './web/paths.ts'
import { readWebFiles } from './web-files.ts'

export interface DashboardServerOptions extends HttpDoor {
  dataDir: string
  /** Null: the password made at the first start. */
  password: string | null
  /** Null: the one that bin/reset-password.mjs --viewer made, or no viewer. */
  viewerPassword: string | null
  version: string
  /** What people call this installation; null: as its host. */
  installationName: string | null
  pm2Home: string
  allowedHosts: readonly string[]
  roles: readonly string[]
  /** The settings in effect, secrets masked. */
  settings: readonly SettingInEffect[]
}

/** `bundles`: this one, and who else uses the store. */
export type DashboardParts = Omit<OverviewParts, 'processes'> & {
  bundles: Pick<SettleOptions, 'bundle' | 'isAlive'>
  access: Access
  /** What guards the passwords that `access` checks: those of the built-in logins count with them. */
  checks: { inTurn: Semaphore; limit: LoginLimit }
  audit: AuditRecorder
  /** The names of the built-in kinds that are not left out. */
  builtInKinds: ReadonlySet<string>
}

const PROCESSES_EVERY_MS = 2_000

/** Rejects with a text for people when the port cannot be opened. */
export const openDashboard = async (
  {
    host,
    port,
    dataDir,
    password,
    viewerPassword,
    version,
    installationName,
    pm2Home,
    roles,
    settings,
    ...options
  }: DashboardServerOptions,
  parts: DashboardParts,
  log: Log,
): Promise<{ address: string; trouble(): string | null; close(): Promise<void> }> => {
  const { documents } = parts.store
  // the start script makes the operator and shows the password; here it would only reach a log file
  const passwords = {
    ...parts.bundles,
    configured: { operator: password, viewer: viewerPassword },
    clock: parts.clock,
    log,
  }
  await settleLogins(documents, { ...passwords, makeOperator: false })
  const { inTurn, limit } = parts.checks
  const operator = openOperator(documents, 'operator', inTurn)
  const viewer = openOperator(documents, 'viewer', inTurn)
  // each is read once here: while the store is away, what was read last counts
  await viewer.credential().catch((error: unknown) => {
    // the settling has told of a viewer that cannot be used; the operator gets in
    if (!isMadhavaError(error, 'CONFIG_INVALID')) throw error
  })
  if ((await operator.credential()) === null)
    log.warn('there is no operator, so nobody can log in: start with npm start, or set DASHBOARD_PASSWORD')
  const key = await ensureSessionKey(documents)
  const sessions = createSessions({
    key,
    credential: login => (login === 'viewer' ? viewer : operator).credential(),
    ended: openEndedSessions(documents),
    clock: () => parts.clock().getTime(),
    log,
  })
  const watching = createWatch({ feed: parts.store, clock: parts.clock })
  const presences = async () => (await parts.store.presences()).filter(parts.isOwn)
  const processes = createProcesses({ pm2Home, log, probe: { roles, presences } })
  const overview = await openOverview({ dataDir, roles }, { ...parts, processes }, log)
  const web = {
    ...(await readWebFiles()),
    kindsLeftOut: KINDS_OF_PAGES.filter(kind => !parts.builtInKinds.has(kind)),
  }
  const closing = new AbortController()
  const allowedHosts = [host, ...options.allowedHosts]
  const { service, clock } = parts
  const machine = overview.host.snapshot().name
  const app = createDashboard({
    processes,
    operator,
    viewer,
    installation: {
      name: installationName ?? machine,
      host: machine,
      version,
      startedAt: new Date(Date.now() - process.uptime() * 1000).toISOString(),
    },
    sessions,
    watching,
    access: parts.access,
    people: createPeopleSessions({
      access: parts.access,
      key,
      clock: () => clock().getTime(),
      steady: () => performance.now(),
    }),
    limit,
    now: () => clock().getTime(),
    audit: parts.audit,
    web,
    topics: {
      health: healthTopic({ readiness: overview.readiness, supervisor: () => processes.list() }),
      processes: statePolled('processes', PROCESSES_EVERY_MS, async () =>
        (await processes.list()).map(showRow),
      ),
      workers: workersTopic(service, clock),
      dead: deadTopic(service),
      task: oneTaskTopic(service),
      log: logTopic(processes),
      tasks: allTasksTopic(service, parts.access),
      figures: figuresTopic(overview.figures, () => clock().getTime()),
      ...overviewTopics(overview.overview),
      'task-log': taskLogTopic(service),
    },
    api: createApp({
      service,
      access: parts.access,
      audit: parts.audit,
      host: overview.host,
      readiness: overview.readiness,
      // not among the addresses that pages may ask
      rpc: () => Promise.reject(new MadhavaError('NOT_FOUND')),
      log,
      allowedHosts,
      clock,
      closing: closing.signal,
      version,
    }),
    figures: overview.figures,
    overview: overview.overview,
    kindFigures: overview.kindFigures,
    settings,
    log,
    allowedHosts,
    clock: () => performance.now(),
    closing: closing.signal,
  })
  const server = await serveHttp({
    fetch: (request, env) => app.fetch(request, env as never),
    host,
    port,
    setting: 'DASHBOARD_PORT',
    takesLongBody,
    log,
    trustProxy: options.trustProxy,
    keepAliveMs: options.keepAliveMs,
  })
  const keeper = keepSettings(documents, passwords)
  return {
    address: hostAndPort(server.address.host, server.address.port),
    trouble: server.trouble,
    close() {
      closing.abort()
      keeper.close()
      watching.close()
      return server.close().finally(overview.close)
    },
  }
}
