// Tells streams that the login of a built-in one has ended. Nothing in the store tells of those, so it asks again and
// again; for logins of accounts access/watch.ts is told.
import type { LoginWatch } from '../../api/streams.ts'

const EVERY_MS = 10_000

/** @param isCurrent whether the login still holds; what it throws says nothing, and it is asked again */
export const pollLogin = (isCurrent: () => Promise<boolean>, everyMs = EVERY_MS): LoginWatch => {
  const ending = new AbortController()
  let isAsking = false
  const ask = async (): Promise<void> => {
    if (isAsking) return
    isAsking = true
    const still = await isCurrent().catch(() => true)
    isAsking = false
    if (!still) ending.abort()
  }
  const timer = setInterval(() => void ask(), everyMs)
  timer.unref()
  ending.signal.addEventListener('abort', () => clearInterval(timer))
  return { signal: ending.signal, close: () => clearInterval(timer) }
}
