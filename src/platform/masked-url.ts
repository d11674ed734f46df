// URLs as they may be shown: taken apart and put together again without what is secret. What cannot be taken apart is not
// shown at all but for its scheme. It knows no settings.
import { parseRedisUrl } from './redis-url.ts'

const MASK = '********'
/** Parameters that are known to be none of a secret. */
const PLAIN = ['heartbeat', 'channelmax', 'framemax', 'locale']

const schemeOnly = (text: string): string => `${/^[a-z][a-z0-9+.-]*:\/\//i.exec(text)?.[0] ?? ''}${MASK}`

/** A user without a password may be a password in the wrong place. */
const login = (user: string, hasPassword: boolean): string => {
  if (hasPassword) return `${user}:${MASK}@`
  return user === '' ? '' : `${MASK}@`
}

/** Of a broker. */
export const maskUrl = (text: string): string => {
  if (!URL.canParse(text)) return schemeOnly(text)
  const url = new URL(text)
  if (url.host === '') return schemeOnly(text)
  const query = [...url.searchParams].map(
    ([name, value]) => `${name}=${PLAIN.includes(name.toLowerCase()) ? encodeURIComponent(value) : MASK}`,
  )
  const after = query.length > 0 ? `?${query.join('&')}` : ''
  return `${url.protocol}//${login(url.username, url.password !== '')}${url.host}${url.pathname}${after}`
}

const hostText = ({ host, port }: { host: string; port: number }): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

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
