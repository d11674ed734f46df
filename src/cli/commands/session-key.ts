// The key of the console: made with a session for this machine, kept in the settings, revoked by a logout.
import { userInfo } from 'node:os'
import type { Client, Login, Me, Scope } from '../../client/client.ts'
import { ApiError } from '../../client/errors.ts'
import type { Console } from '../console.ts'
import type { ChosenServer } from '../settings/choose-server.ts'

const DAY_MS = 24 * 60 * 60 * 1000
/** What the console does. It makes no accounts, so its key may not either. */
const WANTED: readonly Scope[] = ['read', 'submit', 'operate']
const KEY_NAME_MAX = 100

/** What the key is called in the list of keys. */
const keyName = (c: Console): string => {
  let user = ''
  try {
    user = `${userInfo().username}@`
  } catch {
    // a number that has no name
  }
  return `console of ${user}${c.machine.hostName}`.slice(0, KEY_NAME_MAX)
}

/** What the server is called where it has no name yet. */
const nameOf = (url: string, taken: readonly string[]): string => {
  const { hostname } = new URL(url)
  const plain =
    hostname
      .replace(/[^a-z0-9._-]/gi, '')
      .replace(/^[._-]+/, '')
      .slice(0, 50) || 'server'
  const name = plain === '127.0.0.1' || plain === 'localhost' ? 'local' : plain
  for (let count = 1; ; count += 1) {
    const candidate = count === 1 ? name : `${name}-${count}`
    if (!taken.includes(candidate)) return candidate
  }
}

interface Kept {
  key: string
  keyId: string | null
  account: string | null
}

/** Puts the key into the settings. @returns the name of the server there */
export const keep = async (
  c: Console,
  { url, name }: ChosenServer,
  { key, keyId, account }: Kept,
): Promise<string> => {
  let used = name
  await c.settings.change(settings => {
    used ??= nameOf(url, Object.keys(settings.servers))
    settings.servers[used] = {
      url,
      key,
      ...(keyId === null ? {} : { keyId }),
      ...(account === null ? {} : { account }),
    }
    settings.current ??= used
  })
  return used ?? ''
}

/** Who the client is, and what they may do. @throws ApiError with UNAUTHORIZED for a key that is no more valid */
export const meNow = (client: Client, c: Console): Promise<Me> => client.me({ signal: c.signal })

/** Revokes a key. @returns false: it was gone already */
export const revoke = async (client: Client, id: string, signal: AbortSignal): Promise<boolean> => {
  try {
    await client.revokeKey(id, { signal })
    return true
  } catch (error) {
    if (error instanceof ApiError && ['KEY_NOT_FOUND', 'UNAUTHORIZED'].includes(error.code)) return false
    throw error
  }
}

/**
 * Makes the lasting key of a session, keeps it, and ends the session. @returns the name of the server in the settings
 * @param days after which it ends by itself; undefined: never
 */
export const keyOfSession = async (
  c: Console,
  server: ChosenServer,
  { token, account }: Login,
  days: number | undefined,
): Promise<string> => {
  const session = c.clientOf({ url: server.url, key: token })
  const { signal } = c
  try {
    const { scopes } = await meNow(session, c)
    const made = await session.createKey(
      {
        name: keyName(c),
        scopes: WANTED.filter(scope => scopes.includes(scope)),
        ...(days === undefined
          ? {}
          : { expiresAt: new Date(c.machine.clock().getTime() + days * DAY_MS).toISOString() }),
      },
      { signal },
    )
    const name = await keep(c, server, { key: made.key, keyId: made.id, account: account.name }).catch(
      async (error: unknown) => {
        // a key that is kept nowhere would be valid for ever
        await revoke(session, made.id, signal).catch(() => {})
        throw error
      },
    )
    const before = server.known?.keyId
    if (before !== undefined && before !== made.id) await revoke(session, before, signal).catch(() => {})
    return name
  } finally {
    await session.logOut().catch(() => {})
  }
}
