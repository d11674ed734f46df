// So many bytes for all who hold some at a time, and a share of them for one client: a limit for each request alone
// lets many of them take the memory. It holds no bytes itself.

export interface Hold {
  /** Takes so many bytes more; false when there are none for this one. What it has it keeps until `close`. */
  grow(bytes: number): boolean
  /** Gives so many back. */
  shrink(bytes: number): void
  /** Gives all back. Idempotent. */
  close(): void
}

export interface ByteBudget {
  /** `owner` null: no share holds. */
  open(owner: string | null): Hold
  held(): number
}

export const createByteBudget = ({ total, perOwner }: { total: number; perOwner: number }): ByteBudget => {
  let held = 0
  const byOwner = new Map<string, number>()
  const change = (owner: string | null, bytes: number): void => {
    held += bytes
    if (owner === null) return
    const own = (byOwner.get(owner) ?? 0) + bytes
    if (own === 0) byOwner.delete(owner)
    else byOwner.set(owner, own)
  }
  return {
    open(owner) {
      let mine = 0
      const shrink = (bytes: number): void => {
        const given = Math.min(bytes, mine)
        mine -= given
        change(owner, -given)
      }
      return {
        grow(bytes) {
          const own = owner === null ? 0 : (byOwner.get(owner) ?? 0)
          if (held + bytes > total || own + bytes > perOwner) return false
          mine += bytes
          change(owner, bytes)
          return true
        },
        shrink,
        close: () => shrink(mine),
      }
    },
    held: () => held,
  }
}
