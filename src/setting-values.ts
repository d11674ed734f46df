// What the value of a setting must be: schemas from its text, each with the words for one that is wrong.
import { existsSync } from 'node:fs'
import path from 'node:path'
import { z } from 'zod'
import { parseRange } from './platform/client-address.ts'
import { parseRedisUrl, type RedisPlace } from './platform/redis-url.ts'

export const port = z
  .string()
  .regex(/^\d{1,5}$/, 'must be a port, 0 to 65535')
  .transform(Number)
  .refine(value => value <= 65_535, 'must be a port, 0 to 65535')

export const whole = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,9}$/, `must be a whole number, ${min} to ${max}`)
    .transform(Number)
    .refine(value => value >= min && value <= max, `must be a whole number, ${min} to ${max}`)

/** A number in the unit of a setting -> bytes, or milliseconds. */
export const kilobytes = (count: number): number => count * 1024
export const megabytes = (count: number): number => count * 1024 ** 2
export const seconds = (count: number): number => count * 1000

/** Null where it is unset. */
export const optional = <T extends z.ZodType<unknown, string>>(value: T) =>
  z
    .literal('')
    .transform(() => null)
    .or(value)

const UNITS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }
export const duration = z
  .string()
  .regex(/^\d{1,6}[smhd]$/, 'must be a number with a unit: 90s, 15m, 12h or 7d')
  .transform(text => Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0))

/** Null: off. */
export const durationOrOff = z
  .literal('off')
  .transform(() => null)
  .or(duration)

export const words = z
  .string()
  .transform(text =>
    text
      .split(',')
      .map(word => word.trim())
      .filter(word => word !== ''),
  )
  // the places, not the words: some hold passwords
  .refine(
    list => new Set(list).size === list.length,
    'must name each one once: one of them stands there twice',
  )

/** A media type, or all of one sort. */
export const mediaRange = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/(?:\*|[a-z0-9][a-z0-9!#$&^_.+-]{0,63})$/,
    'must be media types such as image/png, or image/* for all images',
  )

export const origin = z
  .string()
  .refine(
    text => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text,
    'must be an origin as browsers send it, such as https://app.example.org: no path, no * and no port that is the default',
  )

/** The scheme is checked with it: see `issuerUrl`. */
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/

/** As a provider of OpenID Connect writes it into its tokens, to the letter. */
export const issuerUrl = z
  .string()
  .max(500)
  .refine(text => {
    if (!URL.canParse(text)) return false
    const { protocol, hostname, username, password, search, hash } = new URL(text)
    const isSafe = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname))
    return isSafe && [username, password, search, hash].every(part => part === '')
  }, 'must be the URL of an issuer such as https://login.example.org/realms/main, as its discovery document has it: https (http on this machine alone), no user, no query')

/** What OAuth has between its blanks. */
export const scopes = z
  .string()
  .regex(/^[!#-[\]-~]+(?: [!#-[\]-~]+)*$/, 'must be words with a blank between them')
  .refine(
    text => text.split(' ').includes('openid'),
    'must have openid among its words: without it the provider says nothing of who somebody is',
  )

/** One line of text without control characters, such as a name that another program gives. */
export const plainText = z
  .string()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,500}$/u, 'must be 1 to 500 visible characters')

const ROLE_NAMES = ['viewer', 'user', 'operator', 'admin'] as const

/** A group of a provider, or `*` for everybody, and the role that it gives. */
export interface GroupRole {
  group: string
  role: (typeof ROLE_NAMES)[number]
}

const toGroupRole = (word: string): GroupRole | null => {
  const at = word.lastIndexOf('=')
  const [group, name] = [word.slice(0, at).trim(), word.slice(at + 1).trim()]
  const role = ROLE_NAMES.find(known => known === name)
  return at > 0 && group !== '' && role ? { group, role } : null
}

