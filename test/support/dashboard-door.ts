// A dashboard with its own port, for tests in a browser: over a memory store, with made-up processes, the built pages
// and the real login.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Readiness } from '../../src/core/readiness.ts'
import { openEndedSessions } from '../../src/dashboard/access/ended-sessions.ts'
import { createSessions } from '../../src/dashboard/access/session.ts'
import { settleLogins } from '../../src/dashboard/access/settle-logins.ts'
import { createDashboard } from '../../src/dashboard/app.ts'
import { COLUMN_NAMES, type ColumnName, type Sample } from '../../src/dashboard/figures/columns.ts'
import type { Span } from '../../src/dashboard/figures/rings.ts'
import { figuresTopic } from '../../src/dashboard/figures/topic.ts'
import { createFailureBook } from '../../src/dashboard/overview/failure-book.ts'
import { createKindFigures } from '../../src/dashboard/overview/kind-figures.ts'
import type { Overview } from '../../src/dashboard/overview/overview.ts'
import { overviewTopics } from '../../src/dashboard/overview/topics.ts'
import type { LogStream, Processes, ProcessRow } from '../../src/dashboard/processes/processes.ts'
import { showRow } from '../../src/dashboard/processes/row.ts'
import { healthTopic } from '../../src/dashboard/stream/health-topic.ts'
import { logTopic } from '../../src/dashboard/stream/log-topic.ts'
import { deadTopic, workersTopic } from '../../src/dashboard/stream/store-topics.ts'
import { taskLogTopic } from '../../src/dashboard/stream/task-log-topic.ts'
import { allTasksTopic, oneTaskTopic } from '../../src/dashboard/stream/task-topics.ts'
import { statePolled } from '../../src/dashboard/stream/topic.ts'
import { readWebFiles } from '../../src/dashboard/web-files.ts'
import { silentLog } from '../../src/platform/log.ts'
import { type HttpServer, serveHttp } from '../../src/platform/serve.ts'
import { VERSION } from '../../src/platform/version.ts'
import { createFixture, type Fixture, type FixtureOptions } from '../api/fixture.ts'
import { madeUpParts, peopleOf, watchOf } from '../dashboard/fixture.ts'

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

const valuesOf = <T>(read: (name: ColumnName) => T): Record<ColumnName, T> =>
  Object.fromEntries(COLUMN_NAMES.map(name => [name, read(name)])) as Record<ColumnName, T>

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
  /** What the overview shows; without it, all is well. */
  setOverview(overview: Partial<Overview>): void
  /** Takes a sample of the figures: for the answers after it, and for whoever follows them. */
  addSample(sample: Partial<Sample> & { at: number }): void
  /** Writes the accounts of the built-in logins, which only the REST API looks at here. */
  makeLogins(): Promise<void>
  /** Stops answering, as a process that was killed; `open` answers at the same port again. */
  shut(): Promise<void>
  open(): Promise<void>
  close(): Promise<void>
}

export interface DoorOptions {
  installationName?: string
  fixture?: FixtureOptions
  /** Left out: any that is free. */
  port?: number
  /** The kinds that pages are for and that the server lacks. */
  kindsLeftOut?: readonly string[]
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
  let overview: Partial<Overview> = {}
  const readOverview = async (): Promise<Overview> => ({
    time: new Date().toISOString(),
    troubles: [],
    counts: null,
    queue: null,
    failures: [],
    failuresTotal: { count: 0, moreGroups: 0, isWhole: true },
    ...overview,
  })
  const samples: Sample[] = []
  const hearers = new Set<(sample: Sample) => void>()
  const figures = {
    columns(span: Span) {
      const [first, last] = [samples[0]?.at ?? 0, samples.at(-1)?.at ?? -1]
      const everyMs = 10_000
      const at = Array.from(
        { length: Math.floor((last - first) / everyMs) + 1 },
        (_, step) => first + step * everyMs,
      )
      const valueAt = (ms: number, name: ColumnName) =>
        samples.find(({ at: of }) => of === ms)?.[name] ?? null
      return { span, everyMs, at, ...valuesOf(name => at.map(ms => valueAt(ms, name))) }
    },
    since: (ms: number) => samples.filter(({ at }) => at > ms),
    subscribe(hear: (sample: Sample) => void) {
      hearers.add(hear)
      return () => hearers.delete(hear)
    },
  }
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
  const loginOf = (role: string) => ({
    verify: async (name: string, password: string) => name === role && password === PASSWORD,
    credential,
  })
  const sessions = createSessions({
    key: Buffer.alloc(32, 1),
    credential,
    ended: openEndedSessions(fixture.store.documents),
    clock: Date.now,
    log: silentLog(),
  })
  const web = { ...(await readWebFiles()), kindsLeftOut: options.kindsLeftOut ?? [] }
  let port = options.port ?? 0
  let door: { server: HttpServer; closing: AbortController } | null = null
  const open = async (): Promise<void> => {
    const closing = new AbortController()
    const app = createDashboard({
      ...madeUpParts(),
      kindFigures: createKindFigures({
        service: fixture.service,
        store: fixture.store,
        failures: createFailureBook({ store: fixture.store }),
        clock: Date.now,
      }),
      processes,
      operator: loginOf('operator'),
      viewer: loginOf('viewer'),
      ...peopleOf(fixture.access),
      sessions,
      watching: watchOf(fixture.store),
      api: fixture.app,
      topics: {
        health: healthTopic({ readiness: async () => readiness, supervisor: () => processes.list() }),
        processes: statePolled('processes', 200, async () => rows.map(showRow)),
        workers: workersTopic(fixture.service, () => new Date(), 200),
        dead: deadTopic(fixture.service, 200),
        task: oneTaskTopic(fixture.service),
        log: logTopic(processes),
        tasks: allTasksTopic(fixture.service, fixture.access),
        figures: figuresTopic(figures),
        ...overviewTopics(readOverview, 200),
        'task-log': taskLogTopic(fixture.service),
      },
      figures,
      overview: readOverview,
      web,
      installation: {
        name: options.installationName ?? 'lab-box-2',
        host: 'lab-box-2',
        version: VERSION,
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
    setOverview(next) {
      overview = next
    },
    addSample({ at, ...values }) {
      const sample = { at, ...valuesOf(name => values[name] ?? null) }
      samples.push(sample)
      for (const hear of hearers) hear(sample)
    },
    async makeLogins() {
      await settleLogins(fixture.store.documents, {
        configured: { operator: PASSWORD, viewer: PASSWORD },
        ...{ bundle: 'door', isAlive: null, makeOperator: false, log: silentLog() },
        clock: () => new Date(),
      })
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
