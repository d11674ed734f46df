// Opens the dashboard: operator, sessions, PM2, the app and its port.

import { hostAndPort } from '../platform/address.ts'
import type { Log } from '../platform/log.ts'
import { type HttpDoor, serveHttp } from '../platform/serve.ts'
import { createDashboard } from './app.ts'
import { openEndedSessions } from './ended-sessions.ts'
import { openOperator } from './operator.ts'
import { type OverviewParts, openOverview } from './overview/open.ts'
import type { SettingInEffect } from './overview/routes.ts'
import { createProcesses } from './processes.ts'
import { createSessions } from './session.ts'
import { sessionKeyFor } from './session-key.ts'

export interface DashboardServerOptions extends HttpDoor {
  dataDir: string
  /** Null: the password made at the first start. */
  password: string | null
  pm2Home: string
  allowedHosts: readonly string[]
  roles: readonly string[]
  /** The settings in effect, secrets masked. */
  settings: readonly SettingInEffect[]
}

export type DashboardParts = Omit<OverviewParts, 'processes'>

/** Rejects with a text for people when the port cannot be opened. */
export const openDashboard = async (
  {
    host,
    port,
    dataDir,
    password,
    pm2Home,
    allowedHosts,
    roles,
    settings,
    ...options
  }: DashboardServerOptions,
  parts: DashboardParts,
  log: Log,
): Promise<{ address: string; trouble(): string | null; close(): Promise<void> }> => {
  // the start script makes the operator and shows the password; here it would only reach a log file
  const operator = openOperator({ dataDir, configured: password })
  const credential = await operator.credential()
  if (credential === null)
    log.warn('there is no operator, so nobody can log in: start with npm start, or set DASHBOARD_PASSWORD')
  const session = createSessions({
    key: await sessionKeyFor(dataDir, credential),
    credential: () => operator.credential(),
    ended: await openEndedSessions(dataDir, Date.now),
    clock: Date.now,
  })
  const processes = createProcesses({ pm2Home, log })
  const overview = await openOverview({ dataDir, roles }, { ...parts, processes }, log)
  const app = createDashboard({
    processes,
    operator,
    session,
    kindTroubles: parts.service.kindTroubles,
    figures: overview.figures,
    overview: overview.overview,
    settings,
    log,
    allowedHosts: [host, ...allowedHosts],
    clock: () => performance.now(),
  })
  const server = await serveHttp({
    fetch: (request, env) => app.fetch(request, env as never),
    host,
    port,
    setting: 'DASHBOARD_PORT',
    log,
    trustProxy: options.trustProxy,
    keepAliveMs: options.keepAliveMs,
  })
  return {
    address: hostAndPort(server.address.host, server.address.port),
    trouble: server.trouble,
    close: () => server.close().finally(overview.close),
  }
}
