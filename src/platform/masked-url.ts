// URLs as they may be shown: taken apart and put together again without what is secret. What cannot be taken apart is
// not shown at all but for its scheme. It knows no settings.
import { hostAndPort } from './address.ts'
import { parseRedisUrl } from './redis-url.ts'

const MASK = '********'
/** Parameters that are known to be none of a secret. */
const PLAIN = ['heartbeat', 'channelmax', 'framemax', 'locale']
/** Names of parameters that may be shown; behind a password with an & any other could be a part of it. */
const NAMED = [...PLAIN, 'password', 'user', 'key', 'token', 'secret', 'auth_mechanism', 'vhost']

const schemeOnly = (text: string): string => `${/^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? ''}${MASK}`

/** A user without a password may be a password in the wrong place. */
const login = (user: string, hasPassword: boolean): string => {
  if (hasPassword) return `${user}:${MASK}@`
  return user === '' ? '' : `${MASK}@`
}

/** Of one broker. */
const maskUrl = (text: string): string => {
  if (!URL.canParse(text)) return schemeOnly(text)
  const url = new URL(text)
  // an @ behind the host is that of a login whose password has a / or a ? in it
  if (url.host === '' || /@|%40/.test(`${url.pathname}${url.search}${url.hash}`)) return schemeOnly(text)
  const query = [...url.searchParams].map(([name, value]) => {
    const shown = NAMED.includes(name.toLowerCase()) ? name : MASK
    return `${shown}=${PLAIN.includes(name.toLowerCase()) ? encodeURIComponent(value) : MASK}`
  })
  const after = query.length > 0 ? `?${query.join('&')}` : ''
  return `${url.protocol}//${login(url.username, url.password !== '')}${url.host}${url.pathname}${after}`
}

/** Of several, comma-separated. One of them that is no URL may be the rest of a password with a comma in it. */
export const maskUrls = (text: string): string => {
  const parts = text.split(',').map(part => part.trim())
  const isWhole = parts.every(part => /^amqps?:\/\//i.test(part) && URL.canParse(part))
  return isWhole ? parts.map(maskUrl).join(',') : schemeOnly(text)
}

const hostText = ({ host, port }: { host: string; port: number }): string => hostAndPort(host, port)

/** Of a store in Redis, Sentinels included. */
export const maskRedisUrl = (text: string): string => {
  const place = parseRedisUrl(text)
  if (!place) return schemeOnly(text)
  const { tls, username, password, db, at } = place
  const user = login(encodeURIComponent(username ?? ''), password !== null)
  const scheme = `redis${tls ? 's' : ''}${at.type === 'sentinels' ? '+sentinel' : ''}://`
  if (at.type === 'server') return `${scheme}${user}${hostText(at)}/${db}`
  return `${scheme}${user}${at.sentinels.map(hostText).join(',')}/${encodeURIComponent(at.name)}/${db}`
}
