// Whether a request may come from where it says: DNS rebinding and cross-site requests. A server on loopback is
// reachable from any page in the user's browser. Verdicts only: the apps turn them into answers.
import { isIP } from 'node:net'

/** Names that always mean this machine; any IP literal is fine too, since rebinding needs a name. */
const OWN_NAMES = ['localhost']

const HOST_HEADER = /^(?:\[([0-9a-fA-F:.]{2,45})\]|([a-zA-Z0-9._-]{1,253}))(?::(\d{1,5}))?$/

/**
 * Host and port of a Host header, or null when it is malformed. The name is in lower case, without the dot at the
 * end and without the brackets of IPv6.
 */
export const parseHost = (header: string): { name: string; port: number | null } | null => {
  const match = HOST_HEADER.exec(header)
  if (!match) return null
  const [, v6, plain, port] = match
  if (v6 !== undefined && isIP(v6) !== 6) return null
  const name = (v6 ?? plain ?? '').toLowerCase().replace(/\.$/, '')
  if (name === '' || (port !== undefined && Number(port) > 65_535)) return null
  return { name, port: port === undefined ? null : Number(port) }
}

/**
 * A test for Host headers against DNS rebinding: IP literals, localhost and the allowed names pass. A missing
 * header passes: every browser sends one, some health checks do not.
 */
export const createHostGuard = (allowedHosts: readonly string[]): ((header: string | null) => boolean) => {
  const names = new Set(OWN_NAMES)
  for (const host of allowedHosts) names.add(parseHost(host)?.name ?? host.toLowerCase())
  return header => {
    if (header === null) return true
    const host = parseHost(header)
    return host !== null && (isIP(host.name) !== 0 || names.has(host.name))
  }
}

export interface Provenance {
  /** The Host header. */
  host: string | null
  /** The Origin header. */
  origin: string | null
  /** The Sec-Fetch-Site header. */
  site: string | null
}

/** The same host and port, the scheme's own port left out or not. The scheme may differ: TLS may end at a proxy. */
const sameHost = (origin: string, host: string | null): boolean => {
  if (host === null || !URL.canParse(origin)) return false
  const { protocol, host: from } = new URL(origin)
  const to = `${protocol}//${host}`
  return from !== '' && URL.canParse(to) && new URL(to).host === from
}

/**
 * Whether another web site made the browser send this: by Sec-Fetch-Site, which pages cannot forge and which is
 * `same-site` only for another origin, and by Origin for browsers and addresses without Sec-Fetch-Site. Programs
 * send neither. An opaque Origin (`null`) counts as foreign unless the browser itself says same-origin.
 */
export const isCrossSite = ({ host, origin, site }: Provenance): boolean => {
  if (site !== null && site !== 'same-origin' && site !== 'none') return true
  if (origin === null) return false
  if (origin === 'null') return site !== 'same-origin'
  return !sameHost(origin, host)
}
