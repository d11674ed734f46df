// What the name of an account may be, and when two names are the same. Pure. Who has a name is in names.ts.
import { createHash } from 'node:crypto'
import { validate as isUuid } from 'uuid'
import { ACCOUNT_NAME_MAX } from '../core/account-forms.ts'
import { MadhavaError } from '../core/errors.ts'
import { isBuiltIn } from './account.ts'

const NAME = new RegExp(`^[\\p{L}0-9][\\p{L}0-9._+@-]{0,${ACCOUNT_NAME_MAX - 1}}$`, 'u')
/** Words that stand for somebody else than an account where a name is asked for. */
const NOT_NAMES = ['me', 'nobody', 'anonymous']
/** A longer text is no name, whatever becomes of it. */
const LONGEST_TEXT = 8 * ACCOUNT_NAME_MAX

const invalid = (why: string): MadhavaError => new MadhavaError('NAME_INVALID', why)

/**
 * The name as it is compared: two names are the same when this is. Any text has one. By way of capitals, so that letters
 * with the same capital are the same too, as the two small sigmas.
 */
export const normalName = (name: string): string =>
  name.slice(0, LONGEST_TEXT).normalize('NFKC').toLowerCase().toUpperCase().toLowerCase().normalize('NFKC')

/** The name of the document that says whose a name is. */
export const nameDocumentOf = (name: string): string =>
  createHash('sha256').update(normalName(name)).digest('hex')

/** The name as it is kept and shown. @throws NAME_INVALID with the reason */
export const parseName = (text: string): string => {
  if (text.length > LONGEST_TEXT) throw invalid(`A name has at most ${ACCOUNT_NAME_MAX} characters`)
  const name = text.normalize('NFKC')
  const normal = normalName(name)
  if (!NAME.test(name))
    throw invalid(
      `A name has 1 to ${ACCOUNT_NAME_MAX} letters, digits and . _ - + @, and begins with a letter or a digit`,
    )
  if (isBuiltIn(normal) || NOT_NAMES.includes(normal))
    throw invalid('This name is taken by the server itself')
  // an account can be asked for by its name or its id
  if (isUuid(normal)) throw invalid('A name cannot look like the id of an account')
  return name
}
