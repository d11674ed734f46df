// Opens the dashboard: operator, sessions, PM2, the task API, the app and its port.
import { createApp } from '../api/app.ts'
import { MadhavaError } from '../core/errors.ts'
import type { TaskQueue } from '../core/queue.ts'
import { createReadiness } from '../core/readiness.ts'
import type { Service } from '../core/service.ts'
import type { SeenPresence, TaskStore } from '../core/store.ts'
import { hostAndPort } from '../platform/address.ts'
import { createHostSampler } from '../platform/host.ts'
import type { Log } from '../platform/log.ts'
import { type HttpDoor, serveHttp } from '../platform/serve.ts'
import { createDashboard } from './app.ts'
import { openEndedSessions } from './ended-sessions.ts'
import { openOperator } from './operator.ts'
import { createProcesses } from './processes.ts'
import { showRow } from './row.ts'
import { createSessions } from './session.ts'
import { sessionKeyFor } from './session-key.ts'
import { healthTopic } from './stream/health-topic.ts'
import { allTasksTopic, oneTaskTopic } from './stream/task-topics.ts'
import { statePolled } from './stream/topic.ts'
import { readWebFiles } from './web-files.ts'

export interface DashboardServerOptions extends HttpDoor {
  dataDir: string
  /** Null: the password made at the first start. */
  password: string | null
  pm2Home: string
  allowedHosts: readonly string[]
  roles: readonly string[]
  version: string
  /** What people call this installation; null: as its host. */
  installationName: string | null
}

export interface DashboardParts {
  service: Service
  store: TaskStore
  queue: TaskQueue
  clock: () => Date
  /** Whether a process is of this bundle. */
  isOwn: (presence: SeenPresence) => boolean
}

const PROCESSES_EVERY_MS = 2_000

/** Rejects with a text for people when the port cannot be opened. */
export const openDashboard = async (
  options: DashboardServerOptions,
  { service, store, queue, clock, isOwn }: DashboardParts,
  log: Log,
): Promise<{ address: string; trouble(): string | null; close(): Promise<void> }> => {
  const { host, port, dataDir, password, pm2Home, roles, version, installationName } = options
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
  const web = await readWebFiles()
  const processes = createProcesses({ pm2Home, log })
  const sampler = createHostSampler({ dataDir, log })
  const probe = createReadiness({ store, isOwn, queue, roles, clock })
  const readiness = () => probe.check()
  const closing = new AbortController()
  const allowedHosts = [host, ...options.allowedHosts]
  const machine = sampler.snapshot().name
  const app = createDashboard({
    processes,
    operator,
    session,
    web,
    topics: {
      health: healthTopic({ readiness, supervisor: () => processes.list() }),
      processes: statePolled('processes', PROCESSES_EVERY_MS, async () =>
        (await processes.list()).map(showRow),
      ),
      task: oneTaskTopic(service),
      tasks: allTasksTopic(service),
    },
    api: createApp({
      service,
      host: sampler,
      readiness,
      // not among the addresses that pages may ask
      rpc: () => Promise.reject(new MadhavaError('NOT_FOUND')),
      log,
      allowedHosts,
      clock,
      closing: closing.signal,
      version,
    }),
    installation: {
      name: installationName ?? machine,
      host: machine,
      version,
      startedAt: clock().toISOString(),
    },
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
    log,
    trustProxy: options.trustProxy,
    keepAliveMs: options.keepAliveMs,
  })
  return {
    address: hostAndPort(server.address.host, server.address.port),
    trouble: server.trouble,
    async close() {
      closing.abort()
      await server.close()
      probe.close()
      sampler.close()
    },
  }
}
