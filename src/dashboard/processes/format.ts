// Formats numbers for people, for the page and for the data that its script shows.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** `52.1 MiB`; a dash for nothing. */
export const formatBytes = (bytes: number): string => {
  if (!Number.isFinite(bytes) || bytes <= 0) return '–'
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10))
  const value = bytes / 1024 ** power
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`
}

/** The two largest units: `3 d 4 h`, `12 min 5 s`, `8 s`; a dash for null. */
export const formatDuration = (milliseconds: number | null): string => {
  if (milliseconds === null) return '–'
  const seconds = Math.floor(milliseconds / 1000)
  const [d, h, min, s] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ]
  if (d > 0) return `${d} d ${h} h`
  if (h > 0) return `${h} h ${min} min`
  return min > 0 ? `${min} min ${s} s` : `${s} s`
}

/** `0.4 %`, where 100 % is one core. */
export const formatPercent = (percent: number): string =>
  `${percent >= 100 ? Math.round(percent) : percent.toFixed(1)} %`
