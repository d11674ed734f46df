// Numbers for people: medians, percentiles, Markdown tables. Pure; it measures nothing itself.

/**
 * The value below which the share `q` (0 to 1) of the values lies, linear between neighbours (the method that
 * R calls type 7). @throws RangeError without values or with `q` outside of 0 to 1
 */
export const quantile = (values: readonly number[], q: number): number => {
  if (values.length === 0) throw new RangeError('there are no values')
  if (!(q >= 0 && q <= 1)) throw new RangeError('q must lie in 0 to 1')
  const sorted = [...values].sort((a, b) => a - b)
  const place = (sorted.length - 1) * q
  const low = sorted[Math.floor(place)] as number
  const high = sorted[Math.ceil(place)] as number
  // rounding must not carry it over its neighbour
  return Math.min(high, low + (high - low) * (place - Math.floor(place)))
}

export const median = (values: readonly number[]): number => quantile(values, 0.5)

/** With so many digits as matter: 12,345 or 123 or 12.3 or 1.23 or 0.012; whole numbers stay whole. */
export const show = (value: number): string => {
  const size = Math.abs(value)
  const digits = size >= 100 || Number.isInteger(value) ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** `min / median / max`. */
export const spread = (values: readonly number[]): string =>
  [quantile(values, 0), median(values), quantile(values, 1)].map(show).join(' / ')

/** A table in Markdown; the first row is its head. Numbers stand to the right. */
export const table = (rows: readonly (readonly string[])[]): string => {
  const [head = [], ...body] = rows
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'))
  return [line(head), line(rule), ...body.map(line)].join('\n')
}
