// Passwords: made, hashed, and compared with a hash. It knows no logins and stores nothing.
import { randomBytes, randomInt, scrypt, timingSafeEqual } from 'node:crypto'
import type { PasswordHash } from '../core/account-forms.ts'

/** 16 MiB and about a fifth of a second per hash. */
let cost: PasswordHash['scrypt'] = { N: 16_384, r: 8, p: 5 }
/** For tests, which hash hundreds. Of what is hashed from here on in this process. */
export const setHashCost = (wanted: PasswordHash['scrypt']): void => {
  cost = wanted
}
const SALT_BYTES = 16
const HASH_BYTES = 32
const MAX_PASSWORD_CHARACTERS = 256

/** Without i, l, o, 0 and 1, which look alike. 20 of 31 symbols are 99 bits. */
const ALPHABET = '23456789abcdefghjkmnpqrstuvwxyz'
export const newPassword = (): string =>
  Array.from({ length: 4 }, () =>
    Array.from({ length: 5 }, () => ALPHABET[randomInt(ALPHABET.length)]).join(''),
  ).join('-')

const derive = (password: string, salt: Buffer, of: PasswordHash['scrypt']): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const maxmem = 256 * of.N * of.r
    // longer ones are cut where they differ from every password that was let in
    const text = password.slice(0, MAX_PASSWORD_CHARACTERS + 1)
    scrypt(text, salt, HASH_BYTES, { ...of, maxmem }, (error, hash) =>
      error ? reject(error) : resolve(hash),
    )
  })

/** With a new salt. */
export const hashPassword = async (password: string): Promise<PasswordHash> => {
  const salt = randomBytes(SALT_BYTES)
  const hash = await derive(password, salt, cost)
  return { scrypt: cost, salt: salt.toString('base64url'), hash: hash.toString('base64url') }
}

/** The hash of no password. It takes as long to compare with as any other. */
export const hashOfNone = (): PasswordHash => ({
  scrypt: cost,
  salt: randomBytes(SALT_BYTES).toString('base64url'),
  hash: randomBytes(HASH_BYTES).toString('base64url'),
})

export const isPassword = async (
  password: string,
  { salt, hash, scrypt }: PasswordHash,
): Promise<boolean> => {
  const [expected, tried] = [
    Buffer.from(hash, 'base64url'),
    await derive(password, Buffer.from(salt, 'base64url'), scrypt),
  ]
  return tried.length === expected.length && timingSafeEqual(tried, expected)
}
