// The dashboard process: the supervisor's processes as a page.
import { readConfig, VERSION } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { openDashboard } from './server.ts'

await runProcess('dashboard', readConfig, async (config, log) => {
  const parts = await wire(config, log)
  const { ports, dashboardPassword: password, ...place } = config
  const options = { ...place, port: ports.dashboard, password, version: VERSION }
  const presences = async () => (await parts.store.presences()).filter(parts.isOwn)
  const probe = { roles: config.roles, presences }
  const server = await openDashboard(options, { kindTroubles: parts.service.kindTroubles, probe }, log)
  await parts.announce('dashboard', () => ({ address: server.address, trouble: server.trouble() }))
  return { close: () => server.close().finally(parts.close) }
})
