// The two logins, operator and viewer, and their passwords: made once, kept as a hash, checked. It knows no HTTP and no
// sessions.
import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto'
import { chmod, chown, mkdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { z } from 'zod'
import { createSemaphore, type Semaphore } from '../../core/async/semaphore.ts'
import { MadhavaError } from '../../core/errors.ts'
import { createFile, replaceFile } from '../../platform/atomic-file.ts'
import { readPlain } from '../../platform/plain-file.ts'
import { ROLES, type Role } from './rights.ts'

export interface Operator {
  /**
   * Whether name and password are right. Takes the same time for any wrong pair.
   * @param tries how often the client has tried lately; of waiting checks the one with the fewest tries is next
   * @throws TOO_MANY_REQUESTS when too many wait to be checked, CONFIG_INVALID when the file cannot be used
   */
  verify(name: string, password: string, tries?: number): Promise<boolean>
  /**
   * A secret that changes with the password; sessions are bound to it. Null while there is no such login.
   * @throws CONFIG_INVALID
   */
  credential(): Promise<string | null>
}

export interface OperatorOptions {
  dataDir: string
  /** The password from the settings. If set, it is the only valid one. */
  configured: string | null
  /** Whose login: its name, and what it may do. */
  role?: Role
}

// 16 MiB and about a fifth of a second per check.
const COST = { N: 16_384, r: 8, p: 5 } as const
const HASH_BYTES = 32
const MAX_PASSWORD_CHARACTERS = 256
const FILE_BYTES_MAX = 64 * 1024
/** How many checks may wait: the last one for about ten seconds. */
const WAITING_MAX = 50

/** Without i, l, o, 0 and 1, which look alike. 20 of 31 symbols are 99 bits. */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz'
const newPassword = (): string =>
  Array.from({ length: 4 }, () =>
    Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
  ).join('-')

const base64 = z.string().regex(/^[A-Za-z0-9_-]{16,128}$/)
const fileSchema = z.object({
  version: z.literal(1),
  name: z.enum(ROLES),
  scrypt: z.object({
    N: z.int().min(1024).max(1_048_576),
    r: z.int().min(1).max(32),
    p: z.int().min(1).max(16),
  }),
  salt: base64,
  hash: base64,
})
type OperatorFile = z.infer<typeof fileSchema>

/** The hash of a password. */
export const hashPassword = (password: string, salt: Buffer, cost: OperatorFile['scrypt']): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const maxmem = 256 * cost.N * cost.r
    scrypt(password, salt, HASH_BYTES, { ...cost, maxmem }, (error, hash) =>
      error ? reject(error) : resolve(hash),
    )
  })

/** Makes the folder of accounts, readable only by our own user; returns its path. */
export const ensureAccountsFolder = async (dataDir: string): Promise<string> => {
  const folder = path.join(dataDir, 'accounts')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await chmod(folder, 0o700)
  return folder
}

/** @throws CONFIG_INVALID */
const readOperatorFile = async (dataDir: string, role: Role): Promise<OperatorFile | null> => {
  const file = path.join(dataDir, 'accounts', `${role}.json`)
  try {
    const bytes = await readPlain(file, FILE_BYTES_MAX)
    if (bytes === null) return null
    const read = fileSchema.parse(JSON.parse(bytes.toString()))
    if (read.name !== role) throw new Error('it is the file of another login')
    return read
  } catch (cause) {
    throw new MadhavaError(
      'CONFIG_INVALID',
      `accounts/${role}.json in the data folder cannot be used; \`node bin/reset-password.mjs${role === 'viewer' ? ' --viewer' : ''}\` makes it and a new password`,
      { cause },
    )
  }
}

/** A new password, and the text of its file. */
const makeOperator = async (role: Role): Promise<{ password: string; text: string }> => {
  const password = newPassword()
  const salt = randomBytes(16)
  const record: OperatorFile = {
    version: 1,
    name: role,
    scrypt: COST,
    salt: salt.toString('base64url'),
    hash: (await hashPassword(password, salt, COST)).toString('base64url'),
  }
  return { password, text: `${JSON.stringify(record, null, 2)}\n` }
}

