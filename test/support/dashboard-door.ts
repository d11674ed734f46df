// A dashboard with its own port, for tests in a browser: over a memory store, with made-up processes, the built pages
// and the real login.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readiness } from '../../src/core/readiness.ts'
import { createDashboard } from '../../src/dashboard/app.ts'
import { openEndedSessions } from '../../src/dashboard/ended-sessions.ts'
import type { LogStream, Processes, ProcessRow } from '../../src/dashboard/processes.ts'
import { showRow } from '../../src/dashboard/row.ts'
import { createSessions } from '../../src/dashboard/session.ts'
import { healthTopic } from '../../src/dashboard/stream/health-topic.ts'
import { logTopic } from '../../src/dashboard/stream/log-topic.ts'
import { allTasksTopic, oneTaskTopic } from '../../src/dashboard/stream/task-topics.ts'
import { statePolled } from '../../src/dashboard/stream/topic.ts'
import { readWebFiles } from '../../src/dashboard/web-files.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { createFixture, type Fixture, type FixtureOptions } from '../api/fixture.ts'
import { madeUpParts } from '../dashboard/fixture.ts'

export const PASSWORD = 'correct horse'

export const processRow = (name: string, pmId: number, more: Partial<ProcessRow> = {}): ProcessRow => ({
  name,
  pmId,
  state: 'online',
  pid: 1000 + pmId,
  uptimeMs: 61_000,
  restarts: 2,
  cpuPercent: 0.4,
  memoryBytes: 55 * 1024 * 1024,
  isDashboard: name === 'dashboard',
  ...more,
})

export interface DashboardDoor {
  url: string
  fixture: Fixture
  /** What the supervisor shows. */
  rows: ProcessRow[]
  /** What it was told. */
  orders: string[]
  /** What an order does to the rows, before it is answered. */
  onOrder(does: (what: string) => void): void
  /** Where a process's log is read. */
  logPath(name: string, stream: LogStream): string
  /** What the banner is made of. */
  setReadiness(readiness: Readiness): void
  /** Stops answering, as a process that was killed; `open` answers at the same port again. */
  shut(): Promise<void>
  open(): Promise<void>
  close(): Promise<void>
}

export interface DoorOptions {
  installationName?: string
  fixture?: FixtureOptions
}

export const openDashboardDoor = async (options: DoorOptions = {}): Promise<DashboardDoor> => {
  const folder = await mkdtemp(path.join(tmpdir(), 'madhava-door-'))
  const fixture = createFixture(options.fixture)
  let readiness: Readiness = { ok: true, checks: {} }
  const rows = [
    processRow('api', 0),
    processRow('worker', 1, { state: 'stopped', pid: null, uptimeMs: null }),
    processRow('rpc', 2),
    processRow('dashboard', 3),
  ]
  const orders: string[] = []
  const logPath = (name: string, stream: LogStream): string => path.join(folder, `${name}.${stream}.log`)
  let does: (what: string) => void = () => {}
  const order = async (what: string) => {
    orders.push(what)
    does(what)
    return { outcome: 'done' as const }
  }
  const processes: Processes = {
    // as they are now: a reader keeps what it has read
    list: async () => rows.map(row => ({ ...row })),
    act: (action, name) => order(`${action} ${name}`),
    actAll: action => order(`${action} all`),
    logFile: async (name, stream) => logPath(name, stream),
  }
  const credential = async (): Promise<string> => PASSWORD
  const session = createSessions({
    key: Buffer.alloc(32, 1),
    credential,
    ended: await openEndedSessions(folder, Date.now),
    clock: Date.now,
  })
  const web = await readWebFiles()
  let port = 0
  let door: { server: HttpServer; closing: AbortController } | null = null
  const open = async (): Promise<void> => {
    const closing = new AbortController()
    const app = createDashboard({
      ...madeUpParts(),
      processes,
      operator: {
        verify: async (name, password) => name === 'operator' && password === PASSWORD,
        credential,
      },
      viewer: {
        verify: async (name, password) => name === 'viewer' && password === PASSWORD,
        credential,
      },
      session,
      api: fixture.app,
      topics: {
        health: healthTopic({ readiness: async () => readiness, supervisor: () => processes.list() }),
        processes: statePolled('processes', 200, async () => rows.map(showRow)),
        task: oneTaskTopic(fixture.service),
        log: logTopic(processes),
        tasks: allTasksTopic(fixture.service),
      },
      web,
      installation: {
        name: options.installationName ?? 'lab-box-2',
        host: 'lab-box-2',
        version: '0.2.0',
        startedAt: new Date().toISOString(),
      },
      log: silentLog(),
      allowedHosts: [],
      clock: () => performance.now(),
      closing: closing.signal,
    })
    const server = await serveHttp({
      fetch: (request, env) => app.fetch(request, env as never),
      host: '127.0.0.1',
      port,
      setting: 'DASHBOARD_PORT',
      log: silentLog(),
    })
    port = server.address.port
    door = { server, closing }
  }
  const shut = async (): Promise<void> => {
    door?.closing.abort()
    await door?.server.close()
    door = null
  }
  await open()
  return {
    url: `http://127.0.0.1:${port}`,
    fixture,
    rows,
    orders,
    logPath,
    onOrder(next) {
      does = next
    },
    setReadiness(next) {
      readiness = next
    },
    shut,
    open,
    async close() {
      await shut()
      await fixture.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
