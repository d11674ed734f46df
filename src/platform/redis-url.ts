// A Redis URL -> where to connect. Knows the forms of one server, with and without TLS, and of Sentinels. No I/O.
import { hostAndPort } from './address.ts'

/** What a URL names. */
export interface RedisPlace {
  tls: boolean
  username: string | null
  password: string | null
  db: number
  /** One server; or the Sentinels that know where the master of this name is. */
  at:
    | { type: 'server'; host: string; port: number }
    | { type: 'sentinels'; name: string; sentinels: { host: string; port: number }[] }
}

const FORM =
  /^(rediss?)(\+sentinel)?:\/\/(?:([^:@/?#\s]*)(?::([^@/?#\s]*))?@)?([^@/?#\s]+)(?:\/([^/?#\s]*))?(?:\/(\d{1,5}))?\/?$/
const HOST = /^(?:\[([0-9a-fA-F:.]+)\]|([a-zA-Z0-9._-]+))(?::(\d{1,5}))?$/

const parseHost = (text: string, defaultPort: number): { host: string; port: number } | null => {
  const [, v6, name, digits] = HOST.exec(text) ?? []
  const host = v6 ?? name
  const port = digits === undefined ? defaultPort : Number(digits)
  return host !== undefined && port > 0 && port < 65_536 ? { host, port } : null
}
const decode = (text: string | undefined): string | null =>
  text === undefined || text === '' ? null : decodeURIComponent(text)

/**
 * `redis://[[user]:password@]host[:6379][/db]`, `rediss://` with TLS, and
 * `redis+sentinel://[[user]:password@]host[:26379],host...,/name[/db]`, `rediss+sentinel://` with TLS to all of them.
 * Null when it is none of these.
 */
export const parseRedisUrl = (url: string): RedisPlace | null => {
  const [, scheme, sentinel, user, secret, hosts = '', first = '', second] = FORM.exec(url) ?? []
  if (scheme === undefined) return null
  const tls = scheme === 'rediss'
  try {
    const login = { username: decode(user), password: decode(secret) }
    if (sentinel === undefined) {
      const server = parseHost(hosts, 6379)
      if (!server || second !== undefined || !/^\d{0,5}$/.test(first)) return null
      return { tls, ...login, db: Number(first), at: { type: 'server', ...server } }
    }
    const sentinels = hosts.split(',').map(host => parseHost(host, 26_379))
    if (first === '' || sentinels.some(each => each === null)) return null
    return {
      tls,
      ...login,
      db: Number(second ?? 0),
      at: {
        type: 'sentinels',
        name: decodeURIComponent(first),
        sentinels: sentinels.filter(each => each !== null),
      },
    }
  } catch {
    // a percent sign that encodes nothing
    return null
  }
}

/** For people: without the password. */
export const describePlace = ({ at }: RedisPlace): string =>
  at.type === 'server'
    ? hostAndPort(at.host, at.port)
    : `${at.name} by Sentinel ${at.sentinels.map(({ host, port }) => hostAndPort(host, port)).join(', ')}`
