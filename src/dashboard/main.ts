// The dashboard process: the pages for people, with the task API behind their login.
import { readConfig, VERSION } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { openDashboard } from './server.ts'

await runProcess('dashboard', readConfig, async (config, log) => {
  const parts = await wire(config, log)
  const { host, ports, dataDir, roles, dashboardPassword, pm2Home, installationName } = config
  const { allowedHosts, trustProxy, keepAliveMs } = config
  const place = { host, port: ports.dashboard, dataDir, roles, pm2Home, installationName, version: VERSION }
  const options = { ...place, password: dashboardPassword, allowedHosts, trustProxy, keepAliveMs }
  const server = await openDashboard(options, parts, log)
  await parts.announce('dashboard', () => ({ address: server.address, trouble: server.trouble() }))
  return { close: () => server.close().finally(parts.close) }
})
