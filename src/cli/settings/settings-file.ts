// The file of the console's settings, with the keys: read only if nobody else can read it, and written whole or not at
// all.
import { mkdir } from 'node:fs/promises'
import path from 'node:path'
import { replaceFile } from '../../platform/atomic-file.ts'
import { openPlain } from '../../platform/plain-file.ts'
import { ConsoleError, EXIT } from '../exit.ts'

/** A server that the console knows by a name. */
export interface KnownServer {
  url: string
  /** What is shown to it; left out: nobody has logged in. */
  key?: string
  /** Of the key, by which a logout revokes it. */
  keyId?: string
  /** Who has logged in, for people. */
  account?: string
}

export interface Settings {
  version: 1
  /** The name of the server that is asked when none is named; null: none was chosen. */
  current: string | null
  servers: Record<string, KnownServer>
}

const MAX_BYTES = 1024 * 1024
const OTHERS = 0o077

export const SERVER_NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/i
export const emptySettings = (): Settings => ({ version: 1, current: null, servers: {} })

const unusable = (file: string, why: string, hint: string | null = null): ConsoleError =>
  new ConsoleError(EXIT.usage, `The console's settings ${file} cannot be used: ${why}`, hint)

const isText = (value: unknown): value is string => typeof value === 'string'

/** @throws Error with what is wrong */
const parse = (text: string): Settings => {
  const found = JSON.parse(text) as Partial<Settings> | null
  if (typeof found !== 'object' || found === null || found.version !== 1)
    throw new Error('they are of another version')
  const { current = null, servers } = found
  if (typeof servers !== 'object' || servers === null || (current !== null && !isText(current)))
    throw new Error('they do not have the form of settings')
  const known: Settings = { version: 1, current, servers: {} }
  for (const [name, server] of Object.entries(servers)) {
    if (!SERVER_NAME.test(name) || !isText(server?.url)) throw new Error('a server has no url')
    const { url, key, keyId, account } = server
    known.servers[name] = {
      url,
      ...(isText(key) ? { key } : {}),
      ...(isText(keyId) ? { keyId } : {}),
      ...(isText(account) ? { account } : {}),
    }
  }
  return known
}

export interface SettingsFile {
  readonly path: string
  /** @throws ConsoleError when others can read the file, or it is none of ours */
  read(): Promise<Settings>
  /** Reads the file, changes what was read and writes it. @throws as `read`, and what the file system says */
  change(make: (settings: Settings) => void): Promise<void>
}

/** @param uid who runs the console; null: the system knows no users */
export const openSettings = (file: string, uid: number | null): SettingsFile => {
  const read = async (): Promise<Settings> => {
    const opened = await openPlain(file).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
      throw unusable(file, error.message)
    })
    if (!opened) return emptySettings()
    const { handle, info } = opened
    try {
      if (uid !== null && info.uid !== uid) throw unusable(file, 'they belong to somebody else')
      if (uid !== null && (info.mode & OTHERS) !== 0)
        throw unusable(
          file,
          `others can read them (mode ${(info.mode & 0o777).toString(8).padStart(4, '0')}), and a key is in them`,
          `chmod 600 ${file}; a key that others may have seen should be revoked: madhava logout, madhava login`,
        )
      if (info.size > MAX_BYTES) throw unusable(file, 'they are too large')
      return parse(await handle.readFile('utf8'))
    } catch (error) {
      if (error instanceof ConsoleError) throw error
      // a parser's message shows what it has read, which may be a key
      const why = error instanceof SyntaxError ? 'they are no JSON' : (error as Error).message
      throw unusable(file, why)
    } finally {
      await handle.close()
    }
  }
  return {
    path: file,
    read,
    async change(make) {
      const settings = await read()
      make(settings)
      await mkdir(path.dirname(file), { recursive: true, mode: 0o700 })
      await replaceFile(file, `${JSON.stringify(settings, null, 2)}\n`, { mode: 0o600 })
    },
  }
}
