// The REST door beside the Thrift one of a test, for POST /rpc.
import { createApp } from '../../src/api/app.ts'
import { silentLog } from '../../src/platform/log.ts'
import { serveHttp } from '../../src/platform/serve.ts'
import { createHttpRpc } from '../../src/rpc/http.ts'
import { NO_AUDIT } from '../support/audit-entries.ts'
import { type Bench, machine } from './fixture.ts'

/** On the same service. */
export const openHttp = ({ service, who }: Bench) => {
  const parts = { service, access: who.access, log: silentLog(), clock: () => new Date(), version: '1.2.3' }
  const machineOf = { snapshot: () => machine }
  const app = createApp({
    audit: NO_AUDIT,
    closing: new AbortController().signal,
    ...parts,
    host: machineOf,
    readiness: async () => ({ ok: true, checks: {} }),
    rpc: createHttpRpc({ ...parts, machine: machineOf }),
    allowedHosts: [],
  })
  const fetch = (request: Request, env: unknown) => app.fetch(request, env as never)
  return serveHttp({ fetch, host: '127.0.0.1', port: 0, setting: 'API_PORT', log: silentLog() })
}
