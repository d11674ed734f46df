// Runs something once an answer has left: what would end this process, such as its own restart.
import type { ServerResponse } from 'node:http'
import type { Context } from 'hono'

/** How long to wait until the answer has left, milliseconds; then the work begins anyway. */
const LEAVE_MS = 2_000
/** Further time for the browser to fetch the page's files, while the dashboard still runs. */
const LINGER_MS = 500

/** Runs `work` once, soon after the answer has left. */
export const afterAnswer = (c: Context, work: () => void): void => {
  const outgoing = (c.env as { outgoing?: ServerResponse } | undefined)?.outgoing
  let begun = false
  const begin = (): void => {
    if (begun) return
    begun = true
    clearTimeout(timer)
    setTimeout(work, LINGER_MS)
  }
  const timer = setTimeout(begin, outgoing ? LEAVE_MS : 0)
  outgoing?.once('close', begin)
}
