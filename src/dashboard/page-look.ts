// How a page looks to its reader: language and theme, as their cookies and their browser say.
import type { Context } from 'hono'
import { getCookie } from 'hono/cookie'
import { chooseLanguage, type Language } from './web/texts/languages.ts'

const THEMES = ['light', 'dark']

/** The language that the reader chose, else the first of the browser's that we have. */
export const languageOf = (c: Context): Language =>
  chooseLanguage(getCookie(c, 'language'), c.req.header('accept-language'))

/** The theme that the reader chose; without one it follows the system. */
export const themeOf = (c: Context): string => {
  const chosen = getCookie(c, 'theme') ?? ''
  return THEMES.includes(chosen) ? chosen : 'system'
}
