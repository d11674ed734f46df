// A few connections for many calls: one call at a time on each, the others wait in order. Connections open when
// needed, and close before the server would close them as idle.
import { type GeneratedClient, openConnection, type RpcConnection, type RpcPlace } from './rpc-connection.ts'
import { RpcConnectionError, toRpcError } from './rpc-errors.ts'

/** The server closes a connection after 60 idle seconds. */
const IDLE_MS = 45_000

export interface RpcPool {
  /** @throws RpcError, RpcConnectionError */
  call<T>(invoke: (client: GeneratedClient) => Promise<T>, timeoutMs: number): Promise<T>
  /** Idempotent. Running and waiting calls fail. */
  close(): void
}

export const createPool = (place: RpcPlace, most: number): RpcPool => {
  /** The last used one is last. */
  const idle: { connection: RpcConnection; timer: NodeJS.Timeout }[] = []
  const busy = new Set<RpcConnection>()
  const waiting: { resolve: () => void; reject: (error: Error) => void }[] = []
  let closed = false

  /** Waits for a turn, and then has a connection for itself. */
  const take = async (): Promise<RpcConnection> => {
    while (!closed) {
      const kept = idle.pop()
      if (kept) clearTimeout(kept.timer)
      const connection = kept?.connection ?? (busy.size < most ? openConnection(place) : null)
      if (connection && !connection.over) {
        busy.add(connection)
        return connection
      }
      if (!connection) await new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }))
    }
    throw new RpcConnectionError('The client was closed', false)
  }

  const giveBack = (connection: RpcConnection): void => {
    busy.delete(connection)
    if (!connection.over && !closed) {
      const timer = setTimeout(() => {
        idle.splice(
          idle.findIndex(one => one.connection === connection),
          1,
        )
        connection.close()
      }, IDLE_MS).unref()
      idle.push({ connection, timer })
    }
    waiting.shift()?.resolve()
  }

  return {
    async call(invoke, timeoutMs) {
      const connection = await take()
      try {
        return await connection.call(invoke, timeoutMs)
      } catch (error) {
        throw toRpcError(error)
      } finally {
        giveBack(connection)
      }
    },
    close() {
      closed = true
      for (const { connection, timer } of idle.splice(0)) {
        clearTimeout(timer)
        connection.close()
      }
      for (const connection of busy) connection.close()
      for (const { reject } of waiting.splice(0))
        reject(new RpcConnectionError('The client was closed', false))
    },
  }
}
