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

/** Programs that name a browser or types of pages by themselves: no page can make a browser say so. */
const PROGRAM = /^Java\/|PowerShell\//
/** A page can ask for another type, or for none, but what it loads as a picture or a document says one of these. */
const PAGE_TYPES = /text\/html|image\//i
const BROWSER_ONLY = ['upgrade-insecure-requests', 'sec-fetch-dest', 'sec-ch-ua']
/** Types of a body that a page may send to any address without asking first. */
const SIMPLE_TYPES = ['', 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']

export interface RequestHead {
  method: string
  /** By its name in lower case. */
  header: (name: string) => string | null
}

const looksLikeBrowser = (header: RequestHead['header']): boolean => {
  const agent = header('user-agent') ?? ''
  if (BROWSER_ONLY.some(name => header(name) !== null)) return true
  if (PROGRAM.test(agent)) return false
  // fetch in Node and Deno says `*`
  const language = header('accept-language') ?? '*'
  return /^(?:Mozilla|Opera)\//.test(agent) || language !== '*' || PAGE_TYPES.test(header('accept') ?? '')
}

/** Whether a browser would have asked first whether a page of another site may send this at all. */
const isAskedFirst = ({ method, header }: RequestHead): boolean => {
  if (!['GET', 'HEAD', 'POST'].includes(method)) return true
  const type = header('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  return method === 'POST' && !SIMPLE_TYPES.includes(type)
}

/**
 * Whether a browser sent this without saying on whose behalf. Browsers send Sec-Fetch-Site to loopback addresses and
 * over HTTPS alone, and no Origin with a GET; a page can leave out the Referer, but not name a wrong one. So over plain
 * HTTP to another address only the Referer can show that it was a page of ours.
 */
export const isUnproven = (request: RequestHead): boolean => {
  const { header } = request
  if (header('sec-fetch-site') !== null || header('origin') !== null || isAskedFirst(request)) return false
  const referer = header('referer')
  if (referer !== null) return !sameHost(referer, header('host'))
  return looksLikeBrowser(header)
}

/** Whether a browser only looks ahead at an address that a person has not asked for yet. */
export const isLookingAhead = ({ header }: RequestHead): boolean =>
  ['sec-purpose', 'purpose', 'x-purpose', 'x-moz'].some(name =>
    /prefetch|preview|prerender/i.test(header(name) ?? ''),
  )

/**
 * Whether a person goes to the address, as far as the request says: not a page that loads it as a picture, by a script
 * or in a frame, nor a browser that looks ahead. Programs do not say what they want it for; some name a mode.
 */
export const isVisit = ({ header }: Pick<RequestHead, 'header'>): boolean =>
  ['document', null].includes(header('sec-fetch-dest')) && !isLookingAhead({ method: 'GET', header })

/** Whether a text is a path on this server: no browser takes it for an address of another one. */
export const isOwnPath = (text: string): boolean => /^\/(?![/\\])[^\s\\]*$/.test(text)
