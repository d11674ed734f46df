// Cuts text between whole characters. Half a surrogate pair is not valid text, and strict JSON readers refuse it.

/**
 * The text, or its beginning of at most `units` UTF-16 units: whole code points only. Lone surrogates become U+FFFD.
 */
export const cutText = (text: string, units: number): string => {
  if (text.length <= units) return text.toWellFormed()
  const last = text.charCodeAt(units - 1)
  const isFirstHalf = units > 0 && last >= 0xd800 && last <= 0xdbff
  return text.slice(0, isFirstHalf ? units - 1 : units).toWellFormed()
}
