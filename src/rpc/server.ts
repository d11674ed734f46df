// The Thrift server: opens the port, counts and bounds connections, closes in order.
// connection.ts handles what is said on a connection, handler.ts what a method does.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createByteBudget } from '../platform/byte-budget.ts'
import { clientKeyOf, createTrust, plainOf } from '../platform/client-address.ts'
import { createConnectionLimit } from '../platform/connection-limit.ts'
import { listenError } from '../platform/listen-error.ts'
import type { Log } from '../platform/log.ts'
import { createCaller, type ProcessorClass, type RpcMethod } from './caller.ts'
import { type Connection, serveConnection } from './connection.ts'
import { createHandler, type HandlerDeps } from './handler.ts'
import { RPC_LIMITS, type RpcLimits } from './limits.ts'
import { createConnectionCall, type Identities } from './who-calls.ts'

export interface ServerOptions {
  processor: ProcessorClass
  methods: ReadonlyMap<string, RpcMethod>
  access: Identities
  log: Log
  host: string
  /** 0 picks a free one. */
  port: number
  /** The setting that the port came from, named when the port cannot be opened. */
  settingName: string
  limits?: Partial<RpcLimits>
  /** Addresses and ranges of proxies that stand for many clients, as TRUST_PROXY names them. */
  trustProxy?: readonly string[]
}

export type RpcServerOptions = Omit<ServerOptions, 'processor' | 'methods'> & Omit<HandlerDeps, 'limits'>

export interface RpcServer {
  /** Where it listens; the port is the real one when 0 was asked for. */
  readonly address: { host: string; port: number }
  /** Running totals since the start, and `connections`, which are open now. */
  counters(): { calls: number; refused: number; connections: number }
  /** Why clients are turned away, for people; null while none is. */
  trouble(): string | null
  /** Accepts no more, answers the calls in progress, ends the connections. Idempotent; takes at most `closeMs`. */
  close(): Promise<void>
}

const listen = (server: Server, { host, port, settingName }: ServerOptions): Promise<void> =>
  new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void =>
      reject(listenError(cause, { host, port, setting: settingName }))
    server.once('error', failed)
    server.listen({ host, port }, () => {
      server.off('error', failed)
      resolve()
    })
  })

/**
 * Serves any methods behind any generated processor; `createRpcServer` is this with ours. Rejects with a text for
 * people when the port cannot be opened.
 */
export const openServer = async (options: ServerOptions): Promise<RpcServer> => {
  const { log, processor, methods, access } = options
  const limits = { ...RPC_LIMITS, ...options.limits }
  const connections = new Map<Socket, Connection>()
  /** Clients that must read replies before they are served again, the one that has waited longest first. */
  const unread = new Set<Socket>()
  const counters = { calls: 0, refused: 0 }
  const refused = (reason: string): void => {
    counters.refused += 1
    const total = counters.refused
    // powers of two, so that a flood does not fill the log
    if ((total & (total - 1)) === 0)
      log.warn({ reason, refused: total }, 'a message or a connection was refused')
  }

  const shedUnread = (): void => {
    let total = 0
    for (const connection of connections.values()) total += connection.unreadBytes()
    for (const socket of unread) {
      if (total <= limits.unreadTotalBytes) return
      total -= socket.writableLength
      unread.delete(socket)
      socket.destroy()
      refused('a client does not read, and the answers that wait take too much')
    }
  }

  const call = createCaller({ processor, methods, log, callMs: limits.callMs })
  const trust = createTrust(options.trustProxy ?? [])
  const budget = createByteBudget({ total: limits.heldBytes, perOwner: limits.heldPerAddress })
  const limit = createConnectionLimit<Socket>({
    total: limits.connections,
    perOwner: limits.perAddress,
    idleSince: socket => connections.get(socket)?.idleSince() ?? null,
    end: socket => socket.destroy(),
  })
  const server = createServer({ allowHalfOpen: true }, socket => {
    const address = socket.remoteAddress ?? ''
    const clientKey = trust.isProxy(address) ? null : clientKeyOf(address)
    if (!limit.take(socket, clientKey)) {
      socket.destroy()
      refused(limit.trouble() ?? 'no connection is free')
      return
    }
    const who = createConnectionCall(access, {
      via: 'rpc',
      // behind a proxy nobody is known
      address: clientKey === null ? null : plainOf(address),
      agent: null,
    })
    const connection = serveConnection({
      socket,
      call: (message, signal) => call(message, signal, who),
      limits,
      hold: budget.open(clientKey),
      onRefused: error => {
        if (error.code === 'INTERNAL') log.error({ error }, 'a call failed')
        refused(error.message)
      },
      onCall: () => {
        counters.calls += 1
      },
      onUnread: isUnread => {
        if (isUnread) {
          unread.add(socket)
          shedUnread()
        } else unread.delete(socket)
      },
    })
    connections.set(socket, connection)
    socket.once('close', () => {
      connections.delete(socket)
      limit.leave(socket)
      unread.delete(socket)
    })
  })
  await listen(server, options)
  server.on('error', error => log.error({ error }, 'a connection could not be taken'))

  const bound = server.address() as AddressInfo

  const closeAll = async (): Promise<void> => {
    const over = new Promise<void>(resolve => server.close(() => resolve()))
    const ended = [...connections.values()].map(connection => {
      connection.stop()
      return connection.closed
    })
    const timer = setTimeout(() => {
      for (const socket of connections.keys()) socket.destroy()
    }, limits.closeMs)
    await Promise.all([over, ...ended])
    clearTimeout(timer)
  }
  let closing: Promise<void> | null = null

  return {
    address: { host: bound.address, port: bound.port },
    trouble: limit.trouble,
    counters: () => ({ ...counters, connections: connections.size }),
    close() {
      closing ??= closeAll()
      return closing
    },
  }
}

/**
 * Opens the Thrift server on the service.
 * Rejects with a text for people, naming the setting, when the port cannot be opened.
 */
export const createRpcServer = (options: RpcServerOptions): Promise<RpcServer> =>
  openServer({ ...options, ...createHandler({ ...options, limits: { ...RPC_LIMITS, ...options.limits } }) })
