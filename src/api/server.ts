// Opens the REST API: the machine's figures, the readiness probe, the app and its port, and closes them in order.
import path from 'node:path'
import type { Access } from '../access/access.ts'
import type { AuditRecorder } from '../core/audit-recorder.ts'
import type { TaskQueue } from '../core/queue.ts'
import { createReadiness } from '../core/readiness.ts'
import type { Service } from '../core/service.ts'
import type { SeenPresence, TaskStore } from '../core/store.ts'
import { hostAndPort } from '../platform/address.ts'
import { createHostSampler } from '../platform/host.ts'
import type { Log } from '../platform/log.ts'
import { lastWords } from '../platform/log-files.ts'
import { type HttpDoor, serveHttp } from '../platform/serve.ts'
import type { HttpRpc } from '../rpc/http.ts'
import { createApp } from './app.ts'
import { refuseRequest } from './problem.ts'
import { takesLongBody } from './uploads.ts'
import { SOCKET } from './ws/route.ts'

export interface ApiOptions extends HttpDoor {
  dataDir: string
  roles: readonly string[]
  allowedHosts: readonly string[]
  corsOrigins?: readonly string[]
  version: string
}

export interface ApiParts {
  service: Service
  access: Access
  audit: AuditRecorder
  store: TaskStore
  queue: TaskQueue
  clock: () => Date
  /** Whether a process is of this bundle. */
  isOwn: (presence: SeenPresence) => boolean
}

/** Thrift's library is loaded at the first call: it takes some megabytes, and most never call over HTTP. */
const loadedWhenCalled = (deps: Parameters<typeof import('../rpc/http.ts').createHttpRpc>[0]): HttpRpc => {
  let loading: Promise<HttpRpc> | null = null
  return async (...call) => {
    loading ??= import('../rpc/http.ts').then(({ createHttpRpc }) => createHttpRpc(deps))
    return (await loading)(...call)
  }
}

/** Rejects with a text for people when the port cannot be opened. */
export const openApi = async (
  { host, port, dataDir, roles, allowedHosts, corsOrigins = [], version, ...options }: ApiOptions,
  { service, access, audit, store, queue, clock, isOwn }: ApiParts,
  log: Log,
): Promise<{ address: string; trouble(): string | null; close(): Promise<void> }> => {
  const sampler = createHostSampler({ dataDir, log })
  const readiness = createReadiness({
    store,
    isOwn,
    queue,
    roles,
    clock,
    lastWords: (role, sinceMs) => lastWords(path.join(dataDir, 'logs'), role, sinceMs),
  })
  const closing = new AbortController()
  const app = createApp({
    service,
    access,
    audit,
    host: sampler,
    readiness: () => readiness.check(),
    rpc: loadedWhenCalled({ service, access, machine: sampler, clock, log, version }),
    log,
    allowedHosts: [host, ...allowedHosts],
    corsOrigins,
    clock,
    version,
    closing: closing.signal,
  })
  const server = await serveHttp({
    fetch: (request, env) => app.fetch(request, env as never),
    upgrade: { ...SOCKET, answer: (request, env) => app.fetch(request, env as never) },
    host,
    port,
    setting: 'API_PORT',
    log,
    refuse: refuseRequest,
    takesLongBody,
    trustProxy: options.trustProxy,
    keepAliveMs: options.keepAliveMs,
  })
  return {
    address: hostAndPort(server.address.host, server.address.port),
    trouble: server.trouble,
    async close() {
      closing.abort()
      await server.close()
      readiness.close()
      sampler.close()
    },
  }
}
