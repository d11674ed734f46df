// How an address and a port are written together.
import { isIPv6 } from 'node:net'

/** `host:port` as it stands in a URL: an IPv6 address goes in brackets. */
export const hostAndPort = (host: string, port: number): string =>
  `${isIPv6(host) ? `[${host}]` : host}:${port}`

/** Whether only this machine reaches a port at this address; of a name only for `localhost`. */
export const isLoopback = (host: string): boolean =>
  host === 'localhost' || /^(?:::ffff:)?127(?:\.\d+){3}$/i.test(host) || host === '::1'
