// Finds the addresses of a URL's host and has each one checked. A connection goes to these and to no others.
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { type Guard, hostOf } from './guard.ts'
import { codeText, ParseError } from './parse-error.ts'
import { withSignal } from './with-signal.ts'

export interface Found {
  address: string
  family: number
}
/** Rejects as `dns.lookup` does. */
export type Resolve = (host: string) => Promise<readonly Found[]>

/** As the system resolves, with its hosts file. */
export const systemResolve: Resolve = host => lookup(host, { all: true, verbatim: true })

/** How many are tried. */
const MOST = 8

/**
 * The addresses that a connection for this URL may go to. If one of them may not be reached, none is: a name that has
 * both sorts is set up to deceive.
 * @throws PARSE_REFUSED, PARSE_NO_HOST, PARSE_UNREACHABLE; the signal's reason
 */
export const addressesOf = async (
  url: URL,
  { guard, resolve, signal }: { guard: Guard; resolve: Resolve; signal: AbortSignal },
): Promise<readonly Found[]> => {
  const host = hostOf(url)
  let found: readonly Found[]
  if (isIP(host) !== 0) found = [{ address: host, family: isIP(host) }]
  else
    try {
      found = await withSignal(resolve(host), signal)
    } catch (error) {
      signal.throwIfAborted()
      const { code } = error as { code?: unknown }
      if (code === 'ENOTFOUND' || code === 'ENODATA')
        throw new ParseError('PARSE_NO_HOST', 'there is no host of this name')
      throw new ParseError('PARSE_UNREACHABLE', `the name of the host cannot be resolved${codeText(error)}`)
    }
  if (found.length === 0) throw new ParseError('PARSE_NO_HOST', 'the host has no address')
  if (!found.every(({ address }) => guard.mayReach(url, address)))
    throw new ParseError('PARSE_REFUSED', 'the host has an address that is not public')
  return found.slice(0, MOST).map(({ address }) => ({ address, family: isIP(address) }))
}
