// The api process: REST.
import { readConfig, VERSION } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { openApi } from './door.ts'

await runProcess('api', readConfig, async (config, log) => {
  const parts = await wire(config, log)
  const { host, ports, dataDir, roles, allowedHosts, corsOrigins } = config
  const options = { host, port: ports.api, dataDir, roles, allowedHosts, corsOrigins, version: VERSION }
  const door = await openApi(options, parts, log)
  await parts.announce('api', () => ({ address: door.address }))
  return { close: () => door.close().finally(parts.close) }
})
