// Opens the REST door: the machine's figures, the readiness probe, the app and its port, and closes them in order.

import type { TaskQueue } from '../core/queue.ts'
import { createReadiness } from '../core/readiness.ts'
import type { Service } from '../core/service.ts'
import type { TaskStore } from '../core/store.ts'
import { createHostSampler } from '../platform/host.ts'
import type { Log } from '../platform/log.ts'
import { serveHttp } from '../platform/serve.ts'
import { createApp } from './app.ts'
import { refuseRequest } from './problem.ts'

export interface ApiOptions {
  host: string
  port: number
  dataDir: string
  roles: readonly string[]
  allowedHosts: readonly string[]
  version: string
}

export interface ApiParts {
  service: Service
  store: TaskStore
  queue: TaskQueue
  clock: () => Date
}

/** Rejects with a text for people when the port cannot be opened. */
export const openApi = async (
  { host, port, dataDir, roles, allowedHosts, version }: ApiOptions,
  { service, store, queue, clock }: ApiParts,
  log: Log,
): Promise<{ address: string; close(): Promise<void> }> => {
  const sampler = createHostSampler({ dataDir, log })
  const readiness = createReadiness({ store, queue, roles, clock })
  const app = createApp({
    service,
    host: sampler,
    readiness: () => readiness.check(),
    log,
    allowedHosts: [host, ...allowedHosts],
    clock,
    version,
  })
  const door = await serveHttp({
    fetch: (request, env) => app.fetch(request, env as never),
    host,
    port,
    setting: 'API_PORT',
    log,
    refuse: refuseRequest,
  })
  return {
    address: `${door.address.host}:${door.address.port}`,
    async close() {
      await door.close()
      readiness.close()
      sampler.close()
    },
  }
}
