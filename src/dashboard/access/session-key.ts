// The key that signs sessions: made once per data folder, and again when the dashboard starts with another password
// than the last time, so that returning to an old password revives no session.
import { randomBytes, timingSafeEqual } from 'node:crypto'
import path from 'node:path'
import { z } from 'zod'
import { MadhavaError } from '../../core/errors.ts'
import { createFile, replaceFile } from '../../platform/atomic-file.ts'
import { NotPlainError, readPlain } from '../../platform/plain-file.ts'
import { ensureAccountsFolder, hashPassword } from './operator.ts'

const KEY_BYTES = 32
const MAX_BYTES = 4 * 1024
/** A fifth of a login's cost, since the start waits for it. As hard to guess from as the operator's own file. */
const COST = { N: 16_384, r: 8, p: 1 } as const

const markSchema = z.object({
  version: z.literal(1),
  salt: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/),
  hash: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/),
})

/** @throws CONFIG_INVALID when the file is not a key */
export const ensureSessionKey = async (dataDir: string): Promise<Buffer> => {
  const file = path.join(await ensureAccountsFolder(dataDir), 'session.key')
  // anything else in its place is as unusable as a short one
  const read = () =>
    readPlain(file, MAX_BYTES).catch((error: unknown) => {
      if (error instanceof NotPlainError) return Buffer.alloc(0)
      throw error
    })
  let key = await read()
  if (!key) {
    await createFile(file, randomBytes(KEY_BYTES), { mode: 0o600 })
    // Another process may have been first: the key in the file counts.
    key = await read()
  }
  if (key?.length === KEY_BYTES) return key
  throw new MadhavaError(
    'CONFIG_INVALID',
    'accounts/session.key in the data folder cannot be used; remove it, and everybody logs in anew',
  )
}

const isMarkOf = async (bytes: Buffer | null, credential: string): Promise<boolean> => {
  try {
    const { salt, hash } = markSchema.parse(JSON.parse(String(bytes)))
    const [kept, present] = [
      Buffer.from(hash, 'base64url'),
      await hashPassword(credential, Buffer.from(salt, 'base64url'), COST),
    ]
    return kept.length === present.length && timingSafeEqual(kept, present)
  } catch {
    return false
  }
}

/**
 * The key for the present password, for a start of the dashboard.
 * @param credential as `Operator.credential`
 * @throws CONFIG_INVALID
 */
export const sessionKeyFor = async (dataDir: string, credential: string | null): Promise<Buffer> => {
  const folder = await ensureAccountsFolder(dataDir)
  const file = path.join(folder, 'session.password')
  if (credential === null) return ensureSessionKey(dataDir)
  // an unreadable mark counts as another password: everyone logs in again
  const mark = await readPlain(file, MAX_BYTES).catch(() => Buffer.alloc(0))
  if (mark && (await isMarkOf(mark, credential))) return ensureSessionKey(dataDir)
  // the key first: a crash between the two only makes one more key
  if (mark) await replaceFile(path.join(folder, 'session.key'), randomBytes(KEY_BYTES), { mode: 0o600 })
  const salt = randomBytes(16)
  const hash = await hashPassword(credential, salt, COST)
  const text = JSON.stringify({
    version: 1,
    salt: salt.toString('base64url'),
    hash: hash.toString('base64url'),
  })
  await replaceFile(file, `${text}\n`, { mode: 0o600 })
  return ensureSessionKey(dataDir)
}
