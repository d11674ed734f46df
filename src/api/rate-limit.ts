// The headers that say what is left of quotas: RateLimit and RateLimit-Policy, which name each quota
// (draft-ietf-httpapi-ratelimit-headers), and the older RateLimit-Limit, -Remaining and -Reset, which most clients read,
// of the quota that has least left.
import type { QuotaDetail, QuotaState } from '../core/quotas.ts'
import { RATE_WINDOW_SECONDS } from '../core/quotas.ts'
import type { ApiContext } from './context.ts'

/** For answers that may have them. */
export const RATE_LIMIT_HEADERS = {
  'RateLimit?': 'what is left of each quota, where there are some',
  'RateLimit-Policy?': 'the quotas',
  'RateLimit-Limit?': 'of the quota that has least left: its limit',
  'RateLimit-Remaining?': 'what is left of it',
  'RateLimit-Reset?': 'seconds until it is whole again, of one by the minute',
} as const

const list = (states: readonly QuotaState[], parametersOf: (state: QuotaState) => string): string =>
  states.map(state => `"${state.name}";${parametersOf(state)}`).join(', ')

/** Says nothing where there is no quota. */
export const sayQuotas = (c: ApiContext, states: readonly QuotaState[]): void => {
  const [first, ...others] = states
  if (!first) return
  c.header(
    'RateLimit-Policy',
    list(
      states,
      ({ limit, resetSeconds }) => `q=${limit}${resetSeconds === null ? '' : `;w=${RATE_WINDOW_SECONDS}`}`,
    ),
  )
  c.header(
    'RateLimit',
    list(states, ({ left, resetSeconds }) => `r=${left}${resetSeconds === null ? '' : `;t=${resetSeconds}`}`),
  )
  const least = others.reduce((found, state) => (state.left < found.left ? state : found), first)
  c.header('RateLimit-Limit', String(least.limit))
  c.header('RateLimit-Remaining', String(least.left))
  if (least.resetSeconds !== null) c.header('RateLimit-Reset', String(least.resetSeconds))
}

/** The quotas that an error tells of. */
export const quotasOf = (detail: unknown): readonly QuotaState[] =>
  (detail as Partial<QuotaDetail> | null)?.quotas ?? []
