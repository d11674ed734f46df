// What a password may be, and the text that is hashed for it. Pure. How it is hashed is in passwords.ts.
import { MadhavaError } from '../core/errors.ts'
import { isBuiltIn } from './account.ts'
import { normalName } from './name-rules.ts'

const SHORTEST = 8
const LONGEST = 256
/** A longer text is no password, whatever becomes of it. */
const LONGEST_TEXT = 4 * LONGEST

/** The ones of the usual lists that are long enough to be let in otherwise. */
const COMMON: ReadonlySet<string> = new Set(
  `00000000 11111111 12341234 12344321 123123123 12345678 123456789 1234567890 0123456789 987654321 9876543210
  87654321 1qaz2wsx 1q2w3e4r 1q2w3e4r5t q1w2e3r4 zaq12wsx qwertyui qwertyuiop qwerty123 qwerty12 asdfghjk asdfghjkl
  zxcvbnm1 qazwsxedc 1qazxsw2 password password1 password12 password123 passw0rd p@ssw0rd p@ssword pa55word
  passwort passwort1 motdepasse contraseña changeme changeit letmein1 iloveyou iloveyou1 sunshine princess football
  baseball superman batman123 trustno1 whatever starwars dragon123 monkey123 shadow123 michael1 jennifer computer
  internet corvette maverick administrator admin123 admin1234 welcome1 welcome123 abc12345 abcd1234 abcdefgh
  abcdefg1 aaaaaaaa a1b2c3d4 aa123456 test1234 testtest secret123 default1 guest123 hello123 mypassword
  operator1 madhava1 madhava123`.split(/\s+/),
)

const refuse = (reason: 'short' | 'long' | 'name' | 'common', words: string): never => {
  throw new MadhavaError('PASSWORD_INVALID', words, { detail: { reason } })
}

/**
 * The text that is hashed and compared: the same however a keyboard composes it. Those of the built-in logins are taken
 * as they are, as settings have them.
 */
export const passwordText = (account: string, password: string): string =>
  isBuiltIn(account) ? password : password.slice(0, LONGEST_TEXT + 1).normalize('NFKC')

/** @throws PASSWORD_INVALID with the reason, also as `detail.reason`: short, long, name or common */
export const checkPassword = (password: string, name: string): void => {
  if (password.length > LONGEST_TEXT) refuse('long', `A password has at most ${LONGEST} characters`)
  const text = password.normalize('NFKC')
  // what hashing takes in is counted as it counts
  if (text.length > LONGEST) refuse('long', `A password has at most ${LONGEST} characters`)
  if ([...text].length < SHORTEST) refuse('short', `A password has at least ${SHORTEST} characters`)
  const normal = text.toLowerCase()
  if (normalName(normal) === normalName(name)) refuse('name', 'The password must not be the name')
  if (COMMON.has(normal)) refuse('common', 'This password is among the first that anybody would try')
}
