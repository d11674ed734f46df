// The rpc process: Thrift.
import { readConfig } from '../config.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { createRpcServer } from './server.ts'

await runProcess('rpc', readConfig, async (config, log) => {
  const parts = await wire(config, log)
  const server = await createRpcServer({
    service: parts.service,
    log,
    host: config.host,
    port: config.ports.rpc,
    settingName: 'RPC_PORT',
  })
  const { host, port } = server.address
  await parts.announce('rpc', () => ({ address: `${host}:${port}`, counters: server.counters() }))
  return { close: () => server.close().finally(parts.close) }
})
