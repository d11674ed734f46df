// Decides what may be fetched: which URLs, and which addresses a connection may go to. Every redirect comes through here.
import { networkInterfaces } from 'node:os'
import { type Address, isPublic, isWithin, parseAddress, type Range } from './addresses.ts'
import { createAllowList } from './allow-list.ts'
import { BAD_PORTS } from './bad-ports.ts'
import { ParseError } from './parse-error.ts'

/** The most characters of a URL. */
export const MAX_URL = 2_048

export interface Guard {
  /** @throws PARSE_URL for a scheme, a user, a port or a length that is not allowed */
  checkUrl(url: URL): void
  /**
   * Whether a connection may go to this address for this URL's sake.
   * @param address as a resolver or a socket writes it
   */
  mayReach(url: URL, address: string): boolean
}

/** `[::1]` -> `::1`. */
export const hostOf = (url: URL): string => url.hostname.replace(/^\[|\]$/g, '')
export const portOf = (url: URL): number =>
  url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port)

/**
 * This machine's own addresses, which reach what it hides from others, and in IPv6 its link: there, neighbours at home
 * have public addresses behind a firewall.
 */
export const ownRanges = (): Range[] =>
  Object.values(networkInterfaces()).flatMap(list =>
    (list ?? []).flatMap(({ address, family }): Range[] => {
      const parsed = parseAddress(address.replace(/%.*$/, ''))
      return parsed === null ? [] : [[parsed, family === 'IPv6' ? 64 : 32]]
    }),
  )

/**
 * @param allow the entries of PARSE_ALLOW
 * @param own what belongs to this machine
 */
export const createGuard = (allow: readonly string[], own: readonly Range[] = ownRanges()): Guard => {
  const list = createAllowList(allow)
  const isOwn = (address: Address): boolean => own.some(range => isWithin(address, range))
  return {
    checkUrl(url) {
      if (url.protocol !== 'http:' && url.protocol !== 'https:')
        throw new ParseError('PARSE_URL', 'only http and https are fetched')
      if (url.username !== '' || url.password !== '')
        throw new ParseError('PARSE_URL', 'a URL with a user or a password is not fetched')
      if (url.href.length > MAX_URL) throw new ParseError('PARSE_URL', `a URL may have ${MAX_URL} characters`)
      const port = portOf(url)
      if (BAD_PORTS.has(port) && !list.hasPort(hostOf(url), port))
        throw new ParseError('PARSE_URL', `port ${port} is not one of the web`)
    },
    mayReach(url, text) {
      const address = parseAddress(text)
      if (address === null) return false
      const port = portOf(url)
      if (list.hasName(hostOf(url), port) || list.hasAddress(address, port)) return true
      return isPublic(address) && !isOwn(address)
    },
  }
}
