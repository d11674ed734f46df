// What PARSE_ALLOW names: hosts, addresses and ranges that may be reached though they are not public.
import { isIP } from 'node:net'
import { type Address, isWithin, parseAddress, type Range } from './addresses.ts'

interface Place {
  /** Null: a name. */
  range: Range | null
  /** As URLs write it; null: a range. */
  name: string | null
  /** Null: any. */
  port: number | null
}

export interface AllowList {
  /** Whether a host of this name may be reached at this port, whatever it resolves to. */
  hasName(name: string, port: number): boolean
  hasAddress(address: Address, port: number): boolean
  /** Whether an entry names this very port of the host: a name or an address. */
  hasPort(host: string, port: number): boolean
}

/** A host's name as it is compared: without the dot that may end it. */
export const plainName = (hostname: string): string => hostname.replace(/\.$/, '').toLowerCase()

const asRange = (text: string): Range | null => {
  const [, base = '', digits] = /^([0-9a-fA-F:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const address = parseAddress(base)
  if (address === null) return null
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8
  const isMapped = isIP(base) === 6 && address.kind() === 'ipv4'
  const most = address.kind() === 'ipv4' ? 32 : 128
  const bits = digits === undefined ? most : Number(digits) - (isMapped ? 96 : 0)
  return bits >= 0 && bits <= most ? [address, bits] : null
}

/**
 * One entry: `10.0.0.0/8`, `fd00::1`, `[::1]:8080`, `intranet`, `intranet:8080`. Null for anything else, also for a star,
 * which URLs may have in a host and which would match nothing here.
 */
const parsePlace = (text: string): Place | null => {
  const range = asRange(text)
  if (range !== null) return { range, name: null, port: null }
  const [, host = '', digits] = /^(\[[0-9a-fA-F:.]+\]|[^:/?#@*\\\s]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  const port = digits === undefined ? null : Number(digits)
  if (host === '' || (port ?? 1) > 65_535 || !URL.canParse(`http://${host}/`)) return null
  const { hostname } = new URL(`http://${host}/`)
  const address = asRange(hostname.replace(/^\[|\]$/g, ''))
  return { range: address, name: address === null ? plainName(hostname) : null, port }
}

/**
 * @param entries of PARSE_ALLOW
 * @throws Error for an entry that cannot be read: a list that is half understood would be a guess
 */
export const createAllowList = (entries: readonly string[]): AllowList => {
  const places = entries.map(text => {
    const place = parsePlace(text)
    if (place === null) throw new Error(`PARSE_ALLOW names no host, address or range with ${text}`)
    return place
  })
  const isAt = (place: Place, port: number): boolean => place.port === null || place.port === port
  const hasName = (name: string, port: number): boolean =>
    places.some(place => place.name !== null && place.name === plainName(name) && isAt(place, port))
  const hasAddress = (address: Address, port: number): boolean =>
    places.some(place => place.range !== null && isWithin(address, place.range) && isAt(place, port))
  return {
    hasName,
    hasAddress,
    hasPort(host, port) {
      const address = parseAddress(host)
      return places.some(
        place =>
          place.port === port &&
          (address === null
            ? place.name === plainName(host)
            : place.range !== null && isWithin(address, place.range)),
      )
    },
  }
}
