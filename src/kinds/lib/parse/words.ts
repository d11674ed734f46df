// Counts the words of a text, in any script.

/** Letters and digits, with what stands inside of words: don’t, e-mail, 3.14. */
const WORD = /[\p{L}\p{N}\p{M}_]+(?:['’.,\u2010\u2011-][\p{L}\p{N}\p{M}_]+)*/gu
/** Scripts that put no blanks between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u
/** Characters that are cut at a time: the cutter's cost grows with them. */
const SLICE = 2_000

/** Characters that are looked at together: an expression may not be tried on a word without end. */
const PIECE = 10_000
/** Where a piece ends: behind a blank, if there is one. */
const pieceEnd = (text: string, at: number): number => {
  const most = at + PIECE
  if (most >= text.length) return text.length
  const [ending = ''] = /[^ \n]{0,200}$/.exec(text.slice(most - 200, most)) ?? []
  return most - (ending.length < 200 ? ending.length : 0)
}

/** A counter: making a segmenter is dear, so it is made when it is first needed. */
export const createWordCounter = (): ((text: string) => number) => {
  let segmenter: Intl.Segmenter | null = null
  const unspaced = (word: string): number => {
    segmenter ??= new Intl.Segmenter('und', { granularity: 'word' })
    let count = 0
    for (let at = 0; at < word.length; at += SLICE)
      for (const { isWordLike } of segmenter.segment(word.slice(at, at + SLICE))) if (isWordLike) count += 1
    return count
  }
  return text => {
    let count = 0
    for (let at = 0; at < text.length; ) {
      const end = pieceEnd(text, at)
      for (const [word] of text.slice(at, end).matchAll(WORD))
        count += UNSPACED.test(word) ? unspaced(word) : 1
      at = end
    }
    return count
  }
}
