// Numbers, bytes, durations and times as the reader writes them. Pure.
import type { Language } from '../texts/languages.ts'

const DAY_MS = 86_400_000
const BYTES: Readonly<Record<Language, readonly string[]>> = {
  en: ['B', 'KiB', 'MiB', 'GiB', 'TiB'],
  ru: ['Б', 'КиБ', 'МиБ', 'ГиБ', 'ТиБ'],
}
const TIMES: Readonly<Record<Language, Record<'ms' | 's' | 'min' | 'h' | 'd', string>>> = {
  en: { ms: 'ms', s: 's', min: 'min', h: 'h', d: 'd' },
  ru: { ms: 'мс', s: 'с', min: 'мин', h: 'ч', d: 'д' },
}
/** Tags whose 24-hour clock and order of a date are what readers of the language expect. */
const TAGS: Readonly<Record<Language, string>> = { en: 'en-GB', ru: 'ru-RU' }

export interface Formats {
  /** `4,312` */
  number(value: number, digits?: number): string
  /** `63 %` */
  percent(value: number, digits?: number): string
  /** `52.1 MiB` */
  bytes(value: number): string
  /** Milliseconds: `9 ms`, `4.1 s`, `1 min 9 s`, `3 d 4 h`. */
  duration(ms: number): string
  /** Milliseconds since 1970: `03:09:59` today, `28 Nov 03:09` before. */
  time(at: number, now?: number): string
  /** `03:09` */
  clock(at: number): string
  /** `28 Nov` */
  day(at: number): string
  /** `2026-11-28 03:09:59.123 UTC` or with the offset of this place. */
  fullTime(at: number): string
  /** `5 min ago`, `in 12 s` */
  relative(at: number, now: number): string
}

const two = (value: number): string => String(value).padStart(2, '0')

/** The parts of a time: of the reader's place, or of UTC. */
const partsOf = (at: number, isUtc: boolean) => {
  const date = new Date(isUtc ? at : at - new Date(at).getTimezoneOffset() * 60_000)
  return {
    day: date.toISOString().slice(0, 10),
    clock: date.toISOString().slice(11, 19),
    ms: date.toISOString().slice(20, 23),
  }
}

const offsetAt = (at: number): string => {
  const minutes = -new Date(at).getTimezoneOffset()
  const of = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(of / 60))}:${two(of % 60)}`
}

const scaled = (format: Formats['number'], value: number): string =>
  format(value, value >= 100 || Number.isInteger(value) ? 0 : 1)

export const createFormats = (language: Language, zone: 'local' | 'utc'): Formats => {
  const tag = TAGS[language]
  const units = TIMES[language]
  const isUtc = zone === 'utc'
  const numbers = [0, 1, 2].map(
    digits => new Intl.NumberFormat(tag, { minimumFractionDigits: 0, maximumFractionDigits: digits }),
  )
  const dayFormat = new Intl.DateTimeFormat(tag, {
    day: 'numeric',
    month: 'short',
    ...(isUtc ? { timeZone: 'UTC' } : {}),
  })
  const ago = new Intl.RelativeTimeFormat(tag, { numeric: 'always', style: 'short' })

  const number = (value: number, digits = 0): string => (numbers[digits] ?? numbers[0])?.format(value) ?? ''

  const duration = (given: number): string => {
    const ms = Math.max(0, given)
    if (ms < 1000) return `${number(Math.round(ms))} ${units.ms}`
    if (ms < 10_000) return `${number(ms / 1000, 1)} ${units.s}`
    const seconds = Math.round(ms / 1000)
    if (seconds < 60) return `${seconds} ${units.s}`
    const [d, h, min, s] = [
      Math.floor(seconds / 86_400),
      Math.floor(seconds / 3600) % 24,
      Math.floor(seconds / 60) % 60,
      seconds % 60,
    ]
    if (d > 0) return `${number(d)} ${units.d}${h > 0 ? ` ${h} ${units.h}` : ''}`
    if (h > 0) return `${h} ${units.h}${min > 0 ? ` ${min} ${units.min}` : ''}`
    return `${min} ${units.min}${s > 0 ? ` ${s} ${units.s}` : ''}`
  }

  return {
    number,
    percent: (value, digits = 0) => `${number(value, digits)} %`,
    bytes(value) {
      if (!Number.isFinite(value) || value < 0) return '–'
      const power = value < 1 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10))
      return `${scaled(number, value / 1024 ** power)} ${BYTES[language][power]}`
    },
    duration,
    time(at, now = Date.now()) {
      const [parts, today] = [partsOf(at, isUtc), partsOf(now, isUtc)]
      if (parts.day === today.day) return parts.clock
      const near = Math.abs(now - at) < 300 * DAY_MS
      return near ? `${dayFormat.format(at)} ${parts.clock.slice(0, 5)}` : parts.day
    },
    clock: at => partsOf(at, isUtc).clock.slice(0, 5),
    day: at => dayFormat.format(at),
    fullTime(at) {
      const { day, clock, ms } = partsOf(at, isUtc)
      return `${day} ${clock}.${ms} ${isUtc ? 'UTC' : offsetAt(at)}`
    },
    relative(at, now) {
      const seconds = Math.round((at - now) / 1000)
      const [size, unit] = (
        [
          [86_400, 'day'],
          [3600, 'hour'],
          [60, 'minute'],
          [1, 'second'],
        ] as const
      ).find(([of]) => Math.abs(seconds) >= of) ?? [1, 'second']
      return ago.format(Math.trunc(seconds / size), unit)
    },
  }
}
