// The rpc process: Thrift.
import { readConfig, VERSION } from '../config.ts'
import { hostAndPort } from '../platform/address.ts'
import { createHostSampler } from '../platform/host.ts'
import { runProcess } from '../platform/run-process.ts'
import { wire } from '../wire.ts'
import { createRpcServer } from './server.ts'

await runProcess('rpc', readConfig, async (config, log) => {
  const { service, access, clock, announce, reloadKinds, close } = await wire(config, log)
  const machine = createHostSampler({ dataDir: config.dataDir, log })
  const server = await createRpcServer({
    ...{ service, access, machine, clock, log, version: VERSION },
    ...{ host: config.host, port: config.ports.rpc, settingName: 'RPC_PORT' },
    trustProxy: config.trustProxy,
  })
  const { host, port } = server.address
  await announce('rpc', () => ({
    address: hostAndPort(host, port),
    counters: server.counters(),
    trouble: server.trouble(),
  }))
  const closeAll = async () => {
    machine.close()
    await server.close().finally(close)
  }
  return { close: closeAll, reload: reloadKinds }
})
