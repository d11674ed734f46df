// How an address and a port are written together.
import { isIPv6 } from 'node:net'

/** `host:port` as it stands in a URL: an IPv6 address goes in brackets. */
export const hostAndPort = (host: string, port: number): string =>
  `${isIPv6(host) ? `[${host}]` : host}:${port}`
