// How many connections a server has at a time: so many in all, and so many of one client, so that nobody takes them
// all. A new one beyond the limit replaces the one that is idle for longest. It knows no sockets.

export interface ConnectionLimitOptions<T> {
  total: number
  /** Of one client. */
  perOwner: number
  /** Milliseconds (of `now`) since when a connection does nothing that would be lost; null while it does. */
  idleSince: (connection: T) => number | null
  /** Ends a connection that another one replaces. */
  end: (connection: T) => void
  /** On a clock that never jumps. */
  now?: () => number
}

export interface ConnectionLimit<T> {
  /** Lets a connection in. With `clientKey` null, as for a proxy, no share holds. False: there are too many. */
  take(connection: T, clientKey: string | null): boolean
  /** Idempotent. */
  leave(connection: T): void
  count(): number
  /** What is wrong, for people: all are taken, or somebody was turned away within the last half minute; else null. */
  trouble(): string | null
}

const REMEMBERED_MS = 30_000

export const createConnectionLimit = <T>({
  total,
  perOwner,
  idleSince,
  end,
  now = () => performance.now(),
}: ConnectionLimitOptions<T>): ConnectionLimit<T> => {
  const clientKeys = new Map<T, string | null>()
  const byClient = new Map<string, Set<T>>()
  let turnedAway: { at: number; why: string } | null = null

  const leave = (connection: T): void => {
    const clientKey = clientKeys.get(connection)
    clientKeys.delete(connection)
    if (clientKey === undefined || clientKey === null) return
    const own = byClient.get(clientKey)
    own?.delete(connection)
    if (own?.size === 0) byClient.delete(clientKey)
  }
  const giveUpIdle = (among: Iterable<T>): boolean => {
    let longest: { connection: T; since: number } | null = null
    for (const connection of among) {
      const since = idleSince(connection)
      if (since !== null && (longest === null || since < longest.since)) longest = { connection, since }
    }
    if (!longest) return false
    leave(longest.connection)
    end(longest.connection)
    return true
  }
  const refuse = (why: string): false => {
    turnedAway = { at: now(), why }
    return false
  }

  return {
    take(connection, clientKey) {
      const own = clientKey === null ? undefined : byClient.get(clientKey)
      if (own && own.size >= perOwner) {
        if (!giveUpIdle(own)) return refuse(`one address has all ${perOwner} connections that one may have`)
      } else if (clientKeys.size >= total) {
        const greedy = [...byClient.values()].sort((a, b) => b.size - a.size)
        if (!greedy.some(giveUpIdle)) return refuse(`all ${total} connections are taken`)
      }
      clientKeys.set(connection, clientKey)
      if (clientKey !== null)
        byClient.set(clientKey, (byClient.get(clientKey) ?? new Set<T>()).add(connection))
      return true
    },
    leave,
    count: () => clientKeys.size,
    trouble() {
      if (turnedAway && now() - turnedAway.at < REMEMBERED_MS)
        return `connections are turned away: ${turnedAway.why}`
      return clientKeys.size >= total ? `all ${total} connections are taken` : null
    },
  }
}
