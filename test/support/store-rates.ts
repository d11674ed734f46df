// The role of a process that takes points by the minute, as many as it gets.
import type { RoleContext } from './store-roles.ts'

export interface RateInput {
  name: string
  takes: number
  limit: number
}
export interface RateTaken {
  allowed: boolean
  endsAtMs: number
}

export const ratesRole = async (
  { store, tell }: RoleContext,
  { name, takes, limit }: RateInput,
): Promise<void> => {
  const taken: RateTaken[] = []
  for (let n = 0; n < takes; n += 1) {
    const { allowed, resetMs } = await store.rates.take(name, 1, limit)
    taken.push({ allowed, endsAtMs: Date.now() + resetMs })
  }
  tell({ taken })
}
