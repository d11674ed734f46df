// The format of a store in Redis: which ones this version can use, and what it says of others.
import { VERSION } from '../../platform/version.ts'

/**
 * Of what this version writes. 2 came with documents, 3 with what is kept by owner; a store of an earlier format is
 * raised at the start.
 */
export const FORMAT = 3

/**
 * Which sets follow from the records: 2 came with those of tasks that nobody owns, with ends by owner and with counts by
 * owner. It is apart from the format, since sets of 1 cannot be made anew while processes of an earlier version live.
 */
export const INDEXED = '2'

/** Of a text that anybody may have written. */
const shorten = (text: string): string => text.slice(0, 40)

/**
 * Why a store cannot be used, and what to do. `word`: its prefix; `found`: its format; `writtenBy`: the version that
 * gave it this format, '' where that is not known
 */
export const formatTrouble = (word: string, found: string, writtenBy: string): string => {
  const here = `This is version ${VERSION}, which knows the formats 1 to ${FORMAT}`
  if (!/^[1-9]\d*$/.test(found))
    return (
      `The store under ${word} has the format ${JSON.stringify(shorten(found))}, which is none. ${here}: if another ` +
      `program uses these keys, set another STORE_PREFIX; else restore the field format of ${word}:about`
    )
  const [from, use] =
    writtenBy === ''
      ? ['', 'the version that wrote it']
      : [`, written by version ${shorten(writtenBy)}`, 'that version']
  return `The store under ${word} is of format ${shorten(found)}${from}. ${here}: use ${use}, or a later one`
}