/**
 * Makes sure that there is an operator. `created` is the new password if this call made it, which is the only time it
 * can be shown. Of several processes at once, one makes it. @throws CONFIG_INVALID
 */
export const ensureOperator = async ({
  dataDir,
  configured,
}: OperatorOptions): Promise<{ created: string | null }> => {
  if (configured !== null) return { created: null }
  const folder = await ensureAccountsFolder(dataDir)
  if (await readOperatorFile(dataDir, 'operator')) return { created: null }
  const { password, text } = await makeOperator('operator')
  const made = await createFile(path.join(folder, 'operator.json'), text, { mode: 0o600 })
  return { created: made ? password : null }
}

/** The setting that may have the password. */
const SETTING: Record<Role, string> = { operator: 'DASHBOARD_PASSWORD', viewer: 'DASHBOARD_VIEWER_PASSWORD' }

/**
 * Replaces a lost password and returns the new one; a viewer gets a first one in the same way. It is valid at once,
 * and ends every session of the login, since they are bound to the old one. @throws CONFIG_INVALID where the password comes from the settings, or the folder is none of a bundle
 */
export const resetOperator = async ({
  dataDir,
  configured,
  role = 'operator',
}: OperatorOptions): Promise<string> => {
  if (configured !== null)
    throw new MadhavaError(
      'CONFIG_INVALID',
      `The password is that of ${SETTING[role]}: change it there and start anew`,
    )
  const owner = await stat(path.join(dataDir, 'accounts')).catch(() => null)
  if (!owner)
    throw new MadhavaError(
      'CONFIG_INVALID',
      `No bundle has started in ${path.resolve(dataDir)}: its first start makes a password. Is it the right folder (DATA_DIR)?`,
    )
  const folder = await ensureAccountsFolder(dataDir)
  const file = path.join(folder, `${role}.json`)
  const { password, text } = await makeOperator(role)
  await replaceFile(file, text, { mode: 0o600 })
  // run by root: the bundle's own user must be able to read it
  if (process.getuid?.() === 0) await chown(file, owner.uid, owner.gid)
  return password
}

/**
 * A check is slow on purpose: one at a time for all logins, so that they do not use up the processor. The client with
 * the fewest recent tries is next, so that nobody is locked out by others' tries.
 */
export const createCheckQueue = (): Semaphore =>
  createSemaphore(1, {
    waitingMax: WAITING_MAX,
    refusal: () => new MadhavaError('TOO_MANY_REQUESTS'),
  })

/** A login, for the dashboard. The file is read each time, so a new password is valid at once. */
export const openOperator = (
  { dataDir, configured, role = 'operator' }: OperatorOptions,
  inTurn: Semaphore = createCheckQueue(),
): Operator => {
  // A configured password is hashed too, so that both ways take the same steps and time.
  const ownSalt = randomBytes(16)
  const ownHash = configured === null ? null : hashPassword(configured, ownSalt, COST)
  ownHash?.catch(() => {})

  const expected = async (): Promise<{ salt: Buffer; hash: Buffer; cost: OperatorFile['scrypt'] }> => {
    if (ownHash) return { salt: ownSalt, hash: await ownHash, cost: COST }
    const file = await readOperatorFile(dataDir, role)
    // Without such a login every password is wrong, which takes as long to find out.
    if (!file) return { salt: ownSalt, hash: randomBytes(HASH_BYTES), cost: COST }
    return {
      salt: Buffer.from(file.salt, 'base64url'),
      hash: Buffer.from(file.hash, 'base64url'),
      cost: file.scrypt,
    }
  }

  return {
    verify: (name, password, tries = 0) =>
      inTurn(async () => {
        const { salt, hash, cost } = await expected()
        const tried = await hashPassword(password.slice(0, MAX_PASSWORD_CHARACTERS + 1), salt, cost)
        const same = tried.length === hash.length && timingSafeEqual(tried, hash)
        return same && name === role
      }, tries),

    async credential() {
      if (configured !== null) return `configured:${configured}`
      const file = await readOperatorFile(dataDir, role)
      return file && `file:${file.hash}`
    },
  }
}
