// The dashboard process: the supervisor's processes as a page.
import { readConfig, settingsInEffect } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { openDashboard } from './server.ts'

await runProcess('dashboard', readConfig, async (config, log) => {
  const parts = await wire(config, log)
  const { host, ports, dataDir, dashboardPassword, pm2Home, roles, allowedHosts, trustProxy, keepAliveMs } =
    config
  const place = { host, port: ports.dashboard, dataDir, pm2Home }
  const guards = { password: dashboardPassword, allowedHosts, trustProxy, keepAliveMs }
  const options = { ...place, ...guards, roles, settings: settingsInEffect() }
  const server = await openDashboard(options, parts, log)
  await parts.announce('dashboard', () => ({ address: server.address, trouble: server.trouble() }))
  return { close: () => server.close().finally(parts.close) }
})
