// Which server a command asks, and with which key: what the command line says, then the environment, then the settings.
import { usage } from '../exit.ts'
import type { Environment } from './places.ts'
import type { KnownServer, Settings } from './settings-file.ts'

export interface ChosenServer {
  /** Null: it has none in the settings. */
  name: string | null
  url: string
  key: string | null
  /** Where the key is from; null: there is none. */
  keyFrom: 'environment' | 'settings' | null
  known: KnownServer | null
}

export const DEFAULT_URL = 'http://127.0.0.1:8000'

/** The address without a slash at its end. @throws ConsoleError */
export const readUrl = (text: string): string => {
  // never shown in the message: a login may stand in it
  const url = URL.canParse(text) ? new URL(text) : null
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.host === '')
    throw usage('The address of a server begins with http:// or https://')
  if (url.username !== '' || url.password !== '')
    throw usage('The address of a server has no login in it', 'madhava login asks for it')
  if (url.search !== '' || url.hash !== '') throw usage('The address of a server has no ? and no # in it')
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

const LOOPBACK = /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i

/** Whether others on the way can read what is sent. */
export const isOpenToOthers = (url: string): boolean => {
  const { protocol, hostname } = new URL(url)
  return protocol === 'http:' && !LOOPBACK.test(hostname)
}

const looksLikeUrl = (text: string): boolean => text.includes('://')

/** @param wanted what `--server` says. @throws ConsoleError for a name that is not known */
export const chooseServer = (
  { current, servers }: Settings,
  wanted: string | undefined,
  env: Environment,
): ChosenServer => {
  const byUrl = (url: string): [string, KnownServer] | null =>
    Object.entries(servers).find(([, server]) => server.url === url) ?? null
  const fromUrl = (text: string): ChosenServer => {
    const url = readUrl(text)
    const [name, known] = byUrl(url) ?? [null, null]
    return { name, url, key: known?.key ?? null, keyFrom: known?.key ? 'settings' : null, known }
  }
  const fromName = (name: string): ChosenServer => {
    const known = Object.hasOwn(servers, name) ? servers[name] : undefined
    if (!known)
      throw usage(
        `There is no server with the name ${name}`,
        'madhava server list shows the names, madhava server add NAME URL adds one',
      )
    const { url, key = null } = known
    return { name, url: readUrl(url), key, keyFrom: key === null ? null : 'settings', known }
  }
  const environment =
    env.MADHAVA_URL === undefined || env.MADHAVA_URL === '' ? null : readUrl(env.MADHAVA_URL)
  const chosen =
    wanted !== undefined
      ? looksLikeUrl(wanted)
        ? fromUrl(wanted)
        : fromName(wanted)
      : environment !== null
        ? fromUrl(environment)
        : current !== null
          ? fromName(current)
          : fromUrl(DEFAULT_URL)
  const key = env.MADHAVA_KEY?.trim() ?? ''
  // a key that was given for one address does not go to another
  const isFor = environment === null || environment === chosen.url
  return key !== '' && isFor ? { ...chosen, key, keyFrom: 'environment' } : chosen
}
