// The places of a door: so many connections in all, and a share of them for one client, so that nobody takes them all.
// Who comes when there is none gets that of a connection that is idle for longest. It knows no sockets.

export interface PlacesOptions<T> {
  total: number
  /** Of one client. */
  perOwner: number
  /** Milliseconds (of `now`) since when a holder does nothing that would be lost; null while it does. */
  idleSince: (holder: T) => number | null
  /** Ends a holder whose place is given to another one. */
  end: (holder: T) => void
  /** On a clock that never jumps. */
  now?: () => number
}

export interface Places<T> {
  /** Takes a place. `owner` null: behind it is everybody, so no share holds. False: there is none. */
  take(holder: T, owner: string | null): boolean
  /** Idempotent. */
  leave(holder: T): void
  count(): number
  /** What is wrong, for people: the door is full, or somebody was turned away within the last half minute; else null. */
  trouble(): string | null
}

const REMEMBERED_MS = 30_000

export const createPlaces = <T>({
  total,
  perOwner,
  idleSince,
  end,
  now = () => performance.now(),
}: PlacesOptions<T>): Places<T> => {
  const owners = new Map<T, string | null>()
  const byOwner = new Map<string, Set<T>>()
  let turnedAway: { at: number; why: string } | null = null

  const leave = (holder: T): void => {
    const owner = owners.get(holder)
    owners.delete(holder)
    if (owner === undefined || owner === null) return
    const own = byOwner.get(owner)
    own?.delete(holder)
    if (own?.size === 0) byOwner.delete(owner)
  }
  const giveUpIdle = (among: Iterable<T>): boolean => {
    let longest: { holder: T; since: number } | null = null
    for (const holder of among) {
      const since = idleSince(holder)
      if (since !== null && (longest === null || since < longest.since)) longest = { holder, since }
    }
    if (!longest) return false
    leave(longest.holder)
    end(longest.holder)
    return true
  }
  const refuse = (why: string): false => {
    turnedAway = { at: now(), why }
    return false
  }

  return {
    take(holder, owner) {
      const own = owner === null ? undefined : byOwner.get(owner)
      if (own && own.size >= perOwner) {
        if (!giveUpIdle(own)) return refuse(`one address has all ${perOwner} connections that one may have`)
      } else if (owners.size >= total) {
        const greedy = [...byOwner.values()].sort((a, b) => b.size - a.size)
        if (!greedy.some(giveUpIdle)) return refuse(`all ${total} connections are taken`)
      }
      owners.set(holder, owner)
      if (owner !== null) byOwner.set(owner, (byOwner.get(owner) ?? new Set<T>()).add(holder))
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
