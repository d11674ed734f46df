// The dashboard process: the supervisor's processes as a page.
import { readConfig } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { openDashboard } from './server.ts'

await runProcess('dashboard', readConfig, async (config, log) => {
  const parts = await wire(config, log)
  const { host, ports, dataDir, dashboardPassword, pm2Home, allowedHosts, trustProxy, keepAliveMs } = config
  const place = { host, port: ports.dashboard, dataDir, pm2Home }
  const options = { ...place, password: dashboardPassword, allowedHosts, trustProxy, keepAliveMs }
  const server = await openDashboard(options, { kindTroubles: parts.service.kindTroubles }, log)
  await parts.announce('dashboard', () => ({ address: server.address, trouble: server.trouble() }))
  return { close: () => server.close().finally(parts.close) }
})
