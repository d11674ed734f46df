// Times, durations, sizes and shares as people read them. Pure.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']

/** Bytes, by 1000. */
export const sizeText = (bytes: number): string => {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

/** Seconds in at most two units: `0.4 s`, `12 s`, `3 m 20 s`, `2 h 5 m`, `3 d 4 h`. */
export const durationText = (seconds: number): string => {
  if (!Number.isFinite(seconds) || seconds < 0) return '?'
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`
  const whole = Math.round(seconds)
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} m ${whole % 60} s`
  const hours = Math.floor(minutes / 60)
  return hours < 24 ? `${hours} h ${minutes % 60} m` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}

const digits = (value: number): string => String(value).padStart(2, '0')

/** The time of day on this machine, `12:34:56`. */
export const clockText = (at: Date): string =>
  `${digits(at.getHours())}:${digits(at.getMinutes())}:${digits(at.getSeconds())}`

/** Today the time of day, else the day too. */
export const timeText = (iso: string | null, now: Date): string => {
  if (iso === null) return '-'
  const at = new Date(iso)
  if (Number.isNaN(at.getTime())) return iso
  const day = `${at.getFullYear()}-${digits(at.getMonth() + 1)}-${digits(at.getDate())}`
  return at.toDateString() === now.toDateString() ? clockText(at) : `${day} ${clockText(at)}`
}

/** How long ago, as `durationText`. */
export const agoText = (iso: string, now: Date): string =>
  durationText(Math.max(0, (now.getTime() - Date.parse(iso)) / 1000))

export const percentText = (percent: number): string => `${percent.toFixed(percent < 10 ? 1 : 0)} %`

const AGO = /^(\d{1,6})(s|m|h|d)$/
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const

/**
 * A time on the command line as ISO-8601: `2h` is two hours from `now`, back or forth; else what Date takes.
 * @returns null: it is none
 */
export const readTime = (text: string, now: Date, direction: 'ago' | 'ahead'): string | null => {
  const found = AGO.exec(text)
  if (found) {
    const ms = Number(found[1]) * SECONDS[found[2] as keyof typeof SECONDS] * 1000
    return new Date(now.getTime() + (direction === 'ago' ? -ms : ms)).toISOString()
  }
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? new Date(text) : new Date(Number.NaN)
  return Number.isNaN(at.getTime()) ? null : at.toISOString()
}
