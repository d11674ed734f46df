// Who is at the other end: one address is one client, behind proxies that are trusted the one that they name. It knows
// no HTTP framework.
import { BlockList, isIP, isIPv4 } from 'node:net'

/** An IPv4 address in IPv6's clothes as itself, and no zone. */
export const plainOf = (address: string): string =>
  address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '')

/** What counts as one client in limits per client: the address, or its /64 in IPv6, which one person commonly has. */
export const clientKeyOf = (address: string): string => {
  const plain = plainOf(address)
  if (isIPv4(plain)) return plain
  const [head = '', tail] = plain.split('::')
  const groups = head === '' ? [] : head.split(':')
  const rest = tail ? tail.split(':') : []
  while (tail !== undefined && groups.length + rest.length < 8) groups.push('0')
  return [...groups, ...rest]
    .slice(0, 4)
    .map(group => group.replace(/^0+(?=.)/, ''))
    .join(':')
    .toLowerCase()
}

/** An address or a range of them, as TRUST_PROXY names it; null for anything else. */
export const parseRange = (
  text: string,
): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | null => {
  const [, address = '', digits] = /^([0-9a-fA-F:.]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? []
  const version = isIP(address)
  if (version === 0) return null
  const most = version === 4 ? 32 : 128
  const prefix = digits === undefined ? most : Number(digits)
  if (prefix > most) return null
  const plain = plainOf(address)
  // the IPv4 addresses of IPv6 are looked for as what they are
  if (version === 6 && isIPv4(plain))
    return prefix < 96 ? null : { address: plain, prefix: prefix - 96, family: 'ipv4' }
  return { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }
}

export interface Trust {
  /** Whether everybody behind this address is somebody else. */
  isProxy(address: string): boolean
  /**
   * The client's address: the peer's, or what a trusted peer says in X-Forwarded-For, read from the right up to the
   * first address that is not a trusted proxy's: what stands left of it, the client itself may have written.
   */
  clientOf(peer: string, forwardedFor: string | undefined): string
}

/** Hops that are looked at: a header may be long. */
const MOST_HOPS = 20

/** `1.2.3.4:5678` and `[::1]:80`, as some proxies write them, too. */
const hopOf = (text: string): string | null => {
  const plain = text.trim().replace(/^"|"$/g, '')
  const [, bracketed] = /^\[([^\]]+)\](?::\d+)?$/.exec(plain) ?? []
  const address = bracketed ?? plain.replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1')
  return isIP(address.replace(/%.*$/, '')) === 0 ? null : plainOf(address)
}

/** @param ranges as `parseRange` takes them; others are left out */
export const createTrust = (ranges: readonly string[]): Trust => {
  const proxies = new BlockList()
  for (const text of ranges) {
    const range = parseRange(text)
    if (range) proxies.addSubnet(range.address, range.prefix, range.family)
  }
  const isProxy = (address: string): boolean => {
    const plain = plainOf(address)
    const version = isIP(plain)
    return ranges.length > 0 && version !== 0 && proxies.check(plain, version === 4 ? 'ipv4' : 'ipv6')
  }
  return {
    isProxy,
    clientOf(peer, forwardedFor) {
      let client = plainOf(peer)
      const hops = (forwardedFor ?? '').slice(-4_096).split(',').slice(-MOST_HOPS)
      while (isProxy(client)) {
        const hop = hopOf(hops.pop() ?? '')
        if (hop === null) break
        client = hop
      }
      return client
    },
  }
}
