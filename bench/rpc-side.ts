// A server of bench/rpc.ts in a process of its own, with the options of V8 that the bundle's have. Our sides run what the
// roles run: dist/, which bench/rpc.ts has built.
// Arguments: `bare`, `rpc` or `api`, and the data folder.
import type { Server } from 'node:net'
import thrift from 'thrift'
import madhava from '../gen/js/Madhava.js'
import { servePeer } from './peer.ts'

type Built = {
  config: typeof import('../src/config.ts')
  log: typeof import('../src/platform/log.ts')
  host: typeof import('../src/platform/host.ts')
  rpc: typeof import('../src/rpc/server.ts')
  api: typeof import('../src/api/server.ts')
  wire: typeof import('../src/wire.ts')
}
const built = async <Name extends keyof Built>(_name: Name, file: string): Promise<Built[Name]> =>
  import(new URL(`../dist/${file}.js`, import.meta.url).href)

const [side = '', dir = ''] = process.argv.slice(2)
const host = '127.0.0.1'

interface Side {
  port: number
  close(): Promise<void>
}

/** The library's own server as its documentation shows it: buffered transport, binary protocol, an empty handler. */
const openBare = async (): Promise<Side> => {
  const server = thrift.createServer(madhava, { ping: async () => undefined }) as unknown as Server
  server.on('error', () => undefined)
  await new Promise<void>(resolve => server.listen(0, host, () => resolve()))
  const { port } = server.address() as { port: number }
  return { port, close: async () => void server.close() }
}

const openParts = async () => {
  const { parseConfig, VERSION: version } = await built('config', 'config')
  const { silentLog } = await built('log', 'platform/log')
  const { wire } = await built('wire', 'wire')
  const config = parseConfig({ DATA_DIR: dir })
  const log = silentLog()
  return { config, version, log, parts: await wire(config, log) }
}

const openRpc = async (): Promise<Side> => {
  const { version, log, parts } = await openParts()
  const { createHostSampler } = await built('host', 'platform/host')
  const { createRpcServer } = await built('rpc', 'rpc/server')
  const machine = createHostSampler({ dataDir: dir, log })
  const door = await createRpcServer({
    ...{ service: parts.service, access: parts.access, clock: parts.clock, machine, log, version },
    ...{ host, port: 0, settingName: 'RPC_PORT' },
  })
  await parts.announce('rpc')
  return {
    port: door.address.port,
    close: async () => {
      machine.close()
      await door.close().finally(parts.close)
    },
  }
}

const openRest = async (): Promise<Side> => {
  const { config, version, log, parts } = await openParts()
  const { openApi } = await built('api', 'api/server')
  const { dataDir, roles, allowedHosts } = config
  const door = await openApi({ host, port: 0, dataDir, roles, allowedHosts, version }, parts, log)
  await parts.announce('api')
  return {
    port: Number(door.address.split(':').at(-1)),
    close: () => door.close().finally(parts.close),
  }
}

const opened = await (side === 'bare' ? openBare() : side === 'rpc' ? openRpc() : openRest())
servePeer<null, number>(
  async () => opened.port,
  () => opened.close(),
)
