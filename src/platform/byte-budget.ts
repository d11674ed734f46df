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
  /** `clientKey` null: no share holds. */
  open(clientKey: string | null): Hold
  held(): number
}

export const createByteBudget = ({ total, perOwner }: { total: number; perOwner: number }): ByteBudget => {
  let held = 0
  const byClient = new Map<string, number>()
  const change = (clientKey: string | null, bytes: number): void => {
    held += bytes
    if (clientKey === null) return
    const own = (byClient.get(clientKey) ?? 0) + bytes
    if (own === 0) byClient.delete(clientKey)
    else byClient.set(clientKey, own)
  }
  return {
    open(clientKey) {
      let mine = 0
      const shrink = (bytes: number): void => {
        const given = Math.min(bytes, mine)
        mine -= given
        change(clientKey, -given)
      }
      return {
        grow(bytes) {
          const own = clientKey === null ? 0 : (byClient.get(clientKey) ?? 0)
          if (held + bytes > total || own + bytes > perOwner) return false
          mine += bytes
          change(clientKey, bytes)
          return true
        },
        shrink,
        close: () => shrink(mine),
      }
    },
    held: () => held,
  }
}
