// Which IP addresses are public: those that the internet routes to somebody else's machine. Everything else is refused,
// so a range that nobody thought of is refused too.
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export type Address = ipaddr.IPv4 | ipaddr.IPv6
/** An address and how many of its bits count. */
export type Range = [Address, number]

/** An address as resolvers and sockets write it; IPv4 in the clothes of IPv6 as itself. Null: not one, or with a zone. */
export const parseAddress = (text: string): Address | null => {
  const version = isIP(text)
  if (version === 0 || text.includes('%')) return null
  // in groups alone: ipaddr.js takes ::8.8.8.8, which nothing routes, for 8.8.8.8
  return ipaddr.process(version === 6 ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : text)
}

export const isWithin = (address: Address, [base, bits]: Range): boolean =>
  address.kind() === base.kind() && address.match(base, bits)

const ranges = (...list: string[]): Range[] => list.map(text => ipaddr.parseCIDR(text))
const isIn = (address: Address, list: readonly Range[]): boolean =>
  list.some(range => isWithin(address, range))

/** Public by number, but not by use. */
const REFUSED = ranges(
  // metadata and health of Azure's machines, which answers inside them
  '168.63.129.16/32',
  // documentation (RFC 9637)
  '3fff::/20',
)
/** All that has been given out for the internet (RFC 4291). */
const GLOBAL = ranges('2000::/3')
/** Addresses by which a translator reaches IPv4 (RFC 6052). */
const NAT64 = ranges('64:ff9b::/96')

/** ISATAP (RFC 5214): an IPv4 address, perhaps a private one, inside a public prefix. */
const isIsatap = (address: ipaddr.IPv6): boolean =>
  ((address.parts[4] ?? 0) & 0xfdff) === 0 && address.parts[5] === 0x5efe

/**
 * Whether the internet routes to this address. Special ranges are those of IANA's registries; 6to4, Teredo and other
 * tunnels are refused whatever they lead to, and an address of NAT64 counts as the one inside.
 */
export const isPublic = (address: Address): boolean => {
  if (isIn(address, REFUSED)) return false
  if (address.kind() === 'ipv4') return address.range() === 'unicast'
  const six = address as ipaddr.IPv6
  if (isIn(six, NAT64)) return isPublic(new ipaddr.IPv4(six.toByteArray().slice(12)))
  return isIn(six, GLOBAL) && six.range() === 'unicast' && !isIsatap(six)
}