/** Comma-separated. */
export const groupRoles = words.transform((list, context): GroupRole[] => {
  const found = list.map(toGroupRole)
  if (found.every(one => one !== null)) return found
  context.addIssue(
    `must be groups with a role each, such as staff=user,admins=admin or *=viewer; roles are ${ROLE_NAMES.join(', ')}`,
  )
  return z.NEVER
})

export const hostName = z
  .string()
  .regex(
    /^[a-zA-Z0-9._-]{1,253}$|^\[?[0-9a-fA-F:.]{2,45}\]?$/,
    'must be names as they stand in an address, such as tasks.example.org: no https:// and no port',
  )

export const amqpUrl = z
  .string()
  .refine(
    text => URL.canParse(text) && /^amqps?:$/.test(new URL(text).protocol),
    'must be a URL such as amqp://user:password@host:5672/vhost',
  )

export const redisPlace = z.string().transform((text, context): RedisPlace => {
  const place = parseRedisUrl(text)
  if (place) return place
  context.addIssue(
    'must be a URL such as redis://user:password@host:6379/0, rediss://host or redis+sentinel://host:26379,host:26379/name',
  )
  return z.NEVER
})

export const address = z
  .string()
  .regex(/^[a-zA-Z0-9.:_-]{1,253}$/, 'must be an address or a host name, such as 127.0.0.1 or 0.0.0.0')

export const addressRange = z
  .string()
  .refine(
    text => parseRange(text) !== null,
    'must be addresses or ranges, comma-separated, such as 10.0.0.2 or 172.16.0.0/12',
  )

const isHostWithPort = (text: string): boolean => {
  const [, host = '', digits] = /^(\[[0-9a-fA-F:.]+\]|[^:/?#@*\\\s]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  return host !== '' && Number(digits ?? 0) <= 65_535 && URL.canParse(`http://${host}/`)
}

/** `intranet`, `intranet:8080`, `10.1.2.3`, `[fd00::1]:8080`, `10.0.0.0/8`: the kind that reads them reads no others. */
export const privatePlace = z
  .string()
  .refine(
    text => parseRange(text) !== null || isHostWithPort(text),
    'must be hosts, addresses or ranges, comma-separated, such as intranet, wiki.lan:8080, 10.1.2.3 or 10.0.0.0/8',
  )

export const shortName = z
  .string()
  .regex(/^[a-zA-Z0-9._-]{1,100}$/, 'must be 1 to 100 letters, digits, dots, dashes or underscores')

/** A name that people read: anything that is seen. */
export const visibleName = z
  .string()
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]{1,60}$/u, 'must be 1 to 60 visible characters')

/** Absolute; it need not be there yet. */
export const folder = z
  .string()
  .min(1, 'must be a folder')
  .transform(name => path.resolve(name))

/** Absolute; it is there, and Node can import from it. */
export const folderOfModules = z
  .string()
  .transform(name => path.resolve(name))
  .refine(name => existsSync(name), 'must be a folder that exists')
  .refine(name => !name.includes('\\'), 'must have no backslash in its path: Node imports nothing from there')

/** Null: all. */
export const kindNames = z.string().transform((text, context): readonly string[] | null => {
  if (text === 'all') return null
  const list = text === 'none' ? [] : text.split(',').map(name => name.trim())
  if (list.every(name => /^[a-z][a-z0-9-]{0,62}$/.test(name))) return Object.freeze(list)
  context.addIssue('must be all, none, or names of kinds, comma-separated, such as calcpi,sleep')
  return z.NEVER
})

export const password = z
  .string()
  .min(8, 'must have at least 8 characters')
  .max(256, 'must have at most 256 characters')

/** In the order of `known`. */
export const oneOrMoreOf = <const T extends readonly [string, ...string[]]>(known: T) =>
  words
    .pipe(
      z
        .array(z.enum(known, `must be names out of ${known.join(', ')}, comma-separated`))
        .min(1, 'must name at least one role'),
    )
    .transform((given): T[number][] => known.filter(name => (given as string[]).includes(name)))
