// The dashboard process: the pages for people, with the task API behind their login.
import { readConfig, settingsInEffect, VERSION } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { openDashboard } from './server.ts'

await runProcess('dashboard', readConfig, async (config, log) => {
  const parts = await wire(config, log)
  const { ports, dashboardPassword: password, ...place } = config
  const own = { port: ports.dashboard, password, version: VERSION, settings: settingsInEffect() }
  const server = await openDashboard({ ...place, ...own }, parts, log)
  await parts.announce('dashboard', () => ({ address: server.address, trouble: server.trouble() }))
  return { close: () => server.close().finally(parts.close), reload: parts.reloadKinds }
})
