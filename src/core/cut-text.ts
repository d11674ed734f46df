// Cutting text for people, everywhere: at whole signs. Half of a sign is no text, and strict readers of JSON refuse it.

/**
 * The text, or its beginning of at most so many UTF-16 units: whole code points only. Halves of signs that stood in it
 * before become U+FFFD.
 */
export const cutText = (text: string, units: number): string => {
  if (text.length <= units) return text.toWellFormed()
  const last = text.charCodeAt(units - 1)
  const isFirstHalf = units > 0 && last >= 0xd800 && last <= 0xdbff
  return text.slice(0, isFirstHalf ? units - 1 : units).toWellFormed()
}
