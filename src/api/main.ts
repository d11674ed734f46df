// The api process: REST.
import { readConfig, VERSION } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { openApi } from './server.ts'

await runProcess('api', readConfig, async (config, log) => {
  const parts = await wire(config, log)
  const { host, ports, dataDir, roles, allowedHosts, corsOrigins, trustProxy, keepAliveMs } = config
  const guards = { allowedHosts, corsOrigins, trustProxy, keepAliveMs }
  const options = { host, port: ports.api, dataDir, roles, version: VERSION, ...guards }
  const server = await openApi(options, parts, log)
  await parts.announce('api', () => ({ address: server.address, trouble: server.trouble() }))
  return { close: () => server.close().finally(parts.close), reload: parts.reloadKinds }
})
