// A moment as the browser's field for date and time has it, in the zone of the reader. Pure.

const two = (value: number): string => String(value).padStart(2, '0')

/** `2026-01-31T12:00:00`; empty for what is no moment. @param instant ISO-8601 */
export const fieldTimeOf = (instant: string, isUtc: boolean): string => {
  const ms = Date.parse(instant)
  if (Number.isNaN(ms)) return ''
  const date = new Date(ms)
  if (isUtc) return date.toISOString().slice(0, 19)
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
}

/** ISO-8601; null for what is no moment. */
export const instantIn = (text: string, isUtc: boolean): string | null => {
  const ms = Date.parse(isUtc ? `${text}Z` : text)
  return Number.isNaN(ms) ? null : new Date(ms).toISOString()
}
