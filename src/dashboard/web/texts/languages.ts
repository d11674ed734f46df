// The languages of the dashboard, and which of them a reader gets. Pure: the server asks too.

export const LANGUAGES = ['en', 'ru'] as const
export type Language = (typeof LANGUAGES)[number]

/** What each calls itself. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = { en: 'English', ru: 'Русский' }

const known = (tag: string): Language | null => {
  const base = tag.trim().toLowerCase().split('-')[0]
  return LANGUAGES.find(language => language === base) ?? null
}

/** @param accepts the header Accept-Language, in which browsers name the preferred language first */
export const chooseLanguage = (chosen: string | undefined, accepts: string | undefined): Language => {
  const wanted = (accepts ?? '').slice(0, 500).split(',')
  return known(chosen ?? '') ?? wanted.map(part => known(part.split(';')[0] ?? '')).find(Boolean) ?? 'en'
}
