// A few connections for many calls: one call at a time on each, the others wait in order. Connections open when
// needed, say first who calls, and close before the server would close them as idle.
import { type KeySource, readKey } from './key.ts'
import { type GeneratedClient, openConnection, type RpcConnection, type RpcPlace } from './rpc-connection.ts'
import { RpcConnectionError, RpcError, toRpcError } from './rpc-errors.ts'

/** The server closes a connection after 60 idle seconds. */
const IDLE_MS = 45_000

export interface RpcPool {
  /** @throws RpcError, RpcConnectionError; also what a function that gives the key throws */
  call<T>(invoke: (client: GeneratedClient) => Promise<T>, timeoutMs: number): Promise<T>
  /** Idempotent. Running and waiting calls fail. */
  close(): void
}

/** @throws RpcConnectionError when it takes longer; also what the function throws */
const keyWithin = (timeoutMs: number, key: KeySource): Promise<string> =>
  new Promise((resolve, reject) => {
    const late = () => reject(new RpcConnectionError(`There was no key within ${timeoutMs} ms`, false))
    const timer = setTimeout(late, timeoutMs)
    readKey(key)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })

/** @param key what each connection shows before its first call; left out: nothing */
export const createPool = (place: RpcPlace, most: number, key?: KeySource): RpcPool => {
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

  /** The connections that have shown the key. */
  const known = new WeakSet<RpcConnection>()
  const closeIdle = (): void => {
    for (const { connection, timer } of idle.splice(0)) {
      clearTimeout(timer)
      connection.close()
    }
  }
  const ask = async <T>(
    connection: RpcConnection,
    invoke: (client: GeneratedClient) => Promise<T>,
    timeoutMs: number,
  ): Promise<T> => {
    try {
      return await connection.call(invoke, timeoutMs)
    } catch (thrown) {
      const error = toRpcError(thrown)
      if (key !== undefined && error instanceof RpcError && error.code === 'UNAUTHORIZED') {
        // what these have shown does not count any more; others show what the key is then
        connection.close()
        closeIdle()
      }
      throw error
    }
  }
  /** How much of the time is left after the connection has shown the key, milliseconds. */
  const showKey = async (connection: RpcConnection, timeoutMs: number): Promise<number> => {
    if (key === undefined || known.has(connection)) return timeoutMs
    const end = performance.now() + timeoutMs
    const left = (): number => Math.max(1, end - performance.now())
    const bearer = await keyWithin(timeoutMs, key)
    await ask(connection, client => client.authenticate(bearer), left())
    known.add(connection)
    return left()
  }

  return {
    async call(invoke, timeoutMs) {
      const connection = await take()
      try {
        return await ask(connection, invoke, await showKey(connection, timeoutMs))
      } finally {
        giveBack(connection)
      }
    },
    close() {
      closed = true
      closeIdle()
      for (const connection of busy) connection.close()
      for (const { reject } of waiting.splice(0))
        reject(new RpcConnectionError('The client was closed', false))
    },
  }
}
