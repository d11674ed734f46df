// Parses HTML in pieces, with a pause after each, in which a cancel or the time limit is noticed.
import { setImmediate as turn } from 'node:timers/promises'
import { Parser } from 'parse5'
import { createTree, type Node, type TooMuch, TreeLimit } from './tree.ts'

/** Characters in a piece. */
const PIECE = 16_384

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
      // both halves of a character in one piece
      if (/[\ud800-\udbff]/.test(text[end - 1] ?? '')) end += 1
      tokenizer.write(text.slice(at, end), end >= text.length)
      at = end
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
