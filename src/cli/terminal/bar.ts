// Bars of progress, of any width. Pure.

const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** @param isPlain signs of ASCII alone */
export const barText = (percent: number, columns: number, isPlain: boolean): string => {
  const share = Math.min(1, Math.max(0, percent / 100))
  if (columns < 1) return ''
  if (isPlain) {
    const full = Math.floor(share * columns)
    return `${'#'.repeat(full)}${'-'.repeat(columns - full)}`
  }
  const eighths = Math.floor(share * columns * 8)
  const full = Math.floor(eighths / 8)
  const part = EIGHTHS[eighths % 8] ?? ''
  return `${'█'.repeat(full)}${part}${'░'.repeat(Math.max(0, columns - full - (part === '' ? 0 : 1)))}`
}

/** Whether the terminal's signs go beyond ASCII, by what the environment says of its language. */
export const speaksUtf8 = (env: Readonly<Record<string, string | undefined>>): boolean =>
  /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '') && env.TERM !== 'linux'
