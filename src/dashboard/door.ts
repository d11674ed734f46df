// Opens the dashboard's door: operator, sessions, PM2, the app and its port.
import type { Log } from '../platform/log.ts'
import { serveHttp } from '../platform/serve.ts'
import { createDashboard } from './app.ts'
import { openOperator } from './operator.ts'
import { createProcesses } from './processes.ts'
import { createSessions, ensureSessionKey } from './session.ts'

export interface DashboardDoorOptions {
  host: string
  port: number
  dataDir: string
  /** Null: the one that was made at the first start. */
  password: string | null
  pm2Home: string
  allowedHosts: readonly string[]
  /** TRUST_PROXY. */
  trustProxy?: readonly string[]
  /** How long an idle connection is kept, milliseconds. */
  keepAliveMs?: number
}

/** Rejects with a text for people when the port cannot be opened. */
export const openDashboard = async (
  { host, port, dataDir, password, pm2Home, allowedHosts, ...options }: DashboardDoorOptions,
  log: Log,
): Promise<{ address: string; trouble(): string | null; close(): Promise<void> }> => {
  // the start script makes the operator and shows the password; here it would only end up in a log file
  const operator = openOperator({ dataDir, configured: password })
  if ((await operator.credential()) === null)
    log.warn('there is no operator, so nobody can log in: start with npm start, or set DASHBOARD_PASSWORD')
  const session = createSessions({
    key: await ensureSessionKey(dataDir),
    credential: () => operator.credential(),
    clock: Date.now,
  })
  const app = createDashboard({
    processes: createProcesses({ pm2Home, log }),
    operator,
    session,
    log,
    allowedHosts: [host, ...allowedHosts],
    clock: Date.now,
  })
  const door = await serveHttp({
    fetch: (request, env) => app.fetch(request, env as never),
    host,
    port,
    setting: 'DASHBOARD_PORT',
    log,
    ...(options.trustProxy && { trustProxy: options.trustProxy }),
    ...(options.keepAliveMs && { limits: { keepAliveTimeout: options.keepAliveMs } }),
  })
  return {
    address: `${door.address.host}:${door.address.port}`,
    trouble: door.trouble,
    close: () => door.close(),
  }
}
