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
  /** Lets a connection in. `owner` null: behind it is everybody, so no share holds. False: there are too many. */
  take(connection: T, owner: string | null): boolean
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
  const owners = new Map<T, string | null>()
  const byOwner = new Map<string, Set<T>>()
  let turnedAway: { at: number; why: string } | null = null

  const leave = (connection: T): void => {
    const owner = owners.get(connection)
    owners.delete(connection)
    if (owner === undefined || owner === null) return
    const own = byOwner.get(owner)
    own?.delete(connection)
    if (own?.size === 0) byOwner.delete(owner)
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
    take(connection, owner) {
      const own = owner === null ? undefined : byOwner.get(owner)
      if (own && own.size >= perOwner) {
        if (!giveUpIdle(own)) return refuse(`one address has all ${perOwner} connections that one may have`)
      } else if (owners.size >= total) {
        const greedy = [...byOwner.values()].sort((a, b) => b.size - a.size)
        if (!greedy.some(giveUpIdle)) return refuse(`all ${total} connections are taken`)
      }
      owners.set(connection, owner)
      if (owner !== null) byOwner.set(owner, (byOwner.get(owner) ?? new Set<T>()).add(connection))
      return true
    },
    leave,
    count: () => owners.size,
    trouble() {
      if (turnedAway && now() - turnedAway.at < REMEMBERED_MS)
        return `connections are turned away: ${turnedAway.why}`
      return owners.size >= total ? `all ${total} connections are taken` : null
    },
  }
}
