// What the reader has chosen: theme, language, zone, density, keys. Theme and language are cookies, since the server
// writes them into the document before anything is drawn; the rest stays in the browser.
import { chooseLanguage, type Language } from '../texts/languages.ts'
import { createCell } from './cell.ts'

export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]
export const ZONES = ['local', 'utc'] as const
export type Zone = (typeof ZONES)[number]
export const DENSITIES = ['comfortable', 'compact'] as const
export type Density = (typeof DENSITIES)[number]

const YEAR_SECONDS = 365 * 24 * 60 * 60

const writeCookie = (name: string, value: string | null): void => {
  const life = value === null ? 0 : YEAR_SECONDS
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is not everywhere, nor over plain HTTP
  document.cookie = `${name}=${value ?? ''}; path=/; max-age=${life}; samesite=strict`
}

/** Browsers may refuse storage; a choice then holds until the page is left. */
const stored = <T extends string>(name: string, among: readonly T[], first: T): T => {
  try {
    const found = localStorage.getItem(name)
    return among.find(each => each === found) ?? first
  } catch {
    return first
  }
}
const store = (name: string, value: string): void => {
  try {
    localStorage.setItem(name, value)
  } catch {}
}

const root = document.documentElement
export const theme = createCell<Theme>(THEMES.find(name => name === root.dataset.theme) ?? 'system')
export const language = createCell<Language>(chooseLanguage(root.lang, undefined))
export const zone = createCell<Zone>(stored('zone', ZONES, 'local'))
export const density = createCell<Density>(stored('density', DENSITIES, 'comfortable'))
export const keysOn = createCell(stored('keys', ['on', 'off'], 'on') === 'on')

theme.subscribe(() => {
  root.dataset.theme = theme.get()
  writeCookie('theme', theme.get() === 'system' ? null : theme.get())
})
language.subscribe(() => {
  root.lang = language.get()
  writeCookie('language', language.get())
})
zone.subscribe(() => store('zone', zone.get()))
density.subscribe(() => store('density', density.get()))
keysOn.subscribe(() => store('keys', keysOn.get() ? 'on' : 'off'))
