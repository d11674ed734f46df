// Parses HTML in pieces, with a pause after each, in which a cancel or the time limit is noticed.
import { setImmediate as turn } from 'node:timers/promises'
import { Parser } from 'parse5'
import { createTree, type Node, type TooMuch, TreeLimit } from './tree.ts'

/** Characters in a piece. parse5 copies a token that has not ended with each one, so they are not small. */
const PIECE = 131_072
/** Of one tag, between two pieces: characters of a name, attributes. A parser adds to them one by one. */
const TAG = { name: 16_384, attributes: 10_000 }
/** Pieces of text that wait for the end of a table's text: blanks and letters in turn are one each. */
const WAITING = 100_000

const isHighSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xdc00

/** What the tokenizer has begun; parse5 declares it protected. */
interface Unfinished {
  currentToken: {
    tagName?: string
    attrs?: unknown[]
    data?: string
    /** Of a doctype. */
    name?: string | null
    publicId?: string | null
    systemId?: string | null
  } | null
  currentAttr: { name: string } | null
}

/** @throws TreeLimit for a tag or a doctype without end */
const checkUnfinished = ({ currentToken, currentAttr }: Unfinished): void => {
  if (currentToken === null) return
  const { name, publicId, systemId } = currentToken
  if ([name, publicId, systemId].some(text => (text?.length ?? 0) > TAG.name)) throw new TreeLimit('nodes')
  // of a comment, which nobody reads
  if (currentToken.data !== undefined) currentToken.data = ''
  const isLong = Math.max(currentToken.tagName?.length ?? 0, currentAttr?.name.length ?? 0) > TAG.name
  if (isLong || (currentToken.attrs?.length ?? 0) > TAG.attributes) throw new TreeLimit('nodes')
}

export interface Built {
  document: Node
  /** What the page has too much of; what comes after that place is missing. */
  tooMuch: TooMuch | null
}

/**
 * As a browser without scripts does.
 * @param onShare hears how much is parsed, 0 to 1
 * @throws the signal's reason
 */
export const buildTree = async (
  text: string,
  {
    signal,
    onShare,
    limits,
  }: {
    signal: AbortSignal
    onShare?: (share: number) => void
    limits?: { depth: number; nodes: number }
  },
): Promise<Built> => {
  const parser = new Parser({ treeAdapter: createTree(limits), scriptingEnabled: false })
  const { tokenizer, document } = parser
  try {
    let at = 0
    do {
      let end = Math.min(text.length, at + PIECE)
      // both halves of a character in one piece, and both signs that end a line
      if (isHighSurrogate(text.charCodeAt(end - 1)) || text.startsWith('\r\n', end - 1)) end += 1
      // the parser would read \r so too, but it keeps memory for each, and a page of nothing else would fill the heap
      tokenizer.write(text.slice(at, end).replace(/\r\n?/g, '\n'), end >= text.length)
      at = end
      // text that has come is no longer looked at
      tokenizer.flushCurrentCharacterToken()
      checkUnfinished(tokenizer as unknown as Unfinished)
      if (parser.pendingCharacterTokens.length > WAITING) throw new TreeLimit('nodes')
      onShare?.(text.length === 0 ? 1 : at / text.length)
      await turn()
      signal.throwIfAborted()
    } while (at < text.length)
  } catch (error) {
    if (error instanceof TreeLimit) return { document, tooMuch: error.limit }
    throw error
  }
  return { document, tooMuch: null }
}
