// What people and programs show: keys, tokens of sessions, invitations. How they are made, read and compared. Pure but
// for the random numbers; it stores nothing.
import { createHash, randomInt, timingSafeEqual } from 'node:crypto'

export type TokenType = 'key' | 'session' | 'invitation' | 'ticket' | 'share'

const MARK: Readonly<Record<TokenType, string>> = {
  key: 'mdv',
  session: 'mds',
  invitation: 'mdi',
  ticket: 'mdt',
  share: 'mdl',
}
const TYPE_OF: Readonly<Record<string, TokenType>> = {
  mdv: 'key',
  mds: 'session',
  mdi: 'invitation',
  mdt: 'ticket',
  mdl: 'share',
}
const TOKEN = /^(mdv|mds|mdi|mdt|mdl)_([a-z0-9]{16})_[A-Za-z0-9]{43}$/
const ID = /^[a-z0-9]{16}$/

const ID_LETTERS = '0123456789abcdefghijklmnopqrstuvwxyz'
const SECRET_LETTERS = `${ID_LETTERS}ABCDEFGHIJKLMNOPQRSTUVWXYZ`
const ID_LENGTH = 16
/** 43 of 62 letters are 256 bits. */
const SECRET_LENGTH = 43
const PREFIX_LENGTH = 8

export interface NewToken {
  id: string
  /** Shown once, and not kept. */
  token: string
  /** Kept in its place. */
  hash: string
}

export interface ShownToken {
  type: TokenType
  id: string
  hash: string
}

const letters = (alphabet: string, count: number): string =>
  Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join('')

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/**
 * How the ids of all keys and sessions of an account begin, so that they stand together in the store and can be listed
 * without reading those of others. Two accounts may have the same.
 */
export const idPrefixOf = (account: string): string => {
  const number = createHash('sha256').update(account).digest().readBigUInt64BE()
  return (number % BigInt(ID_LETTERS.length) ** BigInt(PREFIX_LENGTH))
    .toString(ID_LETTERS.length)
    .padStart(PREFIX_LENGTH, '0')
}

/** @param account whose it is; null: nobody's yet */
export const newToken = (type: TokenType, account: string | null): NewToken => {
  const prefix = account === null ? '' : idPrefixOf(account)
  const id = prefix + letters(ID_LETTERS, ID_LENGTH - prefix.length)
  const token = `${MARK[type]}_${id}_${letters(SECRET_LETTERS, SECRET_LENGTH)}`
  return { id, token, hash: hashOf(token) }
}

/** Null for what is none. */
export const parseToken = (text: string): ShownToken | null => {
  const [token, mark = '', id = ''] = TOKEN.exec(text) ?? []
  const type = TYPE_OF[mark]
  // `$` lets a line feed at the end through
  return type === undefined || token !== text ? null : { type, id, hash: hashOf(token) }
}

export const isTokenId = (id: string): boolean => ID.test(id)

/** Takes the same time wherever they differ. */
export const isSameHash = (kept: string, shown: string): boolean => {
  const [one, other] = [Buffer.from(kept), Buffer.from(shown)]
  return one.length === other.length && timingSafeEqual(one, other)
}
